/** Composing and signing certificates and revocation lists (RFC 5280 §4.1, §5.1). */
import type { Der, UnixTime } from '../base/brand.ts'
import { utf8 } from '../base/bytes.ts'
import type { SignatureName, Signer } from '../crypto/port.ts'
import { ATTRIBUTE } from '../protocol/x509/name.ts'
import { bitString, boolean, element, integer, nothing, octetString, oid, sequence, set, tagged, time, unsigned, utf8String } from './der.ts'

const HASH_OID = { sha256: '2.16.840.1.101.3.4.2.1', sha384: '2.16.840.1.101.3.4.2.2', sha512: '2.16.840.1.101.3.4.2.3' } as const
type Hash = keyof typeof HASH_OID

/** AlgorithmIdentifier of a signature. */
export function signatureAlgorithm(name: SignatureName): Der {
  if (name === 'ed25519') return sequence(oid('1.3.101.112'))
  const hash = name.slice(-6) as Hash
  const step = ['sha256', 'sha384', 'sha512'].indexOf(hash)
  if (name.startsWith('ecdsa')) return sequence(oid(`1.2.840.10045.4.3.${2 + step}`))
  if (name.startsWith('rsa-pkcs1')) return sequence(oid(`1.2.840.113549.1.1.${11 + step}`), nothing())
  const digest = sequence(oid(HASH_OID[hash]), nothing())
  const parameters = sequence(tagged(0, digest), tagged(1, sequence(oid('1.2.840.113549.1.1.8'), digest)), tagged(2, integer([32, 48, 64][step]!)))
  return sequence(oid('1.2.840.113549.1.1.10'), parameters)
}

export interface SubjectFields {
  readonly name: string
  readonly organisation?: string
}

export function subjectName({ name, organisation }: SubjectFields): Der {
  const attribute = (type: string, text: string) => set(sequence(oid(type), utf8String(text)))
  return sequence(...(organisation === undefined ? [] : [attribute(ATTRIBUTE.organisation, organisation)]), attribute(ATTRIBUTE.commonName, name))
}

export interface CertificateFields {
  readonly serial: Uint8Array
  /** Names, DER. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly notBefore: UnixTime
  readonly notAfter: UnixTime
  readonly spki: Der
  readonly extensions: readonly Uint8Array[]
}

export function signCertificate(signer: Signer, f: CertificateFields): Der {
  const algorithm = signatureAlgorithm(signer.algorithm)
  const tbs = sequence(
    tagged(0, integer(2)), unsigned(f.serial), algorithm, f.issuer, sequence(time(f.notBefore), time(f.notAfter)),
    f.subject, f.spki, tagged(3, sequence(...f.extensions)),
  )
  return sequence(tbs, algorithm, bitString(signer.sign(tbs)))
}

export interface RevocationListFields {
  readonly issuer: Uint8Array
  readonly thisUpdate: UnixTime
  readonly nextUpdate: UnixTime
  readonly revoked: readonly { readonly serial: Uint8Array; readonly when: UnixTime }[]
  readonly extensions: readonly Uint8Array[]
}

export function signRevocationList(signer: Signer, f: RevocationListFields): Der {
  const algorithm = signatureAlgorithm(signer.algorithm)
  const entries = f.revoked.map((entry) => sequence(unsigned(entry.serial), time(entry.when)))
  const tbs = sequence(
    integer(1), algorithm, f.issuer, time(f.thisUpdate), time(f.nextUpdate),
    ...(entries.length === 0 ? [] : [sequence(...entries)]), tagged(0, sequence(...f.extensions)),
  )
  return sequence(tbs, algorithm, bitString(signer.sign(tbs)))
}

export const extension = (type: string, value: Uint8Array, critical = false): Der =>
  sequence(oid(type), ...(critical ? [boolean(true)] : []), octetString(value))

export const basicConstraints = (ca: boolean, pathLength?: number): Der =>
  extension('2.5.29.19', sequence(...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])), true)

/** `mask`: first octet of the bit string, as in KEY_USAGE. */
export function keyUsage(mask: number): Der {
  const unused = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask)
  return extension('2.5.29.15', bitString(mask === 0 ? new Uint8Array(0) : Uint8Array.of(mask), unused), true)
}

export const extendedKeyUsage = (...purposes: readonly string[]): Der => extension('2.5.29.37', sequence(...purposes.map(oid)))
export const subjectKeyId = (id: Uint8Array): Der => extension('2.5.29.14', octetString(id))
export const authorityKeyId = (id: Uint8Array): Der => extension('2.5.29.35', sequence(element(0x80, id)))
export const crlNumber = (n: number): Der => extension('2.5.29.20', integer(n))

export const emailName = (address: string): Der => element(0x81, utf8(address))
export const dnsName = (host: string): Der => element(0x82, utf8(host))
export const ipName = (octets: Uint8Array): Der => element(0x87, octets)
export const directoryName = (name: Uint8Array): Der => tagged(4, name)
export const alternativeNames = (...names: readonly Uint8Array[]): Der => extension('2.5.29.17', sequence(...names))

export const uriName = (address: string): Der => element(0x86, utf8(address))
/** Where the issuer publishes its revocation list: one point, every address leads to the same list (RFC 5280 §4.2.1.13). */
export const crlAddresses = (...addresses: readonly string[]): Der => extension('2.5.29.31', sequence(sequence(tagged(0, tagged(0, ...addresses.map(uriName))))))
/** Where the issuer's OCSP responder is (RFC 5280 §4.2.2.1). */
export const ocspAddress = (address: string): Der => extension('1.3.6.1.5.5.7.1.1', sequence(sequence(oid('1.3.6.1.5.5.7.48.1'), uriName(address))))

export interface ConstraintFields {
  /** GeneralNames, DER. */
  readonly permitted?: readonly Uint8Array[]
  readonly excluded?: readonly Uint8Array[]
}

export function nameConstraints({ permitted = [], excluded = [] }: ConstraintFields): Der {
  const subtrees = (n: number, bases: readonly Uint8Array[]) => (bases.length === 0 ? [] : [tagged(n, ...bases.map((base) => sequence(base)))])
  return extension('2.5.29.30', sequence(...subtrees(0, permitted), ...subtrees(1, excluded)), true)
}
