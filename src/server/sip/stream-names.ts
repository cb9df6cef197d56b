/** SSRC pairs for the calls of one client: a pair of a call that ended serves another one, since its numbers go on (docs/architecture.md). */
import type { Clock } from '../../base/ports.ts'
import type { Instant } from '../../base/brand.ts'
import type { HopStreams } from '../../telephony/relay/index.ts'
import type { SsrcAllocator } from '../ssrc.ts'

/** Packets of the call that ended are still on their way, and its client may not have ended it yet. */
const REST_MS = 10_000

export class StreamNames {
  readonly #clock: Clock
  readonly #ssrcs: Pick<SsrcAllocator, 'next'>
  /** In the order in which they became free. */
  readonly #free: { readonly streams: HopStreams; readonly since: Instant }[] = []

  constructor(clock: Clock, ssrcs: Pick<SsrcAllocator, 'next'>) {
    this.#clock = clock
    this.#ssrcs = ssrcs
  }
  take(): HopStreams {
    const oldest = this.#free[0]
    if (oldest === undefined || this.#clock.now() - oldest.since < REST_MS) {
      const up = this.#ssrcs.next()
      return { up, down: this.#ssrcs.next(up) }
    }
    this.#free.shift()
    return oldest.streams
  }
  giveBack(streams: HopStreams): void {
    this.#free.push({ streams, since: this.#clock.now() })
  }
}
