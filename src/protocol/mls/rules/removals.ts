/** Every removal has a reason that holds: asked for, a host's act, attributed to the committer, or a rejoin. */
import type { ClientState } from 'ts-mls'
import type { UnixTime } from '../../../base/brand.ts'
import { sameBytes } from '../../../base/bytes.ts'
import { type Result, err, ok } from '../../../base/result.ts'
import type { CryptoPort } from '../../../crypto/port.ts'
import { type BasePolicy, isHost } from '../../../model/policy.ts'
import { mayBlock, readNotice } from '../../policy/block-notice.ts'
import type { VerifiedMember } from '../member.ts'
import { type Removal, type Target, decodeHostAct, verifyHostAct, verifyLeave } from '../removal.ts'
import { leafAt } from '../tree-check.ts'

export interface RemovalFacts {
  readonly crypto: CryptoPort
  readonly state: ClientState
  readonly base: BasePolicy
  readonly now: UnixTime
  /** Who is at an occupied leaf. */
  readonly memberAt: (leaf: number) => VerifiedMember | undefined
  /** End-entity keys that the same commit adds. */
  readonly addedKeyIds: readonly string[]
}

const keyIdAt = (facts: RemovalFacts, leaf: number): string | undefined => facts.memberAt(leaf)?.identity.keyId

/** The state that a host's act of banning asks for, if it does. */
export function checkRemoval(facts: RemovalFacts, removal: Removal): Result<{ readonly ban?: Uint8Array }> {
  const target = targetOf(facts.state, removal.leaf)
  if (target === undefined) return err('MLS_REMOVAL', `nobody is at leaf ${removal.leaf}`)
  switch (removal.reason) {
    case 'leave': {
      const asked = verifyLeave(facts.crypto, target, removal.evidence)
      return asked.ok ? ok({}) : asked
    }
    case 'host':
      return checkHostAct(facts, target, removal.evidence)
    case 'unreachable':
      return removal.evidence === undefined ? ok({}) : err('MLS_REMOVAL', 'evidence where there can be none')
    case 'blocked':
      return checkBlocked(facts, removal)
    case 'rejoin': {
      const keyId = keyIdAt(facts, removal.leaf)
      return keyId !== undefined && facts.addedKeyIds.includes(keyId) ? ok({}) : err('MLS_REMOVAL', `leaf ${removal.leaf} is said to rejoin but is not added again`)
    }
  }
}

/** The notice itself is the reason: anybody may carry it out. */
function checkBlocked(facts: RemovalFacts, { leaf, evidence }: Removal): Result<{ readonly ban?: Uint8Array }> {
  const notice = readNotice(facts.crypto, evidence ?? new Uint8Array(0), facts.base.realm, facts.now)
  if (!notice.ok) return notice
  const member = facts.memberAt(leaf)
  const { kind, target, by } = notice.value
  const counts = member !== undefined && kind === 'block' && target === member.identity.keyId && mayBlock(by, facts.base, member.issuers)
  return counts ? ok({}) : err('MLS_REMOVAL', `the notice does not block leaf ${leaf} in this room`)
}

function checkHostAct(facts: RemovalFacts, target: Target, evidence: Uint8Array | undefined): Result<{ readonly ban?: Uint8Array }> {
  const act = decodeHostAct(evidence)
  if (!act.ok) return act
  const host = leafAt(facts.state.ratchetTree, act.value.by)
  const keyId = keyIdAt(facts, act.value.by)
  if (host === undefined || keyId === undefined || !isHost(facts.base, keyId)) return err('MLS_REMOVAL', 'who acted is no host')
  if (!verifyHostAct(facts.crypto, target, act.value, host.signaturePublicKey)) return err('MLS_REMOVAL', 'the act of the host does not verify')
  return ok(act.value.state === undefined ? {} : { ban: act.value.state })
}

export function targetOf(state: ClientState, leaf: number): Target | undefined {
  const node = leafAt(state.ratchetTree, leaf)
  return node === undefined ? undefined : { groupId: state.groupContext.groupId, leaf, signatureKey: node.signaturePublicKey }
}

/** A ban takes effect in the commit that removes: exactly the states that acts ask for, and no other. */
export function bansFit(bans: readonly Uint8Array[], newState: Uint8Array | undefined): boolean {
  return bans.every((ban) => newState !== undefined && sameBytes(ban, newState))
}
