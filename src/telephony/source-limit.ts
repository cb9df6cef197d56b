/** Messages per second that one source address may send: a token bucket for each, bounded in number. */
import type { Instant } from '../base/brand.ts'

const perSecond = 1000
const burst = 2000
const rememberedSources = 1024

export class SourceLimit {
  readonly #buckets = new Map<string, { tokens: number; at: number }>()

  /** True when one more message of this source is let in. */
  admit(address: string, now: Instant): boolean {
    const bucket = this.#buckets.get(address) ?? { tokens: burst, at: now }
    const tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * perSecond) / 1000)
    // Set anew: the map's order is that of last use, and the source unused longest is forgotten first.
    this.#buckets.delete(address)
    this.#buckets.set(address, { tokens: Math.max(0, tokens - 1), at: now })
    if (this.#buckets.size > rememberedSources) this.#buckets.delete(this.#buckets.keys().next().value!)
    return tokens >= 1
  }
}
