/** The receiving side of a hop: the newest generation of keys, and for a while the one before it. */
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { readU32 } from '../../protocol/rtp/octets.ts'
import type { SrtpReceiver } from '../../protocol/srtp/receiver.ts'
import { createSrtpReceiver } from '../../protocol/srtp/receiver.ts'
import { SRTP_MALFORMED } from '../../protocol/srtp/refusal.ts'
import type { SrtpKeys } from '../api.ts'

/** An old generation's packets are still taken for this long, ms, after a packet under the new one (PROTOCOL §1): they were under way. */
const GRACE_MS = 2000
/** And for this long where none comes: the other side may not have its keys yet, the client's being agreed on behind all else that its vault does. */
export const HANDOVER_MS = 10_000
/** Ethernet without fragments. */
export const MAX_PACKET = 1500

interface Generation {
  readonly number: number
  readonly receiver: SrtpReceiver
  /** Octets behind E ‖ index of an SRTCP packet. */
  readonly rtcpTail: number
  newestRtcp: number
}

export class HopReceiving implements Disposable {
  readonly #crypto: CryptoPort
  #current: Generation | undefined
  #old: Generation | undefined
  #oldUntil = 0
  /** There while a second attempt may be needed. */
  #spare: Uint8Array | undefined
  /** Of the packet opened last: its keys are the newest ones. */
  current = false
  /** Of the packet opened last: the generation of its keys. */
  opened = 0
  /** Of the packet opened last: nothing newer of its stream was opened before. */
  newest = false

  constructor(crypto: CryptoPort) {
    this.#crypto = crypto
  }
  get generation(): number {
    return this.#current?.number ?? 0
  }
  /** Of the newest generation. */
  get worn(): boolean {
    return this.#current?.receiver.worn === true
  }
  install(generation: number, keys: SrtpKeys, now: number): Result<void> {
    if (generation <= this.generation) return err('MEDIA_GENERATION', `${generation} after ${this.generation}`)
    const receiver = createSrtpReceiver(this.#crypto, keys)
    if (!receiver.ok) return receiver
    this.dropOld()
    this.#old = this.#current
    this.#oldUntil = now + HANDOVER_MS
    if (this.#old !== undefined) this.#spare = new Uint8Array(MAX_PACKET)
    this.#current = { number: generation, receiver: receiver.value, rtcpTail: keys.suite === 'AES_CM_128_HMAC_SHA1_80' ? 10 : 0, newestRtcp: -1 }
    return ok(undefined)
  }
  /** The other side has the new keys. */
  adopted(now: number): void {
    this.#oldUntil = Math.min(this.#oldUntil, now + GRACE_MS)
  }
  /** To be called now and then: what is over is wiped, whether packets come or not. */
  expire(now: number): void {
    if (now >= this.#oldUntil) this.dropOld()
  }
  dropOld(): void {
    this.#old?.receiver[Symbol.dispose]()
    this.#old = undefined
    this.#spare = undefined
  }
  /** Opens a whole packet in place. Gives the length of the plain one, or a refusal of SRTP. */
  open(data: Uint8Array, rtcp: boolean, now: number): number {
    if (this.#current === undefined || data.length > MAX_PACKET) return SRTP_MALFORMED
    if (this.#old !== undefined) this.expire(now)
    const old = this.#old
    // A failed attempt leaves the buffer undefined, so a second one needs its own copy.
    const spare = this.#spare
    if (old !== undefined) spare?.set(data)
    const length = this.#openWith(this.#current, data, rtcp)
    this.current = length >= 0
    if (length >= 0 && old !== undefined) this.adopted(now)
    if (length >= 0 || old === undefined || spare === undefined) return length
    data.set(spare.subarray(0, data.length))
    const second = this.#openWith(old, data, rtcp)
    this.newest = false
    return second
  }
  #openWith(g: Generation, data: Uint8Array, rtcp: boolean): number {
    this.opened = g.number
    if (!rtcp) {
      const length = g.receiver.unprotect(data, data.length)
      if (length >= 0) this.newest = g.receiver.lastNewest
      return length
    }
    // RFC 3711 §3.4: the index stands in the clear; it counts only once the packet is authentic.
    const index = data.length < 12 + g.rtcpTail ? -1 : readU32(data, data.length - 4 - g.rtcpTail) & 0x7fffffff
    const length = g.receiver.unprotectRtcp(data, data.length)
    if (length >= 0) {
      this.newest = index > g.newestRtcp
      g.newestRtcp = Math.max(g.newestRtcp, index)
    }
    return length
  }
  [Symbol.dispose](): void {
    this.dropOld()
    this.#current?.receiver[Symbol.dispose]()
    this.#current = undefined
  }
}
