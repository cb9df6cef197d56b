/** Path messages of the plane's legs: who is where, learnt from authenticated packets only (PROTOCOL §1). */
import type { Ssrc } from '../../base/brand.ts'
import type { Clock } from '../../base/ports.ts'
import { type AddressPort, copyAddress, sameAddress } from '../../net/address.ts'
import type { UdpSocket } from '../../net/udp.ts'
import { readU32 } from '../../protocol/rtp/octets.ts'
import { CHALLENGE, ECHO, PROBE, readPathMessage, RESPONSE, writePathMessage, type PathSubtype } from '../hop/path-message.ts'
import type { Leg } from './leg.ts'
import { alone, workerOf } from './link.ts'
import type { LinkMessage, PlaneLink } from './types.ts'

export type { PlaneLink } from './types.ts'

/** The sender of an RTCP packet of at least 8 octets. */
export const rtcpSsrc = (packet: Uint8Array): Ssrc => readU32(packet, 4) as Ssrc

/** A leg's home is told again this soon, ms, that it is heard from another place: the challenge may have been lost. */
const TELL_EVERY_MS = 20

export class LegPaths {
  readonly #socket: UdpSocket
  readonly #clock: Clock
  readonly #link: PlaneLink
  /** Legs by the SSRC of their path messages. */
  readonly #probes: ReadonlyMap<number, Leg>
  readonly #slot = new Uint8Array(128)

  constructor(socket: UdpSocket, clock: Clock, probes: ReadonlyMap<number, Leg>, link: PlaneLink = alone) {
    this.#socket = socket
    this.#clock = clock
    this.#probes = probes
    this.#link = link
    link.onMessage((m) => this.#told(m))
  }
  /**
   * The newest packet of a client so far came from `from` (undefined: by its own path). `chosen`: it
   * wants its media by this way.
   */
  heard(leg: Leg, from: AddressPort | undefined, octets: number, now: number, chosen: boolean): void {
    if (!leg.home) return this.#tellHome(leg, from, octets, now)
    const { address, active } = leg
    this.#heard(leg, from, octets, now, chosen)
    if (leg.address !== address || leg.active !== active) leg.tell()
  }
  #heard(leg: Leg, from: AddressPort | undefined, octets: number, now: number, chosen: boolean): void {
    if (from === undefined) {
      if (chosen || leg.active === 'none') leg.active = 'path'
      return
    }
    const challenge = leg.heardFrom(from, octets, now)
    if (challenge !== undefined) this.#say(leg, CHALLENGE, challenge, from)
    if (chosen && leg.address !== undefined) leg.active = 'udp'
  }
  /** An authenticated path message; false when it is none. `octets`: as it was on the wire. */
  message(leg: Leg, plain: Uint8Array, octets: number, from: AddressPort | undefined, now: number): boolean {
    const message = readPathMessage(plain)
    if (!message.ok) return false
    const { subtype, token, use } = message.value
    if (subtype === RESPONSE) {
      const { address, active } = leg
      if (from !== undefined && leg.proved(from, token) && use) leg.active = 'udp'
      if (leg.address !== address || leg.active !== active) leg.tell()
    } else if (subtype === PROBE) {
      if (leg.receiving.newest) this.heard(leg, from, octets, now, use)
      this.#say(leg, ECHO, token, from)
    }
    return true
  }
  stop(): void {
    this.#link.close()
  }
  /** The client was heard under the newest keys: from now on it is sent under them. */
  switched(leg: Leg): void {
    const link = this.#link
    for (let w = 0; w < link.workers; w++) if (w !== link.worker) link.send(w, { op: 'generation', probe: leg.probe, generation: leg.receiving.generation })
  }

  #tellHome(leg: Leg, from: AddressPort | undefined, octets: number, now: number): void {
    const known = from === undefined ? leg.active === 'path' : leg.active === 'udp' && leg.address !== undefined && sameAddress(leg.address, from)
    const { told } = leg
    const same = told !== undefined && (from === undefined || told.from === undefined ? from === told.from : sameAddress(from, told.from))
    if (known || (same && now - told.at < TELL_EVERY_MS)) return
    leg.told = { from: from && copyAddress(from), at: now }
    this.#link.send(workerOf(leg.probe, this.#link.workers), { op: 'heard', probe: leg.probe, from: leg.told.from, octets })
  }
  #told(m: LinkMessage): void {
    const leg = this.#probes.get(m.probe)
    if (leg === undefined) return
    if (m.op === 'heard') {
      if (leg.home) this.heard(leg, m.from, m.octets, this.#clock.now(), true)
    } else if (leg.receiving.generation === m.generation) {
      leg.switchSender()
      leg.receiving.adopted(this.#clock.now())
    }
  }
  #say(leg: Leg, subtype: PathSubtype, token: Uint8Array, to: AddressPort | undefined): void {
    const slot = this.#slot
    const sealed = leg.sender.protectRtcp(slot, writePathMessage(slot, { subtype, ssrc: leg.probe, token, use: false }))
    if (sealed < 0) return
    if (to === undefined) leg.path?.send(slot.subarray(0, sealed))
    else if (leg.maySendTo(to, sealed)) this.#socket.send(slot.subarray(0, sealed), to)
  }
}
