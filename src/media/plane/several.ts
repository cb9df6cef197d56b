/**
 * Planes on one port behind one handle. A leg is opened at its home at once and elsewhere when a stream there needs it or its keys change,
 * and stays until it is closed: opened twice under the same keys a plane would count its packets from the start again.
 */
import type { Ssrc } from '../../base/brand.ts'
import { err, type Fault, makeFault, ok, type Result } from '../../base/result.ts'
import type { AddressPort } from '../../net/address.ts'
import type { PacketPath } from '../packet-path.ts'
import { workerOf } from './link.ts'
import { SharedPath } from './shared-path.ts'
import { addStats, type BridgeTo, type LegId, type LegKeys, type LegSpec, type PlaneHandle, type PlaneStats, type PlainOpened, type PlainPeer, type PlainSpec, type RoomStream, type RouteOptions } from './types.ts'

interface Shared {
  /** With the newest keys. */
  spec: LegSpec
  /** Its number at each worker. */
  readonly at: (LegId | undefined)[]
  path: SharedPath | undefined
  readonly place: number
}
interface Plain {
  readonly worker: number
  readonly id: LegId
}

const NONE = 0 as LegId

export class SeveralPlanes implements PlaneHandle {
  readonly local: AddressPort
  readonly workers: number
  readonly #planes: readonly PlaneHandle[]
  readonly #hops = new Map<LegId, Shared>()
  readonly #plain = new Map<LegId, Plain>()
  /** Legs by worker and its number for them. */
  readonly #outside: readonly Map<LegId, LegId>[]
  #onFault: (fault: Fault) => void = () => {}
  /** Places that were given back, by the home of who had them: it alone writes there, one client after the other. */
  readonly #places: readonly number[][]
  #newPlace: number[]
  #next = 1

  constructor(planes: readonly PlaneHandle[]) {
    this.#planes = planes
    this.workers = planes.length
    this.local = planes[0]!.local
    this.#outside = planes.map(() => new Map())
    this.#places = planes.map(() => [])
    this.#newPlace = planes.map((_, worker) => worker)
    for (const p of planes) p.onFault((fault) => this.#onFault(fault))
  }
  open(spec: LegSpec): LegId {
    const id = this.#next++ as LegId
    const home = workerOf(spec.probe, this.workers)
    const leg: Shared = { spec, at: [], path: undefined, place: this.#placeOf(home) }
    this.#hops.set(id, leg)
    this.#at(id, leg, home)
    return id
  }
  #placeOf(home: number): number {
    const free = this.#places[home]!.shift()
    if (free !== undefined) return free
    const place = this.#newPlace[home]!
    this.#newPlace[home] = place + this.workers
    return place
  }
  /** The leg's number at a worker, where it is opened now if it was not. */
  #at(id: LegId, leg: Shared, worker: number): LegId {
    const known = leg.at[worker]
    if (known !== undefined) return known
    const plane = this.#planes[worker]!
    const there = plane.open({ ...leg.spec, place: leg.place, home: worker === workerOf(leg.spec.probe, this.workers) })
    leg.at[worker] = there
    this.#outside[worker]!.set(there, id)
    if (leg.path !== undefined) plane.attach(there, leg.path.of(worker))
    return there
  }
  #idAt(id: LegId, worker: number): LegId {
    const leg = this.#hops.get(id)
    return leg === undefined ? NONE : this.#at(id, leg, worker)
  }
  #each(leg: Shared, run: (plane: PlaneHandle, id: LegId, worker: number) => void): void {
    for (const [worker, id] of leg.at.entries()) if (id !== undefined) run(this.#planes[worker]!, id, worker)
  }
  #unknown(id: LegId): void {
    this.#onFault(makeFault('MEDIA_LEG_UNKNOWN', String(id)))
  }
  rekey(id: LegId, keys: LegKeys): void {
    const leg = this.#hops.get(id)
    if (leg === undefined) return this.#unknown(id)
    // Everywhere, with the keys of before: streams that begin before the client has the new ones reach it too.
    for (let worker = 0; worker < this.workers; worker++) this.#at(id, leg, worker)
    leg.spec = { ...leg.spec, ...keys }
    this.#each(leg, (plane, there) => plane.rekey(there, keys))
  }
  attach(id: LegId, path: PacketPath | undefined): void {
    const leg = this.#hops.get(id)
    if (leg === undefined) return this.#unknown(id)
    leg.path = path && new SharedPath(path, this.workers)
    this.#each(leg, (plane, there, worker) => plane.attach(there, leg.path?.of(worker)))
  }
  route(from: LegId, ssrc: Ssrc, to: readonly LegId[], options: RouteOptions = {}): void {
    const worker = workerOf(ssrc, this.workers)
    this.#planes[worker]!.route(this.#idAt(from, worker), ssrc, to.map((id) => this.#idAt(id, worker)), options)
  }
  routeRoom(streams: readonly RoomStream[], members: readonly LegId[], options: RouteOptions = {}): void {
    for (const [worker, plane] of this.#planes.entries()) {
      const here = streams.filter((s) => workerOf(s.ssrc, this.workers) === worker)
      if (here.length > 0) plane.routeRoom(here.map((s) => ({ from: this.#idAt(s.from, worker), ssrc: s.ssrc })), members.map((id) => this.#idAt(id, worker)), options)
    }
  }
  unroute(from: LegId, ssrc: Ssrc): void {
    const worker = workerOf(ssrc, this.workers)
    this.#planes[worker]!.unroute(this.#hops.get(from)?.at[worker] ?? NONE, ssrc)
  }
  async openPlain(spec: PlainSpec): Promise<Result<PlainOpened>> {
    const id = this.#next++ as LegId
    const worker = spec.beside === undefined ? 0 : workerOf(spec.beside, this.workers)
    const opened = await this.#planes[worker]!.openPlain(spec)
    if (!opened.ok) return opened
    this.#plain.set(id, { worker, id: opened.value.leg })
    this.#outside[worker]!.set(opened.value.leg, id)
    return ok({ ...opened.value, leg: id })
  }
  #withPlain(id: LegId, run: (plane: PlaneHandle, p: Plain) => void): void {
    const p = this.#plain.get(id)
    if (p === undefined) this.#unknown(id)
    else run(this.#planes[p.worker]!, p)
  }
  negotiate(id: LegId, peer: PlainPeer): void {
    this.#withPlain(id, (plane, p) => plane.negotiate(p.id, peer))
  }
  bridge(id: LegId, to: BridgeTo): void {
    this.#withPlain(id, (plane, p) => {
      const there = this.#bridgeAt(p, to)
      if (there.ok) plane.bridge(p.id, there.value)
      else this.#onFault(there.fault)
    })
  }
  /** Both streams of a call are counted where its plain leg is, and nowhere else. */
  #bridgeAt({ worker }: Plain, to: BridgeTo): Result<BridgeTo> {
    if (to.kind === 'plain') {
      const other = this.#plain.get(to.leg)
      return other?.worker === worker ? ok({ ...to, leg: other.id }) : err('MEDIA_LEG_UNKNOWN', String(to.leg))
    }
    if (!this.#hops.has(to.leg)) return err('MEDIA_LEG_UNKNOWN', String(to.leg))
    const elsewhere = [to.receive, to.send].find((s) => workerOf(s, this.workers) !== worker)
    return elsewhere === undefined ? ok({ ...to, leg: this.#idAt(to.leg, worker) }) : err('MEDIA_STREAM_TAKEN', `${elsewhere}: it is another worker’s`)
  }
  unbridge(id: LegId): void {
    this.#withPlain(id, (plane, p) => plane.unbridge(p.id))
  }
  close(id: LegId): void {
    const p = this.#plain.get(id)
    const leg = this.#hops.get(id)
    if (p !== undefined) this.#closeAt(p.worker, p.id)
    if (leg !== undefined) {
      this.#each(leg, (_, there, worker) => this.#closeAt(worker, there))
      this.#places[workerOf(leg.spec.probe, this.workers)]!.push(leg.place)
    }
    this.#plain.delete(id)
    this.#hops.delete(id)
  }
  #closeAt(worker: number, there: LegId): void {
    this.#planes[worker]!.close(there)
    this.#outside[worker]!.delete(there)
  }
  async stats(): Promise<PlaneStats> {
    return this.add(await Promise.all(this.#planes.map((p) => p.stats())))
  }
  /** What each of them says, in their order. */
  add(all: readonly PlaneStats[]): PlaneStats {
    return addStats(all.map((s, worker) => ({ ...s, legs: s.legs.flatMap((l) => this.#numbered(l, worker)) })))
  }
  #numbered<T extends { readonly leg: LegId }>(l: T, worker: number): T[] {
    const leg = this.#outside[worker]!.get(l.leg)
    return leg === undefined ? [] : [{ ...l, leg }]
  }
  onFault(listener: (fault: Fault) => void): void {
    this.#onFault = listener
  }
  async stop(): Promise<void> {
    await Promise.all(this.#planes.map((p) => p.stop()))
  }
}
