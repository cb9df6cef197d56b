/** RTP towards a phone: the negotiated codec, packet time and payload number, SRTP when it was offered. */
import type { FrameCodec } from '../../audio/codec.ts'
import type { CodecFactory } from '../../audio/codecs.ts'
import { Packetizer } from '../../audio/framing.ts'
import { ssrc, type Ssrc } from '../../base/brand.ts'
import { ok, type Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { readU32, writeU16, writeU32 } from '../../protocol/rtp/octets.ts'
import { createSrtpSender, type SrtpSender } from '../../protocol/srtp/sender.ts'
import type { RtpPhoneMedia } from '../api.ts'
import { sameKeys } from '../plain/plain-crypto.ts'
import { KeyPresses } from './phone-rtp-keys.ts'

const HEADER = 12
const SLOT = 1500

export class RtpSending implements Disposable {
  readonly ssrc: Ssrc
  readonly #crypto: CryptoPort
  readonly #codecs: CodecFactory
  readonly #transmit: (packet: Uint8Array) => void
  readonly #slot = new Uint8Array(SLOT)
  readonly #keys = new KeyPresses()
  #sequence: number
  #codec: FrameCodec | undefined
  #packetizer: Packetizer | undefined
  #media: RtpPhoneMedia | undefined
  #srtp: SrtpSender | undefined
  #pause = true
  /** For sender reports. */
  packets = 0
  octets = 0
  lastTimestamp = 0

  constructor(crypto: CryptoPort, codecs: CodecFactory, transmit: (packet: Uint8Array) => void) {
    this.#crypto = crypto
    this.#codecs = codecs
    this.#transmit = transmit
    this.ssrc = ssrc(readU32(crypto.bytes(4), 0))
    // Below 2^15, so that a loss at the start cannot mislead an SRTP receiver.
    this.#sequence = readU32(crypto.bytes(4), 0) & 0x7fff
  }
  get clockRate(): number {
    return this.#codec?.clockRate ?? 8000
  }
  set(media: RtpPhoneMedia): Result<void> {
    const before = this.#media
    // The same keys go on with the same sender: a fresh one would use its IVs again.
    if (!sameKeys(before?.srtp?.send, media.srtp?.send)) {
      const fresh = media.srtp === undefined ? undefined : createSrtpSender(this.#crypto, media.srtp.send)
      if (fresh?.ok === false) return fresh
      this.#srtp?.[Symbol.dispose]()
      this.#srtp = fresh?.value
    }
    if (before?.codec !== media.codec || before.ptimeMs !== media.ptimeMs) {
      this.#codec?.[Symbol.dispose]()
      this.#codec = this.#codecs.create(media.codec)
      const start = before?.codec === undefined ? readU32(this.#crypto.bytes(4), 0) : this.lastTimestamp
      this.#packetizer = new Packetizer(this.#codec, media.ptimeMs, start)
      this.#pause = true
    }
    this.#media = media
    return ok(undefined)
  }
  /** 20 ms. */
  push(pcm: Int16Array): void {
    const type = this.#media!.telephoneEvent
    const key = type === undefined ? undefined : this.#keys.next(this.#packetizer!.timestamp, this.clockRate)
    const sound = this.#packetizer!.push(pcm)
    if (key === undefined) for (const { timestamp, payload } of sound) this.#send(timestamp, payload)
    else {
      this.#send(key.timestamp, key.payload, type, key.marker)
      this.#pause = true
    }
  }
  /** A key for the other end. False: it takes none, or not this one. */
  press(digit: string): boolean {
    return this.#media?.telephoneEvent !== undefined && this.#keys.press(digit)
  }
  skip(frames: number): void {
    this.#packetizer!.skip(frames)
    this.#pause = true
  }
  #send(timestamp: number, payload: Uint8Array, payloadType = this.#media!.payloadType, marker = this.#pause): void {
    const slot = this.#slot
    if (HEADER + payload.length + 32 > SLOT) return
    slot[0] = 0x80
    // The marker says that a pause ended here (RFC 3551 §4.1).
    slot[1] = payloadType | (marker ? 0x80 : 0)
    writeU16(slot, 2, this.#sequence)
    writeU32(slot, 4, timestamp)
    writeU32(slot, 8, this.ssrc)
    slot.set(payload, HEADER)
    this.#pause = false
    this.#sequence = (this.#sequence + 1) & 0xffff
    const plain = HEADER + payload.length
    const length = this.#srtp === undefined ? plain : this.#srtp.protect(slot, plain)
    if (length < 0) return
    this.packets++
    this.octets += payload.length
    this.lastTimestamp = timestamp
    this.#transmit(slot.subarray(0, length))
  }
  /** A compound, protected where RTP is. */
  protectRtcp(buf: Uint8Array, length: number): number {
    return this.#srtp === undefined ? length : this.#srtp.protectRtcp(buf, length)
  }
  [Symbol.dispose](): void {
    this.#codec?.[Symbol.dispose]()
    this.#srtp?.[Symbol.dispose]()
  }
}
