/**
 * The cipher suites of sealed rooms, given to ts-mls as its crypto provider. Everything is computed at once by the
 * synchronous crypto port, so the library's promises settle in microtasks: in virtual time and without a thread pool.
 */
import type { CiphersuiteImpl, CiphersuiteName, PrivateKey, PublicKey } from 'ts-mls'
import { equalConstantTime } from '../../base/secret.ts'
import type { CryptoPort, KeyPair } from '../../crypto/port.ts'
import type { MlsSuite } from '../../model/policy.ts'
import { type HpkeSuite, Hpke, NONCE_LENGTH } from './hpke.ts'

interface SuiteFacts {
  readonly name: CiphersuiteName
  /** IANA number; X-Wing's is private to ts-mls until one is registered. */
  readonly id: number
  readonly hpke: HpkeSuite
}

/** RFC 9420 §17.1 number 1, and its hybrid counterpart. */
export const SUITES: Record<MlsSuite, SuiteFacts> = {
  'x25519': {
    name: 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519',
    id: 1,
    hpke: { kem: 'x25519', kemId: 0x0020, kdfId: 0x0001, aeadId: 0x0001, hash: 'sha256', hashLength: 32, aead: 'aes-128-gcm', keyLength: 16 },
  },
  'x-wing': {
    name: 'MLS_256_XWING_AES256GCM_SHA512_Ed25519',
    id: 83,
    hpke: { kem: 'x-wing', kemId: 0x647a, kdfId: 0x0003, aeadId: 0x0002, hash: 'sha512', hashLength: 64, aead: 'aes-256-gcm', keyLength: 32 },
  },
}

export const suiteOfName = (name: CiphersuiteName): MlsSuite | undefined =>
  (['x25519', 'x-wing'] as const).find((s) => SUITES[s].name === name)

/** Something did not decrypt or verify inside the library; the adapter turns it into a fault. */
export class CryptoRefusal extends Error {}

const EMPTY = new Uint8Array(0)

// The library hands keys through without looking into them; they are plain octets here.
const asPublic = (bytes: Uint8Array): PublicKey => bytes as unknown as PublicKey
const asPrivate = (bytes: Uint8Array): PrivateKey => bytes as unknown as PrivateKey
const octets = (key: PublicKey | PrivateKey): Uint8Array => key as unknown as Uint8Array

export interface Suite {
  readonly suite: MlsSuite
  readonly impl: CiphersuiteImpl
  readonly hash: (bytes: Uint8Array) => Uint8Array
  /** The public half of an HPKE private key. */
  readonly publicOf: (privateKey: Uint8Array) => Uint8Array
}

export function createSuite(crypto: CryptoPort, suite: MlsSuite): Suite {
  const facts = SUITES[suite]
  const { hash, hashLength } = facts.hpke
  const digest = (data: Uint8Array): Uint8Array => crypto.hash(hash, data)
  const hpke = new Hpke(crypto, facts.hpke)
  const keyPairs = new KeptKeyPairs(hpke)
  return {
    suite,
    hash: digest,
    publicOf: (privateKey) => keyPairs.of(privateKey).publicKey,
    impl: {
      name: facts.name,
      rng: { randomBytes: (n) => crypto.bytes(n) },
      kdf: {
        size: hashLength,
        extract: async (salt, ikm) => crypto.hkdfExtract(hash, salt, ikm),
        expand: async (prk, info, length) => crypto.hkdfExpand(hash, prk, info, length),
      },
      hash: {
        digest: async (data) => digest(data),
        mac: async (key, data) => crypto.hmac(hash, key, data),
        verifyMac: async (key, mac, data) => equalConstantTime(crypto.hmac(hash, key, data), mac),
      },
      signature: {
        sign: async (key, message) => crypto.signRaw('ed25519', key, message),
        verify: async (key, message, signature) => crypto.verifyRaw('ed25519', key, message, signature),
        keygen: async () => {
          const pair = crypto.signatureKeyPair('ed25519', crypto.bytes(32))
          return { publicKey: pair.publicKey, signKey: pair.privateKey }
        },
      },
      hpke: hpkeOf(crypto, hpke, keyPairs),
    },
  }
}

function hpkeOf(crypto: CryptoPort, hpke: Hpke, keyPairs: KeptKeyPairs): CiphersuiteImpl['hpke'] {
  const { aead, keyLength } = hpke.suite
  const imported = (key: Uint8Array, length: number): Uint8Array => {
    if (key.length !== length) throw new CryptoRefusal('HPKE key of a wrong length')
    return key
  }
  const pair = (p: KeyPair): { publicKey: PublicKey; privateKey: PrivateKey } => {
    keyPairs.keep(p)
    return { publicKey: asPublic(p.publicKey), privateKey: asPrivate(p.privateKey) }
  }
  return {
    keyLength,
    nonceLength: NONCE_LENGTH,
    async open(privateKey, kemOutput, ciphertext, info, aad) {
      return wanted(hpke.open(keyPairs.of(octets(privateKey)), kemOutput, info, aad ?? EMPTY, ciphertext), 'HPKE ciphertext')
    },
    async seal(publicKey, plaintext, info, aad) {
      return wanted(hpke.seal(octets(publicKey), info, aad ?? EMPTY, plaintext), 'HPKE public key')
    },
    importPrivateKey: async (key) => asPrivate(imported(key, 32)),
    importPublicKey: async (key) => asPublic(imported(key, hpke.publicKeyLength())),
    exportPublicKey: async (key) => octets(key),
    exportPrivateKey: async (key) => octets(key),
    encryptAead: async (key, nonce, aad, plaintext) => crypto.aeadSeal(aead, key, nonce, aad ?? EMPTY, plaintext),
    decryptAead: async (key, nonce, aad, ciphertext) => wanted(crypto.aeadOpen(aead, key, nonce, aad ?? EMPTY, ciphertext), 'AEAD ciphertext'),
    // Only external commits export from an HPKE context, and the group rules refuse those.
    exportSecret: async () => refuse('external commits are not supported'),
    importSecret: async () => refuse('external commits are not supported'),
    deriveKeyPair: async (ikm) => pair(hpke.deriveKeyPair(ikm)),
    generateKeyPair: async () => pair(hpke.generateKeyPair()),
  }
}

/** The library keeps private keys only; the public half is needed to open, and to compare with the tree. */
class KeptKeyPairs {
  readonly #hpke: Hpke
  readonly #kept = new WeakMap<Uint8Array, KeyPair>()

  constructor(hpke: Hpke) {
    this.#hpke = hpke
  }
  keep(pair: KeyPair): void {
    this.#kept.set(pair.privateKey, pair)
  }
  of(privateKey: Uint8Array): KeyPair {
    const known = this.#kept.get(privateKey)
    if (known !== undefined) return known
    const pair = this.#hpke.keyPairOf(privateKey)
    this.keep(pair)
    return pair
  }
}

function wanted<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new CryptoRefusal(`${what} refused`)
  return value
}

function refuse(reason: string): never {
  throw new CryptoRefusal(reason)
}
