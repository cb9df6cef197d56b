/** The 20 ms tick of a media thread, on absolute deadlines: lateness does not add up. */
import { instant } from '../../base/brand.ts'
import type { Scheduler } from '../../base/ports.ts'

export const TICK_MS = 20
/** More than this at once would only fill the phone's jitter buffer with what is over (DESIGN §5). */
const MAX_CATCH_UP = 3

export class Ticker {
  readonly #scheduler: Scheduler
  readonly #run: (frames: number, skipped: number) => void
  #next = 0
  #cancel: (() => void) | undefined
  /** Ticks that came a whole frame late or more. */
  late = 0

  /** `run` makes `frames` frames of 20 ms, after leaving out `skipped`. */
  constructor(scheduler: Scheduler, run: (frames: number, skipped: number) => void) {
    this.#scheduler = scheduler
    this.#run = run
  }
  get running(): boolean {
    return this.#cancel !== undefined
  }
  start(): void {
    if (this.running) return
    this.#next = this.#scheduler.now() + TICK_MS
    this.#arm()
  }
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
  #arm(): void {
    this.#cancel = this.#scheduler.at(instant(this.#next), () => this.#tick())
  }
  #tick(): void {
    const due = 1 + Math.max(0, Math.floor((this.#scheduler.now() - this.#next) / TICK_MS))
    this.late += due - 1
    this.#next += due * TICK_MS
    // Armed first: a tick that fails must not be the last.
    this.#arm()
    const frames = Math.min(due, MAX_CATCH_UP)
    this.#run(frames, due - frames)
  }
}
