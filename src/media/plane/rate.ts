/** A token bucket over the caller's clock: `perSecond` on average, `burst` at once. */
export class Rate {
  #perMs = 0
  #burst = 0
  #tokens: number
  #last: number
  constructor(perSecond: number, burst: number, now: number) {
    this.set(perSecond, burst)
    this.#tokens = burst
    this.#last = now
  }
  set(perSecond: number, burst: number): void {
    this.#perMs = perSecond / 1000
    this.#burst = burst
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
