/** Whose certificate opens a door of ours: the realm's members, under the revocation that is known. */
import type { Der, UnixTime } from '../base/brand.ts'
import { err, type Result } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import { CHECKED_LATER } from '../protocol/x509/authority-book.ts'
import { type Anchors, type VerifiedPath, verifyChain } from '../protocol/x509/path.ts'
import type { Revocation } from './revocation.ts'

export function verifyGuest(crypto: CryptoPort, chain: readonly Der[], anchors: Anchors, revocation: Revocation, now: UnixTime): Result<VerifiedPath> {
  if (chain.length === 0) return err('CHANNEL_NO_CERTIFICATE')
  const { evidence, rule, source } = revocation
  const verified = verifyChain(crypto, chain, anchors, evidence, now, 'member', rule)
  // Whose path is good but for revocation tells where statements are to be had: by the next try they are here.
  const path = verified.ok || !CHECKED_LATER.has(verified.fault.code) ? verified : verifyChain(crypto, chain, anchors, [], now, 'member', 'given')
  if (path.ok) {
    revocation.meet(path.value.path)
    source?.want(path.value.path, !verified.ok)
  }
  return verified
}
