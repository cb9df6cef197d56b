/** A member that keeps to no rule, and a server that puts its commits in order for everybody. */
import type { Extension, KeyPackage, Proposal } from 'ts-mls'
import assert from 'node:assert/strict'
import { must } from '../../src/base/result.ts'
import { buildCommit } from '../../src/protocol/mls/commit-builder.ts'
import { decodeKeyPackageMessage } from '../../src/protocol/mls/codec.ts'
import { EXTENSION } from '../../src/protocol/mls/extension-types.ts'
import { encodeRemovals, type Removal } from '../../src/protocol/mls/removal.ts'
import type { Snapshot } from '../../src/protocol/mls/snapshot.ts'
import { encodeStreams } from '../../src/protocol/mls/stream.ts'
import type { ConferenceWorld, WorldMember } from './conference-world.ts'

export interface Forgery {
  readonly removals?: readonly Removal[]
  /** Key packages as they came. */
  readonly adds?: readonly Uint8Array[]
  /** New extensions of the group context. */
  readonly context?: readonly Extension[]
}

export const groupOf = (evil: WorldMember): Snapshot => evil.group!(evil.view!.session)

/** The two policies as extensions. */
export const contextOf = (base: Uint8Array, state: Uint8Array): Extension[] => [
  { extensionType: EXTENSION.basePolicy, extensionData: base }, { extensionType: EXTENSION.statePolicy, extensionData: state },
]

export async function forge(evil: WorldMember, f: Forgery): Promise<{ commit: Uint8Array; welcome?: Uint8Array }> {
  const { suite, state, streams } = groupOf(evil)
  const packages: KeyPackage[] = (f.adds ?? []).map((bytes) => must(decodeKeyPackageMessage(bytes)))
  const proposals: Proposal[] = [
    ...(f.removals ?? []).map((r): Proposal => ({ proposalType: 'remove', remove: { removed: r.leaf } })),
    ...packages.map((keyPackage): Proposal => ({ proposalType: 'add', add: { keyPackage } })),
    ...(f.context === undefined ? [] : [{ proposalType: 'group_context_extensions', groupContextExtensions: { extensions: [...f.context] } } satisfies Proposal]),
  ]
  const told = [...streams.values()].filter((c) => f.removals?.some((r) => r.leaf === c.leaf) !== true)
  return buildCommit(suite, state, proposals, encodeRemovals(f.removals ?? []), [{ extensionType: EXTENSION.streams, extensionData: encodeStreams(told) }])
}

/** The server orders it, and says that it stands. It says of the removals what the commit says, or `told`. */
export async function impose(w: ConferenceWorld, evil: WorldMember, f: Forgery, victims: readonly WorldMember[], told: readonly Removal[] = f.removals ?? []): Promise<void> {
  const { commit } = await forge(evil, f)
  const { generation, group } = w.machine.state
  const seq = group!.seq + 1
  const epoch = groupOf(evil).state.groupContext.epoch
  for (const m of victims) w.send(m, { k: 'room-ordered', room: w.room, generation, seq, epoch, commit, removes: told.map((r) => ({ ...r })) })
  await w.run(100)
}

/** Every victim refuses it with this code, says so, and is where it was; nobody of the roster has changed. */
export async function assertRefusedByAll(w: ConferenceWorld, evil: WorldMember, f: Forgery, victims: readonly WorldMember[], code: string, what: string): Promise<void> {
  const before = victims.map((m) => ({ noted: m.roster.notes.length, epoch: m.roster.epoch, code: m.roster.securityCode, names: m.names, policy: m.roster.policy }))
  await impose(w, evil, f, victims)
  for (const [i, m] of victims.entries()) {
    const b = before[i]!
    assert.ok(m.roster.notes.slice(b.noted).some((n) => n.code === code), `${what}: ${m.name} says ${m.roster.notes.slice(b.noted).map((n) => `${n.code} ${n.text}`)}`)
    assert.deepEqual([m.roster.epoch, m.roster.securityCode, m.names, m.roster.policy], [b.epoch, b.code, b.names, b.policy], what)
  }
}
