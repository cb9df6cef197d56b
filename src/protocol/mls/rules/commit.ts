/** All rules for another member's commit together, before the library applies it. Changes nothing. */
import type { ClientState } from 'ts-mls'
import type { PublicMessage } from 'ts-mls/publicMessage.js'
import type { UnixTime } from '../../../base/brand.ts'
import { sameBytes } from '../../../base/bytes.ts'
import { type Result, err, ok } from '../../../base/result.ts'
import type { CryptoPort } from '../../../crypto/port.ts'
import type { MemberVerifier, VerifiedMember } from '../member.ts'
import type { Suite } from '../suite.ts'
import { type Addition, type UsedRequests, checkAddition, notSentAway, SECOND_GATEWAY } from './additions.ts'
import { type ShapedCommit, shapeOf } from './commit-shape.ts'
import { checkCommitter } from './committer.ts'
import type { BlockList, Policies } from '../../policy/index.ts'
import { nextContext } from './context.ts'
import { bansFit, checkRemoval } from './removals.ts'

export interface CommitFacts {
  readonly crypto: CryptoPort
  readonly suite: Suite
  readonly verify: MemberVerifier
  readonly used: UsedRequests
  readonly blocks: BlockList
  readonly now: UnixTime
  readonly state: ClientState
  readonly policies: Policies
  readonly members: ReadonlyMap<number, VerifiedMember>
}

export interface CheckedCommit {
  readonly shape: ShapedCommit
  readonly policies: Policies
  readonly committer: VerifiedMember
  readonly additions: readonly Addition[]
}

export async function checkCommit(facts: CommitFacts, message: PublicMessage): Promise<Result<CheckedCommit>> {
  const shaped = shapeOf(message, facts.state)
  if (!shaped.ok) return shaped
  const shape = shaped.value
  const before = facts.members.get(shape.committer)
  if (before === undefined) return err('MLS_EXTERNAL_SENDER', `nobody is at leaf ${shape.committer}`)
  const committer = checkCommitter(shape.path, before, facts.suite.suite, facts.verify, facts.now)
  if (!committer.ok) return committer
  const policies = shape.context === undefined ? ok(facts.policies) : nextContext(facts.crypto, facts.policies, shape.context)
  if (!policies.ok) return policies
  const banished = blockedAuthor(facts, committer.value, policies.value)
  if (banished !== undefined) return err('MLS_BLOCKED', banished)
  const additions = await checkAdditions(facts, shape, policies.value)
  if (!additions.ok) return additions
  const removals = checkRemovals(facts, shape, policies.value, additions.value)
  return removals.ok ? ok({ shape, policies: policies.value, committer: committer.value, additions: additions.value }) : removals
}

/** Whoever is blocked commits nothing and signs no policy. */
export function blockedAuthor(facts: Pick<CommitFacts, 'blocks' | 'policies' | 'members'>, committer: VerifiedMember | undefined, next: Policies): string | undefined {
  const base = facts.policies.base.policy
  const blocked = (keyId: string): boolean => {
    const issuers = [...facts.members.values()].find((m) => m.identity.keyId === keyId)?.issuers ?? []
    return facts.blocks.blocks(keyId, base, issuers) !== undefined
  }
  if (committer !== undefined && blocked(committer.identity.keyId)) return 'its commit is not taken'
  if (next.state !== facts.policies.state && blocked(next.state.by)) return 'it signed a state'
  return next.base !== facts.policies.base && blocked(next.base.by) ? 'it signed a policy' : undefined
}

async function checkAdditions(facts: CommitFacts, shape: ShapedCommit, policies: Policies): Promise<Result<Addition[]>> {
  const additions: Addition[] = []
  // Whoever stays, and whoever came in earlier in this commit: each key has one leaf.
  const present = new Set(remaining(facts.members, shape.removals.map((r) => r.leaf)).map((m) => m.identity.keyId))
  const members = notSentAway(facts.members, shape.removals)
  for (const keyPackage of shape.adds) {
    const addition = await checkAddition({ ...facts, members, base: policies.base.policy, policy: policies.state.policy }, keyPackage)
    if (!addition.ok) return addition
    const { member, nonce } = addition.value
    if (present.has(member.identity.keyId)) return err('MLS_ALREADY_MEMBER')
    if (member.kind === 'gateway' && additions.some((a) => a.member.kind === 'gateway')) return err('MLS_NOT_ADMITTED', SECOND_GATEWAY)
    if (additions.some((a) => sameBytes(a.nonce, nonce))) return err('MLS_KEY_PACKAGE_REUSED', 'twice in one commit')
    present.add(member.identity.keyId)
    additions.push(addition.value)
  }
  if (shape.adds.length > 0 && present.size > policies.base.policy.maximumMembers) return err('MLS_ROOM_FULL', `${policies.base.policy.maximumMembers} members at most`)
  return ok(additions)
}

const remaining = (members: ReadonlyMap<number, VerifiedMember>, removed: readonly number[]): VerifiedMember[] =>
  [...members].filter(([leaf]) => !removed.includes(leaf)).map(([, m]) => m)

function checkRemovals(facts: CommitFacts, shape: ShapedCommit, policies: Policies, additions: readonly Addition[]): Result<undefined> {
  const bans: Uint8Array[] = []
  const { crypto, state, now } = facts
  const addedKeyIds = additions.map((a) => a.member.identity.keyId)
  const removalFacts = { crypto, state, now, base: policies.base.policy, addedKeyIds, memberAt: (leaf: number) => facts.members.get(leaf) }
  for (const removal of shape.removals) {
    const checked = checkRemoval(removalFacts, removal)
    if (!checked.ok) return checked
    if (checked.value.ban !== undefined) bans.push(checked.value.ban)
  }
  const newState = shape.context === undefined ? undefined : policies.state.bytes
  return bansFit(bans, newState) ? ok(undefined) : err('MLS_REMOVAL', 'a ban without the state that bans')
}
