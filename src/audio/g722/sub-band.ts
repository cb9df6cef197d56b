import { clamp, clip16 } from '../clip.ts'
import { ILB } from './tables.ts'

const { imul } = Math

/**
 * Adaptive predictor and scale factor of one sub-band (blocks 3 and 4 of G.722 §6.2). The same
 * in encoder and decoder, which is what keeps the two in step. All values are 16-bit integers;
 * fields rather than arrays and `imul` rather than `*` because they are twice as fast.
 */
export class SubBand {
  /** Output of the predictor, s_L or s_H. */
  predicted = 0
  /** Quantizer step, DET. */
  step: number
  /** Logarithm of the step, NB. */
  #logStep = 0
  readonly #logLimit: number
  readonly #stepShift: number
  /** Part of the prediction that comes from the zeros, s_z. */
  #zeroPart = 0
  #a1 = 0
  #a2 = 0
  /** Last two partial reconstructions; only the sign is used. */
  #p1 = 0
  #p2 = 0
  /** Last reconstructed signal, doubled. */
  #r1 = 0
  /** Weights of the six zeros. */
  #b1 = 0
  #b2 = 0
  #b3 = 0
  #b4 = 0
  #b5 = 0
  #b6 = 0
  /** The six differences that they weigh, newest first. */
  #d1 = 0
  #d2 = 0
  #d3 = 0
  #d4 = 0
  #d5 = 0
  #d6 = 0

  /** Lower band: 32, 18432, 8. Higher band: 8, 22528, 10. */
  constructor(firstStep: number, logLimit: number, stepShift: number) {
    this.step = firstStep
    this.#logLimit = logLimit
    this.#stepShift = stepShift
  }

  /** `difference` is the quantized difference signal, `weight` the W of its code word. */
  adapt(difference: number, weight: number): void {
    this.#adaptStep(weight)
    const reconstructed = clip16(this.predicted + difference)
    const poles = this.#adaptPoles(reconstructed, clip16(this.#zeroPart + difference))
    this.#zeroPart = this.#adaptZeros(difference)
    // PREDIC
    this.predicted = clip16(poles + this.#zeroPart)
  }

  /** LOGSCL and SCALEL, or LOGSCH and SCALEH. */
  #adaptStep(weight: number): void {
    const logStep = clamp((imul(this.#logStep, 127) >> 7) + weight, 0, this.#logLimit)
    this.#logStep = logStep
    const mantissa = ILB[(logStep >> 6) & 31]!
    const shift = this.#stepShift - (logStep >> 11)
    this.step = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2
  }

  /** UPPOL2, UPPOL1, FILTEP. */
  #adaptPoles(reconstructed: number, partial: number): number {
    const like1 = (partial ^ this.#p1) >= 0
    const like2 = (partial ^ this.#p2) >= 0
    this.#p2 = this.#p1
    this.#p1 = partial

    let pull = clip16(this.#a1 << 2)
    if (like1) pull = pull === -32768 ? 32767 : -pull
    const a2 = clamp((like2 ? 128 : -128) + (pull >> 7) + (imul(this.#a2, 32512) >> 15), -12288, 12288)
    this.#a2 = a2

    const bound = 15360 - a2
    const a1 = clamp((like1 ? 192 : -192) + (imul(this.#a1, 32640) >> 15), -bound, bound)
    this.#a1 = a1

    const doubled = clip16(reconstructed << 1)
    const poles = (imul(a1, doubled) >> 15) + (imul(a2, this.#r1) >> 15)
    this.#r1 = doubled
    return clip16(poles)
  }

  /** UPZERO, DELAYA, FILTEZ. */
  #adaptZeros(difference: number): number {
    const gain = difference === 0 ? 0 : 128
    const d1 = this.#d1
    const d2 = this.#d2
    const d3 = this.#d3
    const d4 = this.#d4
    const d5 = this.#d5
    this.#b1 = zero(this.#b1, d1, difference, gain)
    this.#b2 = zero(this.#b2, d2, difference, gain)
    this.#b3 = zero(this.#b3, d3, difference, gain)
    this.#b4 = zero(this.#b4, d4, difference, gain)
    this.#b5 = zero(this.#b5, d5, difference, gain)
    this.#b6 = zero(this.#b6, this.#d6, difference, gain)
    this.#d1 = difference
    this.#d2 = d1
    this.#d3 = d2
    this.#d4 = d3
    this.#d5 = d4
    this.#d6 = d5
    return clip16(
      (imul(this.#b1, clip16(difference << 1)) >> 15) + (imul(this.#b2, clip16(d1 << 1)) >> 15)
      + (imul(this.#b3, clip16(d2 << 1)) >> 15) + (imul(this.#b4, clip16(d3 << 1)) >> 15)
      + (imul(this.#b5, clip16(d4 << 1)) >> 15) + (imul(this.#b6, clip16(d5 << 1)) >> 15),
    )
  }
}

/** A weight leaks by 1/256 and moves towards the sign that old and new difference share. */
function zero(weight: number, older: number, difference: number, gain: number): number {
  return ((older ^ difference) < 0 ? -gain : gain) + (imul(weight, 32640) >> 15)
}

export const lowerBand = (): SubBand => new SubBand(32, 18432, 8)
export const higherBand = (): SubBand => new SubBand(8, 22528, 10)
