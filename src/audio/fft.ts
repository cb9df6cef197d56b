/** Complex fast Fourier transform in place, radix 2. For measurements, not for the media path. */

interface Plan {
  readonly cos: Float64Array
  readonly sin: Float64Array
}

const plans = new Map<number, Plan>()

function planOf(size: number): Plan {
  const known = plans.get(size)
  if (known !== undefined) return known
  const plan = {
    cos: Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size)),
    sin: Float64Array.from({ length: size / 2 }, (_, i) => Math.sin((2 * Math.PI * i) / size)),
  }
  plans.set(size, plan)
  return plan
}

export interface Spectrum {
  readonly re: Float64Array
  readonly im: Float64Array
}

/** Smallest power of two that is at least `n`. */
export const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(2, n)))

/** Spectrum of a real signal, padded with zeros to `size` (a power of two). */
export function spectrumOf(signal: ArrayLike<number>, size: number): Spectrum {
  const re = new Float64Array(size)
  for (let i = 0; i < signal.length; i++) re[i] = signal[i]!
  const s = { re, im: new Float64Array(size) }
  transform(s)
  return s
}

/** Forward transform. */
export function transform({ re, im }: Spectrum): void {
  const size = re.length
  reorder(re, im)
  const { cos, sin } = planOf(size)
  for (let half = 1; half < size; half *= 2) {
    const stride = size / (2 * half)
    for (let start = 0; start < size; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const wr = cos[k * stride]!
        const wi = -sin[k * stride]!
        const a = start + k
        const b = a + half
        const tr = re[b]! * wr - im[b]! * wi
        const ti = re[b]! * wi + im[b]! * wr
        re[b] = re[a]! - tr
        im[b] = im[a]! - ti
        re[a] = re[a]! + tr
        im[a] = im[a]! + ti
      }
    }
  }
}

/** Inverse transform without the factor 1/size. */
export function inverse(s: Spectrum): void {
  transform({ re: s.im, im: s.re })
}

function reorder(re: Float64Array, im: Float64Array): void {
  const size = re.length
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit
    j ^= bit
    if (i >= j) continue
    const r = re[i]!
    re[i] = re[j]!
    re[j] = r
    const m = im[i]!
    im[i] = im[j]!
    im[j] = m
  }
}
