/** What is heard while it rings, here or at the other side: one sound in a loop, on the speaker that the user chose. */

const RATE = 16_000

/** Browsers give no sound before the user did something in the page: then the ring is seen alone, until a click or a key. */
export type RingerState = 'silent' | 'ringing' | 'withheld'

export class Ringer {
  readonly #make: () => Float32Array<ArrayBuffer>
  readonly #speaker: () => string
  #context: AudioContext | undefined
  state: RingerState = 'silent'
  onChange: () => void = () => {}

  constructor(make: () => Float32Array<ArrayBuffer>, speaker: () => string) {
    this.#make = make
    this.#speaker = speaker
  }

  set on(on: boolean) {
    if (on === (this.#context !== undefined)) return
    if (on) void this.#start()
    else this.#stop()
  }
  async #start(): Promise<void> {
    const context = new AudioContext() as AudioContext & { setSinkId?(id: string): Promise<void> }
    this.#context = context
    const pcm = this.#make()
    const buffer = context.createBuffer(1, pcm.length, RATE)
    buffer.copyToChannel(pcm, 0)
    const node = context.createBufferSource()
    node.buffer = buffer
    node.loop = true
    node.connect(context.destination)
    node.start()
    context.onstatechange = () => this.#follow(context)
    addEventListener('pointerdown', this.#wake)
    addEventListener('keydown', this.#wake)
    const speaker = this.#speaker()
    if (speaker !== 'default') await context.setSinkId?.(speaker).catch(() => {})
    this.#follow(context)
    this.#wake()
  }
  readonly #wake = (): void => void this.#context?.resume().catch(() => {})
  #follow(context: AudioContext): void {
    if (context !== this.#context) return
    this.state = context.state === 'running' ? 'ringing' : 'withheld'
    this.onChange()
  }
  #stop(): void {
    removeEventListener('pointerdown', this.#wake)
    removeEventListener('keydown', this.#wake)
    void this.#context?.close()
    this.#context = undefined
    this.state = 'silent'
    this.onChange()
  }
}

/** Seconds of sound, silence after `parts`: each a note with soft edges. */
function tune(seconds: number, parts: readonly { readonly at: number; readonly for: number; readonly hz: readonly number[]; readonly loud: number }[]): Float32Array<ArrayBuffer> {
  const pcm = new Float32Array(seconds * RATE)
  for (const p of parts) {
    const n = Math.round(p.for * RATE)
    for (let i = 0; i < n; i++) {
      const edge = Math.min(1, i / 320, (n - i) / (0.6 * n))
      const t = i / RATE
      for (const hz of p.hz) pcm[Math.round(p.at * RATE) + i]! += (p.loud / p.hz.length) * edge * Math.sin(2 * Math.PI * hz * t)
    }
  }
  return pcm
}

/** Somebody calls: four rising notes, twice, then a pause. */
export const ringTune = (): Float32Array<ArrayBuffer> =>
  tune(4, [0, 1].flatMap((k) => [523, 659, 784, 1047].map((hz, i) => ({ at: k * 1.1 + i * 0.16, for: 0.42, hz: [hz, hz * 2], loud: 0.28 }))))

/** It rings at the other side (as in most of Europe: 425 Hz, one second of five). */
export const ringbackTune = (): Float32Array<ArrayBuffer> => tune(5, [{ at: 0.2, for: 1, hz: [425], loud: 0.12 }])
