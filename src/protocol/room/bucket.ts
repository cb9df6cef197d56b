/** A token bucket as plain data. */
import type { Instant } from '../../base/brand.ts'

export interface Rate {
  readonly burst: number
  readonly perSecond: number
}

export interface Bucket {
  tokens: number
  at: number
}

export const fullBucket = (rate: Rate, now: Instant): Bucket => ({ tokens: rate.burst, at: now })

/** False when there is no token left; nothing is taken then. */
export function take(b: Bucket, rate: Rate, now: Instant): boolean {
  b.tokens = Math.min(rate.burst, b.tokens + ((now - b.at) * rate.perSecond) / 1000)
  b.at = now
  if (b.tokens < 1) return false
  b.tokens--
  return true
}
