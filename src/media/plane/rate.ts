/** A token bucket over the caller's clock: `perSecond` on average, `burst` at once. */
export class Rate {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #last: number
  constructor(perSecond: number, burst: number, now: number) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#tokens = burst
    this.#last = now
  }
  /** Takes `cost` tokens, or none and false. */
  take(now: number, cost = 1): boolean {
    if (now > this.#last) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#last) * this.#perMs)
      this.#last = now
    }
    if (this.#tokens < cost) return false
    this.#tokens -= cost
    return true
  }
}
