/** A small certificate authority: no files, no clock. */
import { type Der, type UnixTime, unixTime } from '../base/brand.ts'
import { fromHex, sameBytes } from '../base/bytes.ts'
import type { Random } from '../base/ports.ts'
import { type Result, err, must, ok } from '../base/result.ts'
import type { CryptoPort, Signer } from '../crypto/port.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import { EKU, KEY_USAGE } from '../protocol/x509/extensions.ts'
import {
  type ConstraintFields, alternativeNames, authorityKeyId, basicConstraints, crlAddresses, crlNumber, dnsName, emailName, extendedKeyUsage, ipName, keyUsage,
  nameConstraints, signCertificate, signRevocationList, subjectKeyId, subjectName, uriName,
} from './certificate.ts'
import { newKey } from './keys.ts'
import { ipOctets, unusable } from './request.ts'

const DAY_S = 86400
const ROOT_DAYS = 3653
const END_ENTITY_DAYS = 365
const LIST_DAYS = 7
/** Clocks of others may be a little behind. */
const BACKDATED_S = 300

export interface Authority extends Disposable {
  readonly crypto: CryptoPort
  readonly random: Random
  readonly certificate: Der
  /** What goes after an end entity's certificate: this one and those above, without the root. */
  readonly intermediates: readonly Der[]
  readonly pkcs8: Uint8Array
  readonly signer: Signer
  /** Subject name, DER. */
  readonly subject: Uint8Array
  readonly keyId: Uint8Array
  readonly notAfter: UnixTime
  /** Where its revocation list is published; what it certifies then says so, and counts only with a fresh list. */
  readonly listAddress?: string
}

export interface AuthorityOptions {
  readonly name: string
  readonly organisation?: string
  readonly now: UnixTime
  /** Source of keys and serial numbers; the crypto port's own unless given. */
  readonly random?: Random
  readonly lifetimeDays?: number
  readonly pathLength?: number
  readonly constraints?: ConstraintFields
  readonly listAddress?: string
}

export interface CertificateRequest {
  /** Common name. */
  readonly name: string
  readonly organisation?: string
  readonly emails?: readonly string[]
  /** DNS names and IP addresses. */
  readonly hosts?: readonly string[]
  /** SIP addresses: extensions of a phone. */
  readonly sips?: readonly string[]
  readonly kind: 'member' | 'server'
  readonly now: UnixTime
  readonly lifetimeDays?: number
}

/** A root. Throws for names that cannot stand in a certificate: check them with `unusable` when a person typed them. */
export function createCa(crypto: CryptoPort, options: AuthorityOptions): Authority {
  const pkcs8 = newKey(crypto, keySeed(options.random))
  const signer = crypto.signer('ecdsa-p256-sha256', pkcs8)
  const certificate = authorityCertificate(crypto, options, signer, { signer, subject: subjectOf(options), keyId: keyIdOf(crypto, signer.spki), days: ROOT_DAYS })
  return authorityOf(crypto, options.random ?? crypto, certificate, [], pkcs8, signer, options.listAddress)
}

/** An authority below another. */
export function createSubordinate(above: Authority, options: AuthorityOptions): Authority {
  const random = options.random ?? above.random
  const pkcs8 = newKey(above.crypto, keySeed(options.random))
  const signer = above.crypto.signer('ecdsa-p256-sha256', pkcs8)
  const certificate = authorityCertificate(above.crypto, { ...options, random }, signer, { ...above, days: Math.min(ROOT_DAYS / 2, (above.notAfter - options.now) / DAY_S) })
  return authorityOf(above.crypto, random, certificate, [certificate, ...above.intermediates], pkcs8, signer, options.listAddress)
}

/** An authority from what was kept of it. Fails when the key is not the certificate's. */
export function openCa(crypto: CryptoPort, certificate: Der, pkcs8: Uint8Array, more: { readonly intermediates?: readonly Der[]; readonly listAddress?: string | undefined } = {}): Result<Authority> {
  const parsed = parseCertificate(certificate)
  if (!parsed.ok) return parsed
  try {
    const signer = crypto.signer('ecdsa-p256-sha256', pkcs8)
    if (!sameBytes(signer.spki, parsed.value.spki)) return err('IDENTITY_KEY_MISMATCH', 'the authority\'s')
    return ok(authorityOf(crypto, crypto, certificate, more.intermediates ?? [], pkcs8, signer, more.listAddress))
  } catch {
    return err('IDENTITY_KEY_UNREADABLE', 'the authority\'s')
  }
}

/** A new key and its certificate chain, without the root. */
export function issueCertificate(ca: Authority, request: CertificateRequest): { readonly chain: readonly Der[]; readonly pkcs8: Uint8Array; readonly serial: string } {
  const pkcs8 = newKey(ca.crypto, ca.random === ca.crypto ? undefined : keySeed(ca.random))
  using signer = ca.crypto.signer('ecdsa-p256-sha256', pkcs8)
  const chain = certify(ca, signer.spki, request)
  return { chain, pkcs8, serial: must(parseCertificate(chain[0]!)).serial }
}

/** A certificate chain for a key that somebody else made. */
export function certify(ca: Authority, spki: Der, request: CertificateRequest): readonly Der[] {
  const problem = unusable(request)
  if (problem !== undefined) throw new RangeError(problem)
  const { emails = [], hosts = [], sips = [], kind, now, lifetimeDays = END_ENTITY_DAYS } = request
  const names = [...emails.map(emailName), ...hosts.map(hostName), ...sips.map(uriName)]
  const certificate = signCertificate(ca.signer, {
    serial: ca.random.bytes(16), issuer: ca.subject, subject: subjectName(request), spki,
    notBefore: unixTime(now - BACKDATED_S), notAfter: unixTime(Math.min(now + lifetimeDays * DAY_S, ca.notAfter)),
    extensions: [
      basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature), extendedKeyUsage(kind === 'server' ? EKU.serverAuth : EKU.clientAuth),
      subjectKeyId(keyIdOf(ca.crypto, spki)), authorityKeyId(ca.keyId), ...(names.length === 0 ? [] : [alternativeNames(...names)]), ...(ca.listAddress === undefined ? [] : [crlAddresses(ca.listAddress)]),
    ],
  })
  return [certificate, ...ca.intermediates]
}

/** A revocation list over all that the authority has revoked so far. */
export function issueRevocationList(ca: Pick<Authority, 'signer' | 'subject' | 'keyId'>, revoked: readonly { readonly serial: string; readonly when: UnixTime }[], number: number, now: UnixTime, days = LIST_DAYS): Der {
  return signRevocationList(ca.signer, {
    issuer: ca.subject, thisUpdate: unixTime(now - BACKDATED_S), nextUpdate: unixTime(Math.floor(now + days * DAY_S)),
    revoked: revoked.map(({ serial, when }) => ({ serial: fromHex(serial) ?? new Uint8Array(0), when })),
    extensions: [authorityKeyId(ca.keyId), crlNumber(number)],
  })
}

const hostName = (host: string): Der => {
  const address = ipOctets(host)
  return address === undefined ? dnsName(host.toLowerCase()) : ipName(address)
}

const keySeed = (random: Random | undefined): Uint8Array | undefined => random?.bytes(32)
/** RFC 7093 §2: the leftmost 160 bits of SHA-256, here over the SubjectPublicKeyInfo. */
const keyIdOf = (crypto: CryptoPort, spki: Der): Uint8Array => crypto.hash('sha256', spki).slice(0, 20)

function subjectOf(options: AuthorityOptions): Uint8Array {
  const problem = unusable(options)
  if (problem !== undefined) throw new RangeError(problem)
  return subjectName(options)
}

interface Above {
  readonly signer: Signer
  readonly subject: Uint8Array
  readonly keyId: Uint8Array
  readonly days: number
}

function authorityCertificate(crypto: CryptoPort, options: AuthorityOptions, own: Signer, above: Above): Der {
  const { now, constraints, pathLength, lifetimeDays = above.days } = options
  return signCertificate(above.signer, {
    serial: (options.random ?? crypto).bytes(16), issuer: above.subject, subject: subjectOf(options), spki: own.spki,
    notBefore: unixTime(now - BACKDATED_S), notAfter: unixTime(now + Math.floor(lifetimeDays * DAY_S)),
    extensions: [
      basicConstraints(true, pathLength), keyUsage(KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign),
      subjectKeyId(keyIdOf(crypto, own.spki)), authorityKeyId(above.keyId), ...(constraints === undefined ? [] : [nameConstraints(constraints)]),
    ],
  })
}

function authorityOf(crypto: CryptoPort, random: Random, certificate: Der, intermediates: readonly Der[], pkcs8: Uint8Array, signer: Signer, listAddress?: string): Authority {
  const { subject, notAfter, extensions } = must(parseCertificate(certificate))
  const keyId = fromHex(extensions.subjectKeyId ?? '')
  return {
    crypto, random, certificate, intermediates, pkcs8, signer, subject: subject.der, notAfter,
    ...(listAddress === undefined ? {} : { listAddress }),
    keyId: keyId === undefined || keyId.length === 0 ? keyIdOf(crypto, signer.spki) : keyId,
    [Symbol.dispose]: () => signer[Symbol.dispose](),
  }
}
