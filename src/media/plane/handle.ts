/** A plane in this thread behind the same handle as one in a worker. */
import type { Fault, Result } from '../../base/result.ts'
import type { BridgeTo, LegId, MediaPlane, PlaneHandle, PlaneStats } from './types.ts'

/** Its statistics are at hand. */
export interface LocalPlane extends PlaneHandle {
  statsNow(): PlaneStats
}

export function localPlane(plane: MediaPlane): LocalPlane {
  let onFault: (fault: Fault) => void = () => {}
  // The handle's numbers are its own, so that a refused leg still has one.
  const legs = new Map<LegId, LegId>()
  let next = 1
  const of = (id: LegId): LegId => legs.get(id) ?? (0 as LegId)
  const check = (r: Result<unknown>): void => {
    if (!r.ok) onFault(r.fault)
  }
  const statsNow = (): PlaneStats => {
    const outside = new Map([...legs].map(([mine, its]) => [its, mine]))
    return { legs: plane.stats().map((s) => ({ ...s, leg: outside.get(s.leg)! })), stray: plane.stray, past: { ...plane.past } }
  }
  return {
    local: plane.local,
    workers: 1,
    open(spec) {
      const id = next++ as LegId
      const opened = plane.open(spec)
      if (opened.ok) legs.set(id, opened.value)
      else onFault(opened.fault)
      return id
    },
    rekey: (leg, keys) => check(plane.rekey(of(leg), keys)),
    attach: (leg, path) => check(plane.attach(of(leg), path)),
    route: (from, ssrc, to, options) => check(plane.route(of(from), ssrc, to.map(of), options)),
    routeRoom: (streams, members, options) => check(plane.routeRoom(streams.map((s) => ({ from: of(s.from), ssrc: s.ssrc })), members.map(of), options)),
    unroute: (from, ssrc) => check(plane.unroute(of(from), ssrc)),
    async openPlain(spec) {
      const id = next++ as LegId
      const opened = await plane.openPlain(spec)
      if (!opened.ok) return opened
      legs.set(id, opened.value.leg)
      return { ok: true, value: { ...opened.value, leg: id } }
    },
    negotiate: (leg, peer) => check(plane.negotiate(of(leg), peer)),
    bridge: (plain, to) => check(plane.bridge(of(plain), { ...to, leg: of(to.leg) } as BridgeTo)),
    unbridge: (plain) => check(plane.unbridge(of(plain))),
    close(leg) {
      plane.close(of(leg))
      legs.delete(leg)
    },
    statsNow,
    stats: async () => statsNow(),
    onFault(listener) {
      onFault = listener
    },
    async stop() {
      plane.stop()
    },
  }
}
