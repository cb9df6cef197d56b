/** Several planes on one port in one thread: what steers packets to them and what they tell each other by, simulated. */
import { instant } from '../../src/base/brand.ts'
import type { Scheduler } from '../../src/base/ports.ts'
import type { Fault, Result } from '../../src/base/result.ts'
import { localPlane } from '../../src/media/plane/handle.ts'
import { workerOfPacket } from '../../src/media/plane/link.ts'
import { SeveralPlanes } from '../../src/media/plane/several.ts'
import { Whereabouts } from '../../src/media/plane/whereabouts.ts'
import type { LinkMessage, MediaPlane, PlaneLink, PlaneStats } from '../../src/media/plane/types.ts'
import type { UdpSocket } from '../../src/net/udp.ts'

/** One socket for each worker, as the system's steering makes of one port. */
export function steered(socket: UdpSocket, workers: number): UdpSocket[] {
  const listeners: Parameters<UdpSocket['onMessage']>[0][] = []
  socket.onMessage((data, from) => listeners[workerOfPacket(data, workers)]?.(data, from))
  return Array.from({ length: workers }, (_, i) => ({
    local: socket.local,
    send: (data, to) => socket.send(data, to),
    onMessage: (listener) => void (listeners[i] = listener),
    close: () => socket.close(),
  }))
}

/** Messages arrive `lateMs` later, never during the call, as between threads that others keep waiting. */
export function simulatedLinks(scheduler: Scheduler, workers: number, lateMs = 0): PlaneLink[] {
  const where = new Whereabouts(Whereabouts.memory(100 * workers))
  const listeners: ((m: LinkMessage) => void)[] = []
  return Array.from({ length: workers }, (_, worker) => ({
    worker, workers, where,
    send: (to, m) => void scheduler.at(instant(scheduler.now() + lateMs), () => listeners[to]?.(structuredClone(m))),
    onMessage: (listener) => void (listeners[worker] = listener),
    close: () => void delete listeners[worker],
  }))
}

/** As one plane: what a handle reports as faults comes back as results. `settle`: what the planes have to tell each other was told. */
export function severalPlanes(planes: readonly MediaPlane[], settle: () => void = () => {}): MediaPlane {
  const handles = planes.map(localPlane)
  const handle = new SeveralPlanes(handles)
  let fault: Fault | undefined
  handle.onFault((f) => (fault ??= f))
  const asked = <T>(run: () => T): Result<T> => {
    fault = undefined
    const value = run()
    settle()
    return fault === undefined ? { ok: true, value } : { ok: false, fault }
  }
  const stats = (): PlaneStats => {
    settle()
    return handle.add(handles.map((h) => h.statsNow()))
  }
  return {
    local: handle.local,
    open: (spec) => asked(() => handle.open(spec)),
    rekey: (leg, keys) => asked(() => handle.rekey(leg, keys)),
    attach: (leg, path) => asked(() => handle.attach(leg, path)),
    routeRoom: (streams, members, options) => asked(() => handle.routeRoom(streams, members, options)),
    route: (from, ssrc, to, options) => asked(() => handle.route(from, ssrc, to, options)),
    unroute: (from, ssrc) => asked(() => handle.unroute(from, ssrc)),
    openPlain: (spec) => handle.openPlain(spec),
    negotiate: (leg, peer) => asked(() => handle.negotiate(leg, peer)),
    bridge: (plain, to) => asked(() => handle.bridge(plain, to)),
    unbridge: (plain) => asked(() => handle.unbridge(plain)),
    close: (leg) => handle.close(leg),
    stats: () => stats().legs,
    get stray() {
      return planes.reduce((n, p) => n + p.stray, 0)
    },
    get past() {
      return stats().past
    },
    stop: () => void handle.stop(),
  }
}
