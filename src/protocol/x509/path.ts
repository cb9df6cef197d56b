/** Certification paths: from a presented certificate to a trusted authority (RFC 5280 §6). */
import { type Der, type UnixTime, unixTime } from '../../base/brand.ts'
import { sameBytes } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { Identity } from '../../model/identity.ts'
import type { RevocationProof, ShownName } from '../../model/trust.ts'
import { findPaths } from './build.ts'
import { type Certificate, parseCertificate } from './certificate.ts'
import { checkPath } from './check.ts'
import { Evidence } from './evidence.ts'
import { identityOf } from './identity-of.ts'
import { checkRevocation, type RevocationDemand } from './revocation.ts'

export { identityOf }

export const CHAIN_LIMIT = 6
const ANCHORS_LIMIT = 512

/** Authorities trusted by configuration. */
export interface Anchors {
  readonly certificates: readonly Certificate[]
  /** Which fields of their certificates become the shown name, the first that there is. */
  readonly shownName?: ShownName
}

/** People, clients and gateways are members. */
export type Purpose = 'member' | 'server'

export interface VerifiedPath {
  readonly identity: Identity
  /** The presented certificate, then its issuers, the anchor last. */
  readonly path: readonly Certificate[]
  /** The first moment at which a certificate of the path has expired lies after this second. */
  readonly validUntil: UnixTime
}

export function makeAnchors(ders: readonly Uint8Array[], shownName?: ShownName): Result<Anchors> {
  if (ders.length > ANCHORS_LIMIT) return err('IDENTITY_CHAIN_TOO_LONG', `${ders.length} anchors, at most ${ANCHORS_LIMIT}`)
  const certificates = parseAll(ders)
  return certificates.ok ? ok({ certificates: certificates.value, ...(shownName === undefined ? {} : { shownName }) }) : certificates
}

/**
 * Verifies `chain`: the certificate in question first, others in any order, the anchor may be among them.
 * Stricter than most: an end entity must name digitalSignature in its key usage and must not be an
 * authority; extended key usage, on it and on every authority above it, must be absent or name
 * clientAuth (members) or serverAuth (servers) itself; everything must be version 3.
 */
export function verifyPath(crypto: CryptoPort, chain: readonly Der[], anchors: Anchors, proofs: readonly RevocationProof[] | Evidence, now: UnixTime, purpose: Purpose = 'member', rule: RevocationDemand = 'given'): Result<Identity> {
  const verified = verifyChain(crypto, chain, anchors, proofs, now, purpose, rule)
  return verified.ok ? ok(verified.value.identity) : verified
}

/** As `verifyPath`, with the path that was found. */
export function verifyChain(crypto: CryptoPort, chain: readonly Der[], anchors: Anchors, proofs: readonly RevocationProof[] | Evidence, now: UnixTime, purpose: Purpose = 'member', rule: RevocationDemand = 'given'): Result<VerifiedPath> {
  if (chain.length === 0) return err('IDENTITY_CHAIN_EMPTY')
  if (chain.length > CHAIN_LIMIT) return err('IDENTITY_CHAIN_TOO_LONG', `${chain.length}`)
  const certificates = parseAll(chain)
  if (!certificates.ok) return certificates
  const evidence = proofs instanceof Evidence ? ok(proofs) : Evidence.of(proofs)
  if (!evidence.ok) return evidence
  const [leaf, ...others] = certificates.value
  const paths = findPaths(leaf!, others, anchors.certificates)
  if (!paths.ok) return paths
  let first: Result<void> | undefined
  for (const path of paths.value) {
    const checked = checkPath(crypto, path, now, purpose, (c, issuer) => checkRevocation(crypto, c, issuer, evidence.value, now, rule))
    if (checked.ok) return ok({ identity: identityOf(crypto, leaf!, anchors.shownName), path, validUntil: unixTime(Math.min(...path.map((c) => c.notAfter))) })
    first ??= checked
  }
  return first !== undefined && !first.ok ? first : err('IDENTITY_UNKNOWN_ISSUER')
}

/** Whether a genuine statement revokes a certificate of a path that was verified before. */
export const isPathRevoked = (crypto: CryptoPort, path: VerifiedPath['path'], evidence: Evidence, now: UnixTime): boolean => path.some((c, i) => {
  const issuer = path[i + 1]
  return issuer !== undefined && !checkRevocation(crypto, c, issuer, evidence, now, 'revoked').ok
})

/** Whether every presented certificate was needed. */
export const usesAll = (verified: VerifiedPath, chain: readonly Der[]): boolean =>
  chain.every((der, i) => verified.path.some((c) => sameBytes(c.der, der)) && chain.findIndex((d) => sameBytes(d, der)) === i)

function parseAll(ders: readonly Uint8Array[]): Result<Certificate[]> {
  const certificates: Certificate[] = []
  for (const der of ders) {
    const parsed = parseCertificate(der)
    if (!parsed.ok) return parsed
    certificates.push(parsed.value)
  }
  return ok(certificates)
}
