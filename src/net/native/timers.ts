/** Callbacks by the instant they are due at, first come first served within one. */
import type { Instant } from '../../base/brand.ts'

interface Timer {
  readonly when: number
  run: (() => void) | undefined
}

export class Timers {
  /** Latest first, so that the next one is at the end. */
  readonly #waiting: Timer[] = []

  /** The returned function cancels. */
  add(when: Instant, run: () => void): () => void {
    const timer: Timer = { when, run }
    let low = 0
    let high = this.#waiting.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#waiting[middle]!.when <= when) high = middle
      else low = middle + 1
    }
    this.#waiting.splice(low, 0, timer)
    return () => {
      timer.run = undefined
    }
  }
  /** When the next is due; infinity for never. */
  get next(): number {
    while (this.#waiting.length > 0 && this.#waiting.at(-1)!.run === undefined) this.#waiting.pop()
    return this.#waiting.at(-1)?.when ?? Number.POSITIVE_INFINITY
  }
  /** Runs what is due; what these add runs next time. False: nothing was. */
  run(now: Instant): boolean {
    if (this.next > now) return false
    const due: Timer[] = []
    while (this.next <= now) due.push(this.#waiting.pop()!)
    for (const t of due) t.run?.()
    return true
  }
}
