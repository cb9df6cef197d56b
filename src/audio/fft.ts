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

/** Forward transform: the stages of radix 2 in pairs, so that everything is read and written half as often. */
export function transform({ re, im }: Spectrum): void {
  const size = re.length
  reorder(re, im)
  const { cos, sin } = planOf(size)
  let half = 1
  if (Math.log2(size) % 2 === 1) {
    sumsOfTwo(re, im)
    half = 2
  }
  for (; half < size; half *= 4) {
    const stride = size / (4 * half)
    for (let start = 0; start < size; start += 4 * half) {
      for (let k = 0; k < half; k++) {
        const vr = cos[2 * k * stride]!
        const vi = -sin[2 * k * stride]!
        const wr = cos[k * stride]!
        const wi = -sin[k * stride]!
        const a = start + k
        const b = a + half
        const c = b + half
        const d = c + half
        const br = re[b]! * vr - im[b]! * vi
        const bi = re[b]! * vi + im[b]! * vr
        const dr = re[d]! * vr - im[d]! * vi
        const di = re[d]! * vi + im[d]! * vr
        const evenR = re[a]! + br
        const evenI = im[a]! + bi
        const oddR = re[a]! - br
        const oddI = im[a]! - bi
        const cr = re[c]! + dr
        const ci = im[c]! + di
        const er = re[c]! - dr
        const ei = im[c]! - di
        const fr = cr * wr - ci * wi
        const fi = cr * wi + ci * wr
        // The second half's factor is the first's, a quarter of a turn on.
        const gr = er * wi + ei * wr
        const gi = ei * wi - er * wr
        re[a] = evenR + fr
        im[a] = evenI + fi
        re[c] = evenR - fr
        im[c] = evenI - fi
        re[b] = oddR + gr
        im[b] = oddI + gi
        re[d] = oddR - gr
        im[d] = oddI - gi
      }
    }
  }
}

/** The first stage, whose factors are all one. */
function sumsOfTwo(re: Float64Array, im: Float64Array): void {
  for (const x of [re, im]) {
    for (let i = 0; i < x.length; i += 2) {
      const first = x[i]!
      x[i] = first + x[i + 1]!
      x[i + 1] = first - x[i + 1]!
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
