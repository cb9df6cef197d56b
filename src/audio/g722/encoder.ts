import { higherBand, limit, lowerBand } from './sub-band.ts'
import { filter, QMF_KEPT as KEPT } from './qmf.ts'

/** ITU-T G.722 at 64 kbit/s: two samples at 16 kHz to one octet, higher band in the upper two bits. */
export class G722Encoder {
  readonly #low = lowerBand()
  readonly #high = higherBand()
  /** Even and odd input samples, the last eleven of the past first. */
  #even = new Int32Array(KEPT)
  #odd = new Int32Array(KEPT)
  #lowSignal = new Int32Array(0)
  #highSignal = new Int32Array(0)
  #highCodes = new Uint8Array(0)

  /** `pcm` has an even length; `out` half of it. */
  encode(pcm: Int16Array, out: Uint8Array): void {
    const count = pcm.length >> 1
    if (this.#highCodes.length < count) this.#grow(count)
    const even = this.#even
    const odd = this.#odd
    const low = this.#lowSignal
    const high = this.#highSignal
    for (let i = 0; i < count; i++) {
      even[KEPT + i] = pcm[2 * i]!
      odd[KEPT + i] = pcm[2 * i + 1]!
    }
    // Transmit QMF (G.722 §3.1): the two phases' sums and their difference are the two bands.
    filter(odd, low, count, true)
    filter(even, high, count, false)
    for (let i = 0; i < count; i++) {
      const a = low[i]!
      const b = high[i]!
      low[i] = limit((a + b) >> 14)
      high[i] = limit((a - b) >> 14)
    }
    const highCodes = this.#highCodes
    this.#low.encode(low, out, count)
    this.#high.encode(high, highCodes, count)
    for (let i = 0; i < count; i++) out[i] = (highCodes[i]! << 6) | out[i]!
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
    this.#lowSignal = new Int32Array(count)
    this.#highSignal = new Int32Array(count)
    this.#highCodes = new Uint8Array(count)
  }
}
