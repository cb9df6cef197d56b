/** Plain legs as their users see them. */
import type { Ssrc } from '../../base/brand.ts'
import type { AddressPort } from '../../net/address.ts'
import type { SrtpKeys } from '../../protocol/srtp/keys.ts'
import type { Filling } from './bridge-end.ts'

/** What was negotiated with the peer of a plain leg by SDP. Every change of it is a signalled change. */
export interface PlainPeer {
  /** Where it listens (c= and m=). */
  readonly rtp: AddressPort
  /** a=rtcp (RFC 3605); left out: the port above. */
  readonly rtcp?: AddressPort
  /** RTCP on the RTP port in both directions (RFC 5761). */
  readonly rtcpMux?: boolean
  /** Of the payload's RTP clock, Hz. Default 8000, which all telephone codecs but Opus say (RFC 3551 §4.5.2). */
  readonly clockRate?: number
  /** SDES (RFC 4568): both directions are SRTP. The same keys again go on with what is there. */
  readonly srtp?: { readonly receive: SrtpKeys; readonly send: SrtpKeys }
  /** Sent to the peer when nothing else is. Left out: nothing is. */
  readonly filling?: Filling
}

export interface PlainSpec {
  /** One of our addresses, as the peer has to send to it; not a wildcard. */
  readonly bind: string
  /** A stream of the hop that it will be tied to: one thread handles both. Left out: the first thread. */
  readonly beside?: Ssrc
  /** Left out while the peer has not answered: nothing is sent or taken. */
  readonly peer?: PlainPeer
}
