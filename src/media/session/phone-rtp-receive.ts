/** RTP from a phone: its codec's audio in order, key presses once, everything else left aside. */
import type { FrameCodec } from '../../audio/codec.ts'
import type { CodecFactory } from '../../audio/codecs.ts'
import { Depacketizer } from '../../audio/framing.ts'
import { instant, type Ssrc } from '../../base/brand.ts'
import { ok, type Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { newRtpHeader, parseRtp } from '../../protocol/rtp/header.ts'
import { Reception } from '../../protocol/rtp/reception.ts'
import { decodeTelephoneEvent, TelephoneEventReceiver } from '../../protocol/rtp/telephone-event.ts'
import { createSrtpReceiver, type SrtpReceiver } from '../../protocol/srtp/receiver.ts'
import type { RtpPhoneMedia } from '../api.ts'
import { sameKeys } from '../plain/plain-crypto.ts'

export interface RtpSink {
  audio(pcm: Int16Array, missing: number): void
  digit(digit: string): void
}

export class RtpReceiving implements Disposable {
  readonly #crypto: CryptoPort
  readonly #codecs: CodecFactory
  readonly #sink: RtpSink
  readonly #header = newRtpHeader()
  #media: RtpPhoneMedia | undefined
  #codec: FrameCodec | undefined
  #depacketizer: Depacketizer | undefined
  #events = new TelephoneEventReceiver()
  #srtp: SrtpReceiver | undefined
  #ssrc = -1
  /** Of the stream that is being received; undefined before the first packet. */
  reception: Reception | undefined

  constructor(crypto: CryptoPort, codecs: CodecFactory, sink: RtpSink) {
    this.#crypto = crypto
    this.#codecs = codecs
    this.#sink = sink
  }
  set(media: RtpPhoneMedia): Result<void> {
    if (!sameKeys(this.#media?.srtp?.receive, media.srtp?.receive)) {
      const fresh = media.srtp === undefined ? undefined : createSrtpReceiver(this.#crypto, media.srtp.receive)
      if (fresh?.ok === false) return fresh
      this.#srtp?.[Symbol.dispose]()
      this.#srtp = fresh?.value
    }
    if (this.#media?.codec !== media.codec) {
      this.#codec?.[Symbol.dispose]()
      this.#codec = this.#codecs.create(media.codec)
      this.#depacketizer = new Depacketizer(this.#codec)
    }
    this.#media = media
    return ok(undefined)
  }
  /** False: not a packet of this leg's stream; nothing happened. */
  packet(data: Uint8Array, nowMs: number): boolean {
    const length = this.#srtp === undefined ? data.length : this.#srtp.unprotect(data, data.length)
    const h = this.#header
    if (length < 0 || parseRtp(data, length, h) < 0) return false
    const media = this.#media!
    if (h.payloadType !== media.payloadType && h.payloadType !== media.telephoneEvent) {
      // Comfort noise (RFC 3389) and numbers that were not negotiated: silence fills in, but the phone lives.
      return true
    }
    if (h.ssrc !== this.#ssrc) this.#anew(h.ssrc)
    this.reception!.packet(h.sequence, h.timestamp, instant(nowMs))
    const payload = data.subarray(h.payloadAt, h.payloadAt + h.payloadLength)
    if (h.payloadType === media.telephoneEvent) this.#event(h.timestamp, payload)
    else if (!media.hold) this.#audio(h.timestamp, payload)
    return true
  }
  /** A phone that restarted: its numbers begin anew. */
  #anew(ssrc: Ssrc): void {
    this.#ssrc = ssrc
    this.#depacketizer = new Depacketizer(this.#codec!)
    this.#events = new TelephoneEventReceiver()
    this.reception = new Reception(ssrc, this.#codec!.clockRate)
  }
  #audio(timestamp: number, payload: Uint8Array): void {
    const unpacked = this.#depacketizer!.push(timestamp, payload)
    if (unpacked !== undefined) this.#sink.audio(unpacked.pcm, unpacked.missing)
  }
  #event(timestamp: number, payload: Uint8Array): void {
    const event = decodeTelephoneEvent(payload)
    if (!event.ok) return
    const digit = this.#events.receive(timestamp, event.value)
    if (digit !== undefined) this.#sink.digit(digit)
  }
  [Symbol.dispose](): void {
    this.#codec?.[Symbol.dispose]()
    this.#srtp?.[Symbol.dispose]()
  }
}
