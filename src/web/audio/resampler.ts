/** Any rate to any rate, one channel, block by block: a windowed sinc from a table, cut off below the lower of the two rates. */
const HALF_TAPS = 16
const PHASES = 128

export class Resampler {
  readonly #step: number
  readonly #half: number
  /** One row of taps for every 1/PHASES of a sample, and one more to look across the end. */
  readonly #table: Float32Array[]
  #history: Float32Array
  /** Of the next output sample, in input samples from the start of `#history`. */
  #at: number
  /** Input taken in for one output, beside 1 for exact time: 1.004 plays 0.4 % faster. */
  pace = 1

  constructor(from: number, to: number) {
    const narrow = Math.min(1, to / from)
    this.#step = from / to
    this.#half = Math.ceil(HALF_TAPS / narrow)
    this.#table = Array.from({ length: PHASES + 1 }, (_, phase) => kernel(this.#half, phase / PHASES, 0.92 * narrow))
    this.#history = new Float32Array(2 * this.#half)
    this.#at = this.#half
  }
  process(input: Float32Array): Float32Array {
    const all = new Float32Array(this.#history.length + input.length)
    all.set(this.#history)
    all.set(input, this.#history.length)
    const out = new Float32Array(Math.ceil((all.length / this.#step) * 1.02) + 1)
    let n = 0
    while (this.#at + this.#half < all.length) {
      out[n++] = this.#sample(all, this.#at)
      this.#at += this.#step * this.pace
    }
    const keepFrom = Math.max(0, Math.floor(this.#at) - this.#half)
    this.#history = all.slice(keepFrom)
    this.#at -= keepFrom
    return out.subarray(0, n)
  }
  #sample(x: Float32Array, at: number): number {
    const middle = Math.floor(at)
    const phase = (at - middle) * PHASES
    const row = Math.floor(phase)
    const part = phase - row
    const [a, b] = [this.#table[row]!, this.#table[row + 1]!]
    const from = middle - this.#half + 1
    let sum = 0
    for (let i = 0; i < a.length; i++) sum += (x[from + i] ?? 0) * (a[i]! + part * (b[i]! - a[i]!))
    return sum
  }
}

/** Taps for an output that lies `offset` (0–1) behind the middle sample. */
function kernel(half: number, offset: number, cutoff: number): Float32Array {
  const taps = Float64Array.from({ length: 2 * half }, (_, i) => {
    const d = offset - (i - half + 1)
    return sinc(d * cutoff) * (0.5 + 0.5 * Math.cos((Math.PI * d) / (half + 1)))
  })
  // The same loudness at every offset.
  const sum = taps.reduce((a, b) => a + b, 0)
  return Float32Array.from(taps, (x) => x / sum)
}

const sinc = (x: number): number => (Math.abs(x) < 1e-9 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))
