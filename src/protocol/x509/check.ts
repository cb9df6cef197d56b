/** The rules for one certification path (RFC 5280 §6.1). */
import type { UnixTime } from '../../base/brand.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { checkKey, signatureName } from './algorithm.ts'
import type { Path } from './build.ts'
import { type Certificate, certificateText } from './certificate.ts'
import { EKU, KEY_USAGE } from './extensions.ts'
import { refusedName } from './name-constraints.ts'
import { sameName } from './name.ts'
import { formatTime } from './time.ts'

const PURPOSE_EKU = { member: EKU.clientAuth, server: EKU.serverAuth } as const

/** What is known of the revocation of a certificate of this issuer. */
export type RevocationCheck = (c: Certificate, issuer: Certificate) => Result<void>

/**
 * Signatures come first: before they hold, what a certificate says is hearsay. The anchor is held to its
 * own dates, constraints and usage as well.
 */
export function checkPath(crypto: CryptoPort, path: Path, now: UnixTime, purpose: 'member' | 'server', revocation: RevocationCheck): Result<void> {
  const rules: ((c: Certificate, depth: number) => Result<void>)[] = [
    (c) => checkKey(c.key, certificateText(c)),
    (c, depth) => checkSignature(crypto, c, path[depth + 1]),
    (c) => checkDates(c, now),
    (c) => checkCritical(c),
    (c, depth) => (depth === 0 ? checkEndEntity(c) : checkAuthority(path, depth)),
    (c) => checkExtendedUsage(c, PURPOSE_EKU[purpose]),
    (c, depth) => checkNames(c, path.slice(depth + 1), depth),
    (c, depth) => {
      const issuer = path[depth + 1]
      return issuer === undefined ? ok(undefined) : revocation(c, issuer)
    },
  ]
  for (const rule of rules) {
    for (let depth = path.length - 1; depth >= 0; depth--) {
      const checked = rule(path[depth]!, depth)
      if (!checked.ok) return checked
    }
  }
  return ok(undefined)
}

function checkSignature(crypto: CryptoPort, c: Certificate, issuer: Certificate | undefined): Result<void> {
  // The anchor is trusted by configuration: what its own signature says adds nothing.
  if (issuer === undefined) return ok(undefined)
  const algorithm = signatureName(c.signatureAlgorithm, issuer.key, certificateText(c))
  if (!algorithm.ok) return algorithm
  return crypto.verify(algorithm.value, issuer.spki, c.tbs, c.signature) ? ok(undefined) : err('IDENTITY_BAD_SIGNATURE', certificateText(c))
}

function checkDates(c: Certificate, now: UnixTime): Result<void> {
  if (now < c.notBefore) return err('IDENTITY_NOT_YET_VALID', `${certificateText(c)}, valid from ${formatTime(c.notBefore)}`)
  return now > c.notAfter ? err('IDENTITY_EXPIRED', `${certificateText(c)} on ${formatTime(c.notAfter)}`) : ok(undefined)
}

const checkCritical = (c: Certificate): Result<void> =>
  c.extensions.unknownCritical.length === 0 ? ok(undefined) : err('IDENTITY_UNKNOWN_CRITICAL', `${certificateText(c)}, extension ${c.extensions.unknownCritical[0]}`)

function checkEndEntity(c: Certificate): Result<void> {
  if (c.extensions.basicConstraints?.ca === true) return err('IDENTITY_IS_AUTHORITY', certificateText(c))
  return ((c.extensions.keyUsage ?? 0) & KEY_USAGE.digitalSignature) !== 0 ? ok(undefined) : err('IDENTITY_NO_DIGITAL_SIGNATURE', certificateText(c))
}

/** §6.1.4 (k), (l), (m), (n). */
function checkAuthority(path: Path, depth: number): Result<void> {
  const c = path[depth]!
  const { basicConstraints, keyUsage } = c.extensions
  if (basicConstraints?.ca !== true) return err('IDENTITY_NOT_AUTHORITY', certificateText(c))
  if (keyUsage !== undefined && (keyUsage & KEY_USAGE.keyCertSign) === 0) return err('IDENTITY_AUTHORITY_MAY_NOT_SIGN', `${certificateText(c)}, certificates`)
  // Self-issued ones (a new key under the old name) do not count.
  const between = path.slice(1, depth).filter((below) => !isSelfIssued(below)).length
  const allowed = basicConstraints.pathLength
  return allowed !== undefined && between > allowed ? err('IDENTITY_PATH_TOO_LONG', `${certificateText(c)} allows ${allowed}, there are ${between}`) : ok(undefined)
}

function checkExtendedUsage(c: Certificate, wanted: string): Result<void> {
  const purposes = c.extensions.extendedKeyUsage
  return purposes === undefined || purposes.includes(wanted) ? ok(undefined) : err('IDENTITY_WRONG_PURPOSE', certificateText(c))
}

/** §6.1.3 (b), (c): every authority above constrains, except over self-issued ones between. */
function checkNames(c: Certificate, above: Path, depth: number): Result<void> {
  if (depth > 0 && isSelfIssued(c)) return ok(undefined)
  for (const authority of above) {
    const constraints = authority.extensions.nameConstraints
    const refused = constraints === undefined ? undefined : refusedName(c, constraints)
    if (refused !== undefined) return err('IDENTITY_NAME_NOT_ALLOWED', `${certificateText(c)} under ${certificateText(authority)}: ${refused}`)
  }
  return ok(undefined)
}

const isSelfIssued = (c: Certificate): boolean => sameName(c.subject, c.issuer)
