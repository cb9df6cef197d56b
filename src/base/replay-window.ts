/** Remembers which of the newest numbers of a sequence were seen (RFC 3711 §3.3.2, RFC 9605 §9.3). */

export type ReplayVerdict = 'fresh' | 'replayed' | 'old'

export class ReplayWindow {
  readonly #size: number
  /** Place `n % size` stands for number n, for the `size` numbers up to the highest. */
  readonly #bits: Uint8Array
  #highest = -1

  /** `size` numbers are remembered; anything older is refused as `old`. */
  constructor(size: number) {
    this.#size = size
    this.#bits = new Uint8Array(size)
  }
  /** Highest number committed, -1 for none. */
  get highest(): number {
    return this.#highest
  }
  /** Changes nothing: call `commit` once the message has proved authentic. */
  check(n: number): ReplayVerdict {
    if (n > this.#highest) return 'fresh'
    if (n <= this.#highest - this.#size) return 'old'
    return this.#bits[n % this.#size] === 1 ? 'replayed' : 'fresh'
  }
  /** Only for a number that `check` found fresh. */
  commit(n: number): void {
    if (n - this.#highest >= this.#size) this.#bits.fill(0)
    else for (let skipped = this.#highest + 1; skipped < n; skipped++) this.#bits[skipped % this.#size] = 0
    this.#bits[n % this.#size] = 1
    if (n > this.#highest) this.#highest = n
  }
}
