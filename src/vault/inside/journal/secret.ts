/** What is private in a PKCS #8 key (RFC 5958), the same from whatever file it was read: EC keys may bring their public point along (RFC 5915), or not. */
import { DerReader, TAG } from '../../../protocol/x509/der.ts'

export function privatePart(pkcs8: Uint8Array): Uint8Array {
  const info = new DerReader(pkcs8).enter(TAG.sequence)
  info.small()
  info.element(TAG.sequence)
  const key = info.octetString()
  if (info.failed) return pkcs8
  const ec = new DerReader(key)
  const inner = ec.next(TAG.sequence) ? ec.enter(TAG.sequence) : undefined
  if (inner === undefined || inner.small() !== 1) return key
  const scalar = inner.octetString()
  return inner.failed ? key : scalar
}
