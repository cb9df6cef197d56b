/** The streams of rooms as routes of the media plane. */
import type { Ssrc } from '../base/brand.ts'
import { ssrc } from '../base/brand.ts'
import type { LegId, PlaneHandle } from '../media/plane/types.ts'
import type { Stream } from '../protocol/room/index.ts'

export class Routes {
  readonly #plane: PlaneHandle
  readonly #legOf: (session: string) => LegId | undefined
  readonly #rooms = new Map<string, readonly Stream[]>()
  /** What the plane was told. */
  readonly #told = new Map<Ssrc, LegId>()

  constructor(plane: PlaneHandle, legOf: (session: string) => LegId | undefined) {
    this.#plane = plane
    this.#legOf = legOf
  }
  /** Every stream of the room to every other session in it. Cut streams first. */
  set(room: string, streams: readonly Stream[]): void {
    for (const old of this.#rooms.get(room) ?? []) if (!streams.some((s) => s.ssrc === old.ssrc)) this.#cut(ssrc(old.ssrc))
    if (streams.length === 0) this.#rooms.delete(room)
    else this.#rooms.set(room, streams)
    for (const s of streams) {
      const from = this.#legOf(s.session)
      if (from === undefined) continue
      const others = new Set(streams.filter((o) => o.session !== s.session).map((o) => this.#legOf(o.session)))
      this.#plane.route(from, ssrc(s.ssrc), [...others].filter((leg) => leg !== undefined))
      this.#told.set(ssrc(s.ssrc), from)
    }
  }
  /** A session got its leg, or lost it. */
  refresh(session: string): void {
    for (const [room, streams] of this.#rooms) if (streams.some((s) => s.session === session)) this.set(room, streams)
  }
  #cut(stream: Ssrc): void {
    const from = this.#told.get(stream)
    if (from === undefined) return
    this.#told.delete(stream)
    this.#plane.unroute(from, stream)
  }
}
