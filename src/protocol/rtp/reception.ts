/** What a receiver knows about one stream, for RTCP reports (RFC 3550 §6.4.1, A.1, A.3, A.8). */
import type { Instant, Ssrc } from '../../base/brand.ts'
import type { ReportBlock } from './rtcp.ts'
import { estimateIndex } from './sequence.ts'

export class Reception {
  readonly #ssrc: Ssrc
  /** Timestamp units per millisecond. */
  readonly #unitsPerMs: number
  #first = -1
  #highest = -1
  #received = 0
  #expectedBefore = 0
  #receivedBefore = 0
  /** Of the packet before; not a number before the first. */
  #transit = Number.NaN
  #jitter = 0
  #lastReport = 0
  #lastReportAt: Instant | undefined

  constructor(of: Ssrc, clockRate: number) {
    this.#ssrc = of
    this.#unitsPerMs = clockRate / 1000
  }
  get received(): number {
    return this.#received
  }
  /** May be negative when packets were duplicated (RFC 3550 A.3). */
  get lost(): number {
    return this.#first < 0 ? 0 : this.#highest - this.#first + 1 - this.#received
  }
  /** Interarrival jitter in timestamp units. */
  get jitter(): number {
    return this.#jitter
  }

  packet(sequence: number, timestamp: number, now: Instant): void {
    if (this.#first < 0) {
      this.#first = sequence
      this.#highest = sequence
    }
    const index = estimateIndex(this.#highest, sequence)
    if (index > this.#highest) this.#highest = index
    this.#received++
    const transit = (now * this.#unitsPerMs - timestamp) % 0x100000000
    if (!Number.isNaN(this.#transit)) {
      // The difference around the circle: the sender's timestamp may have wrapped in between.
      const d = Math.abs(Math.round(transit - this.#transit) | 0)
      this.#jitter += (d - this.#jitter) / 16
    }
    this.#transit = transit
  }

  /** The middle 32 bits of a sender report's NTP time, for the sender's round-trip measurement. */
  senderReport(middleNtp: number, now: Instant): void {
    this.#lastReport = middleNtp
    this.#lastReportAt = now
  }

  /** The block for our next report; `fractionLost` is since the previous call. */
  report(now: Instant): ReportBlock {
    const expected = this.#first < 0 ? 0 : this.#highest - this.#first + 1
    const expectedNow = expected - this.#expectedBefore
    const lostNow = expectedNow - (this.#received - this.#receivedBefore)
    this.#expectedBefore = expected
    this.#receivedBefore = this.#received
    return {
      ssrc: this.#ssrc,
      fractionLost: expectedNow > 0 && lostNow > 0 ? Math.min(255, Math.floor((lostNow * 256) / expectedNow)) : 0,
      lost: Math.max(-0x800000, Math.min(0x7fffff, this.lost)),
      highestSequence: Math.max(0, this.#highest) % 0x100000000,
      jitter: Math.floor(this.#jitter) % 0x100000000,
      lastReport: this.#lastReport,
      // Units of 1/65536 s.
      delaySinceLastReport: this.#lastReportAt === undefined ? 0 : Math.min(0xffffffff, Math.floor(((now - this.#lastReportAt) * 65536) / 1000)),
    }
  }
}
