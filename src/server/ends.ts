/** Warns in the log before the server's certificate or a revocation list at hand ends: at the start, and every day. */
import { X509Certificate } from 'node:crypto'
import { instant, unixTime } from '../base/brand.ts'
import type { Scheduler, Stop } from '../base/ports.ts'
import type { Log } from './log.ts'
import type { Revocation } from './revocation.ts'

const DAY_S = 86_400
/** As `stc server status` and the alert rules. */
const CERTIFICATE_DAYS = 14
const LIST_DAYS = 1

export interface WatchedEnds {
  /** PEM. */
  readonly certificate: string
  readonly revocation: Pick<Revocation, 'listEnds'>
  readonly scheduler: Scheduler
  readonly log: Log
}

export function watchEnds({ certificate, revocation, scheduler, log }: WatchedEnds): Stop {
  const ends = unixTime(Math.floor(new X509Certificate(certificate).validToDate.getTime() / 1000))
  let cancel: Stop = () => {}
  const look = (): void => {
    const now = scheduler.unix()
    if (ends - now < CERTIFICATE_DAYS * DAY_S) log.warn({ code: ends < now ? 'IDENTITY_EXPIRED' : 'IDENTITY_ENDS_SOON', ends: iso(ends) }, `the server's certificate ${ends < now ? 'has ended' : 'ends soon'}: renew it`)
    for (const nextUpdate of revocation.listEnds) {
      if (nextUpdate - now < LIST_DAYS * DAY_S) log.warn({ code: 'IDENTITY_LIST_ENDS_SOON', ends: iso(nextUpdate) }, `a revocation list ${nextUpdate < now ? 'has ended' : 'ends soon'} and no newer one is at hand: members under the rule "named" cannot come in without`)
    }
    cancel = scheduler.at(instant(scheduler.now() + DAY_S * 1000), look)
  }
  // Lists are fetched in the first seconds.
  cancel = scheduler.at(instant(scheduler.now() + 60_000), look)
  if (ends - scheduler.unix() < CERTIFICATE_DAYS * DAY_S) look()
  return () => cancel()
}

const iso = (unix: number): string => new Date(unix * 1000).toISOString()
