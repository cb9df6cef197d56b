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

/** By timestamp units of a packet of 20 ms, which is what every client sends in rooms (RFC 3551 §4.5.2, RFC 7587). */
const CLOCK_OF_STEP: Readonly<Record<number, number>> = { 160: 8000, 320: 16_000, 640: 32_000, 960: 48_000 }
/** Until the clock is known. */
const ASSUMED = 8000

export class StreamMeter {
  readonly ssrc: Ssrc
  #clockRate: number
  /** Nobody says which codec it is: two packets in a row do. */
  #learning: boolean
  #sequence = -1
  #timestamp = 0
  #reception: Reception
  /** Of numberings that ended: new keys of the peer begin a new one. */
  #lostBefore = 0
  #generation = 0
  packets = 0
  octets = 0
  forged = 0
  replayed = 0

  /** `clockRate` in Hz; left out: found out from the stream, as of a sealed room whose codec is not for us to know. */
  constructor(ssrc: Ssrc, clockRate?: number) {
    this.ssrc = ssrc
    this.#learning = clockRate === undefined
    this.#clockRate = clockRate ?? ASSUMED
    this.#reception = new Reception(ssrc, this.#clockRate)
  }
  /** As signalled, or as it was found out. */
  set clockRate(hz: number) {
    if (hz === this.#clockRate) return
    this.#clockRate = hz
    this.#begin()
  }
  #begin(): void {
    this.#lostBefore += this.#reception.lost
    this.#reception = new Reception(this.ssrc, this.#clockRate)
  }
  packet(sequence: number, timestamp: number, octets: number, generation: number, now: number): void {
    this.packets++
    this.octets += octets
    if (generation < this.#generation) return
    if (generation > this.#generation) {
      this.#begin()
      this.#generation = generation
    }
    if (this.#learning) this.#learn(sequence, timestamp)
    this.#reception.packet(sequence, timestamp, instant(now))
  }
  #learn(sequence: number, timestamp: number): void {
    const hz = this.#sequence >= 0 && sequence === ((this.#sequence + 1) & 0xffff) ? CLOCK_OF_STEP[(timestamp - this.#timestamp) >>> 0] : undefined
    this.#sequence = sequence
    this.#timestamp = timestamp
    if (hz === undefined) return
    this.#learning = false
    this.clockRate = hz
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
    if (newest?.ssrc === ssrc) {
      newest.clockRate = clockRate
      return newest
    }
    const at = this.#meters.findIndex((m) => m.ssrc === ssrc)
    const meter = at < 0 ? new StreamMeter(ssrc, clockRate) : this.#meters.splice(at, 1)[0]!
    meter.clockRate = clockRate
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
