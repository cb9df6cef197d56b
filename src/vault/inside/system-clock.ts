/**
 * The vault's own clock: what a host says about time could make old certificates valid. Instants compare across threads. The time
 * of day goes on with the monotonic clock when the machine's is set back, and follows when that is set forward: in a vault that
 * runs nothing expired becomes valid again.
 */
import { instant, unixTime } from '../../base/brand.ts'
import type { Clock } from '../../base/ports.ts'

/** `wallMs` may be set by anybody, `monotonicMs` by nobody. */
export function forwardClock(wallMs: () => number, monotonicMs: () => number): Clock {
  let ahead = wallMs() - monotonicMs()
  return {
    now: () => instant(monotonicMs()),
    unix() {
      ahead = Math.max(ahead, wallMs() - monotonicMs())
      return unixTime(Math.floor((monotonicMs() + ahead) / 1000))
    },
  }
}

export const systemClock: Clock = forwardClock(() => Date.now(), () => Number(process.hrtime.bigint()) / 1e6)
