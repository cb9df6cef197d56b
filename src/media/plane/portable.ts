/** The media plane over any `UdpSocket`: works everywhere, and in virtual time. */
import { instant, type Ssrc } from '../../base/brand.ts'
import type { Scheduler } from '../../base/ports.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { AddressPort } from '../../net/address.ts'
import type { UdpSocket } from '../../net/udp.ts'
import { looksLikeRtcp, looksLikeRtp, rtpSsrc } from '../../protocol/rtp/header.ts'
import { GRACE_MS, MAX_PACKET } from '../hop/receiving.ts'
import type { PacketPath } from '../packet-path.ts'
import { Leg } from './leg.ts'
import { LegPaths, rtcpSsrc } from './paths.ts'
import type { LegId, LegKeys, LegSpec, LegStats, MediaPlane } from './types.ts'

const MAX_LEGS = 10_000
const MAX_STREAMS_PER_LEG = 16
const MAX_RECEIVERS = 256
/** What protection may add: tag and SRTCP index. */
const SLACK = 64

interface Stream {
  readonly ssrc: Ssrc
  readonly leg: Leg
  targets: readonly Leg[]
}

export interface PortablePlaneOptions {
  readonly socket: UdpSocket
  readonly scheduler: Scheduler
  readonly crypto: CryptoPort
}

export function portablePlane(options: PortablePlaneOptions): MediaPlane {
  return new PortablePlane(options)
}

class PortablePlane implements MediaPlane {
  readonly #socket: UdpSocket
  readonly #clock: Scheduler
  readonly #crypto: CryptoPort
  readonly #paths: LegPaths
  readonly #legs = new Map<LegId, Leg>()
  readonly #probes = new Map<number, Leg>()
  readonly #streams = new Map<number, Stream>()
  readonly #slot = new Uint8Array(MAX_PACKET + SLACK)
  #nextLeg = 1
  stray = 0

  constructor(options: PortablePlaneOptions) {
    this.#socket = options.socket
    this.#clock = options.scheduler
    this.#crypto = options.crypto
    this.#paths = new LegPaths(options.socket)
    options.socket.onMessage((data, from) => this.#packet(data, from, undefined))
  }
  get local(): AddressPort {
    return this.#socket.local
  }

  open(spec: LegSpec): Result<LegId> {
    if (this.#legs.size >= MAX_LEGS) return err('MEDIA_LIMIT', `${MAX_LEGS} legs`)
    if (this.#probes.has(spec.probe) || this.#streams.has(spec.probe)) return err('MEDIA_STREAM_TAKEN', `probe ${spec.probe}`)
    const id = this.#nextLeg as LegId
    const opened = Leg.open(id, spec, this.#crypto, this.#clock.now())
    if (!opened.ok) return opened
    const leg = opened.value
    this.#nextLeg++
    this.#legs.set(id, leg)
    this.#probes.set(spec.probe, leg)
    return ok(id)
  }

  rekey(id: LegId, keys: LegKeys): Result<void> {
    const leg = this.#legs.get(id)
    if (leg === undefined) return err('MEDIA_LEG_UNKNOWN', String(id))
    const now = this.#clock.now()
    const changed = leg.rekey(keys, this.#crypto, now)
    if (!changed.ok) return changed
    this.#clock.at(instant(now + GRACE_MS), () => {
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
      if (leg.active === 'path') leg.active = leg.address === undefined ? 'none' : 'udp'
      return ok(undefined)
    }
    path.onPacket((data) => {
      if (leg.path === path) this.#packet(data, undefined, leg)
    })
    return ok(undefined)
  }

  route(from: LegId, ssrc: Ssrc, to: readonly LegId[]): Result<void> {
    const leg = this.#legs.get(from)
    if (leg === undefined) return err('MEDIA_LEG_UNKNOWN', String(from))
    const known = this.#streams.get(ssrc)
    if ((known !== undefined && known.leg !== leg) || this.#probes.has(ssrc)) return err('MEDIA_STREAM_TAKEN', String(ssrc))
    if (to.length > MAX_RECEIVERS) return err('MEDIA_LIMIT', `${to.length} receivers`)
    if (known === undefined && this.#streamsOf(leg) >= MAX_STREAMS_PER_LEG) return err('MEDIA_LIMIT', `${MAX_STREAMS_PER_LEG} streams of one leg`)
    const targets: Leg[] = []
    for (const id of new Set(to)) {
      const target = this.#legs.get(id)
      if (target === undefined) return err('MEDIA_LEG_UNKNOWN', String(id))
      targets.push(target)
    }
    if (known === undefined) this.#streams.set(ssrc, { ssrc, leg, targets })
    else known.targets = targets
    return ok(undefined)
  }
  #streamsOf(leg: Leg): number {
    let n = 0
    for (const s of this.#streams.values()) if (s.leg === leg) n++
    return n
  }

  unroute(from: LegId, ssrc: Ssrc): Result<void> {
    const known = this.#streams.get(ssrc)
    if (known === undefined || known.leg.id !== from) return err('MEDIA_LEG_UNKNOWN', `${from} has no stream ${ssrc}`)
    this.#streams.delete(ssrc)
    return ok(undefined)
  }

  close(id: LegId): void {
    const leg = this.#legs.get(id)
    if (leg === undefined) return
    this.#legs.delete(id)
    this.#probes.delete(leg.probe)
    for (const [ssrc, stream] of this.#streams) {
      if (stream.leg === leg) this.#streams.delete(ssrc)
      else if (stream.targets.includes(leg)) stream.targets = stream.targets.filter((t) => t !== leg)
    }
    leg.dispose()
  }

  stats(): LegStats[] {
    return [...this.#legs.values()].map((leg) => leg.stats())
  }

  stop(): void {
    this.#socket.close()
    for (const id of [...this.#legs.keys()]) this.close(id)
  }

  /** One packet by UDP (`from`) or by a leg's path (`via`). Nothing costs more than a look-up until its SSRC is known. */
  #packet(data: Uint8Array, from: AddressPort | undefined, via: Leg | undefined): void {
    if (data.length < 12 || data.length > MAX_PACKET || !looksLikeRtp(data, data.length)) {
      this.stray++
      return
    }
    if (looksLikeRtcp(data, data.length)) this.#rtcp(data, from, via)
    else this.#rtp(data, from, via)
  }

  #rtp(data: Uint8Array, from: AddressPort | undefined, via: Leg | undefined): void {
    const stream = this.#streams.get(rtpSsrc(data))
    if (stream === undefined || (via !== undefined && via !== stream.leg)) {
      this.stray++
      return
    }
    const leg = stream.leg
    const now = this.#clock.now()
    if (!leg.admits(from, now)) return
    const length = this.#open(leg, data, now, false)
    if (length < 0) return
    leg.received++
    leg.receivedOctets += data.length
    if (leg.receiving.newest) this.#paths.heard(leg, from, data.length, now, true)
    for (const target of stream.targets) this.#forward(target, data, length)
  }

  #open(leg: Leg, data: Uint8Array, now: number, rtcp: boolean): number {
    const length = leg.receiving.open(data, rtcp, now)
    if (length < 0) leg.refused++
    else {
      leg.lastHeardAt = now
      if (leg.receiving.current) leg.switchSender()
    }
    return length
  }

  #forward(leg: Leg, packet: Uint8Array, length: number): void {
    if (leg.active === 'none') {
      leg.unsent++
      return
    }
    const slot = this.#slot
    slot.set(packet.subarray(0, length))
    // Numbered by us for each receiver (PROTOCOL §1): a sender that rewinds cannot make us repeat an IV.
    const sealed = leg.sender.protectNext(slot, length)
    if (sealed < 0) {
      leg.unsent++
      return
    }
    leg.sent++
    leg.sentOctets += sealed
    const bytes = slot.subarray(0, sealed)
    if (leg.active === 'path') leg.path!.send(bytes)
    else this.#socket.send(bytes, leg.address!)
  }

  #rtcp(data: Uint8Array, from: AddressPort | undefined, via: Leg | undefined): void {
    const leg = this.#probes.get(rtcpSsrc(data))
    if (leg === undefined || (via !== undefined && via !== leg)) {
      this.stray++
      return
    }
    const now = this.#clock.now()
    if (!leg.admits(from, now)) return
    const length = this.#open(leg, data, now, true)
    if (length >= 0 && !this.#paths.message(leg, data.subarray(0, length), data.length, from, now)) leg.refused++
  }
}
