/** How much one source address may cause: a token bucket for each, bounded in number. */
import type { Instant } from '../base/brand.ts'

const rememberedSources = 1024

export class SourceLimit {
  readonly #perSecond: number
  readonly #burst: number
  readonly #buckets = new Map<string, { tokens: number; at: number }>()

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond
    this.#burst = burst
  }

  /** True when one more would be let in now. */
  admits(address: string, now: Instant): boolean {
    const bucket = this.#buckets.get(address)
    return bucket === undefined || Math.min(this.#burst, bucket.tokens + ((now - bucket.at) * this.#perSecond) / 1000) >= 1
  }

  /** True when one more of this source is let in. */
  admit(address: string, now: Instant): boolean {
    const bucket = this.#buckets.get(address) ?? { tokens: this.#burst, at: now }
    const tokens = Math.min(this.#burst, bucket.tokens + ((now - bucket.at) * this.#perSecond) / 1000)
    // Set anew: the map's order is that of last use, and the source unused longest is forgotten first.
    this.#buckets.delete(address)
    this.#buckets.set(address, { tokens: Math.max(0, tokens - 1), at: now })
    if (this.#buckets.size > rememberedSources) this.#buckets.delete(this.#buckets.keys().next().value!)
    return tokens >= 1
  }

  /** What was let in did not count after all. */
  giveBack(address: string, now: Instant): void {
    const bucket = this.#buckets.get(address)
    if (bucket !== undefined) this.#buckets.set(address, { tokens: Math.min(this.#burst, bucket.tokens + ((now - bucket.at) * this.#perSecond) / 1000 + 1), at: now })
  }
}
