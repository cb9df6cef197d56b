/** The media plane over any `UdpSocket`: works everywhere, and in virtual time. */
import { instant, type Ssrc } from '../../base/brand.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { AddressPort } from '../../net/address.ts'
import { type BuildingSocket, buildingSocket, type UdpSocket } from '../../net/udp.ts'
import { HANDOVER_MS } from '../hop/receiving.ts'
import type { PacketPath } from '../packet-path.ts'
import type { PlainLegsOptions } from '../plain/plain-legs.ts'
import { Bridges } from './bridges.ts'
import { Forwarding } from './forwarding.ts'
import { Leg } from './leg.ts'
import { Streams } from './streams.ts'
import { addStream, addTo, type BridgeTo, type LegId, type LegKeys, type LegSpec, type LegStats, type MediaPlane, type PlainOpened, type PlainPeer, type PlainSpec, type PlaneLink, type RoomStream, type RouteOptions, noTotals } from './types.ts'

/** Of one plane. */
export const MAX_LEGS = 10_000
const MAX_RECEIVERS = 1024

export interface PortablePlaneOptions extends PlainLegsOptions {
  /** The one port for all clients; plain legs get their own. */
  readonly socket: UdpSocket
  /** To the other planes of the port; left out: there is none. */
  readonly link?: PlaneLink
}

export function portablePlane(options: PortablePlaneOptions): MediaPlane {
  return new PortablePlane(options)
}

class PortablePlane implements MediaPlane {
  readonly #socket: BuildingSocket
  readonly #forwarding: Forwarding
  readonly #clock: PortablePlaneOptions['scheduler']
  readonly #crypto: PortablePlaneOptions['crypto']
  readonly #legs = new Map<LegId, Leg>()
  readonly #probes = new Map<number, Leg>()
  readonly #streams = new Streams()
  readonly #bridges: Bridges
  readonly #where: PlaneLink['where']
  #nextLeg = 1
  readonly past = noTotals()

  constructor(options: PortablePlaneOptions) {
    this.#socket = buildingSocket(options.socket)
    this.#clock = options.scheduler
    this.#crypto = options.crypto
    this.#where = options.link?.where
    this.#streams.onEnd = (stream) => addStream(this.past, stream.meter.stats())
    this.#forwarding = new Forwarding(this.#socket, options.scheduler, this.#streams, this.#probes, options.link)
    this.#bridges = new Bridges({ ...options, streams: this.#streams, leg: (id) => this.#legs.get(id), wire: (leg, ssrc) => this.#forwarding.wire(leg, ssrc) })
  }
  get stray(): number {
    return this.#forwarding.stray
  }
  get local(): AddressPort {
    return this.#socket.local
  }

  open(spec: LegSpec): Result<LegId> {
    if (this.#legs.size >= MAX_LEGS) return err('MEDIA_LIMIT', `${MAX_LEGS} legs`)
    if (this.#probes.has(spec.probe) || this.#streams.has(spec.probe)) return err('MEDIA_STREAM_TAKEN', `probe ${spec.probe}`)
    const id = this.#nextLeg as LegId
    const place = spec.place === undefined ? undefined : this.#where?.at(spec.place, spec.probe)
    if (place === undefined && this.#where !== undefined) return err('MEDIA_LIMIT', `no place ${spec.place}`)
    const opened = Leg.open(id, spec, this.#crypto, this.#clock.now(), place)
    if (!opened.ok) return opened
    const leg = opened.value
    this.#nextLeg++
    this.#legs.set(id, leg)
    this.#probes.set(spec.probe, leg)
    leg.tell()
    return ok(id)
  }

  rekey(id: LegId, keys: LegKeys): Result<void> {
    const leg = this.#legs.get(id)
    if (leg === undefined) return err('MEDIA_LEG_UNKNOWN', String(id))
    const now = this.#clock.now()
    const changed = leg.rekey(keys, this.#crypto, now)
    if (!changed.ok) return changed
    leg.stopHandover?.()
    leg.stopHandover = this.#clock.at(instant(now + HANDOVER_MS), () => {
      if (this.#legs.get(leg.id) !== leg || leg.receiving.generation !== keys.generation) return
      leg.receiving.dropOld()
      leg.switchSender()
    })
    return ok(undefined)
  }

  attach(id: LegId, path: PacketPath | undefined): Result<void> {
    const leg = this.#legs.get(id)
    if (leg === undefined) return err('MEDIA_LEG_UNKNOWN', String(id))
    if (leg.path !== path) leg.path?.close()
    leg.path = path
    if (path === undefined) {
      leg.look()
      if (leg.active === 'path') leg.active = leg.address === undefined ? 'none' : 'udp'
      leg.tell()
      return ok(undefined)
    }
    path.onPacket((data) => {
      if (leg.path === path) this.#forwarding.packet(data, undefined, leg)
    })
    return ok(undefined)
  }

  route(from: LegId, ssrc: Ssrc, to: readonly LegId[], options: RouteOptions = {}): Result<void> {
    const leg = this.#legs.get(from)
    if (leg === undefined) return err('MEDIA_LEG_UNKNOWN', String(from))
    if (to.length > MAX_RECEIVERS) return err('MEDIA_LIMIT', `${to.length} receivers`)
    const targets: Leg[] = []
    for (const id of new Set(to)) {
      const target = this.#legs.get(id)
      if (target === undefined) return err('MEDIA_LEG_UNKNOWN', String(id))
      targets.push(target)
    }
    return this.#routed(leg, ssrc, targets, undefined, options)
  }
  #routed(leg: Leg, ssrc: Ssrc, targets: readonly Leg[], except: Leg | undefined, options: RouteOptions): Result<void> {
    if (this.#probes.has(ssrc)) return err('MEDIA_STREAM_TAKEN', String(ssrc))
    const stream = this.#streams.claim(leg, ssrc, options.clockRate)
    if (!stream.ok) return stream
    Object.assign(stream.value, { targets, except, out: options.holdMs === undefined ? undefined : this.#socket.held?.(options.holdMs) })
    this.#streams.rank(stream.value, options.loudest)
    return ok(undefined)
  }
  routeRoom(streams: readonly RoomStream[], members: readonly LegId[], options: RouteOptions = {}): Result<void> {
    if (members.length > MAX_RECEIVERS + 1) return err('MEDIA_LIMIT', `${members.length} members`)
    const all = [...new Set(members)]
    const targets = all.flatMap((id) => this.#legs.get(id) ?? [])
    const unknown = (id: LegId): Result<void> => err('MEDIA_LEG_UNKNOWN', String(id))
    let result: Result<void> = ok(undefined)
    if (targets.length < all.length) result = unknown(all.find((id) => !this.#legs.has(id))!)
    for (const { from, ssrc } of streams) {
      const leg = this.#legs.get(from)
      const routed = leg === undefined ? unknown(from) : this.#routed(leg, ssrc, targets, leg, options)
      if (result.ok) result = routed
    }
    return result
  }

  unroute(from: LegId, ssrc: Ssrc): Result<void> {
    const known = this.#streams.get(ssrc)
    if (known === undefined || known.leg.id !== from || known.end !== undefined) return err('MEDIA_LEG_UNKNOWN', `${from} has no stream ${ssrc}`)
    this.#streams.remove(known)
    return ok(undefined)
  }

  openPlain(spec: PlainSpec): Promise<Result<PlainOpened>> {
    return this.#bridges.open(this.#nextLeg++ as LegId, spec)
  }
  negotiate(leg: LegId, peer: PlainPeer): Result<void> {
    return this.#bridges.negotiate(leg, peer)
  }
  bridge(plain: LegId, to: BridgeTo): Result<void> {
    if (to.kind === 'hop' && (this.#probes.has(to.receive) || this.#probes.has(to.send))) return err('MEDIA_STREAM_TAKEN', `${to.receive} or ${to.send}`)
    return this.#bridges.bridge(plain, to)
  }
  unbridge(plain: LegId): Result<void> {
    return this.#bridges.unbridge(plain)
  }

  close(id: LegId): void {
    const leg = this.#legs.get(id)
    const plain = this.#bridges.statsOf(id)
    if (plain !== undefined) addTo(this.past, plain)
    if (this.#bridges.close(id) || leg === undefined) return
    // First, for the streams of calls end with it, and what has ended counts by itself.
    this.#bridges.gone(leg)
    addTo(this.past, this.#statsOf(leg))
    this.#legs.delete(id)
    this.#probes.delete(leg.probe)
    this.#streams.drop(leg)
    leg.dispose()
  }

  #statsOf(leg: Leg): LegStats {
    return leg.stats([...this.#streams.of(leg)].map((s) => s.meter.stats()))
  }
  stats(): LegStats[] {
    return [...[...this.#legs.values()].map((leg) => this.#statsOf(leg)), ...this.#bridges.stats()]
  }

  stop(): void {
    this.#socket.close()
    this.#bridges.stop()
    this.#forwarding.paths.stop()
    for (const id of [...this.#legs.keys()]) this.close(id)
  }
}
