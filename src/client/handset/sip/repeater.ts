/** Sends a response again until it is acknowledged: 2xx until ACK (RFC 3261 §13.3.1.4), reliable provisionals until PRACK (RFC 3262 §3). */
import { instant } from '../../../base/brand.ts'
import type { Scheduler, Stop } from '../../../base/ports.ts'
import { t1Ms, t2Ms, transactionMs } from '../../../protocol/sip/transaction/timers.ts'

/**
 * Calls `send` now, after T1, then at doubling intervals, capped at `capMs`; after 64·T1 it calls `giveUp` instead.
 * The returned function ends it.
 */
export function repeatUntilStopped(scheduler: Scheduler, send: () => void, giveUp: () => void, capMs = t2Ms): Stop {
  const from = scheduler.now()
  let interval = t1Ms
  let cancel: Stop = () => undefined
  const next = (): void => {
    const at = scheduler.now() + interval
    interval = Math.min(interval * 2, capMs)
    cancel = at >= from + transactionMs ? scheduler.at(instant(from + transactionMs), giveUp) : scheduler.at(instant(at), () => {
      send()
      next()
    })
  }
  next()
  send()
  return () => cancel()
}
