/** Requests for certificates: PKCS#10 (RFC 2986). */
import type { Der } from '../../base/brand.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { checkKey, type PublicKey, readAlgorithm, readPublicKey, signatureName } from './algorithm.ts'
import { context, DerReader, TAG } from './der.ts'
import { type Name, readName } from './name.ts'

const OCTETS_LIMIT = 16384

export interface CertificationRequest {
  /** What the requester would like to be called; nobody's word but its own. */
  readonly subject: Name
  readonly spki: Der
  readonly key: PublicKey
}

/** CertificationRequest ::= SEQUENCE { info, signatureAlgorithm, signature }: of a usable key whose holder signed it. Attributes are not looked at. */
export function verifyCertificationRequest(crypto: CryptoPort, der: Uint8Array): Result<CertificationRequest> {
  const refused = (why: string) => err('IDENTITY_REQUEST_MALFORMED', why)
  if (der.length > OCTETS_LIMIT) return refused(`${der.length} octets`)
  const outer = new DerReader(der)
  const fields = outer.enter(TAG.sequence)
  outer.end()
  const info = fields.element(TAG.sequence)
  const algorithm = readAlgorithm(fields)
  const signature = fields.octetBits()
  fields.end()
  const r = new DerReader(info.body, fields.failure)
  if (r.small() !== 0) r.fail('unknown version')
  const subject = readName(r)
  const { spki, key } = readPublicKey(r)
  r.element(context(0, true))
  r.end()
  if (r.failed) return refused(r.failure.reason ?? '')
  const usable = checkKey(key, 'the request')
  if (!usable.ok) return usable
  const name = signatureName(algorithm, key, 'the request')
  if (!name.ok) return name
  return crypto.verify(name.value, spki, info.whole, signature) ? ok({ subject, spki, key }) : refused('its signature is wrong')
}
