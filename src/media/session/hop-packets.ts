/** The client's packets on a hop: RTP with one fixed shape, SRTP around it. In place, in one slot. */
import type { Ssrc } from '../../base/brand.ts'
import type { Clock } from '../../base/ports.ts'
import type { Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { looksLikeRtcp, looksLikeRtp, newRtpHeader, parseRtp } from '../../protocol/rtp/header.ts'
import { writeU32 } from '../../protocol/rtp/octets.ts'
import type { SrtpSender } from '../../protocol/srtp/sender.ts'
import { createSrtpSender } from '../../protocol/srtp/sender.ts'
import type { SrtpKeys } from '../api.ts'
import { HopReceiving, MAX_PACKET } from '../hop/receiving.ts'

/** Room behind a packet for any tag and index. */
const SLACK = 64
const HEADER = 12

export type Opened =
  | { readonly kind: 'rtp'; readonly ssrc: Ssrc; readonly timestamp: number; readonly payload: Uint8Array }
  | { readonly kind: 'rtcp'; readonly packet: Uint8Array }

export class HopPackets implements Disposable {
  readonly #crypto: CryptoPort
  readonly #clock: Clock
  readonly #receiving: HopReceiving
  #sender: SrtpSender | undefined
  readonly #slot = new Uint8Array(MAX_PACKET + SLACK)
  readonly #header = newRtpHeader()
  /** Packets that SRTP refused. */
  refused = 0

  constructor(crypto: CryptoPort, clock: Clock) {
    this.#crypto = crypto
    this.#clock = clock
    this.#receiving = new HopReceiving(crypto)
  }
  /** Later generations send with the new keys at once: the server has them already. */
  install(generation: number, receive: SrtpKeys, send: SrtpKeys): Result<void> {
    const sender = createSrtpSender(this.#crypto, send)
    if (!sender.ok) return sender
    const installed = this.#receiving.install(generation, receive, this.#clock.now())
    if (!installed.ok) return installed
    this.#sender?.[Symbol.dispose]()
    this.#sender = sender.value
    return installed
  }
  /** The protected packet, valid until the next call. */
  sealRtp(ssrc: Ssrc, payloadType: number, timestamp: number, payload: Uint8Array): Uint8Array | undefined {
    if (this.#sender === undefined || payload.length > MAX_PACKET - HEADER - SLACK) return undefined
    const slot = this.#slot
    slot[0] = 0x80
    slot[1] = payloadType
    writeU32(slot, 4, timestamp)
    writeU32(slot, 8, ssrc)
    slot.set(payload, HEADER)
    const length = this.#sender.protectNext(slot, HEADER + payload.length)
    return length < 0 ? undefined : slot.subarray(0, length)
  }
  sealRtcp(write: (buf: Uint8Array) => number): Uint8Array | undefined {
    if (this.#sender === undefined) return undefined
    const length = this.#sender.protectRtcp(this.#slot, write(this.#slot))
    return length < 0 ? undefined : this.#slot.subarray(0, length)
  }
  /** Opens in place; `payload` is a copy, `packet` a view. Undefined for everything that is not authentic. */
  open(data: Uint8Array): Opened | undefined {
    if (data.length > MAX_PACKET || !looksLikeRtp(data, data.length)) return undefined
    const rtcp = looksLikeRtcp(data, data.length)
    const length = this.#receiving.open(data, rtcp, this.#clock.now())
    if (length < 0) {
      this.refused++
      return undefined
    }
    if (rtcp) return { kind: 'rtcp', packet: data.subarray(0, length) }
    const h = this.#header
    if (parseRtp(data, length, h) < 0) return undefined
    return { kind: 'rtp', ssrc: h.ssrc, timestamp: h.timestamp, payload: data.slice(h.payloadAt, h.payloadAt + h.payloadLength) }
  }
  [Symbol.dispose](): void {
    this.#receiving[Symbol.dispose]()
    this.#sender?.[Symbol.dispose]()
  }
}
