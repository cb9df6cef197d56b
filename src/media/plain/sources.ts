/** Where a plain leg's peer is, for RTP and RTCP: what was negotiated, and where it was heard. */
import { err, ok, type Result } from '../../base/result.ts'
import { type AddressPort, sameAddress } from '../../net/address.ts'
import { isUnicast } from '../../net/unicast.ts'
import { RtpSource } from './source.ts'
import type { PlainPeer } from './spec.ts'

const above = (rtp: AddressPort): AddressPort => ({ address: rtp.address, port: rtp.port + 1 })

export class PlainSources {
  readonly #own: AddressPort
  #peer: PlainPeer | undefined
  #rtp: RtpSource | undefined
  #rtcp: RtpSource | undefined

  constructor(own: AddressPort) {
    this.#own = own
  }
  /** Fails with MEDIA_REMOTE, changing nothing. */
  check(peer: PlainPeer): Result<void> {
    for (const to of [peer.rtp, peer.rtcp ?? above(peer.rtp)]) if (!isUnicast(to.address) || to.port < 1 || to.port > 65535) return err('MEDIA_REMOTE', `${to.address} port ${to.port}`)
    return sameAddress(peer.rtp, this.#own) ? err('MEDIA_REMOTE', 'it is this leg itself') : ok(undefined)
  }
  /** Of a peer that was checked. */
  negotiate(peer: PlainPeer): void {
    const rtcp = peer.rtcp ?? above(peer.rtp)
    this.#rtp ??= new RtpSource(peer.rtp)
    this.#rtp.negotiate(peer.rtp)
    // Where RTP moved, RTCP did.
    if (this.#rtcp === undefined || (this.#peer !== undefined && !sameAddress(this.#peer.rtp, peer.rtp))) this.#rtcp = new RtpSource(rtcp)
    this.#rtcp.negotiate(rtcp)
    this.#peer = peer
  }
  get target(): AddressPort | undefined {
    return this.#rtp?.target
  }
  get rtcpTarget(): AddressPort | undefined {
    const rtp = this.#rtp?.target
    if (rtp === undefined || this.#peer?.rtcpMux === true) return rtp
    return this.#rtcp?.latched === true || this.#peer?.rtcp !== undefined ? this.#rtcp?.target : above(rtp)
  }
  acceptsRtp(from: AddressPort): boolean {
    return this.#rtp?.accepts(from) === true
  }
  acceptsRtcp(from: AddressPort): boolean {
    if (this.#peer?.rtcpMux === true) return this.acceptsRtp(from)
    // Where RTP was heard decides for RTCP as well: it proves even less by itself.
    return this.#rtcp?.accepts(from) === true && (from.address === this.#rtp?.target.address || from.address === this.#peer?.rtcp?.address)
  }
  /** A good packet came from there. */
  heardRtp(from: AddressPort): void {
    this.#rtp?.heard(from)
  }
  heardRtcp(from: AddressPort): void {
    if (this.#peer?.rtcpMux !== true) this.#rtcp?.heard(from)
  }
}
