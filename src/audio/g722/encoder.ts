import { clamp, clip16 } from '../clip.ts'
import { higherBand, lowerBand } from './sub-band.ts'
import { ILN, ILP, Q6, QM2, QM4, QMF, WH_BY_CODE, WL_BY_CODE } from './tables.ts'

const { imul } = Math
/** LIMIT: sub-band signals have 15 bits. */
const limit = (v: number): number => clamp(v, -16384, 16383)

/** Samples of each phase that are kept between two frames of the transmit QMF. */
const KEPT = 11

/** ITU-T G.722 at 64 kbit/s: two samples at 16 kHz to one octet, higher band in the upper two bits. */
export class G722Encoder {
  readonly #low = lowerBand()
  readonly #high = higherBand()
  /** Even and odd input samples, the last eleven of the past first. */
  #even = new Int32Array(KEPT + 160)
  #odd = new Int32Array(KEPT + 160)

  /** `pcm` has an even length; `out` half of it. */
  encode(pcm: Int16Array, out: Uint8Array): void {
    const count = pcm.length >> 1
    if (this.#even.length < KEPT + count) this.#grow(count)
    const even = this.#even
    const odd = this.#odd
    for (let i = 0; i < count; i++) {
      even[KEPT + i] = pcm[2 * i]!
      odd[KEPT + i] = pcm[2 * i + 1]!
    }
    for (let i = 0; i < count; i++) {
      // Transmit QMF (G.722 §3.1): the two phases' sums and their difference are the two bands.
      let a = 0
      let b = 0
      for (let k = 0; k < 12; k++) {
        a += imul(odd[i + 11 - k]!, QMF[k]!)
        b += imul(even[i + k]!, QMF[k]!)
      }
      out[i] = (this.#encodeHigh(limit((a - b) >> 14)) << 6) | this.#encodeLow(limit((a + b) >> 14))
    }
    even.copyWithin(0, count, count + KEPT)
    odd.copyWithin(0, count, count + KEPT)
  }

  #grow(count: number): void {
    for (const phase of ['even', 'odd'] as const) {
      const larger = new Int32Array(KEPT + count)
      larger.set((phase === 'even' ? this.#even : this.#odd).subarray(0, KEPT))
      if (phase === 'even') this.#even = larger
      else this.#odd = larger
    }
  }

  /** SUBTRA, QUANTL, INVQAL. */
  #encodeLow(x: number): number {
    const difference = clip16(x - this.#low.predicted)
    const magnitude = difference >= 0 ? difference : ~difference
    const step = this.#low.step
    // The first level that the magnitude does not reach; levels rise, so by halving.
    let from = 1
    let to = 30
    while (from < to) {
      const middle = (from + to) >> 1
      if (magnitude < imul(Q6[middle]!, step) >> 12) to = middle
      else from = middle + 1
    }
    const code = difference < 0 ? ILN[from]! : ILP[from]!
    const coarse = code >> 2
    this.#low.adapt(imul(step, QM4[coarse]!) >> 15, WL_BY_CODE[coarse]!)
    return code
  }

  /** SUBTRA, QUANTH, INVQAH. */
  #encodeHigh(x: number): number {
    const difference = clip16(x - this.#high.predicted)
    const magnitude = difference >= 0 ? difference : ~difference
    const step = this.#high.step
    const outer = magnitude >= imul(564, step) >> 12
    const code = difference < 0 ? (outer ? 0 : 1) : outer ? 2 : 3
    this.#high.adapt(imul(step, QM2[code]!) >> 15, WH_BY_CODE[code]!)
    return code
  }
}
