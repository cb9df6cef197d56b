/**
 * A queue of samples that is read at a speed near 1: takes out clock skew and trims delay without
 * a seam. Windowed sinc of sixteen taps, 128 phases with linear interpolation between them; at
 * phase 0 it is a plain delay of eight samples (0.5 ms).
 */

import { clip16 } from './clip.ts'

const TAPS = 16
const HALF = TAPS / 2
const PHASES = 128
/** Samples over which a cut is blended: 4 ms. */
const BLEND = 64

/** Row p: weights for a point p/128 of the way between the two middle samples; one row more to interpolate. */
const kernel = design()

function design(): Float64Array {
  const rows = new Float64Array((PHASES + 1) * TAPS)
  for (let p = 0; p <= PHASES; p++) {
    let sum = 0
    for (let k = 0; k < TAPS; k++) {
      const x = k - (HALF - 1) - p / PHASES
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
      // Blackman window over the sixteen taps.
      const w = Math.abs(x) >= HALF ? 0 : 0.42 + 0.5 * Math.cos((Math.PI * x) / HALF) + 0.08 * Math.cos((2 * Math.PI * x) / HALF)
      rows[p * TAPS + k] = sinc * w
      sum += sinc * w
    }
    for (let k = 0; k < TAPS; k++) rows[p * TAPS + k] = rows[p * TAPS + k]! / sum
  }
  return rows
}

export class SpeedQueue {
  readonly #samples: Int16Array
  #from = 0
  #to: number
  /** Position between two samples, 0 ≤ fraction < 1. */
  #fraction = 0
  readonly #weights = new Float64Array(TAPS)

  /** Holds at most `capacity` samples. */
  constructor(capacity: number) {
    this.#samples = new Int16Array(2 * (capacity + TAPS))
    this.#to = TAPS - 1
  }

  /** Samples that can still be read at speed 1. */
  get length(): number {
    return this.#to - this.#from - (TAPS - 1)
  }

  /** False, and nothing is taken, when there is no room. */
  write(pcm: Int16Array): boolean {
    if (this.length + pcm.length > this.#samples.length / 2 - TAPS) return false
    if (this.#to + pcm.length > this.#samples.length) {
      this.#samples.copyWithin(0, this.#from, this.#to)
      this.#to -= this.#from
      this.#from = 0
    }
    this.#samples.set(pcm, this.#to)
    this.#to += pcm.length
    return true
  }

  /** Input samples needed for `count` samples out at `speed`. */
  needed(count: number, speed: number): number {
    return Math.ceil(this.#fraction + count * speed)
  }

  /** Fills `out`, or gives false and takes nothing when too few samples are there. `speed` > 1 shortens. */
  read(out: Int16Array, speed: number): boolean {
    if (this.length < this.needed(out.length, speed)) return false
    if (speed === 1 && this.#fraction === 0) {
      out.set(this.#samples.subarray(this.#from + HALF - 1, this.#from + HALF - 1 + out.length))
      this.#from += out.length
      return true
    }
    if (speed === 1) this.#land(out)
    else this.#readStretched(out, speed)
    return true
  }

  /** Back at full speed: over this one frame the fraction is gone, at most half a sample, and reading is copying again. */
  #land(out: Int16Array): void {
    const to = this.#from + out.length + Math.round(this.#fraction)
    this.#readStretched(out, (to - this.#from - this.#fraction) / out.length)
    this.#from = to
    this.#fraction = 0
  }

  #readStretched(out: Int16Array, speed: number): void {
    const weights = this.#weights
    const samples = this.#samples
    let at = this.#from
    let fraction = this.#fraction
    for (let i = 0; i < out.length; i++) {
      this.#weigh(fraction)
      let sum = 0
      for (let k = 0; k < TAPS; k++) sum += samples[at + k]! * weights[k]!
      out[i] = clip16(Math.round(sum))
      fraction += speed
      const whole = Math.floor(fraction)
      at += whole
      fraction -= whole
    }
    this.#from = at
    this.#fraction = fraction
  }

  #weigh(fraction: number): void {
    const row = Math.floor(fraction * PHASES)
    const between = fraction * PHASES - row
    const a = row * TAPS
    for (let k = 0; k < TAPS; k++) {
      const low = kernel[a + k]!
      this.#weights[k] = low + (kernel[a + TAPS + k]! - low) * between
    }
  }

  /** Drops the oldest samples; what follows is blended with them. */
  skip(count: number): void {
    // The sample that plays next stands HALF - 1 after the first one that is kept; those before it
    // are still under the filter and stay what they were.
    const old = this.#from + HALF - 1
    const cut = old + Math.max(0, Math.min(count, this.length))
    this.#samples.copyWithin(cut - HALF + 1, this.#from, old)
    this.#from = cut - HALF + 1
    for (let i = 0; i < BLEND && cut + i < this.#to; i++) {
      const weight = (i + 1) / (BLEND + 1)
      this.#samples[cut + i] = Math.round(this.#samples[old + i]! * (1 - weight) + this.#samples[cut + i]! * weight)
    }
  }
}
