/** HPKE in base mode (RFC 9180), synchronous over the crypto port: what MLS needs of it. */
import { concat, utf8 } from '../../base/bytes.ts'
import type { CryptoPort, HashName, KeyPair } from '../../crypto/port.ts'
import { X_WING_PUBLIC, xWingDecapsulate, xWingEncapsulate, xWingKeyPair } from './x-wing.ts'

export interface HpkeSuite {
  readonly kem: 'x25519' | 'x-wing'
  /** RFC 9180 §7.1, §7.2, §7.3. */
  readonly kemId: number
  readonly kdfId: number
  readonly aeadId: number
  readonly hash: HashName
  readonly hashLength: number
  readonly aead: 'aes-128-gcm' | 'aes-256-gcm'
  readonly keyLength: number
}

export const NONCE_LENGTH = 12
const X25519_LENGTH = 32
const MODE_BASE = Uint8Array.of(0)
const EMPTY = new Uint8Array(0)
const VERSION = utf8('HPKE-v1')

const u16 = (n: number): Uint8Array => Uint8Array.of(n >> 8, n & 0xff)

interface Labelled {
  readonly hash: HashName
  readonly suiteId: Uint8Array
}

/** §4 LabeledExtract. */
const labeledExtract = (crypto: CryptoPort, l: Labelled, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array =>
  crypto.hkdfExtract(l.hash, salt, concat(VERSION, l.suiteId, utf8(label), ikm))

/** §4 LabeledExpand. */
const labeledExpand = (crypto: CryptoPort, l: Labelled, prk: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array =>
  crypto.hkdfExpand(l.hash, prk, concat(u16(length), VERSION, l.suiteId, utf8(label), info), length)

export class Hpke {
  readonly suite: HpkeSuite
  readonly #crypto: CryptoPort
  readonly #kemLabel: Labelled
  readonly #hpkeLabel: Labelled
  /** psk_id_hash of the empty id: the same for every message. */
  readonly #pskIdHash: Uint8Array

  constructor(crypto: CryptoPort, suite: HpkeSuite) {
    this.#crypto = crypto
    this.suite = suite
    // DHKEM(X25519) always hashes with SHA-256 (§7.1), whatever the KDF of the suite.
    this.#kemLabel = { hash: 'sha256', suiteId: concat(utf8('KEM'), u16(suite.kemId)) }
    this.#hpkeLabel = { hash: suite.hash, suiteId: concat(utf8('HPKE'), u16(suite.kemId), u16(suite.kdfId), u16(suite.aeadId)) }
    this.#pskIdHash = labeledExtract(crypto, this.#hpkeLabel, EMPTY, 'psk_id_hash', EMPTY)
  }

  publicKeyLength(): number {
    return this.suite.kem === 'x-wing' ? X_WING_PUBLIC : X25519_LENGTH
  }

  /** Private keys of both KEMs have 32 octets. */
  keyPairOf(privateKey: Uint8Array): KeyPair {
    return this.suite.kem === 'x-wing' ? xWingKeyPair(this.#crypto, privateKey) : this.#crypto.dhKeyPair('x25519', privateKey)
  }

  generateKeyPair(): KeyPair {
    return this.keyPairOf(this.#crypto.bytes(32))
  }

  /** §7.1.3 for X25519; SHAKE256 to a seed for X-Wing (draft-connolly-cfrg-xwing-kem §5.6). */
  deriveKeyPair(ikm: Uint8Array): KeyPair {
    if (this.suite.kem === 'x-wing') return this.keyPairOf(this.#crypto.shake256(32, ikm))
    const prk = labeledExtract(this.#crypto, this.#kemLabel, EMPTY, 'dkp_prk', ikm)
    return this.keyPairOf(labeledExpand(this.#crypto, this.#kemLabel, prk, 'sk', EMPTY, X25519_LENGTH))
  }

  /** §6.1 SealBase. Undefined for a malformed public key. */
  seal(publicKey: Uint8Array, info: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): { enc: Uint8Array; ct: Uint8Array } | undefined {
    const kem = this.#encapsulate(publicKey)
    if (kem === undefined) return undefined
    const { key, nonce } = this.#schedule(kem.shared, info)
    return { enc: kem.ciphertext, ct: this.#crypto.aeadSeal(this.suite.aead, key, nonce, aad, plaintext) }
  }

  /** §6.1 OpenBase. Undefined when anything does not fit. */
  open(keys: KeyPair, enc: Uint8Array, info: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const shared = this.#decapsulate(keys, enc)
    if (shared === undefined) return undefined
    const { key, nonce } = this.#schedule(shared, info)
    return this.#crypto.aeadOpen(this.suite.aead, key, nonce, aad, ciphertext)
  }

  /** §4.1 for X25519. */
  #encapsulate(publicKey: Uint8Array): { ciphertext: Uint8Array; shared: Uint8Array } | undefined {
    if (this.suite.kem === 'x-wing') return xWingEncapsulate(this.#crypto, publicKey)
    const ephemeral = this.#crypto.dhKeyPair('x25519', this.#crypto.bytes(X25519_LENGTH))
    const dh = this.#crypto.dh('x25519', ephemeral.privateKey, publicKey)
    if (dh === undefined) return undefined
    return { ciphertext: ephemeral.publicKey, shared: this.#extractAndExpand(dh, ephemeral.publicKey, publicKey) }
  }

  #decapsulate(keys: KeyPair, enc: Uint8Array): Uint8Array | undefined {
    if (this.suite.kem === 'x-wing') return xWingDecapsulate(this.#crypto, keys.privateKey, enc)
    const dh = this.#crypto.dh('x25519', keys.privateKey, enc)
    return dh === undefined ? undefined : this.#extractAndExpand(dh, enc, keys.publicKey)
  }

  #extractAndExpand(dh: Uint8Array, enc: Uint8Array, publicKey: Uint8Array): Uint8Array {
    const prk = labeledExtract(this.#crypto, this.#kemLabel, EMPTY, 'eae_prk', dh)
    return labeledExpand(this.#crypto, this.#kemLabel, prk, 'shared_secret', concat(enc, publicKey), 32)
  }

  /** §5.1 KeySchedule in mode_base; one message per context, so the base nonce is the nonce. */
  #schedule(shared: Uint8Array, info: Uint8Array): { key: Uint8Array; nonce: Uint8Array } {
    const l = this.#hpkeLabel
    const context = concat(MODE_BASE, this.#pskIdHash, labeledExtract(this.#crypto, l, EMPTY, 'info_hash', info))
    const secret = labeledExtract(this.#crypto, l, shared, 'secret', EMPTY)
    return {
      key: labeledExpand(this.#crypto, l, secret, 'key', context, this.suite.keyLength),
      nonce: labeledExpand(this.#crypto, l, secret, 'base_nonce', context, NONCE_LENGTH),
    }
  }
}
