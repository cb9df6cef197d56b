/** A responder's answer about ourselves that goes into our credential: it spares others the question. */
import type { Der, UnixTime } from '../../base/brand.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { RevocationHint } from '../../protocol/x509/credential.ts'
import { type Evidence, holdsUntil } from '../../protocol/x509/evidence.ts'
import { answerFor } from '../../protocol/x509/ocsp.ts'
import { type Anchors, verifyChain } from '../../protocol/x509/path.ts'

/** A credential travels with every leaf. */
const STAPLE_LIMIT = 8192

/** A fresh good one, if there is one at hand. */
export function stapleFor(crypto: CryptoPort, chain: readonly Der[], anchors: Anchors, evidence: Evidence, now: UnixTime): RevocationHint {
  if (evidence.responses.length === 0) return { kind: 'none' }
  const own = verifyChain(crypto, chain, anchors, evidence, now, 'member', 'given')
  const [subject, issuer] = own.ok ? own.value.path : []
  if (subject === undefined || issuer === undefined) return { kind: 'none' }
  const fresh = evidence.responses.find((r) => r.der.length <= STAPLE_LIMIT && now <= holdsUntil(r) && answerFor(crypto, r, subject, issuer)?.status === 'good')
  return fresh === undefined ? { kind: 'none' } : { kind: 'ocsp', response: fresh.der }
}
