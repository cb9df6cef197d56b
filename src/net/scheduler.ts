/** The real clock. */
import type { Instant, UnixTime } from '../base/brand.ts'
import { instant, unixTime } from '../base/brand.ts'
import type { Scheduler } from '../base/ports.ts'

/** Node turns longer delays into 1 ms. */
const LONGEST_TIMER_MS = 0x7fff_ffff

/**
 * A `Scheduler` on the machine's monotonic clock: instants of all threads compare. Callbacks never come early and
 * usually 0–1.2 ms late (libuv's timers count whole milliseconds), later when the thread is busy:
 * whoever needs a steady rate keeps absolute deadlines, so lateness does not add up.
 * `keepAlive` false lets the process end while callbacks wait.
 */
export function realScheduler(keepAlive = true): Scheduler {
  const now = (): Instant => {
    const [seconds, nanoseconds] = process.hrtime()
    return instant(seconds * 1e3 + nanoseconds / 1e6)
  }
  const at = (when: Instant, run: () => void): (() => void) => {
    let timer: NodeJS.Timeout
    const arm = (): void => {
      const left = when - now()
      if (left <= 0.1) {
        // Already due, or as good as due: in the next turn, never inside the caller.
        timer = setTimeout(run, 0)
      } else timer = setTimeout(() => (now() < when - 0.1 ? arm() : run()), Math.min(Math.ceil(left), LONGEST_TIMER_MS))
      if (!keepAlive) timer.unref()
    }
    arm()
    return () => clearTimeout(timer)
  }
  return { now, at, unix: (): UnixTime => unixTime(Math.floor(Date.now() / 1000)) }
}
