/**
 * The packet transforms: IVs and the order of fields (RFC 3711 §3.1, §3.4, §4.1.1; RFC 7714 §8, §9).
 * No state but the keys: who calls has decided that the index is right.
 *
 * SRTP    header │ encrypted payload │ tag
 * SRTCP   header (8) │ encrypted │ AEAD: tag │ E ‖ index (4) │ else: tag
 */
import type { CryptoPort, PacketCipher } from '../../crypto/port.ts'
import type { Result } from '../../base/result.ts'
import { ok } from '../../base/result.ts'
import { readU32, writeU32 } from '../rtp/octets.ts'
import type { SessionKeys, SrtpKeys, SuiteParameters } from './keys.ts'
import { checkKeys, deriveSessionKeys } from './keys.ts'

const SEQUENCES = 0x10000
/** Version to sender's SSRC stay readable. */
export const RTCP_CLEAR = 8
const RTCP_INDEX = 4
const ENCRYPTED = 0x80000000
const SSRC_IN_RTP = 8
const SSRC_IN_RTCP = 4

/** Fails with SRTP_KEYS. */
export function createTransform(crypto: CryptoPort, keys: SrtpKeys): Result<SrtpTransform> {
  const suite = checkKeys(keys)
  if (!suite.ok) return suite
  return ok(new SrtpTransform(crypto, suite.value, deriveSessionKeys(crypto, keys, false), deriveSessionKeys(crypto, keys, true)))
}

export class SrtpTransform implements Disposable {
  readonly #aead: boolean
  readonly #rtp: PacketCipher
  readonly #rtcp: PacketCipher
  readonly #rtpSalt: Uint8Array
  readonly #rtcpSalt: Uint8Array
  readonly #iv: Uint8Array
  /** Octets that each packet grows by. */
  readonly rtpOverhead: number
  readonly rtcpOverhead: number

  constructor(crypto: CryptoPort, suite: SuiteParameters, rtp: SessionKeys, rtcp: SessionKeys) {
    this.#aead = suite.aead
    this.#rtp = crypto.packetCipher(suite.algorithm, rtp.cipherKey)
    this.#rtcp = crypto.packetCipher(suite.algorithm, rtcp.cipherKey)
    this.#rtpSalt = rtp.salt
    this.#rtcpSalt = rtcp.salt
    this.#iv = new Uint8Array(this.#rtp.ivLength)
    this.rtpOverhead = suite.tagLength
    this.rtcpOverhead = suite.tagLength + RTCP_INDEX
  }

  [Symbol.dispose](): void {
    this.#rtp[Symbol.dispose]()
    this.#rtcp[Symbol.dispose]()
  }

  /** New length. `clear` is the length of the header. */
  sealRtp(buf: Uint8Array, clear: number, length: number, index: number): number {
    this.#setRtpIv(buf, index)
    return clear + this.#rtp.seal(buf, 0, clear, length - clear, this.#iv)
  }

  /** New length, or -1 where the tag is wrong. */
  openRtp(buf: Uint8Array, clear: number, length: number, index: number): number {
    this.#setRtpIv(buf, index)
    const plain = this.#rtp.open(buf, 0, clear, length - clear, this.#iv)
    return plain < 0 ? -1 : clear + plain
  }

  sealRtcp(buf: Uint8Array, length: number, index: number): number {
    this.#setRtcpIv(buf, index)
    if (this.#aead) {
      // The AAD is header ‖ E ‖ index, which stand apart on the wire (RFC 7714 §9.2): put them together for a moment.
      buf.copyWithin(RTCP_CLEAR + RTCP_INDEX, RTCP_CLEAR, length)
      writeU32(buf, RTCP_CLEAR, ENCRYPTED + index)
      const sealed = this.#rtcp.seal(buf, 0, RTCP_CLEAR + RTCP_INDEX, length - RTCP_CLEAR, this.#iv)
      buf.copyWithin(RTCP_CLEAR, RTCP_CLEAR + RTCP_INDEX, RTCP_CLEAR + RTCP_INDEX + sealed)
      writeU32(buf, RTCP_CLEAR + sealed, ENCRYPTED + index)
    } else {
      // The cipher authenticates packet ‖ last four octets of the IV, then puts the tag where the index belongs.
      const tagAt = length
      this.#rtcp.seal(buf, 0, RTCP_CLEAR, length - RTCP_CLEAR, this.#iv)
      buf.copyWithin(tagAt + RTCP_INDEX, tagAt, tagAt + this.#rtcp.tagLength)
      writeU32(buf, tagAt, ENCRYPTED + index)
    }
    return length + this.rtcpOverhead
  }

  /** E ‖ index of a packet long enough for it. */
  rtcpIndexWord(buf: Uint8Array, length: number): number {
    return readU32(buf, length - RTCP_INDEX - (this.#aead ? 0 : this.#rtcp.tagLength))
  }

  openRtcp(buf: Uint8Array, length: number, index: number): number {
    this.#setRtcpIv(buf, index)
    const sealed = length - RTCP_CLEAR - RTCP_INDEX
    if (this.#aead) {
      buf.copyWithin(RTCP_CLEAR + RTCP_INDEX, RTCP_CLEAR, RTCP_CLEAR + sealed)
      writeU32(buf, RTCP_CLEAR, ENCRYPTED + index)
      const plain = this.#rtcp.open(buf, 0, RTCP_CLEAR + RTCP_INDEX, sealed, this.#iv)
      if (plain < 0) return -1
      buf.copyWithin(RTCP_CLEAR, RTCP_CLEAR + RTCP_INDEX, RTCP_CLEAR + RTCP_INDEX + plain)
      return RTCP_CLEAR + plain
    }
    const indexAt = length - this.#rtcp.tagLength - RTCP_INDEX
    buf.copyWithin(indexAt, indexAt + RTCP_INDEX, length)
    const plain = this.#rtcp.open(buf, 0, RTCP_CLEAR, sealed, this.#iv)
    return plain < 0 ? -1 : RTCP_CLEAR + plain
  }

  #setRtpIv(buf: Uint8Array, index: number): void {
    const roc = Math.floor(index / SEQUENCES)
    this.#setIv(buf, SSRC_IN_RTP, this.#rtpSalt, roc, index % SEQUENCES)
    if (!this.#aead) writeU32(this.#iv, 16, roc) // Authenticated after the packet (RFC 3711 §4.2).
  }

  #setRtcpIv(buf: Uint8Array, index: number): void {
    this.#setIv(buf, SSRC_IN_RTCP, this.#rtcpSalt, Math.floor(index / SEQUENCES), index % SEQUENCES)
    if (!this.#aead) writeU32(this.#iv, 16, ENCRYPTED + index)
  }

  /**
   * AEAD (12 octets): 0 (2) ‖ SSRC (4) ‖ index (6), XOR salt (RFC 7714 §8.1, §9.1).
   * Counter mode (16): 0 (4) ‖ SSRC (4) ‖ index (6) ‖ block counter (2), XOR salt (RFC 3711 §4.1.1).
   */
  #setIv(buf: Uint8Array, ssrcAt: number, salt: Uint8Array, indexHigh: number, indexLow: number): void {
    const iv = this.#iv
    const at = this.#aead ? 2 : 4
    // Octet by octet: loops and views cost more than all the rest of it.
    for (let i = 0; i < at; i++) iv[i] = salt[i]!
    iv[at] = salt[at]! ^ buf[ssrcAt]!
    iv[at + 1] = salt[at + 1]! ^ buf[ssrcAt + 1]!
    iv[at + 2] = salt[at + 2]! ^ buf[ssrcAt + 2]!
    iv[at + 3] = salt[at + 3]! ^ buf[ssrcAt + 3]!
    iv[at + 4] = salt[at + 4]! ^ (indexHigh >>> 24)
    iv[at + 5] = salt[at + 5]! ^ (indexHigh >>> 16)
    iv[at + 6] = salt[at + 6]! ^ (indexHigh >>> 8)
    iv[at + 7] = salt[at + 7]! ^ indexHigh
    iv[at + 8] = salt[at + 8]! ^ (indexLow >>> 8)
    iv[at + 9] = salt[at + 9]! ^ indexLow
    if (this.#aead) return
    // The block counter begins at 0 (RFC 3711 §4.1.1); what stands behind it is put there by who authenticates.
    iv[14] = 0
    iv[15] = 0
  }
}
