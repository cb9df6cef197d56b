/** Recordings and test tones, one list at a time: a newer one takes the place of the one before, which says nothing more. */

export interface Part<Name> {
  readonly name: Name
  /** 16 kHz. */
  readonly pcm: Int16Array
}

const RATE = 16_000

export class Playback {
  readonly #open: () => AudioContext | undefined
  readonly #sink: (context: AudioContext) => Promise<void>
  /** Counts lists: what is stopped before it began never does. */
  #round = 0
  #silence: (() => void) | undefined
  #over: (() => void) | undefined

  /** `open`: the context of a phone that is open. `sink`: sends another one to the speaker that the user chose; may reject. */
  constructor(open: () => AudioContext | undefined, sink: (context: AudioContext) => Promise<void>) {
    this.#open = open
    this.#sink = sink
  }
  /** At once. `tell`: which part is heard now, or none any more. Resolves to whether all was heard to its end; never rejects. */
  async play<Name>(parts: readonly Part<Name>[], tell: (name: Name | undefined) => void = () => {}): Promise<boolean> {
    this.stop()
    const round = this.#round
    this.#over = () => tell(undefined)
    let whole = true
    for (const { name, pcm } of parts) {
      tell(name)
      whole = await this.#one(pcm, round).catch(() => false)
      // Stopped, and told so.
      if (round !== this.#round) return false
      if (!whole) break
    }
    this.stop()
    return whole
  }
  async #one(pcm: Int16Array, round: number): Promise<boolean> {
    const open = this.#open()
    const context = open ?? new AudioContext()
    try {
      if (open === undefined) await this.#sink(context).catch(() => {})
      await context.resume()
      return round === this.#round && (await this.#heard(context, pcm))
    } finally {
      if (open === undefined) await context.close().catch(() => {})
    }
  }
  /** Resolves when it is stopped, too: a context that is closed never says that anything ended. */
  #heard(context: AudioContext, pcm: Int16Array): Promise<boolean> {
    const buffer = context.createBuffer(1, pcm.length, RATE)
    buffer.copyToChannel(Float32Array.from(pcm, (x) => x / 32_768), 0)
    const node = context.createBufferSource()
    node.buffer = buffer
    node.connect(context.destination)
    return new Promise((resolve) => {
      node.onended = () => resolve(true)
      this.#silence = () => {
        node.stop()
        resolve(false)
      }
      node.start()
    })
  }
  stop(): void {
    const [silence, over] = [this.#silence, this.#over]
    this.#round++
    this.#silence = undefined
    this.#over = undefined
    silence?.()
    over?.()
  }
}
