/** Certificate extensions that we understand (RFC 5280 §4.2.1). */
import { toHex } from '../../base/bytes.ts'
import type { DerReader } from './der.ts'
import { context, DerReader as Reader, TAG } from './der.ts'
import type { GeneralName } from './general-name.ts'
import { readGeneralName, readGeneralNames } from './general-name.ts'

/** Bit numbers of KeyUsage, as masks on the first octet. */
export const KEY_USAGE = { digitalSignature: 0x80, keyCertSign: 0x04, cRLSign: 0x02 } as const
export const EKU = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2', ocspSigning: '1.3.6.1.5.5.7.3.9' } as const

export interface NameConstraints {
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
}

export interface AuthorityKeyId {
  /** Hex. */
  readonly keyId: string | undefined
  readonly serial: string | undefined
}

export interface Extensions {
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLength: number | undefined }
  /** First octet of the bit string. */
  readonly keyUsage?: number
  readonly extendedKeyUsage?: readonly string[]
  readonly alternativeNames?: readonly GeneralName[]
  readonly nameConstraints?: NameConstraints
  readonly authorityKeyId?: AuthorityKeyId
  /** Hex. */
  readonly subjectKeyId?: string
  /** Where revocation lists are published: the URIs, of any scheme. Present (maybe empty) where the extension is. */
  readonly crlAddresses?: readonly string[]
  /** Where OCSP responders and issuers' certificates are (authority information access). */
  readonly ocspAddresses?: readonly string[]
  readonly issuerAddresses?: readonly string[]
  /** A responder whose own certificate need not be checked for revocation (RFC 6960 §4.2.2.2.1). */
  readonly ocspNoCheck?: true
  readonly unknownCritical: readonly string[]
}

const EXTENSIONS_LIMIT = 64

type Reading = (r: DerReader) => Partial<Extensions>
const READINGS: Readonly<Record<string, Reading>> = {
  '2.5.29.14': (r) => ({ subjectKeyId: toHex(r.octetString()) }),
  '2.5.29.15': (r) => ({ keyUsage: r.bitString().bytes[0] ?? 0 }),
  '2.5.29.17': (r) => ({ alternativeNames: readGeneralNames(r) }),
  '2.5.29.19': (r) => ({ basicConstraints: readBasicConstraints(r) }),
  '2.5.29.30': (r) => ({ nameConstraints: readNameConstraints(r) }),
  '2.5.29.35': (r) => ({ authorityKeyId: readAuthorityKeyId(r) }),
  '2.5.29.37': (r) => ({ extendedKeyUsage: readPurposes(r) }),
}
/** Only addresses stand there: what is odd in them is no reason to refuse the certificate, but counts as named nowhere. */
const ADDRESSES: Readonly<Record<string, (value: Uint8Array) => Partial<Extensions>>> = {
  '2.5.29.31': (value) => ({ crlAddresses: readCrlAddresses(value) }),
  '1.3.6.1.5.5.7.1.1': (value) => ({ ocspAddresses: readAccess(value, '1.3.6.1.5.5.7.48.1'), issuerAddresses: readAccess(value, '1.3.6.1.5.5.7.48.2') }),
  '1.3.6.1.5.5.7.48.1.5': () => ({ ocspNoCheck: true }),
}
/**
 * Understood as of no consequence here, critical or not: certificate policies, their mappings and
 * constraints (no policy has a meaning to us), and where revocation lists are published.
 */
const IGNORED = new Set(['2.5.29.31', '2.5.29.32', '2.5.29.33', '2.5.29.36', '2.5.29.54'])

/** Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue OCTET STRING }, each at most once. */
export function readExtensions(r: DerReader): Extensions {
  const list = r.enter(TAG.sequence)
  const seen = new Set<string>()
  const unknownCritical: string[] = []
  let extensions: Extensions = { unknownCritical }
  do {
    const { oid, critical, value } = readExtension(list)
    if (seen.has(oid)) list.fail('extension given twice')
    seen.add(oid)
    if (seen.size > EXTENSIONS_LIMIT) list.fail('too many extensions')
    const reading = READINGS[oid]
    if (reading !== undefined) {
      const content = new Reader(value, list.failure)
      extensions = { ...extensions, ...reading(content) }
      content.end()
    } else {
      extensions = { ...extensions, ...ADDRESSES[oid]?.(value) }
      if (critical && !IGNORED.has(oid)) unknownCritical.push(oid)
    }
  } while (list.more)
  return extensions
}

export function readExtension(list: DerReader): { readonly oid: string; readonly critical: boolean; readonly value: Uint8Array } {
  const fields = list.enter(TAG.sequence)
  const oid = fields.oid()
  const critical = fields.next(TAG.boolean) ? fields.boolean() : false
  const value = fields.octetString()
  fields.end()
  return { oid, critical, value }
}

function readBasicConstraints(r: DerReader): NonNullable<Extensions['basicConstraints']> {
  const fields = r.enter(TAG.sequence)
  const ca = fields.next(TAG.boolean) ? fields.boolean() : false
  const pathLength = fields.next(TAG.integer) ? fields.small() : undefined
  fields.end()
  return { ca, pathLength }
}

function readPurposes(r: DerReader): string[] {
  const list = r.enter(TAG.sequence)
  const purposes: string[] = []
  do purposes.push(list.oid())
  while (list.more)
  return purposes
}

/** AuthorityKeyIdentifier ::= SEQUENCE { [0] keyIdentifier, [1] authorityCertIssuer, [2] authorityCertSerialNumber }, all optional. */
export function readAuthorityKeyId(r: DerReader): AuthorityKeyId {
  const fields = r.enter(TAG.sequence)
  const keyId = fields.next(context(0)) ? toHex(fields.octetString(context(0))) : undefined
  if (fields.next(context(1, true))) fields.any()
  const serial = fields.next(context(2)) ? toHex(fields.unsigned(context(2))) : undefined
  fields.end()
  return { keyId, serial }
}

/** NameConstraints ::= SEQUENCE { [0] permittedSubtrees, [1] excludedSubtrees }, at least one (RFC 5280 §4.2.1.10). */
function readNameConstraints(r: DerReader): NameConstraints {
  const fields = r.enter(TAG.sequence)
  const permitted = readSubtrees(fields.enterIf(context(0, true)))
  const excluded = readSubtrees(fields.enterIf(context(1, true)))
  if (permitted.length + excluded.length === 0) fields.fail('name constraints without content')
  fields.end()
  return { permitted, excluded }
}

function readSubtrees(list: DerReader | undefined): GeneralName[] {
  const bases: GeneralName[] = []
  while (list?.more === true) {
    // minimum is 0 and maximum absent in this profile, so the base stands alone.
    const subtree = list.enter(TAG.sequence)
    bases.push(readGeneralName(subtree))
    subtree.end()
  }
  return bases
}

const ADDRESSES_LIMIT = 16

const uris = (names: readonly GeneralName[]): string[] => names.flatMap((n) => (n.kind === 'uri' ? [n.text] : []))

/** CRLDistributionPoints ::= SEQUENCE OF SEQUENCE { [0] distributionPoint, [1] reasons, [2] cRLIssuer } (RFC 5280 §4.2.1.13). */
function readCrlAddresses(value: Uint8Array): string[] {
  const r = new Reader(value)
  const points = r.enter(TAG.sequence)
  const found: string[] = []
  while (points.more && found.length < ADDRESSES_LIMIT) {
    const point = points.enter(TAG.sequence)
    found.push(...uris(readPointNames(point.enterIf(context(0, true)))))
  }
  return r.failed ? [] : found
}

/** DistributionPointName ::= CHOICE { [0] fullName, [1] nameRelativeToCRLIssuer }; the latter names nothing that can be fetched. */
export function readPointNames(point: DerReader | undefined): GeneralName[] {
  const full = point?.enterIf(context(0, true))
  const names: GeneralName[] = []
  while (full?.more === true) names.push(readGeneralName(full))
  return names
}

/** AuthorityInfoAccessSyntax ::= SEQUENCE OF SEQUENCE { accessMethod, accessLocation } (RFC 5280 §4.2.2.1). */
function readAccess(value: Uint8Array, method: string): string[] {
  const r = new Reader(value)
  const list = r.enter(TAG.sequence)
  const found: string[] = []
  while (list.more && found.length < ADDRESSES_LIMIT) {
    const entry = list.enter(TAG.sequence)
    if (entry.oid() === method) found.push(...uris([readGeneralName(entry)]))
  }
  return r.failed ? [] : found
}
