/** AEAD, counter mode, hashes, HMAC and HKDF over node:crypto. */
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto'
import type { CryptoPort, HashName } from '../port.ts'
import { own } from './octets.ts'

const TAG = 16
const HASH_LENGTH: Record<HashName, number> = { sha256: 32, sha384: 48, sha512: 64 }
type Gcm = 'aes-128-gcm' | 'aes-256-gcm'

function checkLengths(algorithm: Gcm, key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== (algorithm === 'aes-128-gcm' ? 16 : 32)) throw new RangeError(`${algorithm} key of ${key.length} octets`)
  if (nonce.length !== 12) throw new RangeError(`${algorithm} nonce of ${nonce.length} octets`)
}

function aeadSeal(algorithm: Gcm, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  checkLengths(algorithm, key, nonce)
  const cipher = createCipheriv(algorithm, key, nonce)
  cipher.setAAD(aad)
  const out = new Uint8Array(plaintext.length + TAG)
  out.set(cipher.update(plaintext))
  cipher.final()
  out.set(cipher.getAuthTag(), plaintext.length)
  return out
}

function aeadOpen(algorithm: Gcm, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  checkLengths(algorithm, key, nonce)
  if (sealed.length < TAG) return undefined
  const cipher = createDecipheriv(algorithm, key, nonce, { authTagLength: TAG })
  cipher.setAAD(aad)
  cipher.setAuthTag(sealed.subarray(sealed.length - TAG))
  const plain = cipher.update(sealed.subarray(0, sealed.length - TAG))
  try {
    cipher.final()
  } catch {
    return undefined
  }
  return own(plain)
}

function aesCtr(key: Uint8Array, counterBlock: Uint8Array, data: Uint8Array): Uint8Array {
  if (key.length !== 16 && key.length !== 32) throw new RangeError(`AES-CTR key of ${key.length} octets`)
  return own(createCipheriv(key.length === 16 ? 'aes-128-ctr' : 'aes-256-ctr', key, counterBlock).update(data))
}

function hash(name: HashName | 'sha1' | 'md5' | 'sha3-256', ...parts: readonly Uint8Array[]): Uint8Array {
  const h = createHash(name)
  for (const p of parts) h.update(p)
  return own(h.digest())
}

function shake256(length: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const h = createHash('shake256', { outputLength: length })
  for (const p of parts) h.update(p)
  return own(h.digest())
}

function hmac(name: HashName | 'sha1', key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const h = createHmac(name, key)
  for (const p of parts) h.update(p)
  return own(h.digest())
}

/** RFC 5869 §2.2. */
const hkdfExtract = (name: HashName, salt: Uint8Array, ikm: Uint8Array): Uint8Array => hmac(name, salt, ikm)

/** RFC 5869 §2.3. */
function hkdfExpand(name: HashName, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const step = HASH_LENGTH[name]
  if (length < 0 || length > 255 * step) throw new RangeError(`HKDF output of ${length} octets`)
  const out = new Uint8Array(length)
  let block = new Uint8Array(0)
  for (let at = 0, i = 1; at < length; at += step, i++) {
    block = new Uint8Array(hmac(name, prk, block, info, Uint8Array.of(i)))
    out.set(block.subarray(0, Math.min(step, length - at)), at)
  }
  return out
}

export const symmetric = { aeadSeal, aeadOpen, aesCtr, hash, shake256, hmac, hkdfExtract, hkdfExpand } satisfies Partial<CryptoPort>
