/** Time that moves only when a test says so. */
import type { Instant, UnixTime } from '../../src/base/brand.ts'
import { instant, unixTime } from '../../src/base/brand.ts'
import type { Scheduler } from '../../src/base/ports.ts'

interface Entry {
  readonly when: number
  /** Entries of one instant run in the order in which they were made. */
  readonly order: number
  run: (() => void) | undefined
}

/**
 * A `Scheduler` over virtual milliseconds. `advance` and `run` let promises settle after every
 * instant at which something happened, so code that awaits works as in real time; `advanceSync` is
 * for purely synchronous code and costs much less.
 */
export class VirtualClock implements Scheduler {
  #now: number
  readonly #unixAtZero: number
  readonly #heap: Entry[] = []
  #order = 0

  /** @param start first instant, ms; @param unixAtZero wall time of instant 0, seconds. */
  constructor(start = 0, unixAtZero = 1_800_000_000) {
    this.#now = start
    this.#unixAtZero = unixAtZero
  }
  now(): Instant {
    return instant(this.#now)
  }
  unix(): UnixTime {
    return unixTime(Math.floor(this.#unixAtZero + this.#now / 1000))
  }
  at(when: Instant, run: () => void): () => void {
    if (!Number.isFinite(when)) throw new RangeError(`not an instant: ${when}`)
    const entry: Entry = { when: Math.max(when, this.#now), order: this.#order++, run }
    this.#push(entry)
    return () => {
      entry.run = undefined
    }
  }
  /** Number of callbacks that wait. */
  get pending(): number {
    return this.#heap.reduce((n, e) => n + (e.run === undefined ? 0 : 1), 0)
  }
  /** Moves time by `ms`, running what falls due and letting promises settle in between. */
  advance(ms: number): Promise<void> {
    return this.run(this.#now + ms)
  }
  /** Moves time to the instant `untilMs`. */
  async run(untilMs: number): Promise<void> {
    await settle()
    while (this.#runInstant(untilMs)) await settle()
    this.#now = Math.max(this.#now, untilMs)
  }
  /** Time passes while nothing runs, as when a thread is blocked; what fell due runs late, with the next advance. */
  stall(ms: number): void {
    this.#now += ms
  }
  /** Until `condition` holds, or an error after `limitMs` of virtual time. */
  async until(condition: () => boolean, limitMs: number, what = 'the condition'): Promise<void> {
    const end = this.#now + limitMs
    await settle()
    while (!condition()) {
      if (!this.#runInstant(end)) throw new Error(`${what} did not come within ${limitMs} ms of virtual time`)
      await settle()
    }
  }
  /** As `advance`, without letting promises settle. */
  advanceSync(ms: number): void {
    const until = this.#now + ms
    while (this.#runInstant(until));
    this.#now = until
  }
  /** Runs everything due at the earliest instant not after `until`; false when there is none. */
  #runInstant(until: number): boolean {
    this.#dropCancelled()
    const first = this.#heap[0]
    if (first === undefined || first.when > until) return false
    this.#now = Math.max(this.#now, first.when)
    const last = this.#order
    while (true) {
      this.#dropCancelled()
      const next = this.#heap[0]
      // What is added for this very instant waits for the next round, after promises settled.
      if (next === undefined || next.when > this.#now || next.order >= last) return true
      this.#pop().run?.()
    }
  }
  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0]!.run === undefined) this.#pop()
  }
  #push(entry: Entry): void {
    const heap = this.#heap
    let i = heap.length
    heap.push(entry)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(entry, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = entry
  }
  #pop(): Entry {
    const heap = this.#heap
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) {
      let i = 0
      for (;;) {
        let child = 2 * i + 1
        if (child >= heap.length) break
        if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
        if (!before(heap[child]!, last)) break
        heap[i] = heap[child]!
        i = child
      }
      heap[i] = last
    }
    return top
  }
}

const before = (a: Entry, b: Entry): boolean => a.when < b.when || (a.when === b.when && a.order < b.order)

/** Lets every promise that can settle without I/O do so: one turn of the event loop. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
