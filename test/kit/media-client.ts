/** A client of the media plane reduced to its packets, for tests that need to do wrong things. */
import type { Ssrc } from '../../src/base/brand.ts'
import { ssrc } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import type { CryptoPort } from '../../src/crypto/port.ts'
import type { SrtpKeys } from '../../src/media/api.ts'
import { CHALLENGE, PROBE, readPathMessage, RESPONSE, writePathMessage } from '../../src/media/hop/path-message.ts'
import type { PathMessage } from '../../src/media/hop/path-message.ts'
import type { LegSpec } from '../../src/media/plane/types.ts'
import type { AddressPort } from '../../src/net/address.ts'
import type { UdpSocket } from '../../src/net/udp.ts'
import { parseRtcp } from '../../src/protocol/rtp/rtcp-parse.ts'
import { type RtcpPacket, writeRtcp } from '../../src/protocol/rtp/rtcp.ts'
import { looksLikeRtcp, newRtpHeader, parseRtp } from '../../src/protocol/rtp/header.ts'
import { writeU16, writeU32 } from '../../src/protocol/rtp/octets.ts'
import { createSrtpReceiver } from '../../src/protocol/srtp/receiver.ts'
import { createSrtpSender } from '../../src/protocol/srtp/sender.ts'

export interface Heard {
  readonly ssrc: number
  readonly sequence: number
  readonly timestamp: number
  readonly payload: Uint8Array
  readonly payloadType: number
  readonly marker: boolean
  /** Header, payload and padding, opened. */
  readonly octets: number
}

/** Keys of one leg, from the server's side: `receive` is what the client sends under. */
export function legSpec(crypto: CryptoPort, probe: number, generation = 1, suite: SrtpKeys['suite'] = 'AEAD_AES_128_GCM'): LegSpec {
  const keys = (): SrtpKeys => ({
    suite,
    masterKey: crypto.bytes(suite === 'AEAD_AES_256_GCM' ? 32 : 16),
    masterSalt: crypto.bytes(suite === 'AES_CM_128_HMAC_SHA1_80' ? 14 : 12),
  })
  return { generation, probe: ssrc(probe), receive: keys(), send: keys() }
}

export class MediaClient {
  readonly socket: UdpSocket
  readonly server: AddressPort
  readonly spec: LegSpec
  readonly heard: Heard[] = []
  readonly messages: PathMessage[] = []
  /** Compounds about calls. */
  readonly reports: RtcpPacket[][] = []
  unopened = 0
  octetsIn = 0
  /** Whether challenges are answered. */
  honest = true
  /** Whether answers to challenges ask for media by that way. */
  use = true
  #sender
  #receiver
  readonly #header = newRtpHeader()
  #sequence = 0

  constructor(crypto: CryptoPort, socket: UdpSocket, server: AddressPort, spec: LegSpec) {
    this.socket = socket
    this.server = server
    this.spec = spec
    this.#sender = must(createSrtpSender(crypto, spec.receive))
    this.#receiver = must(createSrtpReceiver(crypto, spec.send))
    socket.onMessage((data, from) => this.take(data, from))
  }
  /** A protected RTP packet, not sent. */
  rtp(stream: Ssrc | number, timestamp: number, payload: Uint8Array, sequence = this.#sequence++): Uint8Array {
    return this.rtpWith(stream, timestamp, (buf, at) => {
      buf.set(payload, at)
      return at + payload.length
    }, sequence)
  }
  /** `write` puts what follows the fixed header into `buf` and gives its end. */
  rtpWith(stream: Ssrc | number, timestamp: number, write: (buf: Uint8Array, at: number) => number, sequence = this.#sequence++ & 0xffff): Uint8Array {
    const buf = new Uint8Array(1600)
    buf[0] = 0x80
    buf[1] = 96
    writeU16(buf, 2, sequence)
    writeU32(buf, 4, timestamp)
    writeU32(buf, 8, stream)
    const length = this.#sender.protect(buf, write(buf, 12))
    if (length < 0) throw new Error(`not protected: ${length}`)
    return buf.slice(0, length)
  }
  send(stream: Ssrc | number, timestamp: number, payload: Uint8Array): void {
    this.socket.send(this.rtp(stream, timestamp, payload), this.server)
  }
  /** A protected RTCP compound, not sent. */
  rtcp(packets: readonly RtcpPacket[]): Uint8Array {
    const plain = writeRtcp(packets)
    const buf = new Uint8Array(plain.length + 32)
    buf.set(plain)
    return buf.subarray(0, this.#sender.protectRtcp(buf, plain.length))
  }
  message(m: Omit<PathMessage, 'ssrc'>): Uint8Array {
    const buf = new Uint8Array(100)
    const length = this.#sender.protectRtcp(buf, writePathMessage(buf, { ...m, ssrc: this.spec.probe }))
    return buf.subarray(0, length)
  }
  probe(use = true, token = new Uint8Array(8).fill(7)): void {
    this.socket.send(this.message({ subtype: PROBE, token, use }), this.server)
  }
  take(data: Uint8Array, from: AddressPort): void {
    this.octetsIn += data.length
    const rtcp = looksLikeRtcp(data, data.length)
    const length = rtcp ? this.#receiver.unprotectRtcp(data, data.length) : this.#receiver.unprotect(data, data.length)
    if (length < 0) {
      this.unopened++
      return
    }
    if (rtcp) {
      const read = readPathMessage(data.subarray(0, length))
      if (!read.ok) {
        this.reports.push(must(parseRtcp(data.subarray(0, length))))
        return
      }
      const m = read.value
      this.messages.push(m)
      if (m.subtype === CHALLENGE && this.honest) this.socket.send(this.message({ subtype: RESPONSE, token: m.token, use: this.use }), from)
      return
    }
    const h = this.#header
    if (parseRtp(data, length, h) < 0) throw new Error('server sent what is no RTP')
    this.heard.push({ ssrc: h.ssrc, sequence: h.sequence, timestamp: h.timestamp, payload: data.slice(h.payloadAt, h.payloadAt + h.payloadLength), payloadType: h.payloadType, marker: h.marker, octets: length })
  }
}
