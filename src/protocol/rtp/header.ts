/**
 * RTP headers, read and written in place (RFC 3550 §5.1).
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * |                           timestamp                           |
 * |           synchronization source (SSRC) identifier            |
 * |            contributing source (CSRC) identifiers ...         |
 * | extension profile             | extension length in words     |
 */
import type { Ssrc } from '../../base/brand.ts'
import { ssrc } from '../../base/brand.ts'
import type { FaultCode } from '../../base/faults/index.ts'
import { readU16, readU32, writeU16, writeU32 } from './octets.ts'

export const RTP_FIXED_HEADER = 12

/** Why a packet is no RTP. Numbers, because the packet path allocates nothing; `rtpFault` names them. */
export const RTP_TRUNCATED = -1
export const RTP_VERSION = -2
export const RTP_PADDING = -3

export const rtpFault = (refusal: number): FaultCode =>
  refusal === RTP_TRUNCATED ? 'RTP_TRUNCATED' : refusal === RTP_VERSION ? 'RTP_VERSION' : 'RTP_PADDING'

/** One header, filled again and again by `parseRtp`. Offsets are from the start of the packet. */
export interface RtpHeader {
  marker: boolean
  payloadType: number
  sequence: number
  /** In units of the payload's clock. */
  timestamp: number
  ssrc: Ssrc
  csrcCount: number
  /** The 16 bits "defined by profile" (RFC 3550 §5.3.1), -1 without extension. */
  extensionProfile: number
  extensionAt: number
  extensionLength: number
  payloadAt: number
  /** Octets of payload, without padding. */
  payloadLength: number
}

export const newRtpHeader = (): RtpHeader => ({
  marker: false, payloadType: 0, sequence: 0, timestamp: 0, ssrc: ssrc(0), csrcCount: 0,
  extensionProfile: -1, extensionAt: 0, extensionLength: 0, payloadAt: 0, payloadLength: 0,
})

/**
 * True where a packet on a shared port is RTCP (RFC 5761 §4: packet types 192–223). Says nothing
 * about its being well-formed.
 */
export const looksLikeRtcp = (packet: Uint8Array, length: number): boolean =>
  length >= 2 && packet[1]! >= 192 && packet[1]! <= 223

/** True where a datagram can be RTP or RTCP and not STUN, DTLS or noise (RFC 7983 §7). */
export const looksLikeRtp = (packet: Uint8Array, length: number): boolean => length >= 8 && packet[0]! >> 6 === 2

export const rtpSequence = (packet: Uint8Array): number => readU16(packet, 2)
export const rtpTimestamp = (packet: Uint8Array): number => readU32(packet, 4)
export const rtpSsrc = (packet: Uint8Array): Ssrc => readU32(packet, 8) as Ssrc

/** Octets up to the payload (fixed header, CSRCs, extension), or a refusal. Padding is not looked at: in SRTP it is encrypted. */
export function rtpHeaderLength(packet: Uint8Array, length: number): number {
  if (length < RTP_FIXED_HEADER || length > packet.length) return RTP_TRUNCATED
  const first = packet[0]!
  if (first >> 6 !== 2) return RTP_VERSION
  let end = RTP_FIXED_HEADER + 4 * (first & 0x0f)
  if ((first & 0x10) !== 0) {
    if (end + 4 > length) return RTP_TRUNCATED
    end += 4 + 4 * readU16(packet, end + 2)
  }
  return end > length ? RTP_TRUNCATED : end
}

/** Fills `out` from the first `length` octets. Gives 0 or a refusal; on refusal `out` is unspecified. */
export function parseRtp(packet: Uint8Array, length: number, out: RtpHeader): number {
  const payloadAt = rtpHeaderLength(packet, length)
  if (payloadAt < 0) return payloadAt
  const first = packet[0]!
  const second = packet[1]!
  // RFC 3550 §5.1: the last octet counts the padding, itself included.
  const padding = (first & 0x20) === 0 ? 0 : packet[length - 1]!
  if ((first & 0x20) !== 0 && (padding === 0 || payloadAt + padding > length)) return RTP_PADDING
  out.marker = second >= 0x80
  out.payloadType = second & 0x7f
  out.sequence = rtpSequence(packet)
  out.timestamp = rtpTimestamp(packet)
  out.ssrc = rtpSsrc(packet)
  out.csrcCount = first & 0x0f
  const extensionAt = RTP_FIXED_HEADER + 4 * out.csrcCount
  const extended = (first & 0x10) !== 0
  out.extensionProfile = extended ? readU16(packet, extensionAt) : -1
  out.extensionAt = extended ? extensionAt + 4 : payloadAt
  out.extensionLength = payloadAt - out.extensionAt
  out.payloadAt = payloadAt
  out.payloadLength = length - payloadAt - padding
  return 0
}

/** What a sender fills in; everything else is fixed by the profile. */
export interface RtpFields {
  readonly marker: boolean
  readonly payloadType: number
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: Ssrc
}

/** Writes the fixed header (no CSRC, extension or padding) at the start of `buf`. Gives the payload's offset. */
export function writeRtpHeader(buf: Uint8Array, fields: RtpFields): number {
  buf[0] = 0x80
  buf[1] = (fields.marker ? 0x80 : 0) | (fields.payloadType & 0x7f)
  writeU16(buf, 2, fields.sequence)
  writeU32(buf, 4, fields.timestamp)
  writeU32(buf, 8, fields.ssrc)
  return RTP_FIXED_HEADER
}
