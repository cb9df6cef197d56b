/**
 * One listener's mix: senders are added up and a look-ahead limiter keeps the sum in range with a
 * smooth gain, never by clipping. One's own stream is not among the senders, so nobody hears himself.
 */
import { FRAME_SAMPLES } from './codec.ts'

/** The gain is set per block of 2 ms, which is also the look-ahead and the delay. */
const BLOCK = 32
/** −1 dB: room for the filters behind. */
const CEILING = 29_200
/** Per block towards 1: 90 % in about 180 ms. */
const RELEASE = 0.025

export class Mixer {
  /** The last block of the frame before, then this frame. */
  readonly #sum = new Float64Array(BLOCK + FRAME_SAMPLES)
  #gain = 1
  /** Gain that the oldest block still needs. */
  #allowed = 1

  /** Adds 320 samples at a gain that moves evenly from `fromGain` to `toGain`. */
  add(pcm: Int16Array, fromGain = 1, toGain = fromGain): void {
    const sum = this.#sum
    const step = (toGain - fromGain) / FRAME_SAMPLES
    for (let i = 0; i < FRAME_SAMPLES; i++) sum[BLOCK + i] = sum[BLOCK + i]! + pcm[i]! * (fromGain + step * i)
  }

  /** Takes what was added since the last call, limited and 2 ms late. */
  finish(out: Int16Array): void {
    const sum = this.#sum
    for (let at = 0; at < FRAME_SAMPLES; at += BLOCK) {
      const ahead = allowedGain(sum, at + BLOCK)
      // The ramp ends where this block and the next one both fit, and began where this one does.
      const released = this.#gain + (1 - this.#gain) * RELEASE
      const to = Math.min(this.#allowed, ahead, released > 0.9999 ? 1 : released)
      this.#ramp(out, at, to)
      this.#allowed = ahead
    }
    sum.copyWithin(0, FRAME_SAMPLES)
    sum.fill(0, BLOCK)
  }

  #ramp(out: Int16Array, at: number, to: number): void {
    const from = this.#gain
    const step = (to - from) / BLOCK
    for (let i = 0; i < BLOCK; i++) out[at + i] = Math.round(this.#sum[at + i]! * (from + step * (i + 1)))
    this.#gain = to
  }
}

/** The gain at which a block stays under the ceiling. */
function allowedGain(sum: Float64Array, at: number): number {
  let peak = 0
  for (let i = at; i < at + BLOCK; i++) {
    const size = Math.abs(sum[i]!)
    if (size > peak) peak = size
  }
  return peak > CEILING ? CEILING / peak : 1
}
