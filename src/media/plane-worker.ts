/** Entry of a media thread of the server: one plane on one UDP port, or its share of one, driven by messages. */
import type { MessagePort } from 'node:worker_threads'
import { parentPort, workerData } from 'node:worker_threads'
import type { Ssrc } from '../base/brand.ts'
import type { Fault, Result } from '../base/result.ts'
import type { AddressPort } from '../net/address.ts'
import { portPath } from './packet-path.ts'
import { openPlanePorts, type PlanePorts, type PlanePortsOptions } from './plane-ports.ts'
import { localPlane } from './plane/handle.ts'
import { portablePlane } from './plane/portable.ts'
import type { PortRange } from './plain/rtp-pair.ts'
import { linkOf, type Peers } from './plane-share.ts'
import { BEAT, beat } from './thread-watch.ts'
import type { BridgeTo, LegId, LegKeys, LegSpec, PlainOpened, PlainPeer, PlainSpec, PlaneFacts, PlaneHandle, PlaneStats, RouteOptions } from './plane/types.ts'

export type PlaneCommand =
  | { readonly op: 'open'; readonly spec: LegSpec }
  | { readonly op: 'rekey'; readonly leg: LegId; readonly keys: LegKeys }
  | { readonly op: 'attach'; readonly leg: LegId; readonly port: MessagePort | undefined }
  | { readonly op: 'route'; readonly from: LegId; readonly ssrc: Ssrc; readonly to: readonly LegId[]; readonly options: RouteOptions }
  /** Stream by stream where it comes from and its number; then who is in the room. */
  | { readonly op: 'route-room'; readonly from: Float64Array; readonly ssrcs: Uint32Array; readonly members: Float64Array; readonly options: RouteOptions }
  | { readonly op: 'unroute'; readonly from: LegId; readonly ssrc: Ssrc }
  | { readonly op: 'open-plain'; readonly id: number; readonly spec: PlainSpec }
  | { readonly op: 'negotiate'; readonly leg: LegId; readonly peer: PlainPeer }
  | { readonly op: 'bridge'; readonly plain: LegId; readonly to: BridgeTo }
  | { readonly op: 'unbridge'; readonly plain: LegId }
  | { readonly op: 'close'; readonly leg: LegId }
  | { readonly op: 'stats'; readonly id: number }
  | { readonly op: 'stop' }

export type PlaneReport =
  | ({ readonly op: 'ready'; readonly local: AddressPort } & PlaneFacts)
  | { readonly op: 'failed'; readonly fault: Fault }
  | { readonly op: 'fault'; readonly fault: Fault }
  | { readonly op: 'plain'; readonly id: number; readonly opened: Result<PlainOpened> }
  | ({ readonly op: 'stats'; readonly id: number } & PlaneStats)

export interface PlaneWorkerData extends Omit<PlanePortsOptions, 'share'> {
  /** The other threads of the port; left out: there are none. */
  readonly peers?: Peers
  /** UDP ports of plain legs. */
  readonly ports?: PortRange
  /** Where it counts what it is asked (thread-watch.ts). */
  readonly beats: Int32Array<SharedArrayBuffer>
}

async function main(port: MessagePort, options: PlaneWorkerData): Promise<void> {
  const report = (r: PlaneReport): void => port.postMessage(r)
  const { peers } = options
  const opened = await openPlanePorts({ ...options, ...(peers && { share: { workers: peers.ports.length, first: peers.worker === 0 } }) })
  if (!opened.ok) {
    report({ op: 'failed', fault: opened.fault })
    port.close()
    return
  }
  const footing = opened.value
  const plane = localPlane(portablePlane({ ...footing, ...(options.ports && { ports: options.ports }), ...(peers && { link: linkOf(peers) }) }))
  plane.onFault((fault) => report({ op: 'fault', fault }))
  port.on('message', (c: PlaneCommand | typeof BEAT) => (c === BEAT ? beat(options.beats) : run(plane, footing, port, c)))
  const { provider, fallback, buffers } = footing
  report({ op: 'ready', local: plane.local, provider, fallback, workers: 1, buffers })
  await footing.run()
}

function run(plane: PlaneHandle, footing: PlanePorts, port: MessagePort, c: PlaneCommand): void {
  switch (c.op) {
    case 'open':
      plane.open(c.spec)
      break
    case 'rekey':
      plane.rekey(c.leg, c.keys)
      break
    case 'attach':
      plane.attach(c.leg, c.port === undefined ? undefined : portPath(c.port))
      break
    case 'route':
      plane.route(c.from, c.ssrc, c.to, c.options)
      break
    case 'route-room':
      plane.routeRoom(Array.from(c.ssrcs, (s, i) => ({ from: c.from[i] as LegId, ssrc: s as Ssrc })), Array.from(c.members, (id) => id as LegId), c.options)
      break
    case 'unroute':
      plane.unroute(c.from, c.ssrc)
      break
    case 'open-plain':
      void plane.openPlain(c.spec).then((opened) => port.postMessage({ op: 'plain', id: c.id, opened } satisfies PlaneReport))
      break
    case 'negotiate':
      plane.negotiate(c.leg, c.peer)
      break
    case 'bridge':
      plane.bridge(c.plain, c.to)
      break
    case 'unbridge':
      plane.unbridge(c.plain)
      break
    case 'close':
      plane.close(c.leg)
      break
    case 'stats':
      void plane.stats().then((s) => port.postMessage({ op: 'stats', id: c.id, ...s, ...(footing.sends && { sends: footing.sends() }), own: footing.own() } satisfies PlaneReport))
      break
    case 'stop':
      // Socket, legs and this port were all that kept the thread alive.
      void plane.stop().then(() => {
        footing.stop()
        port.close()
      })
  }
}

if (parentPort !== null) void main(parentPort, workerData as PlaneWorkerData)
