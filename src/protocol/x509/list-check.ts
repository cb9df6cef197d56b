/** Which certificates a revocation list speaks of, and whether it may. */
import type { UnixTime } from '../../base/brand.ts'
import { sameBytes } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { signatureName } from './algorithm.ts'
import { type Certificate, certificateText, nameText } from './certificate.ts'
import type { RevocationList } from './crl.ts'
import { KEY_USAGE } from './extensions.ts'
import { sameName } from './name.ts'
import { formatTime } from './time.ts'

/** Whether the list is one of this issuer's, as far as it says itself. */
export function concerns(list: RevocationList, issuer: Certificate): boolean {
  const named = list.authorityKeyId?.keyId
  const own = issuer.extensions.subjectKeyId
  return sameName(list.issuer, issuer.subject) && (named === undefined || own === undefined || named === own)
}

/** Whether the list speaks of such certificates (RFC 5280 §6.3.3 (b) (2)). */
export function covers({ scope }: RevocationList, c: Certificate): boolean {
  const authority = c.extensions.basicConstraints?.ca === true
  if (scope.only !== 'all' && (scope.only === 'authorities') !== authority) return false
  return scope.addresses.length === 0 || scope.addresses.some((a) => c.extensions.crlAddresses?.includes(a) === true)
}

/** Lists of one scope replace each other. */
export const sameScope = (a: RevocationList, b: RevocationList): boolean => a.scope.only === b.scope.only && a.scope.addresses.join(' ') === b.scope.addresses.join(' ')

/** Faults of what the issuer did sign. */
export const SIGNED_BUT_NOT_TAKEN: ReadonlySet<string> = new Set(['IDENTITY_REVOCATION_UNSUPPORTED', 'IDENTITY_AUTHORITY_MAY_NOT_SIGN'])

const verdicts = new WeakMap<RevocationList, { readonly issuer: Uint8Array; readonly verdict: Result<void> }[]>()

/** Whether the issuer signed this list and it is of a kind that is taken. The answer is kept: a list of ten thousand is hashed once. */
export function genuineList(crypto: CryptoPort, list: RevocationList, issuer: Certificate): Result<void> {
  const known = verdicts.get(list) ?? []
  const before = known.find((k) => sameBytes(k.issuer, issuer.der))
  if (before !== undefined) return before.verdict
  const verdict = judge(crypto, list, issuer)
  verdicts.set(list, [...known.slice(-3), { issuer: issuer.der, verdict }])
  return verdict
}

function judge(crypto: CryptoPort, list: RevocationList, issuer: Certificate): Result<void> {
  const whose = `list of "${nameText(list.issuer)}"`
  const algorithm = signatureName(list.signatureAlgorithm, issuer.key, whose)
  if (!algorithm.ok) return algorithm
  if (!crypto.verify(algorithm.value, issuer.spki, list.tbs, list.signature)) return err('IDENTITY_REVOCATION_BAD_SIGNATURE', whose)
  const usage = issuer.extensions.keyUsage
  if (usage !== undefined && (usage & KEY_USAGE.cRLSign) === 0) return err('IDENTITY_AUTHORITY_MAY_NOT_SIGN', `${certificateText(issuer)}, revocation lists`)
  return list.unknownCritical.length > 0 ? err('IDENTITY_REVOCATION_UNSUPPORTED', `${whose}, critical extension ${list.unknownCritical[0]}`) : ok(undefined)
}

/** Fresh: not from the future and not outlived. */
export function checkListAge(list: RevocationList, now: UnixTime): Result<void> {
  const whose = `list of "${nameText(list.issuer)}"`
  if (now < list.thisUpdate) return err('IDENTITY_REVOCATION_STALE', `${whose}, from the future (${formatTime(list.thisUpdate)})`)
  return now > list.nextUpdate ? err('IDENTITY_REVOCATION_STALE', `${whose}, valid until ${formatTime(list.nextUpdate)}`) : ok(undefined)
}
