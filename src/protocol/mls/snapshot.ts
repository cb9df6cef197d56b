/** A membership at one epoch, as plain data that is replaced, never changed: a refused step cannot leave traces. */
import type { ClientConfig, ClientState } from 'ts-mls'
import type { UnixTime } from '../../base/brand.ts'
import type { Clock } from '../../base/ports.ts'
import { type Result, err, makeFault, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { type MemberVerifier, type VerifiedMember, memberOfLeaf } from './member.ts'
import type { BlockList, Policies, PolicyMemory } from '../policy/index.ts'
import type { UsedRequests } from './rules/additions.ts'
import type { CommitFacts } from './rules/commit.ts'
import type { StreamClaim } from './stream.ts'
import type { Suite } from './suite.ts'
import { leafAt, leavesOf } from './tree-check.ts'

/** What all groups of one vault share. */
export interface GroupWorld {
  readonly crypto: CryptoPort
  readonly clock: Clock
  readonly verify: MemberVerifier
  readonly policies: PolicyMemory
  readonly used: UsedRequests
  readonly blocks: BlockList
}

export interface Snapshot {
  readonly suite: Suite
  readonly state: ClientState
  readonly policies: Policies
  readonly members: ReadonlyMap<number, VerifiedMember>
  /** Announced streams by leaf. */
  readonly streams: ReadonlyMap<number, StreamClaim>
}

/** Who is who is decided by the rules beforehand, so the library is told to believe it. */
export const CLIENT_CONFIG: ClientConfig = {
  // One epoch back; `0` would keep all of them. The group drops it by time.
  keyRetentionConfig: { retainKeysForEpochs: 1, retainKeysForGenerations: 10, maximumForwardRatchetSteps: 200 },
  // It would ask the system's clock.
  lifetimeConfig: { maximumTotalLifetime: 0n, validateLifetimeOnReceive: false },
  keyPackageEqualityConfig: { compareKeyPackages: () => false, compareKeyPackageToLeafNode: () => false },
  // All words look alike: the server must not be able to drop those that it fears (docs/protocol/groups.md §7).
  paddingConfig: { kind: 'padUntilLength', padUntilLength: 1536 },
  authService: { validateCredential: async () => true },
}

/** Runs what may throw inside the library. Its words are for the log; it knows no codes. */
export async function guarded<T>(step: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await step()
  } catch (cause) {
    return { ok: false, fault: makeFault('MLS_REFUSED_BY_LIBRARY', cause instanceof Error ? cause.message : undefined) }
  }
}

export const commitFacts = (world: GroupWorld, s: Snapshot): CommitFacts => ({
  crypto: world.crypto, suite: s.suite, verify: world.verify, used: world.used, blocks: world.blocks, now: world.clock.unix(), state: s.state, policies: s.policies, members: s.members,
})

/** Verifies everybody in a tree. */
export function membersOf(state: ClientState, suite: Suite, verify: MemberVerifier, now: UnixTime): Result<Map<number, VerifiedMember>> {
  const members = new Map<number, VerifiedMember>()
  const keys = new Set<string>()
  for (const [leaf, node] of leavesOf(state.ratchetTree)) {
    const member = memberOfLeaf(node, suite.suite, verify, now)
    if (!member.ok) return err('MLS_CREDENTIAL', `leaf ${leaf}${member.fault.cause === undefined ? '' : `, ${member.fault.cause.code}`}`, member.fault)
    if (keys.has(member.value.identity.keyId)) return err('MLS_ALREADY_MEMBER', 'one key at two leaves')
    keys.add(member.value.identity.keyId)
    members.set(leaf, member.value)
  }
  return ok(members)
}

/** Streams of those whose leaf still has the same key. */
export function keptStreams(before: Snapshot, state: ClientState): Map<number, StreamClaim> {
  return new Map([...before.streams].filter(([leaf]) => sameKey(leafAt(before.state.ratchetTree, leaf)?.signaturePublicKey, leafAt(state.ratchetTree, leaf)?.signaturePublicKey)))
}

const sameKey = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean => a !== undefined && b !== undefined && a.length === b.length && a.every((v, i) => v === b[i])
