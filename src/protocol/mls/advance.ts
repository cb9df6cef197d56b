/** From one epoch to the next: by a commit of our own, or by another member's. */
import type { ClientState } from 'ts-mls'
import { acceptAll } from 'ts-mls/incomingMessageAction.js'
import { processPublicMessage } from 'ts-mls/processMessages.js'
import { emptyPskIndex } from 'ts-mls/pskIndex.js'
import { type Result, err, ok } from '../../base/result.ts'
import { decodeCommitMessage } from './codec.ts'
import { buildCommit } from './commit-builder.ts'
import { EXTENSION } from './extension-types.ts'
import type { VerifiedMember } from './member.ts'
import { pathKeysFit } from './path-keys.ts'
import { type Changes, type Plan, planCommit } from './plan.ts'
import { type CheckedCommit, checkCommit } from './rules/commit.ts'
import { contextExtensions, sameExtensions } from './rules/context.ts'
import { type GroupWorld, type Snapshot, commitFacts, guarded, keptStreams } from './snapshot.ts'
import { encodeStreams } from './stream.ts'

export interface Proposed {
  readonly commit: Uint8Array
  readonly welcome?: Uint8Array
  readonly plan: Plan
  readonly next: Snapshot
}

export function proposeStep(world: GroupWorld, s: Snapshot, changes: Changes): Promise<Result<Proposed>> {
  return guarded(async () => {
    const planned = await planCommit(commitFacts(world, s), changes)
    if (!planned.ok) return planned
    const plan = planned.value
    const removed = plan.removals.map((r) => r.leaf)
    const streams = encodeStreams([...s.streams.values()].filter((c) => !removed.includes(c.leaf)))
    const built = await buildCommit(s.suite, s.state, plan.proposals, plan.reasons, [{ extensionType: EXTENSION.streams, extensionData: streams }])
    const members = nextMembers(s, built.next, removed, plan.additions.map((a) => a.member))
    const next: Snapshot = { ...s, state: built.next, policies: plan.policies, members, streams: keptStreams(s, built.next) }
    return ok({ commit: built.commit, plan, next, ...(built.welcome === undefined ? {} : { welcome: built.welcome }) })
  })
}

export interface Applied {
  readonly checked: CheckedCommit
  /** Undefined where the commit removes ourselves. */
  readonly next: Snapshot | undefined
}

/** Rules first, then the library, then what came out of it. */
export function applyStep(world: GroupWorld, s: Snapshot, commit: Uint8Array): Promise<Result<Applied>> {
  return guarded<Applied>(async () => {
    const message = decodeCommitMessage(commit)
    if (!message.ok) return message
    const checked = await checkCommit(commitFacts(world, s), message.value)
    if (!checked.ok) return checked
    const { shape, policies, committer, additions } = checked.value
    const { newState: state } = await processPublicMessage(s.state, message.value, emptyPskIndex, s.suite.impl, acceptAll)
    if (state.groupActiveState.kind === 'removedFromGroup') return ok({ checked: checked.value, next: undefined })
    if (!sameExtensions(state.groupContext.extensions, contextExtensions(policies))) return err('MLS_CONTEXT_CHANGED')
    if (!pathKeysFit(s.suite, state, s.state.privatePath.privateKeys)) return err('MLS_TREE', 'the secret of the path does not fit the tree')
    const members = nextMembers(s, state, shape.removals.map((r) => r.leaf), additions.map((a) => a.member))
    members.set(shape.committer, committer)
    return ok({ checked: checked.value, next: { ...s, state, policies, members, streams: keptStreams(s, state) } })
  })
}

/** Adds take the leftmost free leaf in their order (RFC 9420 §7.7), which the library did: new leaves are theirs in turn. */
function nextMembers(s: Snapshot, state: ClientState, removed: readonly number[], added: readonly VerifiedMember[]): Map<number, VerifiedMember> {
  const members = new Map([...s.members].filter(([leaf]) => !removed.includes(leaf)))
  let free = 0
  for (const member of added) {
    while (members.has(free)) free++
    members.set(free, member)
  }
  const occupied = state.ratchetTree.filter((n) => n?.nodeType === 'leaf').length
  if (occupied !== members.size) throw new Error('the members are not those of the tree')
  return new Map([...members].sort(([a], [b]) => a - b))
}
