/** Signatures over node:crypto. */
import type { KeyObject } from 'node:crypto'
import { constants, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify as verifyWith } from 'node:crypto'
import type { Der } from '../../base/brand.ts'
import type { CryptoPort, KeyPair, SignatureName, Signer } from '../port.ts'
import { agreement } from './agreement.ts'
import { own } from './octets.ts'

type RawAlgorithm = 'ed25519' | 'ecdsa-p256-sha256'

interface Scheme {
  /** Names of node:crypto for the key's type. */
  readonly keyTypes: readonly string[]
  readonly curve?: string
  /** Null where the algorithm hashes by itself. */
  readonly hash: string | null
  readonly pss?: boolean
}

const rsa = (hash: string): Scheme => ({ keyTypes: ['rsa'], hash })
const pss = (hash: string): Scheme => ({ keyTypes: ['rsa', 'rsa-pss'], hash, pss: true })
const ecdsa = (curve: string, hash: string): Scheme => ({ keyTypes: ['ec'], curve, hash })

const SCHEMES: Record<SignatureName, Scheme> = {
  'ed25519': { keyTypes: ['ed25519'], hash: null },
  'ecdsa-p256-sha256': ecdsa('prime256v1', 'sha256'),
  'ecdsa-p384-sha384': ecdsa('secp384r1', 'sha384'),
  'ecdsa-p521-sha512': ecdsa('secp521r1', 'sha512'),
  'rsa-pss-sha256': pss('sha256'),
  'rsa-pss-sha384': pss('sha384'),
  'rsa-pss-sha512': pss('sha512'),
  'rsa-pkcs1-sha256': rsa('sha256'),
  'rsa-pkcs1-sha384': rsa('sha384'),
  'rsa-pkcs1-sha512': rsa('sha512'),
  'ecdsa-p256-sha384': ecdsa('prime256v1', 'sha384'),
  'ecdsa-p256-sha512': ecdsa('prime256v1', 'sha512'),
  'ecdsa-p384-sha256': ecdsa('secp384r1', 'sha256'),
  'ecdsa-p384-sha512': ecdsa('secp384r1', 'sha512'),
  'ecdsa-p521-sha256': ecdsa('secp521r1', 'sha256'),
  'ecdsa-p521-sha384': ecdsa('secp521r1', 'sha384'),
}

const suits = (key: KeyObject, scheme: Scheme): boolean =>
  scheme.keyTypes.includes(key.asymmetricKeyType ?? '') && (scheme.curve === undefined || key.asymmetricKeyDetails?.namedCurve === scheme.curve)

/** PSS as TLS 1.3 and our delegations have it: salt as long as the hash (RFC 8446 §4.2.3). */
const withPadding = (key: KeyObject, scheme: Scheme) =>
  scheme.pss === true ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : { key }

function checkWith(algorithm: SignatureName, importKey: () => KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  const scheme = SCHEMES[algorithm]
  try {
    const key = importKey()
    return suits(key, scheme) && verifyWith(scheme.hash, message, withPadding(key, scheme), signature)
  } catch {
    return false // A key or signature that OpenSSL cannot parse.
  }
}

const verify = (algorithm: SignatureName, spki: Der, message: Uint8Array, signature: Uint8Array): boolean =>
  checkWith(algorithm, () => createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }), message, signature)

class NodeSigner implements Signer {
  readonly algorithm: SignatureName
  readonly spki: Der
  #key: KeyObject | undefined

  constructor(algorithm: SignatureName, key: KeyObject) {
    this.algorithm = algorithm
    this.#key = key
    this.spki = own(createPublicKey(key).export({ format: 'der', type: 'spki' })) as Der
  }
  sign(message: Uint8Array): Uint8Array {
    if (this.#key === undefined) throw new Error('signer used after disposal')
    const scheme = SCHEMES[this.algorithm]
    return own(sign(scheme.hash, message, withPadding(this.#key, scheme)))
  }
  [Symbol.dispose](): void {
    this.#key = undefined
  }
}

function signer(algorithm: SignatureName, pkcs8: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
  if (!suits(key, SCHEMES[algorithm])) throw new RangeError(`not a private key for ${algorithm}`)
  return new NodeSigner(algorithm, key)
}

const rawType = (algorithm: RawAlgorithm) =>
  algorithm === 'ed25519' ? ({ asymmetricKeyType: 'ed25519' } as const) : ({ asymmetricKeyType: 'ec', namedCurve: 'prime256v1' } as const)

const rawPrivate = (algorithm: RawAlgorithm, key: Uint8Array): KeyObject => {
  if (key.length !== 32) throw new RangeError(`${algorithm} private key of ${key.length} octets`)
  return createPrivateKey({ key: Buffer.from(key), format: 'raw-private', ...rawType(algorithm) })
}

function signatureKeyPair(algorithm: RawAlgorithm, seed?: Uint8Array): KeyPair {
  // The importer of raw P-256 scalars takes zero; the one for ECDH checks the range.
  if (algorithm === 'ecdsa-p256-sha256') return agreement.dhKeyPair('p256', seed)
  const key = seed === undefined ? generateKeyPairSync('ed25519').privateKey : rawPrivate(algorithm, seed)
  return { publicKey: own(createPublicKey(key).export({ format: 'raw-public' })), privateKey: own(key.export({ format: 'raw-private' })) }
}

const signRaw = (algorithm: RawAlgorithm, privateKey: Uint8Array, message: Uint8Array): Uint8Array =>
  own(sign(SCHEMES[algorithm].hash, message, rawPrivate(algorithm, privateKey)))

function verifyRaw(algorithm: RawAlgorithm, publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (algorithm === 'ecdsa-p256-sha256' && (publicKey.length !== 65 || publicKey[0] !== 4)) return false
  return checkWith(algorithm, () => createPublicKey({ key: Buffer.from(publicKey), format: 'raw-public', ...rawType(algorithm) }), message, signature)
}

export const signatures = { verify, signer, signatureKeyPair, signRaw, verifyRaw } satisfies Partial<CryptoPort>
