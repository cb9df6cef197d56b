/** The vault's own clock: what a host says about time could make old certificates valid. */
import { instant, unixTime } from '../../base/brand.ts'
import type { Clock } from '../../base/ports.ts'

export const systemClock: Clock = {
  now: () => instant(performance.now()),
  unix: () => unixTime(Math.floor(Date.now() / 1000)),
}
