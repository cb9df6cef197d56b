/** The leaf in a commit's path still belongs to the same person, who may still be here. */
import type { UpdatePath } from 'ts-mls'
import type { UnixTime } from '../../../base/brand.ts'
import { type Result, err } from '../../../base/result.ts'
import type { MlsSuite } from '../../../model/policy.ts'
import { type MemberVerifier, type VerifiedMember, memberOfLeaf } from '../member.ts'

/** Verified anew, so that a certificate that expired during the call ends its owner's commits. */
export function checkCommitter(path: UpdatePath, before: VerifiedMember, suite: MlsSuite, verify: MemberVerifier, now: UnixTime): Result<VerifiedMember> {
  if (path.leafNode.leafNodeSource !== 'commit') return err('MLS_IDENTITY_CHANGED', 'the path has no leaf of a commit')
  const member = memberOfLeaf(path.leafNode, suite, verify, now)
  if (!member.ok) return member
  if (member.value.identity.keyId !== before.identity.keyId) return err('MLS_IDENTITY_CHANGED')
  if (member.value.kind !== before.kind) return err('MLS_IDENTITY_CHANGED', 'a member became a gateway or the reverse')
  return member
}
