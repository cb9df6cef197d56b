/**
 * One sub-band of G.722: adaptive quantizer, predictor and scale factor (blocks 1 to 4 of G.722 §6.2),
 * the same in encoder and decoder, which is what keeps the two in step.
 */
import { ILB, ILN, ILP, Q6, QM2, QM4, WH_BY_CODE, WL_BY_CODE } from './tables.ts'

const { imul } = Math
// Of this module's own: what is imported is looked up again at every use, and this is the innermost loop.
function clamp(v: number, low: number, high: number): number {
  if (v > high) return high
  if (v < low) return low
  return v
}
const clip16 = (v: number): number => clamp(v, -32768, 32767)
/** LIMIT: sub-band signals have 15 bits. */
export const limit = (v: number): number => clamp(v, -16384, 16383)

/** What sets the two bands apart. */
interface BandKind {
  readonly firstStep: number
  /** Limit of the step's logarithm, and its scale. */
  readonly logLimit: number
  readonly stepShift: number
  /** The adaptation looks at the code without its last bits: the same in every mode of the decoder. */
  readonly coarseShift: number
  readonly coarse: Int16Array
  readonly weights: Int16Array
  readonly low: boolean
}

const LOW: BandKind = { firstStep: 32, logLimit: 18432, stepShift: 8, coarseShift: 2, coarse: QM4, weights: WL_BY_CODE, low: true }
const HIGH: BandKind = { firstStep: 8, logLimit: 22528, stepShift: 10, coarseShift: 0, coarse: QM2, weights: WH_BY_CODE, low: false }

/** QUANTL: how many of the 29 levels the magnitude reaches, by halving. No branches: which way it goes is chance. */
function quantizeLow(difference: number, step: number): number {
  const levels = Q6
  const magnitude = difference ^ (difference >> 31)
  let reached = 16 & reaches(magnitude, levels[16]!, step)
  reached += 8 & reaches(magnitude, levels[reached + 8]!, step)
  reached += 4 & reaches(magnitude, levels[reached + 4]!, step)
  reached += 2 & reaches(magnitude, levels[reached + 2]!, step)
  reached += 1 & reaches(magnitude, levels[reached + 1]!, step)
  const interval = reached > 29 ? 30 : reached + 1
  return difference < 0 ? ILN[interval]! : ILP[interval]!
}
/** All ones or zero. */
const reaches = (magnitude: number, level: number, step: number): number => ((imul(level, step) >> 12) - 1 - magnitude) >> 31

/** QUANTH. */
function quantizeHigh(difference: number, step: number): number {
  const magnitude = difference >= 0 ? difference : ~difference
  const outer = magnitude >= imul(564, step) >> 12
  return difference < 0 ? (outer ? 0 : 1) : outer ? 2 : 3
}

/** −`value` where `sign` is −1, `value` where it is 0: a branch would go either way at random. */
const signed = (value: number, sign: number): number => (value ^ sign) - sign
/** A weight leaks by 1/256 and moves towards the sign that old and new difference share. */
const zero = (weight: number, older: number, difference: number, gain: number): number =>
  signed(gain, (older ^ difference) >> 31) + (imul(weight, 32640) >> 15)

class SubBand {
  readonly #kind: BandKind
  /** Between two frames, in the order of the variables of `#run`. */
  readonly #state = new Int32Array(21)

  constructor(kind: BandKind) {
    this.#kind = kind
    this.#state[1] = kind.firstStep
  }
  /** `signal`, of 15 bits, to code words. */
  encode(signal: Int32Array, codes: Uint8Array, count: number): void {
    this.#run(signal, codes, count, undefined, 0)
  }
  /** Code words, their last `dropBits` left aside, to the signal; `fine` is the inverse quantizer for the rest. */
  decode(codes: Uint8Array, signal: Int32Array, count: number, fine: Int16Array, dropBits: number): void {
    this.#run(signal, codes, count, fine, dropBits)
  }

  /**
   * Over a frame all state is in local variables, which stay in registers or on the stack as plain
   * integers: as fields of an object the same arithmetic takes twice as long. Hence one long function.
   */
  #run(signal: Int32Array, codes: Uint8Array, count: number, fine: Int16Array | undefined, dropBits: number): void {
    const { logLimit, stepShift, coarseShift, coarse, weights, low } = this.#kind
    const s = this.#state
    // Predictor's output s_p, quantizer step DET and its logarithm NB, the zeros' part of the prediction s_z.
    let predicted = s[0]!, step = s[1]!, logStep = s[2]!, zeroPart = s[3]!
    // Poles; last two partial reconstructions (only the sign is used); last reconstruction, doubled.
    let a1 = s[4]!, a2 = s[5]!, p1 = s[6]!, p2 = s[7]!, r1 = s[8]!
    // Weights of the six zeros, and the differences that they weigh, doubled, newest first.
    let b1 = s[9]!, b2 = s[10]!, b3 = s[11]!, b4 = s[12]!, b5 = s[13]!, b6 = s[14]!
    let d1 = s[15]!, d2 = s[16]!, d3 = s[17]!, d4 = s[18]!, d5 = s[19]!, d6 = s[20]!
    const mantissas = ILB
    for (let i = 0; i < count; i++) {
      // SUBTRA and quantizer, or INVQBL, RECONS and LIMIT.
      let code: number
      if (fine === undefined) {
        const error = clip16(signal[i]! - predicted)
        code = low ? quantizeLow(error, step) : quantizeHigh(error, step)
        codes[i] = code
      } else {
        code = codes[i]!
        signal[i] = limit(predicted + (imul(step, fine[code >> dropBits]!) >> 15))
      }
      // INVQAL, INVQAH.
      const index = code >> coarseShift
      const difference = imul(step, coarse[index]!) >> 15
      const reconstructed = clip16(predicted + difference)
      const partial = clip16(zeroPart + difference)

      // LOGSCL and SCALEL, LOGSCH and SCALEH.
      logStep = clamp((imul(logStep, 127) >> 7) + weights[index]!, 0, logLimit)
      const shift = stepShift - (logStep >> 11)
      const mantissa = mantissas[(logStep >> 6) & 31]!
      step = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2

      // UPPOL2, UPPOL1, FILTEP.
      const sign1 = (partial ^ p1) >> 31
      const sign2 = (partial ^ p2) >> 31
      const pull = clip16(signed(clip16(a1 << 2), ~sign1))
      a2 = clamp(signed(128, sign2) + (pull >> 7) + (imul(a2, 32512) >> 15), -12288, 12288)
      a1 = clamp(signed(192, sign1) + (imul(a1, 32640) >> 15), a2 - 15360, 15360 - a2)
      p2 = p1
      p1 = partial
      const doubled = clip16(reconstructed << 1)
      const poles = clip16((imul(a1, doubled) >> 15) + (imul(a2, r1) >> 15))
      r1 = doubled

      // UPZERO, DELAYA, FILTEZ.
      const gain = difference === 0 ? 0 : 128
      b1 = zero(b1, d1, difference, gain)
      b2 = zero(b2, d2, difference, gain)
      b3 = zero(b3, d3, difference, gain)
      b4 = zero(b4, d4, difference, gain)
      b5 = zero(b5, d5, difference, gain)
      b6 = zero(b6, d6, difference, gain)
      d6 = d5
      d5 = d4
      d4 = d3
      d3 = d2
      d2 = d1
      d1 = clip16(difference << 1)
      zeroPart = clip16(
        (imul(b1, d1) >> 15) + (imul(b2, d2) >> 15) + (imul(b3, d3) >> 15)
        + (imul(b4, d4) >> 15) + (imul(b5, d5) >> 15) + (imul(b6, d6) >> 15),
      )
      // PREDIC.
      predicted = clip16(poles + zeroPart)
    }
    s.set([predicted, step, logStep, zeroPart, a1, a2, p1, p2, r1, b1, b2, b3, b4, b5, b6, d1, d2, d3, d4, d5, d6])
  }
}

export type { SubBand }
export const lowerBand = (): SubBand => new SubBand(LOW)
export const higherBand = (): SubBand => new SubBand(HIGH)
