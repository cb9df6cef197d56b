/** Who may come in: a key package made for this room and now, used for the first time, by somebody the policy admits. */
import type { KeyPackage } from 'ts-mls'
import type { UnixTime } from '../../../base/brand.ts'
import { toHex } from '../../../base/bytes.ts'
import { type Result, err, ok } from '../../../base/result.ts'
import type { BasePolicy, StatePolicy } from '../../../model/policy.ts'
import type { BlockList } from '../../policy/block-notice.ts'
import { checkKeyPackage } from '../key-package.ts'
import { type MemberVerifier, type VerifiedMember, memberOfLeaf } from '../member.ts'
import type { Removal, RemovalReason } from '../removal.ts'
import type { Suite } from '../suite.ts'
import { admitted } from './admission.ts'

/** Nonces of requests that were let in; each is kept until it could not be used any more. */
export class UsedRequests {
  readonly #until = new Map<string, UnixTime>()

  has(nonce: Uint8Array): boolean {
    return this.#until.has(toHex(nonce))
  }
  add(nonce: Uint8Array, until: UnixTime, now: UnixTime): void {
    for (const [key, end] of this.#until) if (end < now) this.#until.delete(key)
    this.#until.set(toHex(nonce), until)
  }
}

/** Two gateways would bring the same telephone callers in twice, each unseen by the other. */
export const SECOND_GATEWAY = 'there is a gateway to the telephone network already'

export interface Addition {
  readonly member: VerifiedMember
  readonly nonce: Uint8Array
  readonly expiry: UnixTime
}

export interface AdditionFacts {
  readonly suite: Suite
  readonly verify: MemberVerifier
  readonly used: UsedRequests
  readonly blocks: BlockList
  readonly now: UnixTime
  readonly base: BasePolicy
  /** As it will be after the commit. */
  readonly policy: StatePolicy
  /** Who is there but for those whom the commit sends away: see `notSentAway`. */
  readonly members: ReadonlyMap<number, VerifiedMember>
}

const SENT_AWAY: ReadonlySet<RemovalReason> = new Set(['host', 'blocked', 'leave'])

/**
 * Whoever exchanges its leaf, or was lost, was let in before and needs nobody's leave again. Whom a host puts out does: otherwise a
 * nominee could carry out the removal and undo it with one commit.
 */
export function notSentAway(members: ReadonlyMap<number, VerifiedMember>, removals: readonly Removal[]): ReadonlyMap<number, VerifiedMember> {
  const gone = new Set(removals.filter((r) => SENT_AWAY.has(r.reason)).map((r) => r.leaf))
  return gone.size === 0 ? members : new Map([...members].filter(([leaf]) => !gone.has(leaf)))
}

export async function checkAddition(facts: AdditionFacts, keyPackage: KeyPackage): Promise<Result<Addition>> {
  const request = await checkKeyPackage(facts.suite, keyPackage, facts.base, facts.now)
  if (!request.ok) return request
  const { nonce, expiry } = request.value
  if (facts.used.has(nonce)) return err('MLS_KEY_PACKAGE_REUSED')
  const member = memberOfLeaf(keyPackage.leafNode, facts.suite.suite, facts.verify, facts.now)
  if (!member.ok) return member
  const { keyId } = member.value.identity
  const present = [...facts.members.values()].some((m) => m.identity.keyId === keyId)
  if (member.value.kind === 'gateway' && [...facts.members.values()].some((m) => m.kind === 'gateway' && m.identity.keyId !== keyId)) return err('MLS_NOT_ADMITTED', SECOND_GATEWAY)
  const may = admitted(facts.base, facts.policy, member.value, facts.blocks, present)
  return may.ok ? ok({ member: member.value, nonce, expiry }) : may
}
