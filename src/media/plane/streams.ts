/** The streams that clients may send, by SSRC: where each goes, and what came of it. */
import type { Ssrc } from '../../base/brand.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { BridgeEnd } from '../plain/bridge-end.ts'
import { StreamMeter } from '../plain/meter.ts'
import type { Leg } from './leg.ts'

/** Rooms and calls of thirty desk phones behind one client, with room to spare. */
const MAX_STREAMS_PER_LEG = 128
/** Telephone codecs but Opus (RFC 3551 §4.5.2). */
const CLOCK_RATE = 8000

export interface Stream {
  readonly ssrc: Ssrc
  readonly leg: Leg
  readonly meter: StreamMeter
  /** Of a room: who gets it. */
  targets: readonly Leg[]
  /** Of a bridged call: our end towards this client. */
  end: BridgeEnd | undefined
}

export class Streams {
  readonly #bySsrc = new Map<number, Stream>()
  readonly #byLeg = new Map<Leg, Set<Stream>>()

  get(ssrc: number): Stream | undefined {
    return this.#bySsrc.get(ssrc)
  }
  has(ssrc: number): boolean {
    return this.#bySsrc.has(ssrc)
  }
  of(leg: Leg): Iterable<Stream> {
    return this.#byLeg.get(leg) ?? []
  }
  /** The entry of a stream that is no bridged call's, made where there is none. Fails with MEDIA_STREAM_TAKEN or MEDIA_LIMIT. */
  claim(leg: Leg, ssrc: Ssrc, clockRate = CLOCK_RATE): Result<Stream> {
    const known = this.#bySsrc.get(ssrc)
    if (known !== undefined) {
      return known.leg === leg && known.end === undefined ? ok(known) : err('MEDIA_STREAM_TAKEN', String(ssrc))
    }
    const mine = this.#byLeg.get(leg) ?? new Set()
    if (mine.size >= MAX_STREAMS_PER_LEG) return err('MEDIA_LIMIT', `${MAX_STREAMS_PER_LEG} streams of one leg`)
    const stream: Stream = { ssrc, leg, meter: new StreamMeter(ssrc, clockRate), targets: [], end: undefined }
    this.#bySsrc.set(ssrc, stream)
    this.#byLeg.set(leg, mine.add(stream))
    leg.streams = mine.size
    return ok(stream)
  }
  remove(stream: Stream): void {
    this.#bySsrc.delete(stream.ssrc)
    const mine = this.#byLeg.get(stream.leg)
    mine?.delete(stream)
    if (mine?.size === 0) this.#byLeg.delete(stream.leg)
    stream.leg.streams = mine?.size ?? 0
  }
  /** The leg neither sends nor receives any more. */
  drop(leg: Leg): void {
    for (const stream of this.#byLeg.get(leg) ?? []) this.#bySsrc.delete(stream.ssrc)
    this.#byLeg.delete(leg)
    for (const s of this.#bySsrc.values()) if (s.targets.includes(leg)) s.targets = s.targets.filter((t) => t !== leg)
  }
}
