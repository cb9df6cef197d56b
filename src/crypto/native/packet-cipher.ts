/**
 * Packet ciphers whose EVP contexts live as long as their key: a new IV costs a call, not a new cipher.
 * A context belongs to the thread that made it and is freed by disposal.
 */
import type { Memory } from '../../ffi/memory.ts'
import type { Address } from '../../ffi/library.ts'
import type { PacketAlgorithm, PacketCipher } from '../port.ts'
import { type Evp, GET_TAG, SET_TAG } from './evp.ts'

const GCM_TAG = 16
const GCM_IV = 12
const SHA1_OCTETS = 20
const SHA1_80_TAG = 10
/** Key sizes of `aes-128-cm-sha1-80`: AES-128, HMAC-SHA1 (RFC 3711 §5.2). */
const CM_KEY = 16
const CM_AUTH_KEY = 20
/** Counter block, then the ROC. */
const CM_IV = 16
const ROC = 4

/** Where the fields stand in `Workspace.scratch`; what does not fit in there is refused. */
const IV_AT = 0
const LENGTH_AT = 32
const DIGEST_AT = 64
const KEY_AT = 128
const PACKET_AT = 256
/** Longer than any datagram of UDP, its tag included. */
const PACKET_ROOM = 0x10100
export const SCRATCH_OCTETS = PACKET_AT + PACKET_ROOM

export interface Workspace {
  readonly evp: Evp
  readonly scratch: Memory
  /** Packets in these are handled where they are; others go through the scratch memory. */
  readonly places: Memory[]
}

abstract class NativePacketCipher implements PacketCipher {
  abstract readonly tagLength: number
  abstract readonly ivLength: number
  protected readonly evp: Evp
  protected readonly scratch: Memory
  protected readonly lengthTo: Address
  protected readonly ivAt: Address
  protected cipher: Address
  readonly #places: readonly Memory[]
  /** Of the packet at hand. */
  protected bytes: Uint8Array
  protected start = 0

  constructor(w: Workspace, algorithm: Address, key: Uint8Array) {
    this.evp = w.evp
    this.scratch = w.scratch
    this.#places = w.places
    this.bytes = w.scratch.bytes
    this.lengthTo = w.scratch.address(LENGTH_AT, 4)
    this.ivAt = w.scratch.address(IV_AT, CM_IV + ROC)
    this.cipher = w.evp.newCipher()
    const fits = this.cipher !== 0 && this.withKey(key, (at) => w.evp.initCipher(this.cipher, algorithm, 0, at, 0, 1))
    if (!fits) throw new Error('libcrypto refused a packet cipher')
  }
  /** The key is in foreign memory during the call only. */
  protected withKey(key: Uint8Array, use: (at: Address) => number): boolean {
    this.scratch.bytes.set(key, KEY_AT)
    const done = use(this.scratch.address(KEY_AT, key.length))
    this.scratch.bytes.fill(0, KEY_AT, KEY_AT + key.length)
    return done === 1
  }
  /**
   * Address of the `length` octets at `at`, of which those up to `filled` have content; 0 where the buffer has no
   * room. Throws when the caller itself is wrong. Every length of this call has been checked afterwards.
   */
  protected place(buf: Uint8Array, at: number, aadLen: number, len: number, room: number, iv: Uint8Array): Address {
    if (this.cipher === 0) throw new Error('packet cipher used after disposal')
    if (iv.length !== this.ivLength) throw new RangeError(`IV of ${iv.length} octets, ${this.ivLength} wanted`)
    if (!Number.isInteger(at) || !Number.isInteger(aadLen) || !Number.isInteger(len) || at < 0 || aadLen < 0 || len < 0) return 0
    const total = aadLen + room
    if (at + total > buf.length || total > PACKET_ROOM) return 0
    const ivTo = this.scratch.bytes
    for (let i = 0; i < iv.length; i++) ivTo[IV_AT + i] = iv[i]!
    const { buffer } = buf
    for (const m of this.#places) {
      if (m.buffer !== buffer) continue
      this.bytes = m.bytes
      this.start = buf.byteOffset + at
      return m.address(this.start, total)
    }
    this.bytes = this.scratch.bytes
    this.start = PACKET_AT
    ivTo.set(buf.subarray(at, at + aadLen + len), PACKET_AT)
    return this.scratch.address(PACKET_AT, total)
  }
  /** Brings back what was handled in the scratch memory. */
  protected giveBack(buf: Uint8Array, at: number, from: number, length: number): void {
    if (this.start === PACKET_AT && this.bytes === this.scratch.bytes) buf.set(this.bytes.subarray(PACKET_AT + from, PACKET_AT + from + length), at + from)
  }
  abstract seal(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number
  abstract open(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number
  [Symbol.dispose](): void {
    if (this.cipher !== 0) this.evp.freeCipher(this.cipher)
    this.cipher = 0
  }
}

class GcmPacketCipher extends NativePacketCipher {
  readonly tagLength = GCM_TAG
  readonly ivLength = GCM_IV

  seal(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number {
    const p = this.place(buf, at, aadLen, len, len + GCM_TAG, iv)
    if (p === 0) return -1
    const { evp, cipher, lengthTo } = this
    const text = p + aadLen
    const done = evp.initCipher(cipher, 0, 0, 0, this.ivAt, 1) === 1
      && (aadLen === 0 || evp.update(cipher, 0, lengthTo, p, aadLen) === 1)
      && (len === 0 || evp.update(cipher, text, lengthTo, text, len) === 1)
      && evp.final(cipher, text + len, lengthTo) === 1
      && evp.control(cipher, GET_TAG, GCM_TAG, text + len) === 1
    if (!done) throw new Error('libcrypto did not seal')
    this.giveBack(buf, at, aadLen, len + GCM_TAG)
    return len + GCM_TAG
  }

  open(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number {
    if (len < GCM_TAG) return -1
    const p = this.place(buf, at, aadLen, len, len, iv)
    if (p === 0) return -1
    const { evp, cipher, lengthTo } = this
    const text = p + aadLen
    const plain = len - GCM_TAG
    const done = evp.initCipher(cipher, 0, 0, 0, this.ivAt, 0) === 1
      && (aadLen === 0 || evp.update(cipher, 0, lengthTo, p, aadLen) === 1)
      && (plain === 0 || evp.update(cipher, text, lengthTo, text, plain) === 1)
      && evp.control(cipher, SET_TAG, GCM_TAG, text + plain) === 1
    if (!done) throw new Error('libcrypto did not open')
    if (evp.final(cipher, text + plain, lengthTo) !== 1) return -1
    this.giveBack(buf, at, aadLen, plain)
    return plain
  }
}

class CmSha1PacketCipher extends NativePacketCipher {
  readonly tagLength = SHA1_80_TAG
  readonly ivLength = CM_IV + ROC
  readonly #digestAt: Address
  #mac: Address

  constructor(w: Workspace, key: Uint8Array) {
    super(w, w.evp.ctr128, key.subarray(0, CM_KEY))
    this.#digestAt = w.scratch.address(DIGEST_AT, SHA1_OCTETS)
    this.#mac = w.evp.newMac(w.evp.hmac)
    if (this.#mac === 0 || !this.withKey(key.subarray(CM_KEY), (at) => w.evp.initMac(this.#mac, at, CM_AUTH_KEY, w.evp.sha1))) throw new Error('libcrypto refused HMAC-SHA1')
  }
  /** RFC 3711 §4.2.1: HMAC-SHA1 over packet ‖ ROC, into the scratch memory. `end`: offset behind the packet in `bytes`. */
  #digest(p: Address, length: number, end: number): void {
    const { bytes, evp } = this
    // The ROC stands where the tag belongs for the moment: one call less.
    for (let i = 0; i < ROC; i++) bytes[end + i] = this.scratch.bytes[IV_AT + CM_IV + i]!
    const done = evp.initMac(this.#mac, 0, 0, 0) === 1 && evp.updateMac(this.#mac, p, length + ROC) === 1
      && evp.finalMac(this.#mac, this.#digestAt, this.lengthTo, SHA1_OCTETS) === 1
    if (!done) throw new Error('libcrypto did not authenticate')
  }
  #crypt(text: Address, len: number): void {
    const { evp, cipher } = this
    if (evp.initCipher(cipher, 0, 0, 0, this.ivAt, 1) !== 1 || (len > 0 && evp.update(cipher, text, this.lengthTo, text, len) !== 1)) throw new Error('libcrypto did not encrypt')
  }
  seal(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number {
    const p = this.place(buf, at, aadLen, len, len + SHA1_80_TAG, iv)
    if (p === 0) return -1
    this.#crypt(p + aadLen, len)
    const end = this.start + aadLen + len
    this.#digest(p, aadLen + len, end)
    for (let i = 0; i < SHA1_80_TAG; i++) this.bytes[end + i] = this.scratch.bytes[DIGEST_AT + i]!
    this.giveBack(buf, at, aadLen, len + SHA1_80_TAG)
    return len + SHA1_80_TAG
  }
  open(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number {
    if (len < SHA1_80_TAG) return -1
    const p = this.place(buf, at, aadLen, len, len, iv)
    if (p === 0) return -1
    const plain = len - SHA1_80_TAG
    const end = this.start + aadLen + plain
    const { bytes } = this
    // The first octets of the tag make room for the ROC.
    const t0 = bytes[end]!, t1 = bytes[end + 1]!, t2 = bytes[end + 2]!, t3 = bytes[end + 3]!
    this.#digest(p, aadLen + plain, end)
    const digest = this.scratch.bytes
    let difference = (t0 ^ digest[DIGEST_AT]!) | (t1 ^ digest[DIGEST_AT + 1]!) | (t2 ^ digest[DIGEST_AT + 2]!) | (t3 ^ digest[DIGEST_AT + 3]!)
    for (let i = ROC; i < SHA1_80_TAG; i++) difference |= bytes[end + i]! ^ digest[DIGEST_AT + i]!
    if (difference !== 0) return -1
    this.#crypt(p + aadLen, plain)
    this.giveBack(buf, at, aadLen, plain)
    return plain
  }
  override [Symbol.dispose](): void {
    super[Symbol.dispose]()
    if (this.#mac !== 0) this.evp.freeMac(this.#mac)
    this.#mac = 0
  }
}

const KEY_OCTETS: Readonly<Record<PacketAlgorithm, number>> = { 'aes-128-gcm': 16, 'aes-256-gcm': 32, 'aes-128-cm-sha1-80': CM_KEY + CM_AUTH_KEY }

export function nativePacketCipher(w: Workspace, algorithm: PacketAlgorithm, key: Uint8Array): PacketCipher {
  if (key.length !== KEY_OCTETS[algorithm]) throw new RangeError(`${algorithm} key of ${key.length} octets`)
  if (algorithm === 'aes-128-cm-sha1-80') return new CmSha1PacketCipher(w, key)
  return new GcmPacketCipher(w, algorithm === 'aes-128-gcm' ? w.evp.gcm128 : w.evp.gcm256, key)
}
