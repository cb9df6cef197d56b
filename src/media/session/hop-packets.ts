/** The client's packets on a hop: RTP with one fixed shape, SRTP around it. In place, in one slot. */
import type { Ssrc } from '../../base/brand.ts'
import type { Clock } from '../../base/ports.ts'
import type { Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { AUDIO_LEVEL_OCTETS, writeAudioLevel } from '../../protocol/rtp/extension.ts'
import { LEVEL_EXTENSION } from '../../protocol/rtp/level-steps.ts'
import { looksLikeRtcp, looksLikeRtp, newRtpHeader, parseRtp } from '../../protocol/rtp/header.ts'
import { writeU32 } from '../../protocol/rtp/octets.ts'
import type { SrtpSender } from '../../protocol/srtp/sender.ts'
import { createSrtpSender } from '../../protocol/srtp/sender.ts'
import type { SrtpKeys } from '../api.ts'
import { HopReceiving, MAX_PACKET } from '../hop/receiving.ts'

/** Room behind a packet for any tag and index. */
const SLACK = 64
const HEADER = 12

export class HopPackets implements Disposable {
  readonly #crypto: CryptoPort
  readonly #clock: Clock
  readonly #receiving: HopReceiving
  #sender: SrtpSender | undefined
  readonly #slot = new Uint8Array(MAX_PACKET + SLACK)
  /** Of the packet opened last: its header when it was RTP, its length in clear, and the generation of its keys. */
  readonly header = newRtpHeader()
  length = 0
  generation = 0
  /** Packets that SRTP refused. */
  refused = 0

  constructor(crypto: CryptoPort, clock: Clock) {
    this.#crypto = crypto
    this.#clock = clock
    this.#receiving = new HopReceiving(crypto)
  }
  /** The newest keys have seen half of the streams that they carry, one way or the other. */
  get worn(): boolean {
    return this.#receiving.worn || this.#sender?.worn === true
  }
  /** Wipes keys that are over. */
  expire(): void {
    this.#receiving.expire(this.#clock.now())
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
  /** The protected packet, valid until the next call. With a `level` (RFC 6464) it has that header extension. */
  sealRtp(ssrc: Ssrc, payloadType: number, timestamp: number, payload: Uint8Array, level: number | undefined): Uint8Array | undefined {
    if (this.#sender === undefined || payload.length > MAX_PACKET - HEADER - AUDIO_LEVEL_OCTETS - SLACK) return undefined
    const slot = this.#slot
    slot[0] = 0x80
    slot[1] = payloadType
    writeU32(slot, 4, timestamp)
    writeU32(slot, 8, ssrc)
    const at = level === undefined ? HEADER : writeAudioLevel(slot, HEADER, LEVEL_EXTENSION, level, false)
    slot.set(payload, at)
    const length = this.#sender.protectNext(slot, at + payload.length)
    return length < 0 ? undefined : slot.subarray(0, length)
  }
  /** A packet of a bridged call in the first `length` octets of `slot`, protected in place. Gives its new length, or a refusal. */
  sealNumbered(slot: Uint8Array, length: number, number: number): number {
    return this.#sender?.protectNumbered(slot, length, number) ?? -1
  }
  sealReport(slot: Uint8Array, length: number): number {
    return this.#sender?.protectRtcp(slot, length) ?? -1
  }
  shiftOf(ssrc: Ssrc): number {
    return this.#sender?.shiftOf(ssrc) ?? 0
  }
  sealRtcp(write: (buf: Uint8Array) => number): Uint8Array | undefined {
    if (this.#sender === undefined) return undefined
    const length = this.#sender.protectRtcp(this.#slot, write(this.#slot))
    return length < 0 ? undefined : this.#slot.subarray(0, length)
  }
  /** Opens in place and says what it is. Undefined for everything that is not authentic. */
  open(data: Uint8Array): 'rtp' | 'rtcp' | undefined {
    if (data.length > MAX_PACKET || !looksLikeRtp(data, data.length)) return undefined
    const rtcp = looksLikeRtcp(data, data.length)
    this.length = this.#receiving.open(data, rtcp, this.#clock.now())
    if (this.length < 0) {
      this.refused++
      return undefined
    }
    this.generation = this.#receiving.opened
    if (rtcp) return 'rtcp'
    return parseRtp(data, this.length, this.header) < 0 ? undefined : 'rtp'
  }
  [Symbol.dispose](): void {
    this.#receiving[Symbol.dispose]()
    this.#sender?.[Symbol.dispose]()
    this.#sender = undefined
  }
}
