/**
 * The receiving side of one master key (RFC 3711 §3.3): estimate the index, check for replay,
 * authenticate, and only then remember anything, a new SSRC included.
 */
import type { CryptoPort } from '../../crypto/port.ts'
import type { Result } from '../../base/result.ts'
import { ok } from '../../base/result.ts'
import { ReplayWindow } from '../../base/replay-window.ts'
import { rtpHeaderLength, rtpSequence, rtpSsrc } from '../rtp/header.ts'
import { readU32 } from '../rtp/octets.ts'
import { estimateIndex } from '../rtp/sequence.ts'
import type { SrtpKeys } from './keys.ts'
import type { SrtpLimits } from './refusal.ts'
import { SRTP_EXPIRED, SRTP_FORGED, SRTP_LIMITS, SRTP_MALFORMED, SRTP_REPLAYED, SRTP_STREAMS, SRTP_TOO_OLD, SRTP_UNENCRYPTED } from './refusal.ts'
import type { SrtpTransform } from './transform.ts'
import { createTransform, RTCP_CLEAR } from './transform.ts'

/** Packets; 2.5 s of speech. RFC 3711 §3.3.2 asks for 64 at least. */
const REPLAY_WINDOW = 128
const RTCP_ENCRYPTED = 0x80000000

interface ReceiveStream {
  readonly rtp: ReplayWindow
  readonly rtcp: ReplayWindow
}

export interface SrtpReceiver extends Disposable {
  /**
   * Opens the SRTP packet in the first `length` octets of `buf` in place. Gives the new length or a
   * refusal (refusal.ts); after a refusal the buffer's content is unspecified and must be dropped.
   */
  unprotect(buf: Uint8Array, length: number): number
  unprotectRtcp(buf: Uint8Array, length: number): number
  /** Index (ROC · 2^16 + sequence) of the newest authentic RTP packet of a stream, -1 for none. */
  newest(ssrc: number): number
  /** It has opened packets of half of the streams that it may: the other half is left for those who come until there are other keys. */
  readonly worn: boolean
  /** Index of the packet that `unprotect` opened last. */
  readonly lastIndex: number
  /** That packet was newer than all of its stream before. */
  readonly lastNewest: boolean
}

/** Fails with SRTP_KEYS. */
export function createSrtpReceiver(crypto: CryptoPort, keys: SrtpKeys, limits: SrtpLimits = SRTP_LIMITS): Result<SrtpReceiver> {
  const transform = createTransform(crypto, keys)
  return transform.ok ? ok(new Receiver(transform.value, limits)) : transform
}

class Receiver implements SrtpReceiver {
  readonly #transform: SrtpTransform
  readonly #limits: SrtpLimits
  readonly #streams = new Map<number, ReceiveStream>()
  /** Of the packet opened before: mostly the same one again. */
  #lastSsrc = -1
  #last: ReceiveStream | undefined
  #packets = 0
  #rtcpPackets = 0
  lastIndex = -1
  lastNewest = false

  constructor(transform: SrtpTransform, limits: SrtpLimits) {
    this.#transform = transform
    this.#limits = limits
  }

  unprotect(buf: Uint8Array, length: number): number {
    const clear = rtpHeaderLength(buf, length)
    if (clear < 0 || length - clear < this.#transform.rtpOverhead) return SRTP_MALFORMED
    const ssrc = rtpSsrc(buf)
    const known = this.#known(ssrc)
    if (known === undefined && this.#streams.size >= this.#limits.streams) return SRTP_STREAMS
    const sequence = rtpSequence(buf)
    const highest = known?.rtp.highest ?? -1
    const index = highest < 0 ? sequence : estimateIndex(highest, sequence)
    const refusal = replayRefusal(known?.rtp, index)
    if (refusal < 0) return refusal
    if (index >= this.#limits.packets || this.#packets >= this.#limits.packets) return SRTP_EXPIRED
    const opened = this.#transform.openRtp(buf, clear, length, index)
    if (opened < 0) return SRTP_FORGED
    this.#packets++
    this.#commit(ssrc, known).rtp.commit(index)
    this.lastIndex = index
    this.lastNewest = index > highest
    return opened
  }

  unprotectRtcp(buf: Uint8Array, length: number): number {
    if (length > buf.length || length < RTCP_CLEAR + this.#transform.rtcpOverhead || buf[0]! >> 6 !== 2) return SRTP_MALFORMED
    const word = this.#transform.rtcpIndexWord(buf, length)
    if (word < RTCP_ENCRYPTED) return SRTP_UNENCRYPTED
    const index = word - RTCP_ENCRYPTED
    const ssrc = readU32(buf, 4)
    const known = this.#known(ssrc)
    if (known === undefined && this.#streams.size >= this.#limits.streams) return SRTP_STREAMS
    const refusal = replayRefusal(known?.rtcp, index)
    if (refusal < 0) return refusal
    if (index >= this.#limits.rtcpPackets || this.#rtcpPackets >= this.#limits.rtcpPackets) return SRTP_EXPIRED
    const opened = this.#transform.openRtcp(buf, length, index)
    if (opened < 0) return SRTP_FORGED
    this.#rtcpPackets++
    this.#commit(ssrc, known).rtcp.commit(index)
    return opened
  }

  get worn(): boolean {
    return this.#streams.size >= this.#limits.streams / 2
  }
  newest(ssrc: number): number {
    return this.#streams.get(ssrc)?.rtp.highest ?? -1
  }

  [Symbol.dispose](): void {
    this.#transform[Symbol.dispose]()
  }

  #known(ssrc: number): ReceiveStream | undefined {
    return ssrc === this.#lastSsrc ? this.#last : this.#streams.get(ssrc)
  }
  #commit(ssrc: number, known: ReceiveStream | undefined): ReceiveStream {
    let stream = known
    if (stream === undefined) {
      stream = { rtp: new ReplayWindow(REPLAY_WINDOW), rtcp: new ReplayWindow(REPLAY_WINDOW) }
      this.#streams.set(ssrc, stream)
    }
    if (ssrc !== this.#lastSsrc) {
      this.#lastSsrc = ssrc
      this.#last = stream
    }
    return stream
  }
}

function replayRefusal(window: ReplayWindow | undefined, index: number): number {
  const verdict = window === undefined ? 'fresh' : window.check(index)
  return verdict === 'fresh' ? 0 : verdict === 'old' ? SRTP_TOO_OLD : SRTP_REPLAYED
}
