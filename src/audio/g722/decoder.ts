import { clip16 } from '../clip.ts'
import { filter, QMF_KEPT as KEPT } from './qmf.ts'
import { higherBand, lowerBand } from './sub-band.ts'
import { QM2, QM4, QM5, QM6 } from './tables.ts'

/** 64, 56 or 48 kbit/s of audio: the lower band's last 0, 1 or 2 bits are data and ignored (G.722 §1.3). */
export type G722Mode = 1 | 2 | 3

/** ITU-T G.722: one octet to two samples at 16 kHz. */
export class G722Decoder {
  readonly #low = lowerBand()
  readonly #high = higherBand()
  readonly #dropBits: number
  readonly #fine: Int16Array
  /** Differences and sums of the two bands, the last eleven of the past first. */
  #differences = new Int32Array(KEPT)
  #sums = new Int32Array(KEPT)
  #codes = new Uint8Array(0)
  #lowSignal = new Int32Array(0)
  #highSignal = new Int32Array(0)

  constructor(mode: G722Mode = 1) {
    this.#dropBits = mode - 1
    this.#fine = mode === 1 ? QM6 : mode === 2 ? QM5 : QM4
  }

  /** `out` needs twice the length of `octets`. Every octet is a valid code word. */
  decode(octets: Uint8Array, out: Int16Array): void {
    const count = octets.length
    if (this.#codes.length < count) this.#grow(count)
    const codes = this.#codes
    const low = this.#lowSignal
    const high = this.#highSignal
    for (let i = 0; i < count; i++) codes[i] = octets[i]! & 0x3f
    this.#low.decode(codes, low, count, this.#fine, this.#dropBits)
    for (let i = 0; i < count; i++) codes[i] = octets[i]! >> 6
    this.#high.decode(codes, high, count, QM2, 0)
    const differences = this.#differences
    const sums = this.#sums
    for (let i = 0; i < count; i++) {
      differences[KEPT + i] = clip16(low[i]! - high[i]!)
      sums[KEPT + i] = clip16(low[i]! + high[i]!)
    }
    // Receive QMF (G.722 §4.4).
    filter(differences, low, count, true)
    filter(sums, high, count, false)
    for (let i = 0; i < count; i++) {
      out[2 * i] = clip16(low[i]! >> 11)
      out[2 * i + 1] = clip16(high[i]! >> 11)
    }
    differences.copyWithin(0, count, count + KEPT)
    sums.copyWithin(0, count, count + KEPT)
  }

  #grow(count: number): void {
    const differences = new Int32Array(KEPT + count)
    const sums = new Int32Array(KEPT + count)
    differences.set(this.#differences.subarray(0, KEPT))
    sums.set(this.#sums.subarray(0, KEPT))
    this.#differences = differences
    this.#sums = sums
    this.#codes = new Uint8Array(count)
    this.#lowSignal = new Int32Array(count)
    this.#highSignal = new Int32Array(count)
  }
}
