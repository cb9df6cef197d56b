/** Times of RFC 3261 §17 (table 4), in ms, and a few named timers for a machine. */
import type { Instant } from '../../../base/brand.ts'
import { instant } from '../../../base/brand.ts'

/** Estimate of the round trip. */
export const t1Ms = 500
/** Longest interval between retransmissions of non-INVITE requests and INVITE responses. */
export const t2Ms = 4000
/** How long a message may stay in the network. */
export const t4Ms = 5000
/** Timers B, F, H, J, L, M. */
export const transactionMs = 64 * t1Ms
/** Timer D over unreliable transports. */
export const timerDMs = 32_000

export class Timers<Name extends string> {
  readonly #due = new Map<Name, number>()

  set(name: Name, now: Instant, afterMs: number): void {
    this.#due.set(name, now + afterMs)
  }
  clear(...names: readonly Name[]): void {
    for (const n of names) this.#due.delete(n)
  }
  clearAll(): void {
    this.#due.clear()
  }
  /** Removes and gives the earliest timer that is due. */
  take(now: Instant): Name | undefined {
    let first: Name | undefined
    for (const [name, at] of this.#due) if (at <= now && (first === undefined || at < this.#due.get(first)!)) first = name
    if (first !== undefined) this.#due.delete(first)
    return first
  }
  /** `{ wakeAt }` for a machine's result. */
  wake(): { readonly wakeAt?: Instant } {
    let first = Number.POSITIVE_INFINITY
    for (const at of this.#due.values()) first = Math.min(first, at)
    return first === Number.POSITIVE_INFINITY ? {} : { wakeAt: instant(first) }
  }
}
