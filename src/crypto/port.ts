/**
 * Every cryptographic primitive that stc uses, synchronous: a WebCrypto promise does not settle in
 * virtual time. Providers: `node` (node:crypto), later `native`. Wrong key or input lengths are our
 * bugs and throw; a failed tag, signature or point is data and gives a value.
 */
import type { Der } from '../base/brand.ts'
import type { Random } from '../base/ports.ts'

export type HashName = 'sha256' | 'sha384' | 'sha512'
export type PacketAlgorithm = 'aes-128-gcm' | 'aes-256-gcm' | 'aes-128-cm-sha1-80'

/**
 * One key, one thread, in place. Octets `[at, at + aadLen)` are authenticated, the `len` octets after
 * them are en- or decrypted, the tag follows. The caller proves that an IV is never used twice.
 * For `aes-128-cm-sha1-80` the key is encryption key (16) ‖ authentication key (20) and the IV is
 * the counter block (16) ‖ ROC (4), the ROC being authenticated after the packet (RFC 3711 §4.2).
 */
export interface PacketCipher extends Disposable {
  readonly tagLength: number
  readonly ivLength: number
  /** Octets written after the AAD (len + tagLength), or -1 when refused (no room). */
  seal(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number
  /** `len` counts the tag. Octets of plaintext, or -1: then the buffer's content is unspecified and must be dropped. */
  open(buf: Uint8Array, at: number, aadLen: number, len: number, iv: Uint8Array): number
}

/** Diffie-Hellman groups and KEMs. */
export type DhName = 'x25519' | 'p256'
export type KemName = 'ml-kem-768'
export type SignatureName =
  | 'ed25519' | 'ecdsa-p256-sha256' | 'ecdsa-p384-sha384' | 'ecdsa-p521-sha512'
  | 'rsa-pss-sha256' | 'rsa-pss-sha384' | 'rsa-pss-sha512'
  /** Certificate signatures only: PKCS#1 v1.5, and ECDSA with a hash that is not the curve's own. */
  | 'rsa-pkcs1-sha256' | 'rsa-pkcs1-sha384' | 'rsa-pkcs1-sha512'
  | 'ecdsa-p256-sha384' | 'ecdsa-p256-sha512' | 'ecdsa-p384-sha256' | 'ecdsa-p384-sha512' | 'ecdsa-p521-sha256' | 'ecdsa-p521-sha384'

export interface KeyPair {
  readonly publicKey: Uint8Array
  readonly privateKey: Uint8Array
}

/** A private signing key as a handle; the bytes do not leave it. */
export interface Signer extends Disposable {
  readonly algorithm: SignatureName
  /** SubjectPublicKeyInfo. */
  readonly spki: Der
  sign(message: Uint8Array): Uint8Array
}

export interface CryptoPort extends Random {
  packetCipher(algorithm: PacketAlgorithm, key: Uint8Array): PacketCipher
  /** ciphertext ‖ tag */
  aeadSeal(algorithm: 'aes-128-gcm' | 'aes-256-gcm', key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array
  aeadOpen(algorithm: 'aes-128-gcm' | 'aes-256-gcm', key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined
  /** AES in counter mode over a copy; the 16-octet counter block increments as one 128-bit integer. */
  aesCtr(key: Uint8Array, counterBlock: Uint8Array, data: Uint8Array): Uint8Array
  hash(name: HashName | 'sha1' | 'md5' | 'sha3-256', ...parts: readonly Uint8Array[]): Uint8Array
  /** SHAKE256 (FIPS 202), as much output as asked for. */
  shake256(length: number, ...parts: readonly Uint8Array[]): Uint8Array
  hmac(name: HashName | 'sha1', key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array
  hkdfExtract(name: HashName, salt: Uint8Array, ikm: Uint8Array): Uint8Array
  hkdfExpand(name: HashName, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array
  /**
   * Raw keys: x25519 32 octets; p256 public key uncompressed (65), private scalar (32). `seed` is the private key;
   * throws when it is not a p256 scalar (0 or beyond the order).
   */
  dhKeyPair(group: DhName, seed?: Uint8Array): KeyPair
  /** Undefined for invalid points and for an all-zero result (RFC 7748 §6.1). */
  dh(group: DhName, privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined
  /** `seed` of 64 octets (d ‖ z, FIPS 203) makes it deterministic; the private key is that seed. */
  kemKeyPair(kem: KemName, seed?: Uint8Array): KeyPair
  /** Undefined for a malformed public key. */
  kemEncapsulate(kem: KemName, publicKey: Uint8Array): { ciphertext: Uint8Array; shared: Uint8Array } | undefined
  /** Undefined for a ciphertext of the wrong length; any other gives a secret, a wrong one if it was tampered with (FIPS 203 §6.3). */
  kemDecapsulate(kem: KemName, privateKey: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined
  /** Raw key pair for MLS signatures: ed25519 (32, 32) or ECDSA P-256 (65, 32). `seed` is the private key. */
  signatureKeyPair(algorithm: 'ed25519' | 'ecdsa-p256-sha256', seed?: Uint8Array): KeyPair
  signRaw(algorithm: 'ed25519' | 'ecdsa-p256-sha256', privateKey: Uint8Array, message: Uint8Array): Uint8Array
  /** False for anything malformed. ECDSA signatures are DER. */
  verifyRaw(algorithm: 'ed25519' | 'ecdsa-p256-sha256', publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  /** ECDSA signatures are DER. False for anything malformed. */
  verify(algorithm: SignatureName, spki: Der, message: Uint8Array, signature: Uint8Array): boolean
  /** PKCS#8, DER. Throws on what is not a private key of that algorithm. */
  signer(algorithm: SignatureName, pkcs8: Uint8Array): Signer
}
