/**
 * 8 kHz ↔ 16 kHz by a half-band filter in polyphase form: every second tap of a half-band filter
 * is zero except the middle one, so one phase is a plain delay and only the other is computed.
 * Linear phase, 47 taps: 23 samples at 16 kHz (1.44 ms) of delay; stop band from 4.6 kHz at −60 dB,
 * pass band to 3.4 kHz, the band of telephone speech.
 */

import { clip16 } from './clip.ts'

/** Non-zero taps on each side of the middle one. */
const SIDE_TAPS = 12
/** Length of the computed phase, in samples at 8 kHz. */
const PHASE_TAPS = 2 * SIDE_TAPS

/** Tap at odd distance 2k+1 from the middle: sinc under a Kaiser window, so that the pass band is 0 dB. */
const taps = designTaps()

function designTaps(): Float64Array {
  const beta = 5.65
  const half = 2 * SIDE_TAPS
  const side = Float64Array.from({ length: SIDE_TAPS }, (_, k) => {
    const distance = 2 * k + 1
    const ideal = Math.sin((Math.PI * distance) / 2) / (Math.PI * distance)
    return ideal * (bessel0(beta * Math.sqrt(1 - (distance / half) ** 2)) / bessel0(beta))
  })
  // Both sides together and the middle tap (1/2) must give exactly 1 at 0 Hz.
  const sum = 2 * side.reduce((a, b) => a + b, 0)
  return side.map((t) => (t * 0.5) / sum)
}

/** Modified Bessel function of order zero, by its series. */
function bessel0(x: number): number {
  let term = 1
  let sum = 1
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

const clip = (v: number): number => clip16(Math.round(v))

/** Samples of one phase, the last ones of the past first, so that the filter runs over one array. */
class Phase {
  readonly #kept: number
  samples: Float64Array

  constructor(kept: number) {
    this.#kept = kept
    this.samples = new Float64Array(kept + 160)
  }

  /** Room for `count` new samples behind the kept ones. */
  ready(count: number): Float64Array {
    if (this.samples.length < this.#kept + count) {
      const larger = new Float64Array(this.#kept + count)
      larger.set(this.samples.subarray(0, this.#kept))
      this.samples = larger
    }
    return this.samples
  }

  done(count: number): void {
    this.samples.copyWithin(0, count, count + this.#kept)
  }
}

/** 16 kHz → 8 kHz. Keeps the filter's memory between calls. */
export class HalfBandDown {
  readonly #even = new Phase(PHASE_TAPS - 1)
  /** The middle tap meets the odd phase, as many samples back as one side has taps. */
  readonly #odd = new Phase(SIDE_TAPS)

  /** `pcm` has an even length, `out` half of it. */
  process(pcm: Int16Array, out: Int16Array): void {
    const count = pcm.length >> 1
    const even = this.#even.ready(count)
    const odd = this.#odd.ready(count)
    for (let i = 0; i < count; i++) {
      even[PHASE_TAPS - 1 + i] = pcm[2 * i]!
      odd[SIDE_TAPS + i] = pcm[2 * i + 1]!
    }
    for (let i = 0; i < count; i++) out[i] = clip(0.5 * odd[i]! + fold(even, i))
    this.#even.done(count)
    this.#odd.done(count)
  }
}

/** 8 kHz → 16 kHz. Keeps the filter's memory between calls. */
export class HalfBandUp {
  readonly #phase = new Phase(PHASE_TAPS - 1)

  /** `out` has twice the length of `pcm`. */
  process(pcm: Int16Array, out: Int16Array): void {
    const count = pcm.length
    const samples = this.#phase.ready(count)
    for (let i = 0; i < count; i++) samples[PHASE_TAPS - 1 + i] = pcm[i]!
    for (let i = 0; i < count; i++) {
      out[2 * i] = clip(2 * fold(samples, i))
      out[2 * i + 1] = samples[i + SIDE_TAPS]!
    }
    this.#phase.done(count)
  }
}

/** Symmetric sum over PHASE_TAPS samples from `from` on. */
function fold(samples: Float64Array, from: number): number {
  let sum = 0
  for (let k = 0; k < SIDE_TAPS; k++) sum += taps[k]! * (samples[from + SIDE_TAPS - 1 - k]! + samples[from + SIDE_TAPS + k]!)
  return sum
}
