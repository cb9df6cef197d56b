/**
 * Numbers and timestamps of one outgoing stream that carries one call after the sources of its packets:
 * a peer that restarts, changes its SSRC or gets new keys is heard as one stream that goes on (RFC 3550
 * §7.2 lets a translator renumber). Gaps stay gaps, so that losses can be seen and reports be translated.
 */
import type { Ssrc } from '../../base/brand.ts'
import { estimateIndex } from '../../protocol/rtp/sequence.ts'

/** RFC 3550 A.1: what is further away is a source that began anew; believed when two packets follow each other. */
const MAX_DROPOUT = 3000
const MAX_MISORDER = 100
/** Packets that can be missing between an old and a new source of the same stream. */
const MAX_GAP = 50
/** A source that pauses may come back this much ahead of what its pause accounts for, ms. */
const MAX_AHEAD_MS = 2000
/** Sources count from here, so that what came before their first packet has a number. */
const CYCLE = 0x1_0000

interface Source {
  readonly ssrc: Ssrc
  /** Keys under which it was heard; another generation numbers anew. */
  readonly generation: number
  /** Highest extended sequence number. */
  highest: number
  /** What its numbers and timestamps differ by on the way out. */
  readonly shift: number
  readonly timestampShift: number
  /** Our number of its first packet; those of packets from before it end at `lowest`. */
  readonly first: number
  readonly lowest: number
  /** From here on numbers are our own filling's. */
  limit: number
  /** The sequence number that would confirm a restart, -1 for none. */
  restart: number
}

export class Translator {
  /** Of the packet translated last. The sequence number is its low 16 bits. */
  number = 0
  timestamp = 0
  /** It begins a talkspurt: another source, or the first after a pause that we filled. */
  begins = false
  #clockRate: number
  readonly #firstNumber: number
  readonly #firstTimestamp: number
  #current: Source | undefined
  #previous: Source | undefined
  #newest = -1
  #newestTimestamp = 0
  #newestAt = 0
  /** Timestamp units from one packet to the next. */
  #step: number
  #filling = false

  /** `firstNumber` below 2^15 and `firstTimestamp` are random (RFC 3550 §5.1). `clockRate` in Hz. */
  constructor(clockRate: number, firstNumber: number, firstTimestamp: number) {
    this.#clockRate = clockRate
    this.#firstNumber = firstNumber
    this.#firstTimestamp = firstTimestamp
    this.#step = clockRate / 50
  }
  set clockRate(hz: number) {
    if (hz !== this.#clockRate) this.#step = hz / 50
    this.#clockRate = hz
  }
  /** Whose packets are carried now. */
  get source(): Ssrc | undefined {
    return this.#current?.ssrc
  }
  /** Fills `number`, `timestamp` and `begins`; false: the packet has no place and is dropped. */
  translate(ssrc: Ssrc, generation: number, sequence: number, timestamp: number, now: number): boolean {
    this.begins = false
    const s = this.#current
    if (s !== undefined && s.ssrc === ssrc && s.generation === generation) return this.#goOn(s, sequence, timestamp, now)
    const p = this.#previous
    if (p !== undefined && p.ssrc === ssrc && p.generation === generation) {
      const index = estimateIndex(p.highest, sequence)
      const number = index + p.shift
      // Late, from before the change; the numbers after that belong to the new source.
      if (number < Math.min(s!.first, p.limit) && number >= p.lowest && index > p.highest - MAX_MISORDER) return this.#give(number, timestamp + p.timestampShift, now)
      // A generation never comes back; a source may.
      if (p.ssrc === s!.ssrc) return false
    }
    return this.#begin(ssrc, generation, sequence, timestamp, now)
  }
  #goOn(s: Source, sequence: number, timestamp: number, now: number): boolean {
    const index = estimateIndex(s.highest, sequence)
    const ahead = index - s.highest
    if (ahead > MAX_DROPOUT || ahead <= -MAX_MISORDER) {
      if (sequence === s.restart) return this.#begin(s.ssrc, s.generation, sequence, timestamp, now)
      s.restart = (sequence + 1) & 0xffff
      return false
    }
    s.restart = -1
    if (ahead <= 0) return index + s.shift >= s.lowest && this.#give(index + s.shift, timestamp + s.timestampShift, now)
    if (this.#filling) return this.#begin(s.ssrc, s.generation, sequence, timestamp, now)
    s.highest = index
    return this.#give(index + s.shift, timestamp + s.timestampShift, now)
  }
  #begin(ssrc: Ssrc, generation: number, sequence: number, timestamp: number, now: number): boolean {
    const before = this.#current
    const index = CYCLE + sequence
    let first = this.#firstNumber
    let lowest = first - MAX_MISORDER
    let timestampShift = 0
    if (this.#newest >= 0) {
      const same = before?.ssrc === ssrc ? this.#aheadOf(timestamp + before.timestampShift, now) : undefined
      timestampShift = same === undefined ? this.#newestTimestamp + this.#elapsed(now) - timestamp : before!.timestampShift
      // New keys of a stream that went on: what is on its way under the old ones has its place.
      const rekeyed = same !== undefined && before!.generation !== generation
      first = this.#newest + (rekeyed ? Math.min(MAX_GAP, Math.max(1, Math.round(same / this.#step))) : 1)
      lowest = first
      this.begins = !rekeyed
    }
    if (before !== undefined && (before.ssrc !== ssrc || before.generation !== generation)) this.#previous = before
    this.#filling = false
    this.#current = { ssrc, generation, highest: index, shift: first - index, timestampShift, first, lowest, limit: Number.POSITIVE_INFINITY, restart: -1 }
    return this.#give(first, timestamp + timestampShift, now)
  }
  /** How far a timestamp is ahead of the newest one, where that is believable. */
  #aheadOf(timestamp: number, now: number): number | undefined {
    const ahead = (timestamp - this.#newestTimestamp) | 0
    return ahead > 0 && ahead <= this.#elapsed(now) + (MAX_AHEAD_MS * this.#clockRate) / 1000 ? ahead : undefined
  }
  /** Units since the newest packet, one packet at least. */
  #elapsed(now: number): number {
    return Math.max(this.#step, Math.round(((now - this.#newestAt) * this.#clockRate) / 1000))
  }
  #give(number: number, timestamp: number, now: number): boolean {
    if (number < 0) return false
    this.number = number
    this.timestamp = timestamp >>> 0
    if (number > this.#newest) {
      const step = (this.timestamp - this.#newestTimestamp) | 0
      if (number === this.#newest + 1 && step > 0 && step <= this.#clockRate / 10) this.#step = step
      this.#newest = number
      this.#newestTimestamp = this.timestamp
      this.#newestAt = now
    }
    return true
  }
  /** A packet of our own of `units` of time, where the source is silent. */
  fill(units: number, now: number): void {
    this.begins = !this.#filling
    if (this.#current !== undefined) this.#current.limit = Math.min(this.#current.limit, this.#newest + 1)
    if (this.#newest < 0) {
      this.begins = true
      this.#give(this.#firstNumber, this.#firstTimestamp, now)
    } else {
      const passed = this.#filling ? units : Math.max(1, Math.round(this.#elapsed(now) / units)) * units
      this.#give(this.#newest + 1, this.#newestTimestamp + passed, now)
    }
    this.#filling = true
  }

  /** Where a timestamp of `ssrc` stands in the outgoing stream, for a sender report. */
  timestampOf(ssrc: Ssrc, timestamp: number): number | undefined {
    const s = this.#current
    return s?.ssrc === ssrc ? (timestamp + s.timestampShift) >>> 0 : undefined
  }
  /**
   * The extended sequence number at its source of the newest number with these low 16 bits, for a
   * report about what we sent. Undefined where that source is gone or the packet was our own.
   */
  origin(sequence: number): number | undefined {
    const s = this.#current
    if (s === undefined || this.#newest < 0) return undefined
    const number = this.#newest - ((this.#newest - sequence) & 0xffff)
    if (number < s.first) return undefined
    return Math.max(0, Math.min(number - s.shift, s.highest) - CYCLE)
  }
}
