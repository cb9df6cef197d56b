/**
 * A certificate's key lends its name to an MLS signature key for at most a day (docs/protocol: credentials).
 *
 *   purpose (1) | len (2) realm | notBefore (8) | notAfter (8) | MLS suite (2) | len (2) MLS signature public key |
 *   kind (1) | key protection (1) | len (2) measurement of the key's program, SHA-256 or nothing | signature algorithm (1)
 */
import { type Der, type UnixTime, unixTime } from '../../base/brand.ts'
import { ByteReader, ByteWriter, concat, fromHex, fromUtf8, sameBytes, toHex, utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort, SignatureName, Signer } from '../../crypto/port.ts'
import { KEY_PROTECTIONS, type KeyProtection } from '../../model/identity.ts'
import type { PublicKey } from './algorithm.ts'
import { type Certificate, parseCertificate } from './certificate.ts'
import { formatTime } from './time.ts'

export const DELEGATION_LIFE_S = 86400
/** The clocks of others may be a little behind. */
const BACKDATED_S = 300
const REALM_OCTETS_LIMIT = 255
const KEY_OCTETS_LIMIT = 2048
const MEASUREMENT_OCTETS = 32
export const DELEGATION_OCTETS_LIMIT = REALM_OCTETS_LIMIT + KEY_OCTETS_LIMIT + MEASUREMENT_OCTETS + 34

/** What the key may be used for. */
export type DelegationPurpose = 'conference' | 'call'
const PURPOSES: readonly DelegationPurpose[] = ['conference', 'call']
const KINDS = ['member', 'gateway'] as const
/** No PKCS#1 v1.5, and no curve with another's hash. Numbers on the wire start at 1. */
const ALGORITHMS: readonly SignatureName[] = [
  'ed25519', 'ecdsa-p256-sha256', 'ecdsa-p384-sha384', 'ecdsa-p521-sha512', 'rsa-pss-sha256', 'rsa-pss-sha384', 'rsa-pss-sha512',
]

export interface Delegation {
  readonly purpose: DelegationPurpose
  /** Names the organisation or server whose rooms are meant. */
  readonly realm: string
  readonly notBefore: UnixTime
  /** Last second of validity. */
  readonly notAfter: UnixTime
  /** MLS cipher suite number (RFC 9420 §17.1). */
  readonly suite: number
  /** The key that is lent the name, as MLS encodes it. */
  readonly signaturePublicKey: Uint8Array
  readonly kind: 'member' | 'gateway'
  readonly keyProtection: KeyProtection
  /** SHA-256 of the program that holds the key, hex, where it is one of its own: the holder's word, unless a quote says so. */
  readonly measurement?: string
  readonly algorithm: SignatureName
}

export interface SignedDelegation {
  /** Encoded Delegation. An SGX quote binds SHA-512 of it. */
  readonly body: Uint8Array
  readonly signature: Uint8Array
}

export interface DelegationRequest extends Pick<Delegation, 'purpose' | 'realm' | 'suite' | 'signaturePublicKey' | 'kind' | 'keyProtection' | 'measurement'> {
  readonly now: UnixTime
  /** Seconds from now; as long as is allowed unless given. */
  readonly lifetime?: number
}

/** Signs for the holder of `endEntity` (DER), whose key `signer` must be. */
export function issueDelegation(signer: Signer, endEntity: Der, request: DelegationRequest): Result<SignedDelegation> {
  const certificate = parseCertificate(endEntity)
  if (!certificate.ok) return certificate
  if (!sameBytes(certificate.value.spki, signer.spki)) return err('IDENTITY_KEY_MISMATCH')
  if (!fits(signer.algorithm, certificate.value.key)) return err('IDENTITY_DELEGATION_ALGORITHM', signer.algorithm)
  const { now, lifetime = DELEGATION_LIFE_S - BACKDATED_S, ...fields } = request
  if (lifetime + BACKDATED_S > DELEGATION_LIFE_S) return err('IDENTITY_DELEGATION_TOO_LONG')
  const body = encodeDelegation({ ...fields, notBefore: unixTime(now - BACKDATED_S), notAfter: unixTime(now + lifetime), algorithm: signer.algorithm })
  return ok({ body, signature: signer.sign(delegationMessage(endEntity, body)) })
}

/** Throws for values that have no encoding: those are our own. */
export function encodeDelegation(d: Delegation): Uint8Array {
  const realm = utf8(d.realm)
  if (realm.length < 1 || realm.length > REALM_OCTETS_LIMIT) throw new RangeError(`realm of ${realm.length} octets`)
  if (d.signaturePublicKey.length < 1 || d.signaturePublicKey.length > KEY_OCTETS_LIMIT) throw new RangeError(`key of ${d.signaturePublicKey.length} octets`)
  const measurement = d.measurement === undefined ? new Uint8Array(0) : fromHex(d.measurement)
  if (measurement === undefined || (d.measurement !== undefined && measurement.length !== MEASUREMENT_OCTETS)) throw new RangeError('a measurement that is no SHA-256')
  return new ByteWriter()
    .u8(number(PURPOSES, d.purpose)).vec16(realm).u64(BigInt(Math.floor(d.notBefore))).u64(BigInt(Math.floor(d.notAfter))).u16(d.suite)
    .vec16(d.signaturePublicKey).u8(number(KINDS, d.kind)).u8(number(KEY_PROTECTIONS, d.keyProtection)).vec16(measurement).u8(number(ALGORITHMS, d.algorithm)).finish()
}

/** Undefined for anything but the one encoding. */
export function decodeDelegation(body: Uint8Array): Delegation | undefined {
  const r = new ByteReader(body)
  const purpose = PURPOSES[r.u8() - 1]
  const realm = fromUtf8(r.vec16())
  const [notBefore, notAfter] = [r.u64(), r.u64()]
  const suite = r.u16()
  const signaturePublicKey = r.vec16()
  const kind = KINDS[r.u8() - 1]
  const keyProtection = KEY_PROTECTIONS[r.u8() - 1]
  const measurement = r.vec16()
  const algorithm = ALGORITHMS[r.u8() - 1]
  if (!r.done || purpose === undefined || kind === undefined || keyProtection === undefined || algorithm === undefined) return undefined
  if (measurement.length !== 0 && measurement.length !== MEASUREMENT_OCTETS) return undefined
  if (realm === undefined || realm === '' || utf8(realm).length > REALM_OCTETS_LIMIT) return undefined
  if (signaturePublicKey.length < 1 || signaturePublicKey.length > KEY_OCTETS_LIMIT || notAfter > BigInt(Number.MAX_SAFE_INTEGER) || notBefore > notAfter) return undefined
  return {
    purpose, realm, notBefore: unixTime(Number(notBefore)), notAfter: unixTime(Number(notAfter)), suite,
    signaturePublicKey: signaturePublicKey.slice(), kind, keyProtection, algorithm,
    ...(measurement.length === 0 ? {} : { measurement: toHex(measurement) }),
  }
}

const LABEL = concat(new Uint8Array(64).fill(0x20), utf8('stc delegated MLS key v1'), Uint8Array.of(0))

/** What the end entity's key signs. The 64 spaces keep it apart from what TLS signs with the same key (RFC 8446 §4.4.3). */
export const delegationMessage = (endEntity: Der, body: Uint8Array): Uint8Array =>
  concat(LABEL, new ByteWriter().vec16(endEntity).finish(), body)

export interface DelegationUse {
  readonly purpose: DelegationPurpose
  readonly realm: string
  readonly suite: number
  readonly signaturePublicKey: Uint8Array
  readonly now: UnixTime
}

/** The delegation, when the certificate's key signed it and it was made for this use and this time. */
export function verifyDelegation(crypto: CryptoPort, endEntity: Certificate, { body, signature }: SignedDelegation, use: DelegationUse): Result<Delegation> {
  const d = decodeDelegation(body)
  if (d === undefined) return err('IDENTITY_CREDENTIAL_MALFORMED', 'delegation')
  if (!fits(d.algorithm, endEntity.key)) return err('IDENTITY_DELEGATION_ALGORITHM', d.algorithm)
  if (!crypto.verify(d.algorithm, endEntity.spki, delegationMessage(endEntity.der, body), signature)) return err('IDENTITY_DELEGATION_SIGNATURE')
  if (d.purpose !== use.purpose) return err('IDENTITY_DELEGATION_PURPOSE', `${d.purpose} instead of ${use.purpose}`)
  if (d.realm !== use.realm) return err('IDENTITY_DELEGATION_REALM')
  if (d.suite !== use.suite) return err('IDENTITY_DELEGATION_SUITE', `${d.suite} instead of ${use.suite}`)
  if (!sameBytes(d.signaturePublicKey, use.signaturePublicKey)) return err('IDENTITY_DELEGATION_KEY')
  if (d.notAfter - d.notBefore > DELEGATION_LIFE_S) return err('IDENTITY_DELEGATION_TOO_LONG', `${d.notAfter - d.notBefore} s`)
  if (use.now < d.notBefore) return err('IDENTITY_DELEGATION_NOT_YET_VALID', `valid from ${formatTime(d.notBefore)}`)
  return use.now > d.notAfter ? err('IDENTITY_DELEGATION_EXPIRED', `on ${formatTime(d.notAfter)}`) : ok(d)
}

/** The algorithm that a signer for delegations should use with a key. */
export function delegationAlgorithm(key: PublicKey): SignatureName | undefined {
  return ALGORITHMS.find((name) => fits(name, key))
}

function fits(name: SignatureName, key: PublicKey): boolean {
  if (!ALGORITHMS.includes(name) || key.kind === 'unsupported') return false
  return name.startsWith(key.kind === 'rsa' ? 'rsa-pss' : key.kind === 'ec' ? `ecdsa-${key.curve}` : 'ed25519')
}

/** Wire number, from 1. */
function number<T>(values: readonly T[], value: T): number {
  const at = values.indexOf(value)
  if (at < 0) throw new RangeError(`no wire number for ${String(value)}`)
  return at + 1
}
