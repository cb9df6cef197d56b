/** What revocation lists and OCSP answers say about a certificate. */
import type { UnixTime } from '../../base/brand.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { RevocationRule } from '../../model/trust.ts'
import type { Certificate } from './certificate.ts'
import { certificateText } from './certificate.ts'
import type { Evidence } from './evidence.ts'
import { checkListAge, concerns, covers, genuineList, sameScope, SIGNED_BUT_NOT_TAKEN } from './list-check.ts'
import { answerFor, checkAnswerAge, checkResponse } from './ocsp.ts'
import { formatTime } from './time.ts'

/** `revoked`: only a revocation counts, not that statements are missing or outdated. */
export type RevocationDemand = RevocationRule | 'revoked'

/**
 * Fails when a genuine statement of the certificate's issuer revokes it, fresh or not; when genuine statements about it were given
 * but none is usable; and when there is none where the rule asks for one. What the issuer did not sign counts as not there:
 * otherwise anybody could shut somebody out.
 */
export function checkRevocation(crypto: CryptoPort, c: Certificate, issuer: Certificate, evidence: Evidence, now: UnixTime, rule: RevocationDemand): Result<void> {
  let unusable: Result<void> | undefined
  let forged: Result<void> | undefined
  let fresh = false
  const take = (said: { readonly revoked: UnixTime | undefined; readonly current: Result<void> }): Result<void> => {
    if (said.revoked !== undefined) return err('IDENTITY_REVOKED', `${certificateText(c)} on ${formatTime(said.revoked)}`)
    if (said.current.ok) fresh = true
    else unusable ??= said.current
    return ok(undefined)
  }
  for (const list of evidence.lists) {
    // What a newer list of the same issuer took back (a certificate on hold) is not held against anybody.
    if (!concerns(list, issuer) || !covers(list, c)) continue
    if (evidence.lists.some((l) => l.thisUpdate > list.thisUpdate && l.thisUpdate <= now && concerns(l, issuer) && sameScope(l, list) && genuineList(crypto, l, issuer).ok)) continue
    const genuine = genuineList(crypto, list, issuer)
    if (!genuine.ok && !SIGNED_BUT_NOT_TAKEN.has(genuine.fault.code)) {
      forged ??= genuine
      continue
    }
    // An outdated list still revokes what it names.
    const taken = take({ revoked: genuine.ok ? list.revoked.get(c.serial) : undefined, current: genuine.ok ? checkListAge(list, now) : genuine })
    if (!taken.ok) return taken
  }
  for (const response of evidence.responses) {
    const answer = answerFor(crypto, response, c, issuer)
    if (answer === undefined) continue
    const genuine = checkResponse(crypto, response, issuer, (responder) => evidence.lists.some((l) => concerns(l, issuer) && genuineList(crypto, l, issuer).ok && l.revoked.has(responder.serial)))
    if (!genuine.ok && !SIGNED_BUT_NOT_TAKEN.has(genuine.fault.code)) {
      forged ??= genuine
      continue
    }
    const current = !genuine.ok ? genuine
      : answer.unknownCritical.length > 0 ? err('IDENTITY_REVOCATION_UNSUPPORTED', `answer about ${certificateText(c)}, critical extension ${answer.unknownCritical[0]}`)
      : answer.status === 'unknown' ? err('IDENTITY_OCSP_UNKNOWN', certificateText(c))
      : checkAnswerAge(answer, c, genuine.value, issuer, now)
    const taken = take({ revoked: genuine.ok && answer.status === 'revoked' ? answer.when : undefined, current })
    if (!taken.ok) return taken
  }
  if (fresh || rule === 'revoked') return ok(undefined)
  if (unusable !== undefined) return unusable
  return rule === 'required' || (rule === 'named' && namesRevocation(c)) ? forged ?? err('IDENTITY_REVOCATION_UNKNOWN', certificateText(c)) : ok(undefined)
}

/** Whether the certificate says where its revocation would be published. */
export const namesRevocation = (c: Certificate): boolean => c.extensions.crlAddresses !== undefined || (c.extensions.ocspAddresses ?? []).length > 0
