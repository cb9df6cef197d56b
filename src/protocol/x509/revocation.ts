/** What revocation lists say about a certificate. */
import type { UnixTime } from '../../base/brand.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { signatureName } from './algorithm.ts'
import type { Certificate } from './certificate.ts'
import { certificateText, nameText } from './certificate.ts'
import type { RevocationList } from './crl.ts'
import { KEY_USAGE } from './extensions.ts'
import { sameName } from './name.ts'
import { formatTime } from './time.ts'

/**
 * Fails when a list of the certificate's issuer revokes it, and when such lists were given but none is
 * usable. Lists of others are of no concern; without a list of this issuer there is no statement.
 */
export function checkRevocation(crypto: CryptoPort, certificate: Certificate, issuer: Certificate, lists: readonly RevocationList[], now: UnixTime): Result<void> {
  let unusable: Result<void> | undefined
  let fresh = false
  for (const list of lists) {
    if (!concerns(list, issuer)) continue
    const genuine = checkList(crypto, list, issuer)
    const current = genuine.ok ? checkAge(list, now) : genuine
    // An outdated list still revokes what it names.
    const when = genuine.ok ? list.revoked.get(certificate.serial) : undefined
    if (when !== undefined) return err('IDENTITY_REVOKED', `${certificateText(certificate)} on ${formatTime(when)}`)
    if (current.ok) fresh = true
    else unusable ??= current
  }
  return fresh ? ok(undefined) : (unusable ?? ok(undefined))
}

function concerns(list: RevocationList, issuer: Certificate): boolean {
  const named = list.authorityKeyId?.keyId
  const own = issuer.extensions.subjectKeyId
  return sameName(list.issuer, issuer.subject) && (named === undefined || own === undefined || named === own)
}

function checkList(crypto: CryptoPort, list: RevocationList, issuer: Certificate): Result<void> {
  const whose = `list of "${nameText(list.issuer)}"`
  const usage = issuer.extensions.keyUsage
  if (usage !== undefined && (usage & KEY_USAGE.cRLSign) === 0) return err('IDENTITY_AUTHORITY_MAY_NOT_SIGN', `${certificateText(issuer)}, revocation lists`)
  const algorithm = signatureName(list.signatureAlgorithm, issuer.key, whose)
  if (!algorithm.ok) return algorithm
  if (!crypto.verify(algorithm.value, issuer.spki, list.tbs, list.signature)) return err('IDENTITY_REVOCATION_BAD_SIGNATURE', whose)
  return list.unknownCritical.length > 0 ? err('IDENTITY_REVOCATION_UNSUPPORTED', `${whose}, critical extension ${list.unknownCritical[0]}`) : ok(undefined)
}

function checkAge(list: RevocationList, now: UnixTime): Result<void> {
  const whose = `list of "${nameText(list.issuer)}"`
  if (now < list.thisUpdate) return err('IDENTITY_REVOCATION_STALE', `${whose}, from the future (${formatTime(list.thisUpdate)})`)
  return now > list.nextUpdate ? err('IDENTITY_REVOCATION_STALE', `${whose}, valid until ${formatTime(list.nextUpdate)}`) : ok(undefined)
}
