/** What was received of one stream: for statistics and reports. */
import { instant, type Ssrc } from '../../base/brand.ts'
import { Reception } from '../../protocol/rtp/reception.ts'
import { SRTP_FORGED, SRTP_REPLAYED, SRTP_TOO_OLD } from '../../protocol/srtp/refusal.ts'

/** Since the stream began. */
export interface StreamStats {
  readonly ssrc: Ssrc
  readonly packets: number
  /** Of whole packets, as they came. */
  readonly octets: number
  /** Expected minus received (RFC 3550 A.3): negative after duplicates. */
  readonly lost: number
  /** Interarrival jitter (RFC 3550 A.8). */
  readonly jitterMs: number
  /** Refused by SRTP: a wrong tag. */
  readonly forged: number
  /** Refused by SRTP: seen before, or too old to tell. */
  readonly replayed: number
}

export class StreamMeter {
  readonly ssrc: Ssrc
  readonly #clockRate: number
  #reception: Reception
  /** Of numberings that ended: new keys of the peer begin a new one. */
  #lostBefore = 0
  #generation = 0
  packets = 0
  octets = 0
  forged = 0
  replayed = 0

  constructor(ssrc: Ssrc, clockRate: number) {
    this.ssrc = ssrc
    this.#clockRate = clockRate
    this.#reception = new Reception(ssrc, clockRate)
  }
  packet(sequence: number, timestamp: number, octets: number, generation: number, now: number): void {
    this.packets++
    this.octets += octets
    if (generation < this.#generation) return
    if (generation > this.#generation) {
      this.#lostBefore += this.#reception.lost
      this.#reception = new Reception(this.ssrc, this.#clockRate)
      this.#generation = generation
    }
    this.#reception.packet(sequence, timestamp, instant(now))
  }
  refused(why: number): void {
    if (why === SRTP_FORGED) this.forged++
    else if (why === SRTP_REPLAYED || why === SRTP_TOO_OLD) this.replayed++
  }
  stats(): StreamStats {
    const { ssrc, packets, octets, forged, replayed } = this
    return { ssrc, packets, octets, lost: this.#lostBefore + this.#reception.lost, jitterMs: (this.#reception.jitter * 1000) / this.#clockRate, forged, replayed }
  }
}

/** Streams of one peer whose statistics are kept. */
const KEPT = 8

/** The newest streams of a peer that chooses its SSRCs itself. */
export class StreamMeters {
  readonly #meters: StreamMeter[] = []

  of(ssrc: Ssrc, clockRate: number): StreamMeter {
    const newest = this.#meters.at(-1)
    if (newest?.ssrc === ssrc) return newest
    const at = this.#meters.findIndex((m) => m.ssrc === ssrc)
    const meter = at < 0 ? new StreamMeter(ssrc, clockRate) : this.#meters.splice(at, 1)[0]!
    if (this.#meters.length === KEPT) this.#meters.shift()
    this.#meters.push(meter)
    return meter
  }
  /** Of streams that were heard; others are nobody's. */
  refused(ssrc: Ssrc, why: number): void {
    this.#meters.find((m) => m.ssrc === ssrc)?.refused(why)
  }
  stats(): StreamStats[] {
    return this.#meters.map((m) => m.stats())
  }
}
