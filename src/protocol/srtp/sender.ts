/**
 * The sending side of one master key (RFC 3711 §3.3). It owns the rollover counters and proves that
 * no (SSRC, index) is protected twice: each stream's index only grows, or is checked against a window
 * of those that were used.
 */
import type { CryptoPort } from '../../crypto/port.ts'
import type { Result } from '../../base/result.ts'
import { ok } from '../../base/result.ts'
import { ReplayWindow } from '../../base/replay-window.ts'
import { rtpHeaderLength, rtpSequence, rtpSsrc } from '../rtp/header.ts'
import { readU32, writeU16 } from '../rtp/octets.ts'
import { estimateIndex } from '../rtp/sequence.ts'
import type { SrtpKeys } from './keys.ts'
import type { SrtpLimits } from './refusal.ts'
import { SRTP_EXPIRED, SRTP_LIMITS, SRTP_MALFORMED, SRTP_NO_ROOM, SRTP_REWOUND, SRTP_STREAMS } from './refusal.ts'
import type { SrtpTransform } from './transform.ts'
import { createTransform, RTCP_CLEAR } from './transform.ts'

/** Room to leave behind any packet, for every suite. */
export const SRTP_MAX_OVERHEAD = 16
export const SRTCP_MAX_OVERHEAD = 20

/** Packets that may be overtaken on their way to us and still go out (RFC 3711 §3.3.2 has the same bound for receivers). */
const SENT_WINDOW = 64

interface SendStream {
  /** Index of the newest RTP packet, -1 before the first. */
  newest: number
  nextRtcp: number
  /** Of a stream that is numbered by its caller: which of the newest indices are spent, and the number at which it begins. */
  sent: ReplayWindow | undefined
  first: number
  shift: number
}

export interface SrtpSender extends Disposable {
  /**
   * Protects the RTP packet in the first `length` octets of `buf` in place; the sequence number in
   * its header must be newer than all before. Gives the new length or a refusal (refusal.ts).
   */
  protect(buf: Uint8Array, length: number): number
  /**
   * The same, but the sender numbers the packets of each SSRC itself, one after the other from a
   * random number below 2^15, and writes the number into the header: what comes from elsewhere cannot
   * rewind it, and a stream that rests for long does not lose its ROC.
   */
  protectNext(buf: Uint8Array, length: number): number
  /**
   * The same for a stream that somebody else counts: `number` is its packet's place there, so that gaps
   * stay gaps and packets may come out of order. The count is shifted so that the first goes out below
   * 2^15. A number is used once: one that was used, or is older than the newest 64 or than the first, is refused.
   */
  protectNumbered(buf: Uint8Array, length: number, number: number): number
  /** What was added to the numbers of such a stream. */
  shiftOf(ssrc: number): number
  /** It has protected packets of half of the streams that it may. */
  readonly worn: boolean
  /** An RTCP compound; numbered per SSRC of its first packet. */
  protectRtcp(buf: Uint8Array, length: number): number
}

/** Fails with SRTP_KEYS. */
export function createSrtpSender(crypto: CryptoPort, keys: SrtpKeys, limits: SrtpLimits = SRTP_LIMITS): Result<SrtpSender> {
  const transform = createTransform(crypto, keys)
  return transform.ok ? ok(new Sender(crypto, transform.value, limits)) : transform
}

class Sender implements SrtpSender {
  readonly #crypto: CryptoPort
  readonly #transform: SrtpTransform
  readonly #limits: SrtpLimits
  readonly #streams = new Map<number, SendStream>()
  /** Of the packet before: mostly the same one again. */
  #lastSsrc = -1
  #last: SendStream | undefined
  #packets = 0
  #rtcpPackets = 0

  constructor(crypto: CryptoPort, transform: SrtpTransform, limits: SrtpLimits) {
    this.#crypto = crypto
    this.#transform = transform
    this.#limits = limits
  }

  protect(buf: Uint8Array, length: number): number {
    const clear = rtpHeaderLength(buf, length)
    if (clear < 0) return SRTP_MALFORMED
    const stream = this.#stream(rtpSsrc(buf))
    if (stream === undefined) return SRTP_STREAMS
    const sequence = rtpSequence(buf)
    const index = stream.newest < 0 ? sequence : estimateIndex(stream.newest, sequence)
    return this.#seal(buf, clear, length, stream, index)
  }

  protectNext(buf: Uint8Array, length: number): number {
    const clear = rtpHeaderLength(buf, length)
    if (clear < 0) return SRTP_MALFORMED
    const stream = this.#stream(rtpSsrc(buf))
    if (stream === undefined) return SRTP_STREAMS
    const index = stream.newest < 0 ? this.#firstSequence() : stream.newest + 1
    writeU16(buf, 2, index % 0x10000)
    return this.#seal(buf, clear, length, stream, index)
  }

  protectNumbered(buf: Uint8Array, length: number, number: number): number {
    const clear = rtpHeaderLength(buf, length)
    if (clear < 0) return SRTP_MALFORMED
    const stream = this.#stream(rtpSsrc(buf))
    if (stream === undefined) return SRTP_STREAMS
    if (stream.sent === undefined) {
      stream.first = stream.newest < 0 ? this.#firstSequence() : stream.newest + 1
      stream.shift = stream.first - number
      stream.sent = new ReplayWindow(SENT_WINDOW)
    }
    const index = number + stream.shift
    writeU16(buf, 2, ((index % 0x10000) + 0x10000) % 0x10000)
    return this.#seal(buf, clear, length, stream, index)
  }

  get worn(): boolean {
    return this.#streams.size >= this.#limits.streams / 2
  }
  shiftOf(ssrc: number): number {
    return this.#streams.get(ssrc)?.shift ?? 0
  }

  protectRtcp(buf: Uint8Array, length: number): number {
    if (length < RTCP_CLEAR || length > buf.length) return SRTP_MALFORMED
    if (length + this.#transform.rtcpOverhead > buf.length) return SRTP_NO_ROOM
    const stream = this.#stream(readU32(buf, 4))
    if (stream === undefined) return SRTP_STREAMS
    if (stream.nextRtcp >= this.#limits.rtcpPackets || this.#rtcpPackets >= this.#limits.rtcpPackets) return SRTP_EXPIRED
    this.#rtcpPackets++
    return this.#transform.sealRtcp(buf, length, stream.nextRtcp++)
  }

  [Symbol.dispose](): void {
    this.#transform[Symbol.dispose]()
  }

  /** The one place where RTP is encrypted. The index is spent before it is used. */
  #seal(buf: Uint8Array, clear: number, length: number, stream: SendStream, index: number): number {
    if (length + this.#transform.rtpOverhead > buf.length) return SRTP_NO_ROOM
    if (stream.sent === undefined ? index <= stream.newest : index < stream.first || stream.sent.check(index) !== 'fresh') return SRTP_REWOUND
    if (index >= this.#limits.packets || this.#packets >= this.#limits.packets) return SRTP_EXPIRED
    stream.sent?.commit(index)
    stream.newest = Math.max(stream.newest, index)
    this.#packets++
    return this.#transform.sealRtp(buf, clear, length, index)
  }

  #stream(ssrc: number): SendStream | undefined {
    if (ssrc === this.#lastSsrc) return this.#last
    let stream = this.#streams.get(ssrc)
    if (stream === undefined) {
      if (this.#streams.size >= this.#limits.streams) return undefined
      stream = { newest: -1, nextRtcp: 0, sent: undefined, first: 0, shift: 0 }
      this.#streams.set(ssrc, stream)
    }
    this.#lastSsrc = ssrc
    this.#last = stream
    return stream
  }

  /** RFC 3550 §5.1 wants it random; below 2^15, so that losing the first packets cannot mislead a receiver about the ROC (RFC 3711 §3.3.1). */
  #firstSequence(): number {
    const random = this.#crypto.bytes(2)
    return ((random[0]! << 8) | random[1]!) & 0x7fff
  }
}
