import { clamp, clip16 } from '../clip.ts'
import { higherBand, lowerBand } from './sub-band.ts'
import { QM2, QM4, QM5, QM6, QMF, WH_BY_CODE, WL_BY_CODE } from './tables.ts'

const { imul } = Math
const limit = (v: number): number => clamp(v, -16384, 16383)

/** 64, 56 or 48 kbit/s of audio: the lower band's last 0, 1 or 2 bits are data and ignored (G.722 §1.3). */
export type G722Mode = 1 | 2 | 3

const KEPT = 11

/** ITU-T G.722: one octet to two samples at 16 kHz. */
export class G722Decoder {
  readonly #low = lowerBand()
  readonly #high = higherBand()
  readonly #dropBits: number
  readonly #fine: Int16Array
  /** Differences and sums of the two bands, the last eleven of the past first. */
  #differences = new Int32Array(KEPT + 160)
  #sums = new Int32Array(KEPT + 160)

  constructor(mode: G722Mode = 1) {
    this.#dropBits = mode - 1
    this.#fine = mode === 1 ? QM6 : mode === 2 ? QM5 : QM4
  }

  /** `out` needs twice the length of `octets`. Every octet is a valid code word. */
  decode(octets: Uint8Array, out: Int16Array): void {
    const count = octets.length
    if (this.#sums.length < KEPT + count) this.#grow(count)
    const differences = this.#differences
    const sums = this.#sums
    for (let i = 0; i < count; i++) {
      const low = this.#decodeLow(octets[i]! & 0x3f)
      const high = this.#decodeHigh(octets[i]! >> 6)
      differences[KEPT + i] = clip16(low - high)
      sums[KEPT + i] = clip16(low + high)
    }
    for (let i = 0; i < count; i++) {
      // Receive QMF (G.722 §4.4).
      let a = 0
      let b = 0
      for (let k = 0; k < 12; k++) {
        a += imul(differences[i + 11 - k]!, QMF[k]!)
        b += imul(sums[i + k]!, QMF[k]!)
      }
      out[2 * i] = clip16(a >> 11)
      out[2 * i + 1] = clip16(b >> 11)
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
  }

  /** INVQBL, RECONS, LIMIT for the output; INVQAL for the adaptation, which sees four bits in every mode. */
  #decodeLow(code: number): number {
    const { step, predicted } = this.#low
    const out = limit(predicted + (imul(step, this.#fine[code >> this.#dropBits]!) >> 15))
    const coarse = code >> 2
    this.#low.adapt(imul(step, QM4[coarse]!) >> 15, WL_BY_CODE[coarse]!)
    return out
  }

  #decodeHigh(code: number): number {
    const { step, predicted } = this.#high
    const difference = imul(step, QM2[code]!) >> 15
    const out = limit(predicted + difference)
    this.#high.adapt(difference, WH_BY_CODE[code]!)
    return out
  }
}
