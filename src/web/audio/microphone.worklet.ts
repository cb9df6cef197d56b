/** In the audio thread: what the microphone takes, as 20 ms of 16 kHz PCM with its level. */
import { Resampler } from './resampler.ts'

const RATE = 16_000
const FRAME = 320

class Microphone extends AudioWorkletProcessor {
  readonly #resampler = sampleRate === RATE ? undefined : new Resampler(sampleRate, RATE)
  #frame = new Int16Array(FRAME)
  #filled = 0
  #power = 0

  process(inputs: Float32Array[][]): boolean {
    const input = inputs[0]?.[0]
    if (input === undefined) return true
    for (const x of this.#resampler?.process(input) ?? input) {
      const sample = Math.max(-1, Math.min(1, x))
      this.#power += sample * sample
      this.#frame[this.#filled++] = Math.round(sample * 32_767)
      if (this.#filled === FRAME) this.#send()
    }
    return true
  }
  #send(): void {
    // dBov: RFC 6464 counts from overload down.
    const level = Math.max(0, Math.min(127, Math.round(-10 * Math.log10(this.#power / FRAME + 1e-13))))
    this.port.postMessage({ pcm: this.#frame, level }, [this.#frame.buffer])
    this.#frame = new Int16Array(FRAME)
    this.#filled = 0
    this.#power = 0
  }
}

registerProcessor('stc-microphone', Microphone)
