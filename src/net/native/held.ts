/** Queues for datagrams that may wait: what came together for one receiver meanwhile goes down in one piece (UDP_SEGMENT). */
import type { Memory } from '../../ffi/memory.ts'
import { SendQueue } from './send-queue.ts'
import type { System } from './system.ts'

export { SendQueue } from './send-queue.ts'

/** A wait of the system ends up to this much late, ms: the bound holds all the same. */
const EARLY_MS = 1

interface Waiting {
  readonly ms: number
  readonly queue: SendQueue
  /** When the oldest was found waiting; undefined: none is. */
  since: number | undefined
}

export class Held {
  readonly #system: System
  readonly #slots: number
  readonly #all: Waiting[] = []
  /** Told of every queue's memory, where datagrams are built. */
  onMemory: (memory: Memory) => void = () => {}

  constructor(system: System, slots: number) {
    this.#system = system
    this.#slots = slots
  }
  /** One for each time. */
  queue(ms: number): SendQueue {
    const known = this.#all.find((w) => w.ms === ms)
    if (known !== undefined) return known.queue
    const queue = new SendQueue(this.#system, { slots: this.#slots, segment: true })
    this.#all.push({ ms, queue, since: undefined })
    this.onMemory(queue.memory)
    return queue
  }
  get queues(): SendQueue[] {
    return this.#all.map((w) => w.queue)
  }
  /** Instant at which something is due; infinity for never. Called after each round, which is when waiting begins. */
  due(now: number): number {
    let due = Number.POSITIVE_INFINITY
    for (const w of this.#all) {
      w.since = w.queue.waiting === 0 ? undefined : (w.since ?? now)
      if (w.since !== undefined) due = Math.min(due, w.since + w.ms - EARLY_MS)
    }
    return due
  }
  /** Sends what has waited long enough. False: the system had no room. */
  flush(now: number): boolean {
    let done = true
    for (const w of this.#all) {
      if (w.since === undefined || now < w.since + w.ms - EARLY_MS) continue
      const sent = w.queue.flush()
      if (sent) w.since = undefined
      done &&= sent
    }
    return done
  }
}
