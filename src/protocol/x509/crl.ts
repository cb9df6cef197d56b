/** Certificate revocation lists, version 2 (RFC 5280 §5). */
import type { Der, UnixTime } from '../../base/brand.ts'
import { sameBytes, toHex } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { AlgorithmIdentifier } from './algorithm.ts'
import { readAlgorithm } from './algorithm.ts'
import { context, DerReader, TAG } from './der.ts'
import type { AuthorityKeyId } from './extensions.ts'
import { readAuthorityKeyId, readExtension, readPointNames } from './extensions.ts'
import type { Name } from './name.ts'
import { readName } from './name.ts'
import { readTime } from './time.ts'

export const CRL_OCTETS_LIMIT = 4 * 1024 * 1024

export interface RevocationList {
  readonly der: Der
  readonly tbs: Uint8Array
  readonly signatureAlgorithm: AlgorithmIdentifier
  readonly signature: Uint8Array
  readonly issuer: Name
  readonly thisUpdate: UnixTime
  readonly nextUpdate: UnixTime
  /** Serial number (hex) to the time of revocation. */
  readonly revoked: ReadonlyMap<string, UnixTime>
  readonly authorityKeyId: AuthorityKeyId | undefined
  /** Hex; a newer list has a higher one (§5.2.3). */
  readonly number: string | undefined
  /** Which certificates it speaks of, where that is not all of its issuer's (§5.2.5). */
  readonly scope: ListScope
  /** Critical extensions that make it say less than all about its issuer: deltas, partial and indirect lists. */
  readonly unknownCritical: readonly string[]
}

export interface ListScope {
  /** Only certificates that name one of these addresses; empty: all. */
  readonly addresses: readonly string[]
  readonly only: 'all' | 'end-entities' | 'authorities'
}

const VERSION_2 = 1
const EXTENSION = { reason: '2.5.29.21', invalidityDate: '2.5.29.24', number: '2.5.29.20', authorityKeyId: '2.5.29.35', scope: '2.5.29.28' } as const
const REMOVE_FROM_CRL = 8

/** CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue }. Nothing is verified. */
export function parseRevocationList(der: Uint8Array): Result<RevocationList> {
  if (der.length > CRL_OCTETS_LIMIT) return err('IDENTITY_REVOCATION_MALFORMED', `${der.length} octets are more than ${CRL_OCTETS_LIMIT}`)
  const outer = new DerReader(der)
  const fields = outer.enter(TAG.sequence)
  outer.end()
  const tbs = fields.element(TAG.sequence)
  const signatureAlgorithm = readAlgorithm(fields)
  const signature = fields.octetBits()
  fields.end()
  const body = readBody(new DerReader(tbs.body, fields.failure), signatureAlgorithm)
  if (fields.failure.reason !== undefined) return err('IDENTITY_REVOCATION_MALFORMED', fields.failure.reason)
  return ok({ der: der as Der, tbs: tbs.whole, signatureAlgorithm, signature, ...body })
}

function readBody(r: DerReader, outside: AlgorithmIdentifier): Omit<RevocationList, 'der' | 'tbs' | 'signatureAlgorithm' | 'signature'> {
  if (r.small() !== VERSION_2) r.fail('not a version 2 revocation list')
  if (!sameBytes(readAlgorithm(r).der, outside.der)) r.fail('two different signature algorithms')
  const issuer = readName(r)
  const thisUpdate = readTime(r)
  // §5.1.2.5: nextUpdate must be there in this profile.
  const nextUpdate = readTime(r)
  const unknown = new Set<string>()
  const revoked = readRevoked(r.enterIf(TAG.sequence), unknown)
  const wrapped = r.enterIf(context(0, true))
  const said = wrapped === undefined ? { authorityKeyId: undefined, number: undefined, scope: WHOLE } : readListExtensions(wrapped, unknown)
  wrapped?.end()
  r.end()
  return { issuer, thisUpdate, nextUpdate, revoked, ...said, unknownCritical: [...unknown] }
}

function readRevoked(list: DerReader | undefined, unknown: Set<string>): Map<string, UnixTime> {
  const revoked = new Map<string, UnixTime>()
  while (list?.more === true) {
    const entry = list.enter(TAG.sequence)
    const serial = toHex(entry.unsigned())
    const when = readTime(entry)
    const extensions = entry.enterIf(TAG.sequence)
    entry.end()
    let removed = false
    while (extensions?.more === true) {
      const { oid, critical, value } = readExtension(extensions)
      if (oid === EXTENSION.reason) removed = readReason(value, extensions) === REMOVE_FROM_CRL
      else if (critical && oid !== EXTENSION.invalidityDate) unknown.add(oid)
    }
    if (!removed) revoked.set(serial, when)
  }
  return revoked
}

function readReason(value: Uint8Array, r: DerReader): number {
  const content = new DerReader(value, r.failure)
  const reason = content.small(TAG.enumerated)
  content.end()
  return reason
}

type Said = Pick<RevocationList, 'authorityKeyId' | 'number' | 'scope'>
const WHOLE: ListScope = { addresses: [], only: 'all' }

function readListExtensions(wrapped: DerReader, unknown: Set<string>): Said {
  const list = wrapped.enter(TAG.sequence)
  let said: Said = { authorityKeyId: undefined, number: undefined, scope: WHOLE }
  while (list.more) {
    const { oid, critical, value } = readExtension(list)
    const content = new DerReader(value, list.failure)
    if (oid === EXTENSION.authorityKeyId) said = { ...said, authorityKeyId: readAuthorityKeyId(content) }
    else if (oid === EXTENSION.number) said = { ...said, number: toHex(content.unsigned()) }
    else if (oid === EXTENSION.scope) {
      const scope = readScope(content)
      if (scope === undefined) unknown.add(oid)
      else said = { ...said, scope }
    } else {
      if (critical) unknown.add(oid)
      continue
    }
    content.end()
  }
  return said
}

/**
 * IssuingDistributionPoint ::= SEQUENCE { [0] distributionPoint, [1] onlyContainsUserCerts, [2] onlyContainsCACerts,
 * [3] onlySomeReasons, [4] indirectCRL, [5] onlyContainsAttributeCerts }. Undefined: a kind that is not taken.
 */
function readScope(r: DerReader): ListScope | undefined {
  const fields = r.enter(TAG.sequence)
  const point = fields.enterIf(context(0, true))
  const names = readPointNames(point)
  const addresses = names.flatMap((n) => (n.kind === 'uri' ? [n.text] : []))
  const users = fields.next(context(1)) && fields.boolean(context(1))
  const authorities = fields.next(context(2)) && fields.boolean(context(2))
  const odd = fields.more || (users && authorities) || (point !== undefined && addresses.length === 0)
  while (fields.more) fields.any()
  return odd ? undefined : { addresses, only: users ? 'end-entities' : authorities ? 'authorities' : 'all' }
}
