/** X.509 v3 certificates (RFC 5280 §4.1). */
import type { Der, UnixTime } from '../../base/brand.ts'
import { sameBytes, toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { safeText } from '../../model/identity.ts'
import { type AlgorithmIdentifier, type PublicKey, readAlgorithm, readPublicKey } from './algorithm.ts'
import { context, DerReader, TAG } from './der.ts'
import { type Extensions, readExtensions } from './extensions.ts'
import { type Name, ATTRIBUTE, attributeOf, readName } from './name.ts'
import { readTime } from './time.ts'

export const CERTIFICATE_OCTETS_LIMIT = 16384
const SERIAL_OCTETS_LIMIT = 20

export interface Certificate {
  readonly der: Der
  /** What is signed. */
  readonly tbs: Uint8Array
  /** Hex of the content octets as encoded: unique. */
  readonly serial: string
  readonly signatureAlgorithm: AlgorithmIdentifier
  readonly signature: Uint8Array
  readonly issuer: Name
  readonly subject: Name
  readonly notBefore: UnixTime
  readonly notAfter: UnixTime
  readonly spki: Der
  readonly key: PublicKey
  readonly extensions: Extensions
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }. Nothing is verified. */
export function parseCertificate(der: Uint8Array): Result<Certificate> {
  if (der.length > CERTIFICATE_OCTETS_LIMIT) return err('IDENTITY_CERTIFICATE_TOO_LARGE', `${der.length} octets`)
  const outer = new DerReader(der)
  const fields = outer.enter(TAG.sequence)
  outer.end()
  const tbs = fields.element(TAG.sequence)
  const signatureAlgorithm = readAlgorithm(fields)
  const signature = fields.octetBits()
  fields.end()
  const body = readTbs(new DerReader(tbs.body, fields.failure))
  // RFC 5280 §4.1.1.2: the algorithm outside the signature must be the one inside.
  if (!sameBytes(body.algorithm.der, signatureAlgorithm.der)) fields.fail('two different signature algorithms')
  if (fields.failure.reason !== undefined) return err('IDENTITY_CERTIFICATE_MALFORMED', fields.failure.reason)
  const { algorithm: _, ...rest } = body
  return ok({ der: der as Der, tbs: tbs.whole, signatureAlgorithm, signature, ...rest })
}

function readTbs(r: DerReader): Omit<Certificate, 'der' | 'tbs' | 'signatureAlgorithm' | 'signature'> & { algorithm: AlgorithmIdentifier } {
  const version = r.enterIf(context(0, true))
  if (version?.small() !== 2) r.fail('not an X.509 version 3 certificate')
  version?.end()
  const serial = r.unsigned()
  if (serial.length > SERIAL_OCTETS_LIMIT) r.fail('serial number longer than 20 octets')
  const algorithm = readAlgorithm(r)
  const issuer = readName(r)
  const validity = r.enter(TAG.sequence)
  const notBefore = readTime(validity)
  const notAfter = readTime(validity)
  validity.end()
  const subject = readName(r)
  const { spki, key } = readPublicKey(r)
  // Unique identifiers (§4.1.2.8) have no meaning any more, but may stand there.
  for (const tag of [context(1), context(2)]) if (r.next(tag)) r.bitString(tag)
  const list = r.enterIf(context(3, true))
  const extensions = list === undefined ? { unknownCritical: [] } : readExtensions(list)
  list?.end()
  r.end()
  return { serial: toHex(serial), algorithm, issuer, subject, notBefore, notAfter, spki, key, extensions }
}

/** What to call a name in a sentence: its common name, organisation, or mail address. */
export function nameText(name: Name): string {
  const text = attributeOf(name, ATTRIBUTE.commonName) ?? attributeOf(name, ATTRIBUTE.organisation) ?? attributeOf(name, ATTRIBUTE.email)
  return text === undefined ? '' : safeText(text)
}

/** For fault sentences: the subject in quotes, or its serial number. */
export function certificateText(c: Certificate): string {
  const name = nameText(c.subject)
  return name === '' ? `certificate ${c.serial}` : `"${name}"`
}
