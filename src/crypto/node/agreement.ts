/** Diffie-Hellman and ML-KEM over node:crypto. */
import type { KeyObject } from 'node:crypto'
import { createECDH, createPrivateKey, createPublicKey, decapsulate, diffieHellman, encapsulate, generateKeyPairSync } from 'node:crypto'
import type { CryptoPort, DhName, KemName, KeyPair } from '../port.ts'
import { own } from './octets.ts'

const X25519_KEY = 32
const P256_SCALAR = 32
const P256_POINT = 65
/** FIPS 203 table 3. */
const ML_KEM_768 = { seed: 64, publicKey: 1184, ciphertext: 1088 } as const

function want(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new RangeError(`${what} of ${bytes.length} octets, ${length} wanted`)
}

const x25519Private = (key: Uint8Array): KeyObject => createPrivateKey({ key: Buffer.from(key), format: 'raw-private', asymmetricKeyType: 'x25519' })
const x25519Public = (key: Uint8Array): KeyObject => createPublicKey({ key: Buffer.from(key), format: 'raw-public', asymmetricKeyType: 'x25519' })

function dhKeyPair(group: DhName, seed?: Uint8Array): KeyPair {
  if (group === 'x25519') {
    if (seed !== undefined) want(seed, X25519_KEY, 'x25519 private key')
    const key = seed === undefined ? generateKeyPairSync('x25519').privateKey : x25519Private(seed)
    return {
      publicKey: own(createPublicKey(key).export({ format: 'raw-public' })),
      privateKey: seed === undefined ? own(key.export({ format: 'raw-private' })) : own(seed),
    }
  }
  const ecdh = createECDH('prime256v1')
  if (seed === undefined) {
    ecdh.generateKeys()
  } else {
    want(seed, P256_SCALAR, 'P-256 private key')
    ecdh.setPrivateKey(seed)
  }
  return { publicKey: own(ecdh.getPublicKey()), privateKey: leftPad(ecdh.getPrivateKey(), P256_SCALAR) }
}

/** node drops leading zeros of a scalar. */
function leftPad(bytes: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length)
  out.set(bytes, length - bytes.length)
  return out
}

function dh(group: DhName, privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  if (group === 'x25519') {
    want(privateKey, X25519_KEY, 'x25519 private key')
    if (publicKey.length !== X25519_KEY) return undefined
    const mine = x25519Private(privateKey)
    const theirs = x25519Public(publicKey)
    try {
      return own(diffieHellman({ privateKey: mine, publicKey: theirs }))
    } catch {
      return undefined // OpenSSL refuses an all-zero result (RFC 7748 §6.1).
    }
  }
  want(privateKey, P256_SCALAR, 'P-256 private key')
  // Uncompressed points only: one encoding per key.
  if (publicKey.length !== P256_POINT || publicKey[0] !== 4) return undefined
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(privateKey)
  try {
    return own(ecdh.computeSecret(publicKey))
  } catch {
    return undefined // Not on the curve.
  }
}

const kemPrivate = (seed: Uint8Array): KeyObject => createPrivateKey({ key: Buffer.from(seed), format: 'raw-seed', asymmetricKeyType: 'ml-kem-768' })

function kemKeyPair(_kem: KemName, seed?: Uint8Array): KeyPair {
  if (seed !== undefined) want(seed, ML_KEM_768.seed, 'ML-KEM seed')
  const key = seed === undefined ? generateKeyPairSync('ml-kem-768').privateKey : kemPrivate(seed)
  return { publicKey: own(createPublicKey(key).export({ format: 'raw-public' })), privateKey: own(key.export({ format: 'raw-seed' })) }
}

function kemEncapsulate(_kem: KemName, publicKey: Uint8Array): { ciphertext: Uint8Array; shared: Uint8Array } | undefined {
  if (publicKey.length !== ML_KEM_768.publicKey) return undefined
  let key: KeyObject
  try {
    key = createPublicKey({ key: Buffer.from(publicKey), format: 'raw-public', asymmetricKeyType: 'ml-kem-768' })
  } catch {
    return undefined // A coefficient beyond the modulus (FIPS 203 §7.2).
  }
  const { ciphertext, sharedKey } = encapsulate(key)
  return { ciphertext: own(ciphertext), shared: own(sharedKey) }
}

function kemDecapsulate(_kem: KemName, privateKey: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
  want(privateKey, ML_KEM_768.seed, 'ML-KEM seed')
  if (ciphertext.length !== ML_KEM_768.ciphertext) return undefined
  return own(decapsulate(kemPrivate(privateKey), ciphertext))
}

export const agreement = { dhKeyPair, dh, kemKeyPair, kemEncapsulate, kemDecapsulate } satisfies Partial<CryptoPort>
