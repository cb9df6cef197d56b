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

/** 16 kHz → 8 kHz. Keeps the filter's memory between calls. */
export class HalfBandDown {
  readonly #even = new Float64Array(PHASE_TAPS)
  readonly #odd = new Float64Array(SIDE_TAPS)
  #evenAt = 0
  #oddAt = 0

  /** `pcm` has an even length, `out` half of it. */
  process(pcm: Int16Array, out: Int16Array): void {
    for (let i = 0; i + 1 < pcm.length; i += 2) {
      this.#even[this.#evenAt] = pcm[i]!
      this.#evenAt = (this.#evenAt + 1) % PHASE_TAPS
      // The middle tap meets the odd phase, as many samples back as one side has taps.
      const middle = this.#odd[this.#oddAt]!
      this.#odd[this.#oddAt] = pcm[i + 1]!
      this.#oddAt = (this.#oddAt + 1) % SIDE_TAPS
      out[i >> 1] = clip(0.5 * middle + fold(this.#even, this.#evenAt))
    }
  }
}

/** 8 kHz → 16 kHz. Keeps the filter's memory between calls. */
export class HalfBandUp {
  readonly #memory = new Float64Array(PHASE_TAPS)
  #at = 0

  /** `out` has twice the length of `pcm`. */
  process(pcm: Int16Array, out: Int16Array): void {
    for (let i = 0; i < pcm.length; i++) {
      this.#memory[this.#at] = pcm[i]!
      this.#at = (this.#at + 1) % PHASE_TAPS
      out[2 * i] = clip(2 * fold(this.#memory, this.#at))
      out[2 * i + 1] = this.#memory[(this.#at + SIDE_TAPS) % PHASE_TAPS]!
    }
  }
}

/** Symmetric sum over a ring of PHASE_TAPS samples whose oldest is at `oldest`. */
function fold(ring: Float64Array, oldest: number): number {
  let sum = 0
  let early = oldest + SIDE_TAPS - 1
  let late = oldest + SIDE_TAPS
  for (let k = 0; k < SIDE_TAPS; k++) {
    sum += taps[k]! * (ring[early % PHASE_TAPS]! + ring[late % PHASE_TAPS]!)
    early--
    late++
  }
  return sum
}
