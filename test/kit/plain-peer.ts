/** The other side of a plain leg reduced to its packets: an Asterisk or a phone that can do wrong things. */
import { must } from '../../src/base/result.ts'
import type { RtpPair } from '../../src/media/plain/rtp-pair.ts'
import type { PlainPeer } from '../../src/media/plain/spec.ts'
import type { AddressPort } from '../../src/net/address.ts'
import { looksLikeRtcp, newRtpHeader, parseRtp } from '../../src/protocol/rtp/header.ts'
import { writeU16, writeU32 } from '../../src/protocol/rtp/octets.ts'
import { parseRtcp } from '../../src/protocol/rtp/rtcp-parse.ts'
import { type RtcpPacket, writeRtcp } from '../../src/protocol/rtp/rtcp.ts'
import type { Heard } from './media-client.ts'

export interface PlainRtp {
  readonly ssrc: number
  readonly sequence: number
  readonly timestamp: number
  readonly payload: Uint8Array
  readonly payloadType?: number
  readonly marker?: boolean
}

export function rtpPacket(p: PlainRtp): Uint8Array {
  const buf = new Uint8Array(12 + p.payload.length)
  buf[0] = 0x80
  buf[1] = (p.marker === true ? 0x80 : 0) | (p.payloadType ?? 0)
  writeU16(buf, 2, p.sequence)
  writeU32(buf, 4, p.timestamp)
  writeU32(buf, 8, p.ssrc)
  buf.set(p.payload, 12)
  return buf
}

export class PlainParty {
  readonly pair: RtpPair
  readonly heard: Heard[] = []
  readonly reports: RtcpPacket[][] = []
  readonly from: AddressPort[] = []
  /** The plane's ports. */
  to: { rtp: AddressPort; rtcp: AddressPort } | undefined
  /** Undoes protection; gives the plain length. */
  open: (data: Uint8Array, rtcp: boolean) => number = (data) => data.length

  /** Protects a packet. */
  seal: (packet: Uint8Array) => Uint8Array = (packet) => packet

  constructor(pair: RtpPair) {
    this.pair = pair
    for (const socket of [pair.rtp, pair.rtcp]) {
      socket.onMessage((data, from) => {
        this.from.push(from)
        this.#take(data)
      })
    }
  }
  get peer(): PlainPeer {
    return { rtp: this.pair.rtp.local, rtcp: this.pair.rtcp.local }
  }
  #take(data: Uint8Array): void {
    if (looksLikeRtcp(data, data.length)) {
      this.reports.push(must(parseRtcp(data.slice(0, this.open(data, true)))))
      return
    }
    const octets = this.open(data, false)
    const h = newRtpHeader()
    if (parseRtp(data, octets, h) < 0) throw new Error('no RTP')
    this.heard.push({ ssrc: h.ssrc, sequence: h.sequence, timestamp: h.timestamp, payload: data.slice(h.payloadAt, h.payloadAt + h.payloadLength), payloadType: h.payloadType, marker: h.marker, octets })
  }
  send(p: PlainRtp): void {
    this.pair.rtp.send(this.seal(rtpPacket(p)), this.to!.rtp)
  }
  report(packets: readonly RtcpPacket[]): void {
    this.pair.rtcp.send(writeRtcp(packets), this.to!.rtcp)
  }
}
