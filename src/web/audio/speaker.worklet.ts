/**
 * In the audio thread: 20 ms frames of 16 kHz come irregularly, sound goes out evenly. The client's clock and this one
 * differ: the buffer is held near its aim by playing a fraction of a per cent faster or slower.
 */
import { Resampler } from './resampler.ts'

const RATE = 16_000
/** Samples waiting at 16 kHz: aim, and more than which is thrown away. */
const AIM = 0.06 * RATE
const MOST = 0.3 * RATE
const DRIFT = 0.004

class Speaker extends AudioWorkletProcessor {
  #waiting: Float32Array[] = []
  #length = 0
  #running = false
  #ready = new Float32Array(0)
  readonly #resampler = new Resampler(RATE, sampleRate)

  constructor() {
    super()
    this.port.onmessage = ({ data }: MessageEvent<Int16Array | null>) => {
      if (data === null) return this.#empty()
      this.#waiting.push(Float32Array.from(data, (x) => x / 32_768))
      this.#length += data.length
      while (this.#length > MOST) this.#length -= this.#waiting.shift()!.length
    }
  }
  #empty(): void {
    this.#waiting = []
    this.#length = 0
    this.#running = false
  }
  process(_: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0]?.[0]
    if (out === undefined) return true
    if (!this.#running && this.#length >= AIM) this.#running = true
    while (this.#ready.length < out.length) {
      const next = this.#running ? this.#waiting.shift() : undefined
      if (next === undefined) {
        // Ran empty: collect anew rather than crackle.
        this.#running = false
        break
      }
      this.#length -= next.length
      this.#resampler.pace = this.#pace()
      this.#append(this.#resampler.process(next))
    }
    out.set(this.#ready.subarray(0, out.length))
    this.#ready = this.#ready.slice(out.length)
    return true
  }
  #pace(): number {
    if (this.#length > 2 * AIM) return 1 + DRIFT
    return this.#length < AIM / 2 ? 1 - DRIFT : 1
  }
  #append(more: Float32Array): void {
    const all = new Float32Array(this.#ready.length + more.length)
    all.set(this.#ready)
    all.set(more, this.#ready.length)
    this.#ready = all
  }
}

registerProcessor('stc-speaker', Speaker)
