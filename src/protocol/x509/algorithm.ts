/** Public keys and signature algorithms: which we take, at which strength (RFC 3279, 4055, 5480, 8410). */
import type { Der } from '../../base/brand.ts'
import { sameBytes } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { SignatureName } from '../../crypto/port.ts'
import type { DerReader } from './der.ts'
import { context, DerReader as Reader, TAG } from './der.ts'

export interface AlgorithmIdentifier {
  readonly oid: string
  /** The parameters' encoding, absent where there are none. */
  readonly parameters: Uint8Array | undefined
  readonly der: Uint8Array
}

export type Curve = 'p256' | 'p384' | 'p521'
export type PublicKey =
  | { readonly kind: 'rsa'; readonly bits: number; readonly pssOnly: boolean }
  | { readonly kind: 'ec'; readonly curve: Curve }
  | { readonly kind: 'ed25519' }
  | { readonly kind: 'unsupported'; readonly what: string }

const OID = {
  rsa: '1.2.840.113549.1.1.1', pss: '1.2.840.113549.1.1.10', mgf1: '1.2.840.113549.1.1.8',
  ec: '1.2.840.10045.2.1', ed25519: '1.3.101.112',
} as const
const CURVES: Readonly<Record<string, Curve>> = { '1.2.840.10045.3.1.7': 'p256', '1.3.132.0.34': 'p384', '1.3.132.0.35': 'p521' }
const POINT_OCTETS: Readonly<Record<Curve, number>> = { p256: 65, p384: 97, p521: 133 }

type Sha = 'sha256' | 'sha384' | 'sha512'
const HASHES: Readonly<Record<string, Sha>> = { '2.16.840.1.101.3.4.2.1': 'sha256', '2.16.840.1.101.3.4.2.2': 'sha384', '2.16.840.1.101.3.4.2.3': 'sha512' }
const HASH_OCTETS: Readonly<Record<Sha, number>> = { sha256: 32, sha384: 48, sha512: 64 }
const PKCS1: Readonly<Record<string, Sha>> = { '1.2.840.113549.1.1.11': 'sha256', '1.2.840.113549.1.1.12': 'sha384', '1.2.840.113549.1.1.13': 'sha512' }
const ECDSA: Readonly<Record<string, Sha>> = { '1.2.840.10045.4.3.2': 'sha256', '1.2.840.10045.4.3.3': 'sha384', '1.2.840.10045.4.3.4': 'sha512' }
/** Broken hashes, named so that the fault can say it. */
const WEAK: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'MD2', '1.2.840.113549.1.1.4': 'MD5', '1.2.840.113549.1.1.5': 'SHA-1', '1.2.840.10045.4.1': 'SHA-1', '1.2.840.10040.4.3': 'SHA-1',
}

const RSA_BITS_MIN = 2048
const RSA_BITS_MAX = 4096
const NULL_DER = Uint8Array.of(TAG.null, 0)

export function readAlgorithm(r: DerReader): AlgorithmIdentifier {
  const { whole, body } = r.element(TAG.sequence)
  const fields = new Reader(body, r.failure)
  const oid = fields.oid()
  const parameters = fields.more ? fields.any().whole : undefined
  fields.end()
  return { oid, parameters, der: whole }
}

/** SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). Keys of other kinds are read but unusable. */
export function readPublicKey(r: DerReader): { readonly spki: Der; readonly key: PublicKey } {
  const { whole, body } = r.element(TAG.sequence)
  const fields = new Reader(body, r.failure)
  const algorithm = readAlgorithm(fields)
  const bits = fields.octetBits()
  fields.end()
  return { spki: whole as Der, key: fields.failed ? { kind: 'unsupported', what: 'malformed' } : keyOf(algorithm, bits, fields) }
}

function keyOf(algorithm: AlgorithmIdentifier, bits: Uint8Array, r: DerReader): PublicKey {
  const { oid, parameters } = algorithm
  if (oid === OID.rsa || oid === OID.pss) {
    if (oid === OID.rsa && (parameters === undefined || !sameBytes(parameters, NULL_DER))) r.fail('RSA key without NULL parameters')
    return rsaKey(bits, oid === OID.pss, r)
  }
  if (oid === OID.ec) {
    const curve = parameters?.[0] === TAG.oid ? CURVES[new Reader(parameters, r.failure).oid()] : undefined
    if (curve === undefined) return { kind: 'unsupported', what: 'an elliptic curve other than P-256, P-384 and P-521' }
    // RFC 5480 §2.2: uncompressed is the form everybody must know; compressed is optional and not taken.
    if (bits.length !== POINT_OCTETS[curve] || bits[0] !== 4) return { kind: 'unsupported', what: 'a compressed or malformed elliptic curve point' }
    return { kind: 'ec', curve }
  }
  if (oid === OID.ed25519) {
    if (parameters !== undefined || bits.length !== 32) r.fail('malformed Ed25519 key')
    return { kind: 'ed25519' }
  }
  return { kind: 'unsupported', what: `key algorithm ${oid}` }
}

/** RSAPublicKey ::= SEQUENCE { modulus, publicExponent } (RFC 8017 §A.1.1). */
function rsaKey(bits: Uint8Array, pssOnly: boolean, r: DerReader): PublicKey {
  const outer = new Reader(bits, r.failure)
  const fields = outer.enter(TAG.sequence)
  outer.end()
  const modulus = fields.unsigned()
  const exponent = fields.unsigned()
  fields.end()
  const length = modulus.length === 0 ? 0 : 8 * modulus.length - Math.clz32(modulus[0]!) + 24
  const usable = exponent.length <= 8 && (exponent.at(-1) ?? 0) % 2 === 1 && !(exponent.length === 1 && exponent[0] === 1)
  return usable ? { kind: 'rsa', bits: length, pssOnly } : { kind: 'unsupported', what: 'an RSA exponent that is even, 1 or over 64 bits' }
}

/** The key itself, without its algorithm: what key hashes are made of (RFC 6960 §4.1.1). */
export function publicKeyBits(spki: Der): Uint8Array {
  const fields = new Reader(spki).enter(TAG.sequence)
  readAlgorithm(fields)
  return fields.octetBits()
}

/** Whether a key may verify anything for us. `whose` goes into the fault. */
export function checkKey(key: PublicKey, whose: string): Result<void> {
  if (key.kind === 'unsupported') return err('IDENTITY_KEY_UNSUPPORTED', `${whose}: ${key.what}`)
  if (key.kind === 'rsa' && key.bits < RSA_BITS_MIN) return err('IDENTITY_WEAK_KEY', `${whose}: RSA of ${key.bits} bits`)
  if (key.kind === 'rsa' && key.bits > RSA_BITS_MAX) return err('IDENTITY_KEY_UNSUPPORTED', `${whose}: RSA of ${key.bits} bits`)
  return ok(undefined)
}

/** The port's name of a signature algorithm as it is used with this key. */
export function signatureName(algorithm: AlgorithmIdentifier, key: PublicKey, whose: string): Result<SignatureName> {
  const { oid, parameters } = algorithm
  const weak = WEAK[oid]
  if (weak !== undefined) return err('IDENTITY_WEAK_SIGNATURE', `${whose}: ${weak}`)
  const plain = parameters === undefined
  const found: SignatureName | undefined =
    key.kind === 'rsa' ? rsaSignature(algorithm, key.pssOnly)
    : key.kind === 'ec' && ECDSA[oid] !== undefined && plain ? `ecdsa-${key.curve}-${ECDSA[oid]}`
    : key.kind === 'ed25519' && oid === OID.ed25519 && plain ? 'ed25519'
    : undefined
  return found === undefined ? err('IDENTITY_SIGNATURE_UNSUPPORTED', `${whose}: algorithm ${oid}`) : ok(found)
}

function rsaSignature({ oid, parameters }: AlgorithmIdentifier, pssOnly: boolean): SignatureName | undefined {
  const hash = PKCS1[oid]
  // RFC 4055 §5: parameters are NULL, and absent ones must be taken as well.
  if (hash !== undefined) return !pssOnly && (parameters === undefined || sameBytes(parameters, NULL_DER)) ? `rsa-pkcs1-${hash}` : undefined
  const pss = oid === OID.pss && parameters !== undefined ? pssHash(parameters) : undefined
  return pss === undefined ? undefined : `rsa-pss-${pss}`
}

/**
 * RSASSA-PSS-params (RFC 4055 §3.1): one hash for message and mask, salt as long as the hash, trailer 1.
 * The defaults mean SHA-1 and are refused.
 */
function pssHash(parameters: Uint8Array): Sha | undefined {
  const outer = new Reader(parameters)
  const fields = outer.enter(TAG.sequence)
  outer.end()
  const hashField = fields.enter(context(0, true))
  const hash = HASHES[readHash(hashField)]
  const maskField = fields.enter(context(1, true))
  const mask = readAlgorithm(maskField)
  maskField.end()
  const maskHash = mask.oid === OID.mgf1 && mask.parameters !== undefined ? HASHES[readHash(new Reader(mask.parameters, fields.failure))] : undefined
  const saltField = fields.enter(context(2, true))
  const salt = saltField.small()
  saltField.end()
  const trailerField = fields.enterIf(context(3, true))
  const trailer = trailerField?.small() ?? 1
  trailerField?.end()
  fields.end()
  return !fields.failed && hash !== undefined && hash === maskHash && salt === HASH_OCTETS[hash] && trailer === 1 ? hash : undefined
}

function readHash(r: DerReader): string {
  const { oid, parameters } = readAlgorithm(r)
  r.end()
  if (parameters !== undefined && !sameBytes(parameters, NULL_DER)) r.fail('hash with parameters')
  return oid
}
