/**
 * Packet ciphers over node:crypto. It has no way to set a new IV on a cipher, so each packet makes
 * one; that allocation is node's, the packet itself is handled in place.
 */
import type { KeyObject } from 'node:crypto'
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import type { PacketAlgorithm, PacketCipher } from '../port.ts'

const GCM_TAG = 16
const SHA1_80_TAG = 10
/** Key sizes of `aes-128-cm-sha1-80`: AES-128, HMAC-SHA1 (RFC 3711 §5.2). */
const CM_KEY = 16
const CM_AUTH_KEY = 20
/** Counter block, then the ROC. */
const CM_IV = 16

abstract class NodePacketCipher implements PacketCipher {
  abstract readonly tagLength: number
  abstract readonly ivLength: number
  #disposed = false

  /** False when the buffer has no room; throws when the caller itself is wrong. */
  protected fits(buf: Uint8Array, at: number, length: number, iv: Uint8Array): boolean {
    if (this.#disposed) throw new Error('packet cipher used after disposal')
    if (iv.length !== this.ivLength) throw new RangeError(`IV of ${iv.length} octets, ${this.ivLength} wanted`)
    return at >= 0 && length >= 0 && at + length <= buf.length
  }
  abstract seal(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number
  abstract open(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number
  [Symbol.dispose](): void {
    this.#disposed = true
  }
}

class GcmPacketCipher extends NodePacketCipher {
  readonly tagLength = GCM_TAG
  readonly ivLength = 12
  readonly #key: KeyObject
  readonly #algorithm: 'aes-128-gcm' | 'aes-256-gcm'

  constructor(algorithm: 'aes-128-gcm' | 'aes-256-gcm', key: Uint8Array) {
    super()
    if (key.length !== (algorithm === 'aes-128-gcm' ? 16 : 32)) throw new RangeError(`${algorithm} key of ${key.length} octets`)
    this.#algorithm = algorithm
    this.#key = createSecretKey(key)
  }

  seal(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number {
    if (!this.fits(buf, at, aadLen + len + GCM_TAG, iv)) return -1
    const text = at + aadLen
    const cipher = createCipheriv(this.#algorithm, this.#key, iv)
    cipher.setAAD(buf.subarray(at, text))
    buf.set(cipher.update(buf.subarray(text, text + len)), text)
    cipher.final()
    buf.set(cipher.getAuthTag(), text + len)
    return len + GCM_TAG
  }

  open(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number {
    if (!this.fits(buf, at, aadLen + len, iv) || len < GCM_TAG) return -1
    const text = at + aadLen
    const plainLength = len - GCM_TAG
    const cipher = createDecipheriv(this.#algorithm, this.#key, iv, { authTagLength: GCM_TAG })
    cipher.setAAD(buf.subarray(at, text))
    cipher.setAuthTag(buf.subarray(text + plainLength, text + len))
    const plain = cipher.update(buf.subarray(text, text + plainLength))
    try {
      cipher.final()
    } catch {
      return -1
    }
    buf.set(plain, text)
    return plainLength
  }
}

class CmSha1PacketCipher extends NodePacketCipher {
  readonly tagLength = SHA1_80_TAG
  readonly ivLength = CM_IV + 4
  readonly #key: KeyObject
  readonly #authKey: KeyObject

  constructor(key: Uint8Array) {
    super()
    if (key.length !== CM_KEY + CM_AUTH_KEY) throw new RangeError(`aes-128-cm-sha1-80 key of ${key.length} octets`)
    this.#key = createSecretKey(key.subarray(0, CM_KEY))
    this.#authKey = createSecretKey(key.subarray(CM_KEY))
  }

  /** RFC 3711 §4.2.1: HMAC-SHA1 over packet ‖ ROC, its first 80 bits. */
  #tag(packet: Uint8Array, iv: Uint8Array): Uint8Array {
    return createHmac('sha1', this.#authKey).update(packet).update(iv.subarray(CM_IV)).digest().subarray(0, SHA1_80_TAG)
  }

  #crypt(buf: Uint8Array, from: number, to: number, iv: Uint8Array): void {
    buf.set(createCipheriv('aes-128-ctr', this.#key, iv.subarray(0, CM_IV)).update(buf.subarray(from, to)), from)
  }

  seal(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number {
    if (!this.fits(buf, at, aadLen + len + SHA1_80_TAG, iv)) return -1
    const end = at + aadLen + len
    this.#crypt(buf, at + aadLen, end, iv)
    buf.set(this.#tag(buf.subarray(at, end), iv), end)
    return len + SHA1_80_TAG
  }

  open(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number {
    if (!this.fits(buf, at, aadLen + len, iv) || len < SHA1_80_TAG) return -1
    const end = at + aadLen + len - SHA1_80_TAG
    if (!timingSafeEqual(this.#tag(buf.subarray(at, end), iv), buf.subarray(end, end + SHA1_80_TAG))) return -1
    this.#crypt(buf, at + aadLen, end, iv)
    return len - SHA1_80_TAG
  }
}

export function packetCipher(algorithm: PacketAlgorithm, key: Uint8Array): PacketCipher {
  return algorithm === 'aes-128-cm-sha1-80' ? new CmSha1PacketCipher(key) : new GcmPacketCipher(algorithm, key)
}
