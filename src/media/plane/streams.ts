/** The streams that clients may send, by SSRC: where each goes, and what came of it. */
import type { Ssrc } from '../../base/brand.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { BuildingSocket } from '../../net/udp.ts'
import type { BridgeEnd } from '../plain/bridge-end.ts'
import { StreamMeter } from '../plain/meter.ts'
import { History } from './history.ts'
import type { Leg } from './leg.ts'
import { Loudest, newStanding, type Standing } from './loudest.ts'
import type { RouteOptions } from './types.ts'

/** Rooms and calls of thirty desk phones behind one client, with room to spare. */
const MAX_STREAMS_PER_LEG = 128

export interface Stream {
  readonly ssrc: Ssrc
  readonly leg: Leg
  readonly meter: StreamMeter
  /** Of a room: who gets it, and by which socket where it is not the plane's own. */
  targets: readonly Leg[]
  /** Who is among these and does not get it: the room's list is one for all of its streams. */
  except: Leg | undefined
  out: BuildingSocket | undefined
  /** Of a bridged call: our end towards this client. */
  end: BridgeEnd | undefined
  /** Of a `loudest` room. */
  ranked: Ranked | undefined
}

export interface Ranked {
  readonly group: number
  readonly among: Loudest
  readonly standing: Standing
  readonly history: History
}

export class Streams {
  readonly #bySsrc = new Map<number, Stream>()
  readonly #groups = new Map<number, Loudest>()
  readonly #byLeg = new Map<Leg, Set<Stream>>()

  /** Told of each stream that ends while its leg stays. */
  onEnd: (stream: Stream) => void = () => {}

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
  claim(leg: Leg, ssrc: Ssrc, clockRate?: number): Result<Stream> {
    const known = this.#bySsrc.get(ssrc)
    if (known !== undefined) {
      return known.leg === leg && known.end === undefined ? ok(known) : err('MEDIA_STREAM_TAKEN', String(ssrc))
    }
    const mine = this.#byLeg.get(leg) ?? new Set()
    if (mine.size >= MAX_STREAMS_PER_LEG) return err('MEDIA_LIMIT', `${MAX_STREAMS_PER_LEG} streams of one leg`)
    const stream: Stream = { ssrc, leg, meter: new StreamMeter(ssrc, clockRate), targets: [], except: undefined, out: undefined, end: undefined, ranked: undefined }
    this.#bySsrc.set(ssrc, stream)
    this.#byLeg.set(leg, mine.add(stream))
    leg.streams = mine.size
    return ok(stream)
  }
  /** The stream is forwarded only while it is among the loudest of its group, or always. */
  rank(stream: Stream, loudest: RouteOptions['loudest']): void {
    if (stream.ranked?.group === loudest?.group) return
    this.#unrank(stream)
    if (loudest === undefined) return
    const among = this.#groups.get(loudest.group) ?? new Loudest(loudest.count)
    this.#groups.set(loudest.group, among)
    among.streams++
    stream.ranked = { group: loudest.group, among, standing: newStanding(), history: new History() }
  }
  #unrank(stream: Stream): void {
    const { ranked } = stream
    if (ranked === undefined) return
    ranked.among.remove(ranked.standing)
    if (--ranked.among.streams === 0) this.#groups.delete(ranked.group)
    stream.ranked = undefined
  }
  remove(stream: Stream): void {
    this.onEnd(stream)
    this.#unrank(stream)
    this.#bySsrc.delete(stream.ssrc)
    const mine = this.#byLeg.get(stream.leg)
    mine?.delete(stream)
    if (mine?.size === 0) this.#byLeg.delete(stream.leg)
    stream.leg.streams = mine?.size ?? 0
  }
  /** The leg neither sends nor receives any more. */
  drop(leg: Leg): void {
    for (const stream of this.#byLeg.get(leg) ?? []) {
      this.#unrank(stream)
      this.#bySsrc.delete(stream.ssrc)
    }
    this.#byLeg.delete(leg)
    // Streams of a room go on to share one list.
    const without = new Map<readonly Leg[], readonly Leg[]>()
    for (const s of this.#bySsrc.values()) {
      let left = without.get(s.targets)
      if (left === undefined) without.set(s.targets, (left = s.targets.includes(leg) ? s.targets.filter((t) => t !== leg) : s.targets))
      s.targets = left
    }
  }
}
