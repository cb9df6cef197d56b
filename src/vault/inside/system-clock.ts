/** The vault's own clock: what a host says about time could make old certificates valid. Instants compare across threads. */
import { instant, unixTime } from '../../base/brand.ts'
import type { Clock } from '../../base/ports.ts'

export const systemClock: Clock = {
  now: () => instant(Number(process.hrtime.bigint()) / 1e6),
  unix: () => unixTime(Math.floor(Date.now() / 1000)),
}
