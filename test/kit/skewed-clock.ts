/** Machines whose clocks are not right. */
import { instant, unixTime } from '../../src/base/brand.ts'
import type { Instant, UnixTime } from '../../src/base/brand.ts'
import type { Scheduler } from '../../src/base/ports.ts'

/** Its crystal runs fast or slow against the virtual clock. */
export class SkewedClock implements Scheduler {
  readonly #base: Scheduler
  readonly #rate: number
  /** `ppm` > 0: this machine's clock is fast. */
  constructor(base: Scheduler, ppm: number) {
    this.#base = base
    this.#rate = 1 + ppm / 1e6
  }
  now(): Instant {
    return instant(this.#base.now() * this.#rate)
  }
  unix(): UnixTime {
    return this.#base.unix()
  }
  at(when: Instant, run: () => void): () => void {
    return this.#base.at(instant(when / this.#rate), run)
  }
}

/** Somebody set its date wrongly. */
export class WrongClock implements Scheduler {
  readonly #base: Scheduler
  readonly #aheadS: number
  constructor(base: Scheduler, aheadS: number) {
    this.#base = base
    this.#aheadS = aheadS
  }
  now(): Instant {
    return this.#base.now()
  }
  unix(): UnixTime {
    return unixTime(this.#base.unix() + this.#aheadS)
  }
  at(when: Instant, run: () => void): () => void {
    return this.#base.at(when, run)
  }
}
