/** The quadrature mirror filter of G.722, one polyphase half at a time. */
import { QMF } from './tables.ts'

const { imul } = Math
/** Samples of each phase that are kept between two frames. */
export const QMF_KEPT = 11
const [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11] = [...QMF] as [number, number, number, number, number, number, number, number, number, number, number, number]

/**
 * Filters `count` samples of `x` into `out`: twelve each, oldest first or, in the mirrored half, newest first.
 * The twelve move through local variables, because reading each of them again costs more than its product.
 */
export function filter(x: Int32Array, out: Int32Array, count: number, mirrored: boolean): void {
  const [k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11] = mirrored ? [c11, c10, c9, c8, c7, c6, c5, c4, c3, c2, c1, c0] : [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11]
  let x0 = 0, x1 = x[0]!, x2 = x[1]!, x3 = x[2]!, x4 = x[3]!, x5 = x[4]!, x6 = x[5]!, x7 = x[6]!, x8 = x[7]!, x9 = x[8]!, x10 = x[9]!, x11 = x[10]!
  for (let i = 0; i < count; i++) {
    x0 = x1
    x1 = x2
    x2 = x3
    x3 = x4
    x4 = x5
    x5 = x6
    x6 = x7
    x7 = x8
    x8 = x9
    x9 = x10
    x10 = x11
    x11 = x[QMF_KEPT + i]!
    out[i] = imul(x0, k0) + imul(x1, k1) + imul(x2, k2) + imul(x3, k3) + imul(x4, k4) + imul(x5, k5)
      + imul(x6, k6) + imul(x7, k7) + imul(x8, k8) + imul(x9, k9) + imul(x10, k10) + imul(x11, k11)
  }
}
