/** RTP and RTCP with one peer on a pair of ports of our own: an Asterisk, a phone (RFC 3550 §11). */
import type { CryptoPort } from '../../crypto/port.ts'
import type { AddressPort } from '../../net/address.ts'
import { looksLikeRtcp, looksLikeRtp, newRtpHeader, parseRtp, rtpSsrc } from '../../protocol/rtp/header.ts'
import { MAX_PACKET } from '../hop/receiving.ts'
import { Rate } from '../plane/rate.ts'
import { BridgeEnd } from './bridge-end.ts'
import { StreamMeters, type StreamStats } from './meter.ts'
import { PlainCrypto } from './plain-crypto.ts'
import { goodbye } from './reports.ts'
import type { RtpPair } from './rtp-pair.ts'
import { PlainSources } from './sources.ts'
import type { PlainPeer } from './spec.ts'

/** Packets of 10 ms, twice over, and what a peer gives back after a stall. */
const PACKETS_PER_SECOND = 200
const PACKETS_AT_ONCE = 100
const REPORTS_PER_SECOND = 10
const REPORTS_AT_ONCE = 20

export type Half = keyof RtpPair

export interface PlainLegOptions {
  readonly pair: RtpPair
  readonly crypto: CryptoPort
  readonly now: () => number
  /** Sends the first `length` octets of `slot` by our own socket `own`, or hands them over where `to` is ours as well. */
  readonly transmit: (own: Half, slot: Uint8Array, length: number, to: AddressPort) => void
}

export class PlainLeg {
  readonly end: BridgeEnd
  readonly pair: RtpPair
  readonly #o: PlainLegOptions
  readonly #crypto: PlainCrypto
  readonly #sources: PlainSources
  readonly #rate: Rate
  readonly #reportRate: Rate
  readonly #header = newRtpHeader()
  readonly #meters = new StreamMeters()
  #peer: PlainPeer | undefined
  #answeredAt = 0
  /** When the next packet of filling is due; undefined: none is. */
  #fillAt: number | undefined
  heardAt = Number.NEGATIVE_INFINITY
  received = 0
  receivedOctets = 0
  sentOctets = 0
  refused = 0
  limited = 0
  unsent = 0

  constructor(options: PlainLegOptions) {
    const { pair, crypto, now } = options
    this.#o = options
    this.pair = pair
    this.#crypto = new PlainCrypto(crypto)
    this.#sources = new PlainSources(pair.rtp.local)
    this.#rate = new Rate(PACKETS_PER_SECOND, PACKETS_AT_ONCE, now())
    this.#reportRate = new Rate(REPORTS_PER_SECOND, REPORTS_AT_ONCE, now())
    this.end = new BridgeEnd(
      { slot: () => pair.rtp.slot(), rtp: (slot, length) => this.#sendRtp(slot, length), rtcp: (slot, length) => this.#sendRtcp(slot, length), shift: () => this.#crypto.shiftOf(this.end.ssrc), now },
      crypto,
    )
    for (const half of ['rtp', 'rtcp'] as const) pair[half].onMessage((data, from) => this.arrived(half, data, from))
  }
  /** A signalled change. Fails with MEDIA_REMOTE or SRTP_KEYS; then everything stays as it was. */
  negotiate(peer: PlainPeer): ReturnType<PlainSources['check']> {
    const checked = this.#sources.check(peer)
    const keyed = checked.ok ? this.#crypto.set(peer.srtp) : checked
    if (!keyed.ok) return keyed
    this.#sources.negotiate(peer)
    this.end.setClock(peer.clockRate)
    if (this.#peer === undefined) this.#answeredAt = this.#o.now()
    this.#peer = peer
    return keyed
  }
  get target(): AddressPort | undefined {
    return this.#sources.target
  }
  get filling(): boolean {
    return this.#peer?.filling !== undefined
  }

  /** A datagram at one of our ports. */
  arrived(at: Half, data: Uint8Array, from: AddressPort): void {
    const shaped = data.length >= 8 && data.length <= MAX_PACKET && looksLikeRtp(data, data.length)
    const half = shaped && looksLikeRtcp(data, data.length) ? 'rtcp' : 'rtp'
    // RTP at the RTCP port is nobody's; the other way around it is where that was negotiated (RFC 5761).
    if (!shaped || (at !== half && !(half === 'rtcp' && this.#peer?.rtcpMux === true))) this.refused++
    else if (half === 'rtp') this.#rtp(data, from)
    else this.#rtcp(data, from)
  }
  #rtp(data: Uint8Array, from: AddressPort): void {
    if (!this.#sources.acceptsRtp(from)) {
      this.refused++
      return
    }
    const now = this.#o.now()
    if (!this.#rate.take(now)) {
      this.limited++
      return
    }
    const { length } = data
    const opened = this.#crypto.open(data, false)
    const h = this.#header
    if (opened < 0 || parseRtp(data, opened, h) < 0) {
      this.refused++
      if (opened < 0 && length >= 12) this.#meters.refused(rtpSsrc(data), opened)
      return
    }
    this.#sources.heardRtp(from)
    this.heardAt = now
    this.received++
    this.receivedOctets += length
    this.#meters.of(h.ssrc, this.end.clockRate).packet(h.sequence, h.timestamp, length, 0, now)
    this.end.peer?.forward(data, h, 0, now)
  }
  #rtcp(data: Uint8Array, from: AddressPort): void {
    if (!this.#sources.acceptsRtcp(from)) {
      this.refused++
      return
    }
    if (!this.#reportRate.take(this.#o.now())) {
      this.limited++
      return
    }
    const opened = this.#crypto.open(data, true)
    if (opened < 0 || !this.end.report(data.subarray(0, opened))) this.refused++
    else this.#sources.heardRtcp(from)
  }

  #sendRtp(slot: Uint8Array, length: number): boolean {
    const to = this.#sources.target
    const sealed = to === undefined ? -1 : this.#crypto.seal(slot, length, this.end.translator.number)
    if (to === undefined || sealed < 0) {
      this.unsent++
      return false
    }
    this.sentOctets += sealed
    this.#o.transmit('rtp', slot, sealed, to)
    return true
  }
  #sendRtcp(slot: Uint8Array, length: number): void {
    const to = this.#sources.rtcpTarget
    const sealed = to === undefined ? -1 : this.#crypto.sealRtcp(slot, length)
    if (to !== undefined && sealed >= 0) this.#o.transmit(this.#peer?.rtcpMux === true ? 'rtp' : 'rtcp', slot, sealed, to)
  }
  /** Called every 20 ms while there is something to fill in. */
  tick(now: number): void {
    const filling = this.#peer?.filling
    if (filling === undefined || now < Math.max(this.#answeredAt, this.end.forwardedAt) + filling.afterMs) {
      this.#fillAt = undefined
      return
    }
    this.#fillAt ??= now
    if (now < this.#fillAt) return
    this.end.fill(filling, now)
    // After a stall nothing is caught up: it would only fill the peer's jitter buffer.
    this.#fillAt = Math.max(this.#fillAt + filling.ptimeMs, now - filling.ptimeMs)
  }
  streams(): StreamStats[] {
    return this.#meters.stats()
  }
  /** Says goodbye and gives the ports back. */
  close(): void {
    this.end.untie()
    if (this.end.packets > 0) this.end.sendRtcp(goodbye(this.end.ssrc))
    this.pair.rtp.close()
    this.pair.rtcp.close()
    this.#crypto[Symbol.dispose]()
  }
}
