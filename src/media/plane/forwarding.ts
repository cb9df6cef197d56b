/** The packets of hop legs: in from one client, out to others or into a call. */
import type { Ssrc } from '../../base/brand.ts'
import type { Clock } from '../../base/ports.ts'
import type { AddressPort } from '../../net/address.ts'
import type { BuildingSocket } from '../../net/udp.ts'
import { audioLevelOf, stripExtension } from '../../protocol/rtp/extension.ts'
import { looksLikeRtcp, looksLikeRtp, newRtpHeader, parseRtp, rtpSequence, rtpSsrc, rtpTimestamp } from '../../protocol/rtp/header.ts'
import { LEVEL_EXTENSION, levelStep } from '../../protocol/rtp/level-steps.ts'
import { MAX_PACKET } from '../hop/receiving.ts'
import type { BridgeEnd, EndWire } from '../plain/bridge-end.ts'
import type { Leg } from './leg.ts'
import { LegPaths, type PlaneLink, rtcpSsrc } from './paths.ts'
import type { Ranked, Stream, Streams } from './streams.ts'

export class Forwarding {
  readonly #socket: BuildingSocket
  readonly #clock: Clock
  readonly paths: LegPaths
  readonly #streams: Streams
  /** Legs by the SSRC of their path messages. */
  readonly #probes: ReadonlyMap<number, Leg>
  readonly #header = newRtpHeader()
  stray = 0

  constructor(socket: BuildingSocket, clock: Clock, streams: Streams, probes: ReadonlyMap<number, Leg>, link: PlaneLink | undefined) {
    this.#socket = socket
    this.#clock = clock
    this.#streams = streams
    this.#probes = probes
    this.paths = new LegPaths(socket, clock, probes, link)
    socket.onMessage((data, from) => this.packet(data, from, undefined))
  }
  /** One packet by UDP (`from`) or by a leg's path (`via`). Nothing costs more than a look-up until its SSRC is known. */
  packet(data: Uint8Array, from: AddressPort | undefined, via: Leg | undefined): void {
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
    leg.look()
    const now = this.#clock.now()
    if (!leg.admits(from, now)) return
    const length = this.#open(leg, data, now, false)
    if (length < 0) {
      stream.meter.refused(length)
      return
    }
    leg.received++
    leg.receivedOctets += data.length
    if (stream.end !== undefined) stream.meter.clockRate = stream.end.clockRate
    stream.meter.packet(rtpSequence(data), rtpTimestamp(data), data.length, leg.receiving.opened, now)
    if (leg.receiving.newest) this.paths.heard(leg, from, data.length, now, true)
    if (stream.end !== undefined) this.#bridged(stream.end, data, length, leg.receiving.opened, now)
    else if (stream.ranked !== undefined) this.#loudest(stream, stream.ranked, data, length, now)
    else this.#toAll(stream, data, length)
  }
  #toAll(stream: Stream, packet: Uint8Array, length: number): void {
    const out = stream.out ?? this.#socket
    for (const target of stream.targets) if (target !== stream.except) this.#forward(target, packet, length, out)
  }
  #loudest(stream: Stream, { among, standing, history }: Ranked, data: Uint8Array, length: number, now: number): void {
    const h = this.#header
    if (parseRtp(data, length, h) < 0) return
    const step = levelStep(audioLevelOf(data, h, LEVEL_EXTENSION))
    // The level was for us; the listeners have their own, sealed.
    const bare = stripExtension(data, h, length)
    const verdict = among.heard(standing, step, now)
    if (verdict === 'dropped') {
      history.keep(data, bare, now)
      return
    }
    if (verdict === 'begins' && step > 0) history.take(now, (packet, octets) => this.#toAll(stream, packet, octets))
    else if (verdict === 'begins') history.take(now, () => {})
    this.#toAll(stream, data, bare)
  }
  #bridged(end: BridgeEnd, data: Uint8Array, length: number, generation: number, now: number): void {
    if (parseRtp(data, length, this.#header) === 0) end.peer?.forward(data, this.#header, generation, now)
  }
  /** How a bridged call's packets reach a client. */
  wire(leg: Leg, ssrc: Ssrc): EndWire {
    return {
      slot: () => this.#socket.slot(),
      rtp: (slot, length, number) => {
        leg.look()
        return leg.active !== 'none' && this.#transmit(leg, slot, leg.sender.protectNumbered(slot, length, number), this.#socket)
      },
      rtcp: (slot, length) => {
        leg.look()
        const sealed = leg.active === 'none' ? -1 : leg.sender.protectRtcp(slot, length)
        if (sealed >= 0) this.#give(leg, slot, sealed, this.#socket)
      },
      shift: () => leg.sender.shiftOf(ssrc),
    }
  }

  #open(leg: Leg, data: Uint8Array, now: number, rtcp: boolean): number {
    const length = leg.receiving.open(data, rtcp, now)
    if (length < 0) leg.refused++
    else {
      leg.heardAt = now
      if (leg.receiving.current && leg.nextSender !== undefined) {
        leg.switchSender()
        this.paths.switched(leg)
      }
    }
    return length
  }

  #forward(leg: Leg, packet: Uint8Array, length: number, out: BuildingSocket): void {
    leg.look()
    if (leg.active === 'none') {
      leg.unsent++
      return
    }
    const slot = out.slot()
    // All of it, for a view of less would be made anew: what stands behind `length` is overwritten by the tag, or not sent.
    slot.set(packet)
    // Numbered by us for each receiver (PROTOCOL §1): a sender that rewinds cannot make us repeat an IV.
    this.#transmit(leg, slot, leg.sender.protectNext(slot, length), out)
  }
  /** A packet that was protected, or refused. */
  #transmit(leg: Leg, slot: Uint8Array, sealed: number, out: BuildingSocket): boolean {
    if (sealed < 0) {
      leg.unsent++
      return false
    }
    leg.sent++
    leg.sentOctets += sealed
    this.#give(leg, slot, sealed, out)
    return true
  }
  #give(leg: Leg, slot: Uint8Array, length: number, out: BuildingSocket): void {
    if (leg.active === 'path') leg.path?.send(slot.subarray(0, length))
    else if (slot === out.slot()) out.sendSlot(length, leg.address!)
    else out.send(slot.subarray(0, length), leg.address!)
  }

  #rtcp(data: Uint8Array, from: AddressPort | undefined, via: Leg | undefined): void {
    const stream = this.#streams.get(rtcpSsrc(data))
    const leg = stream?.end === undefined ? this.#probes.get(rtcpSsrc(data)) : stream.leg
    // Path messages are counted where the leg is at home: nowhere else may any be opened or sealed.
    if (leg === undefined || (via !== undefined && via !== leg) || (stream?.end === undefined && !leg.home)) {
      this.stray++
      return
    }
    leg.look()
    const now = this.#clock.now()
    if (!leg.admits(from, now)) return
    const length = this.#open(leg, data, now, true)
    if (length < 0) return
    const plain = data.subarray(0, length)
    if (!(stream?.end === undefined ? this.paths.message(leg, plain, data.length, from, now) : stream.end.report(plain))) leg.refused++
  }
}
