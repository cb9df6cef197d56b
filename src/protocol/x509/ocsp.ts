/** Answers of OCSP responders (RFC 6960 §4.2), read and judged. */
import { type Der, type UnixTime, unixTime } from '../../base/brand.ts'
import { sameBytes, toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { type AlgorithmIdentifier, checkKey, publicKeyBits, readAlgorithm, signatureName } from './algorithm.ts'
import { type Certificate, certificateText, parseCertificate } from './certificate.ts'
import { context, DerReader, TAG } from './der.ts'
import { EKU, KEY_USAGE, readExtension } from './extensions.ts'
import { type Name, readName, sameName } from './name.ts'
import { formatTime, readTime } from './time.ts'

export const OCSP_OCTETS_LIMIT = 64 * 1024
const ANSWERS_LIMIT = 64
const CERTIFICATES_LIMIT = 4
/** How long an answer without nextUpdate holds ("newer information is available at any time"). */
const UNDATED_S = 3600
/** Clocks of responders may be a little ahead. */
const SKEW_S = 300

const BASIC = '1.3.6.1.5.5.7.48.1.1'
const HASHES: Readonly<Record<string, 'sha1' | 'sha256' | 'sha384' | 'sha512'>> = {
  // A name for whose certificate is meant, not a signature: RFC 5019 §2.1.1 asks for SHA-1.
  '1.3.14.3.2.26': 'sha1', '2.16.840.1.101.3.4.2.1': 'sha256', '2.16.840.1.101.3.4.2.2': 'sha384', '2.16.840.1.101.3.4.2.3': 'sha512',
}

export interface OcspAnswer {
  readonly hash: string
  readonly issuerNameHash: Uint8Array
  readonly issuerKeyHash: Uint8Array
  /** Hex, as in `Certificate`. */
  readonly serial: string
  readonly status: 'good' | 'revoked' | 'unknown'
  /** Of the revocation. */
  readonly when: UnixTime
  readonly thisUpdate: UnixTime
  readonly nextUpdate: UnixTime | undefined
  readonly unknownCritical: readonly string[]
}

export interface OcspResponse {
  readonly der: Der
  readonly tbs: Uint8Array
  readonly signatureAlgorithm: AlgorithmIdentifier
  readonly signature: Uint8Array
  readonly responder: { readonly name: Name } | { readonly keyHash: Uint8Array }
  readonly producedAt: UnixTime
  readonly answers: readonly OcspAnswer[]
  readonly certificates: readonly Certificate[]
  readonly unknownCritical: readonly string[]
}

/** OCSPResponse ::= SEQUENCE { responseStatus, [0] responseBytes }. Nothing is verified. */
export function parseOcspResponse(der: Uint8Array): Result<OcspResponse> {
  const refused = (why: string) => err('IDENTITY_OCSP_MALFORMED', why)
  if (der.length > OCSP_OCTETS_LIMIT) return refused(`${der.length} octets are more than ${OCSP_OCTETS_LIMIT}`)
  const outer = new DerReader(der)
  const fields = outer.enter(TAG.sequence)
  outer.end()
  const status = fields.small(TAG.enumerated)
  if (!fields.failed && status !== 0) return err('IDENTITY_OCSP_REFUSED', STATUS[status] ?? `status ${status}`)
  const wrapped = fields.enter(context(0, true))
  fields.end()
  const bytes = wrapped.enter(TAG.sequence)
  wrapped.end()
  if (bytes.oid() !== BASIC) bytes.fail('not a basic response')
  const basicDer = new DerReader(bytes.octetString(), fields.failure)
  bytes.end()
  const basic = basicDer.enter(TAG.sequence)
  basicDer.end()
  const tbs = basic.element(TAG.sequence)
  const signatureAlgorithm = readAlgorithm(basic)
  const signature = basic.octetBits()
  const certificates = readCertificates(basic.enterIf(context(0, true)))
  basic.end()
  const body = readData(new DerReader(tbs.body, fields.failure))
  if (fields.failure.reason !== undefined) return refused(fields.failure.reason)
  return ok({ der: der as Der, tbs: tbs.whole, signatureAlgorithm, signature, certificates, ...body })
}

const STATUS: Readonly<Record<number, string>> = { 1: 'it did not understand the question', 2: 'an internal error', 3: 'try later', 5: 'the question must be signed', 6: 'not authorised' }

/** What cannot be read is left out: it signs nothing then. */
function readCertificates(wrapped: DerReader | undefined): Certificate[] {
  const list = wrapped?.enter(TAG.sequence)
  wrapped?.end()
  const found: Certificate[] = []
  while (list?.more === true) {
    const parsed = parseCertificate(list.any().whole)
    if (parsed.ok && found.length < CERTIFICATES_LIMIT) found.push(parsed.value)
  }
  return found
}

/** ResponseData ::= SEQUENCE { [0] version, responderID, producedAt, responses, [1] responseExtensions }. */
function readData(r: DerReader): Pick<OcspResponse, 'responder' | 'producedAt' | 'answers' | 'unknownCritical'> {
  const version = r.enterIf(context(0, true))
  if (version !== undefined && version.small() !== 0) r.fail('unknown version')
  const byName = r.enterIf(context(1, true))
  const byKey = byName === undefined ? r.enter(context(2, true)) : undefined
  const responder = byName !== undefined ? { name: readName(byName) } : { keyHash: byKey!.octetString() }
  byName?.end()
  byKey?.end()
  const producedAt = readTime(r)
  const list = r.enter(TAG.sequence)
  const answers: OcspAnswer[] = []
  while (list.more) {
    answers.push(readAnswer(list.enter(TAG.sequence)))
    if (answers.length > ANSWERS_LIMIT) list.fail('too many answers')
  }
  const unknownCritical = readExtensions(r.enterIf(context(1, true)))
  r.end()
  return { responder, producedAt, answers, unknownCritical }
}

/** SingleResponse ::= SEQUENCE { certID, certStatus, thisUpdate, [0] nextUpdate, [1] singleExtensions }. */
function readAnswer(r: DerReader): OcspAnswer {
  const id = r.enter(TAG.sequence)
  const hash = readAlgorithm(id).oid
  const issuerNameHash = id.octetString()
  const issuerKeyHash = id.octetString()
  const serial = toHex(id.unsigned())
  id.end()
  const revoked = r.enterIf(context(1, true))
  const when = revoked === undefined ? unixTime(0) : readTime(revoked)
  const status = revoked !== undefined ? 'revoked' : r.next(context(0)) ? 'good' : 'unknown'
  if (revoked === undefined && r.element(context(status === 'good' ? 0 : 2)).body.length > 0) r.fail('status with content')
  const thisUpdate = readTime(r)
  const next = r.enterIf(context(0, true))
  const nextUpdate = next === undefined ? undefined : readTime(next)
  next?.end()
  const unknownCritical = readExtensions(r.enterIf(context(1, true)))
  r.end()
  return { hash, issuerNameHash, issuerKeyHash, serial, status, when, thisUpdate, nextUpdate, unknownCritical }
}

function readExtensions(wrapped: DerReader | undefined): string[] {
  const list = wrapped?.enter(TAG.sequence)
  wrapped?.end()
  const unknown: string[] = []
  while (list?.more === true) {
    const { oid, critical } = readExtension(list)
    if (critical) unknown.push(oid)
  }
  return unknown
}

/** The answer about this certificate of this issuer, if there is one. */
export const answerFor = (crypto: CryptoPort, response: OcspResponse, c: Certificate, issuer: Certificate): OcspAnswer | undefined =>
  response.answers.find((a) => a.serial === c.serial && isOf(crypto, a, issuer))

/** Whether an answer speaks of a certificate of this issuer. */
export function isOf(crypto: CryptoPort, a: OcspAnswer, issuer: Certificate): boolean {
  const hash = HASHES[a.hash]
  return hash !== undefined && sameBytes(a.issuerNameHash, crypto.hash(hash, issuer.subject.der)) && sameBytes(a.issuerKeyHash, crypto.hash(hash, publicKeyBits(issuer.spki)))
}

/**
 * Whether the issuer itself, or somebody whom it named for it (RFC 6960 §4.2.2.2: a certificate of the issuer's own,
 * directly, for OCSP signing), signed the response, at a time when it might. Whether that one was revoked is told by `isRevoked`.
 * The value is who signed.
 */
export function checkResponse(crypto: CryptoPort, response: OcspResponse, issuer: Certificate, isRevoked: (c: Certificate) => boolean): Result<Certificate> {
  const known = verdicts.get(response) ?? []
  const before = known.find((k) => sameBytes(k.issuer, issuer.der))
  const verdict = before?.verdict ?? judge(crypto, response, issuer)
  if (before === undefined) verdicts.set(response, [...known.slice(-3), { issuer: issuer.der, verdict }])
  if (!verdict.ok) return verdict
  const { delegate } = verdict.value
  if (delegate !== undefined && delegate.extensions.ocspNoCheck !== true && isRevoked(delegate)) return err('IDENTITY_OCSP_RESPONDER', `${certificateText(delegate)} has been revoked`)
  return ok(delegate ?? issuer)
}

type Verdict = Result<{ readonly delegate: Certificate | undefined }>
/** Kept as for lists: a realm has an answer for each member, and every new one is weighed beside those at hand. */
const verdicts = new WeakMap<OcspResponse, { readonly issuer: Uint8Array; readonly verdict: Verdict }[]>()

function judge(crypto: CryptoPort, response: OcspResponse, issuer: Certificate): Verdict {
  const whose = `answer about certificates of ${certificateText(issuer)}`
  const signer = isResponder(crypto, response, issuer) ? issuer : response.certificates.find((c) => isResponder(crypto, response, c))
  if (signer === undefined) return err('IDENTITY_OCSP_RESPONDER', `${whose}, signed by somebody unknown`)
  const delegate = signer === issuer ? undefined : signer
  const named = delegate === undefined ? ok(undefined) : checkDelegate(crypto, delegate, issuer, response.producedAt)
  if (!named.ok) return named
  const algorithm = signatureName(response.signatureAlgorithm, signer.key, whose)
  if (!algorithm.ok) return algorithm
  if (!crypto.verify(algorithm.value, signer.spki, response.tbs, response.signature)) return err('IDENTITY_REVOCATION_BAD_SIGNATURE', whose)
  return response.unknownCritical.length > 0 ? err('IDENTITY_REVOCATION_UNSUPPORTED', `${whose}, critical extension ${response.unknownCritical[0]}`) : ok({ delegate })
}

function isResponder(crypto: CryptoPort, { responder }: OcspResponse, c: Certificate): boolean {
  return 'name' in responder ? sameName(responder.name, c.subject) : sameBytes(responder.keyHash, crypto.hash('sha1', publicKeyBits(c.spki)))
}

function checkDelegate(crypto: CryptoPort, c: Certificate, issuer: Certificate, signedAt: UnixTime): Result<void> {
  const refused = (why: string) => err('IDENTITY_OCSP_RESPONDER', `${certificateText(c)} ${why}`)
  if (!sameName(c.issuer, issuer.subject)) return refused(`was not named by ${certificateText(issuer)}`)
  const key = checkKey(c.key, certificateText(c))
  if (!key.ok) return key
  const algorithm = signatureName(c.signatureAlgorithm, issuer.key, certificateText(c))
  if (!algorithm.ok) return algorithm
  if (!crypto.verify(algorithm.value, issuer.spki, c.tbs, c.signature)) return refused(`was not named by ${certificateText(issuer)}`)
  if (signedAt < c.notBefore || signedAt > c.notAfter) return refused('was not valid when it answered')
  if (c.extensions.extendedKeyUsage?.includes(EKU.ocspSigning) !== true) return refused('may not sign answers')
  if (c.extensions.keyUsage !== undefined && (c.extensions.keyUsage & KEY_USAGE.digitalSignature) === 0) return refused('may not sign')
  return c.extensions.unknownCritical.length === 0 ? ok(undefined) : refused(`has the critical extension ${c.extensions.unknownCritical[0]}`)
}

/** Fresh: from now or before, and not outlived; nor has whoever signed it (its key may be anybody's by now, who would date it back). */
export function checkAnswerAge(a: OcspAnswer, c: Certificate, signer: Certificate, issuer: Certificate, now: UnixTime): Result<void> {
  if (signer !== issuer && (now < signer.notBefore || now > signer.notAfter)) return err('IDENTITY_OCSP_RESPONDER', `${certificateText(signer)} is not valid now`)
  const whose = `answer about ${certificateText(c)}`
  if (now + SKEW_S < a.thisUpdate) return err('IDENTITY_REVOCATION_STALE', `${whose}, from the future (${formatTime(a.thisUpdate)})`)
  const until = a.nextUpdate ?? unixTime(a.thisUpdate + UNDATED_S)
  return now > until ? err('IDENTITY_REVOCATION_STALE', `${whose}, valid until ${formatTime(until)}`) : ok(undefined)
}
