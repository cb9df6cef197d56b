/** A machine whose crystal runs fast or slow against the virtual clock. */
import { instant } from '../../src/base/brand.ts'
import type { Instant, UnixTime } from '../../src/base/brand.ts'
import type { Scheduler } from '../../src/base/ports.ts'

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
