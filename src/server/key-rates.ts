/** How often each key may do something, however many connections it has and however often it comes again. */
import type { Instant } from '../base/brand.ts'
import { type Bucket, fullBucket, type Rate, take } from '../protocol/room/bucket.ts'

export class KeyRates {
  readonly #rate: Rate
  readonly #most: number
  /** Who asked last is at the end. */
  readonly #buckets = new Map<string, Bucket>()

  /** `most`: keys that are kept in mind; whoever asked longest ago is forgotten first. */
  constructor(rate: Rate, most = 10_000) {
    this.#rate = rate
    this.#most = most
  }
  get size(): number {
    return this.#buckets.size
  }

  /** False: too often. */
  take(keyId: string, now: Instant): boolean {
    const bucket = this.#buckets.get(keyId) ?? fullBucket(this.#rate, now)
    this.#buckets.delete(keyId)
    this.#buckets.set(keyId, bucket)
    if (this.#buckets.size > this.#most) this.#buckets.delete(this.#buckets.keys().next().value!)
    return take(bucket, this.#rate, now)
  }
}
