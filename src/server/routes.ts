/** The streams of rooms as routes of the media plane. */
import type { Ssrc } from '../base/brand.ts'
import { ssrc } from '../base/brand.ts'
import type { LegId, PlaneHandle, RoomStream, RouteOptions } from '../media/plane/types.ts'
import type { Stream } from '../protocol/room/index.ts'

/** How the server forwards, where a room's policy leaves it to the server. */
export interface Forwarding {
  /** Speakers that are forwarded at a time in a `loudest` room. */
  readonly loudest: number
  /** Rooms whose packets may wait for others, and for how long, ms. */
  readonly hold: ReadonlyMap<string, number>
}
const FORWARDING: Forwarding = { loudest: 5, hold: new Map() }

interface Routed {
  readonly streams: readonly Stream[]
  readonly forwarding: string
  /** Of the plane's choice. */
  readonly group: number
}

export class Routes {
  readonly #plane: PlaneHandle
  readonly #legOf: (session: string) => LegId | undefined
  readonly #how: Forwarding
  readonly #rooms = new Map<string, Routed>()
  #nextGroup = 1
  /** What the plane was told. */
  readonly #told = new Map<Ssrc, LegId>()

  constructor(plane: PlaneHandle, legOf: (session: string) => LegId | undefined, how: Forwarding = FORWARDING) {
    this.#plane = plane
    this.#legOf = legOf
    this.#how = how
  }
  /** Every stream of the room to every other session in it, or the loudest of them. Cut streams first. */
  set(room: string, streams: readonly Stream[], forwarding = this.#rooms.get(room)?.forwarding ?? 'all'): void {
    const before = this.#rooms.get(room)
    const now = new Set(streams.map((s) => s.ssrc))
    for (const old of before?.streams ?? []) if (!now.has(old.ssrc)) this.#cut(ssrc(old.ssrc))
    if (streams.length === 0) this.#rooms.delete(room)
    else this.#rooms.set(room, { streams, forwarding, group: before?.group ?? this.#nextGroup++ })
    const group = this.#rooms.get(room)?.group
    const holdMs = this.#how.hold.get(room)
    const options: RouteOptions = { ...(forwarding === 'loudest' && group !== undefined && { loudest: { group, count: this.#how.loudest } }), ...(holdMs !== undefined && { holdMs }) }
    const routed = streams.flatMap((s): RoomStream[] => {
      const from = this.#legOf(s.session)
      return from === undefined ? [] : [{ from, ssrc: ssrc(s.ssrc) }]
    })
    if (routed.length > 0) this.#plane.routeRoom(routed, [...new Set(routed.map((r) => r.from))], options)
    for (const { from, ssrc } of routed) this.#told.set(ssrc, from)
  }
  /** A session got its leg, or lost it. */
  refresh(session: string): void {
    for (const [room, { streams }] of this.#rooms) if (streams.some((s) => s.session === session)) this.set(room, streams)
  }
  #cut(stream: Ssrc): void {
    const from = this.#told.get(stream)
    if (from === undefined) return
    this.#told.delete(stream)
    this.#plane.unroute(from, stream)
  }
}
