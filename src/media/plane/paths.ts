/** Path messages of the plane's legs: who is where, learnt from authenticated packets only (PROTOCOL §1). */
import type { Ssrc } from '../../base/brand.ts'
import type { AddressPort } from '../../net/address.ts'
import type { UdpSocket } from '../../net/udp.ts'
import { readU32 } from '../../protocol/rtp/octets.ts'
import { CHALLENGE, ECHO, PROBE, readPathMessage, RESPONSE, writePathMessage, type PathSubtype } from '../hop/path-message.ts'
import type { Leg } from './leg.ts'

/** The sender of an RTCP packet of at least 8 octets. */
export const rtcpSsrc = (packet: Uint8Array): Ssrc => readU32(packet, 4) as Ssrc

export class LegPaths {
  readonly #socket: UdpSocket
  readonly #slot = new Uint8Array(128)

  constructor(socket: UdpSocket) {
    this.#socket = socket
  }
  /**
   * The newest packet of a client so far came from `from` (undefined: by its own path). `chosen`: it
   * wants its media by this way.
   */
  heard(leg: Leg, from: AddressPort | undefined, octets: number, now: number, chosen: boolean): void {
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
      if (from !== undefined && leg.proved(from, token) && use) leg.active = 'udp'
    } else if (subtype === PROBE) {
      if (leg.receiving.newest) this.heard(leg, from, octets, now, use)
      this.#say(leg, ECHO, token, from)
    }
    return true
  }
  #say(leg: Leg, subtype: PathSubtype, token: Uint8Array, to: AddressPort | undefined): void {
    const slot = this.#slot
    const sealed = leg.sender.protectRtcp(slot, writePathMessage(slot, { subtype, ssrc: leg.probe, token, use: false }))
    if (sealed < 0) return
    if (to === undefined) leg.path?.send(slot.subarray(0, sealed))
    else if (leg.maySendTo(to, sealed)) this.#socket.send(slot.subarray(0, sealed), to)
  }
}
