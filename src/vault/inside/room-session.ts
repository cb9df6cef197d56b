/** One membership as the vault keeps it: first a request, then a group with its media keys. */
import { type Instant, type Ssrc, type UnixTime, instant } from '../../base/brand.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { GroupMember } from '../../model/roster.ts'
import { type Requested, generationOf } from '../../protocol/mls/begin.ts'
import type { MlsGroup } from '../../protocol/mls/group.ts'
import { type BlockList, mayBlock } from '../../protocol/policy/index.ts'
import type { Snapshot } from '../../protocol/mls/snapshot.ts'
import { sframeBaseKey } from '../../protocol/mls/sframe-key.ts'
import { SFRAME_SUITES } from '../../protocol/sframe/key.ts'
import type { GroupView, SessionId } from '../api/calls.ts'
import { type FrameCommand, type Streams, SFRAME_SUITE } from './frame-commands.ts'
import type { KnownMembers } from './known-members.ts'

/** How long after a block notice its target may stay before we stop sealing: others need a moment to commit the removal. */
const BLOCKED_STAYS_MS = 8_000

export interface WaitingRequest extends Requested {
  readonly expiry: UnixTime
}

export class RoomSession {
  readonly id: SessionId
  readonly #frames: (c: FrameCommand) => void
  #waiting: WaitingRequest | undefined
  #group: MlsGroup | undefined
  #known: KnownMembers | undefined
  readonly #now: () => UnixTime

  constructor(id: SessionId, frames: (c: FrameCommand) => void, now: () => UnixTime, waiting: WaitingRequest | undefined) {
    this.id = id
    this.#now = now
    this.#frames = frames
    this.#waiting = waiting
  }

  get waiting(): WaitingRequest | undefined {
    return this.#waiting
  }
  group(): Result<MlsGroup> {
    return this.#group === undefined ? err('VAULT_SESSION_STATE', 'no group yet') : ok(this.#group)
  }

  /** In the group: the request is used up, media keys of the first epoch are in place. */
  async enter(group: MlsGroup, known: KnownMembers): Promise<void> {
    this.#known = known
    this.#waiting = undefined
    this.#group = group
    this.#frames({ op: 'begin', session: this.id, codec: group.snapshot.policies.base.policy.codec })
    await this.prepare(group.snapshot, [])
    this.confirmed(group.snapshot)
  }

  /** Frames of that epoch can be opened from now on. */
  async prepare(s: Snapshot, removed: readonly number[]): Promise<void> {
    const baseKey = await sframeBaseKey(s, SFRAME_SUITES[SFRAME_SUITE].keyLength)
    this.#frames({ op: 'epoch', session: this.id, epoch: s.state.groupContext.epoch, baseKey, leaves: [...s.members.keys()], ownLeaf: s.state.privatePath.leafIndex, removed })
    // Another thread has its own copy by now.
    baseKey.fill(0)
  }
  /** The group is there now: frames are sealed under that epoch. */
  confirmed(s: Snapshot): void {
    const streams: Streams = [...s.streams.values()].map((c) => [c.leaf, c.ssrc])
    this.#frames({ op: 'confirm', session: this.id, epoch: s.state.groupContext.epoch, ownLeaf: s.state.privatePath.leafIndex, streams })
    this.check(s)
  }
  /** Tells the frames whose certificates hold until when. */
  check(s: Snapshot | undefined = this.#group?.snapshot): void {
    const known = this.#known
    if (s === undefined || known === undefined) return
    const now = this.#now()
    this.#frames({ op: 'holders', session: this.id, until: [...s.members].map(([leaf, m]) => [leaf, known.holdsUntil(m, s.policies.base.policy.minimumKeyProtection, now)] as const) })
  }
  /** Everybody else is there too. */
  settled(epoch: bigint): void {
    this.#frames({ op: 'settle', session: this.id, epoch })
  }
  abandoned(epoch: bigint): void {
    this.#frames({ op: 'abandon', session: this.id, epoch })
  }
  /** Its word blocks somebody here: an owner, the recovery key, or an authority above a member. */
  heeds(by: string): boolean {
    if (this.#group === undefined || this.#group.ended) return false
    const { members, policies } = this.#group.snapshot
    return mayBlock(by, policies.base.policy, []) || [...members.values()].some((m) => m.issuers.includes(by))
  }
  /** Whoever of this key a notice blocks here. */
  blockedMember(blocks: BlockList, keyId: string): { readonly leaf: number; readonly identity: GroupMember['identity'] } | undefined {
    if (this.#group === undefined || this.#group.ended) return undefined
    const { members, policies } = this.#group.snapshot
    const at = [...members].find(([, m]) => m.identity.keyId === keyId && blocks.blocks(keyId, policies.base.policy, m.issuers) !== undefined)
    return at === undefined ? undefined : { leaf: at[0], identity: at[1].identity }
  }
  /** Who is blocked is not opened any more; when they stay, nothing is sealed any more either: the server may be hiding the removal. */
  guard(blocks: BlockList, now: Instant): void {
    if (this.#group === undefined) return
    const { members, policies } = this.#group.snapshot
    const leaves = [...members].filter(([, m]) => blocks.blocks(m.identity.keyId, policies.base.policy, m.issuers) !== undefined).map(([leaf]) => leaf)
    if (leaves.length === 0) this.#guardedSince = undefined
    else this.#guardedSince ??= now
    this.#frames({ op: 'guard', session: this.id, leaves, ...(this.#guardedSince === undefined ? {} : { until: instant(this.#guardedSince + BLOCKED_STAYS_MS) }) })
  }
  #guardedSince: Instant | undefined
  announced(leaf: number, ssrc: Ssrc): void {
    this.#frames({ op: 'stream', session: this.id, leaf, ssrc })
  }

  end(): void {
    this.#frames({ op: 'end', session: this.id })
    this.#group?.[Symbol.dispose]()
    const keys = this.#waiting?.own.privatePackage
    if (keys !== undefined) for (const secret of [keys.hpkePrivateKey, keys.initPrivateKey, keys.signaturePrivateKey]) secret.fill(0)
    this.#waiting = undefined
  }
}

export function viewOf(session: SessionId, group: MlsGroup, now: UnixTime, known: KnownMembers): GroupView {
  const { policies, members, streams } = group.snapshot
  const own = group.ownLeaf
  const until = new Map([...members].map(([leaf, m]) => [leaf, known.holdsUntil(m, policies.base.policy.minimumKeyProtection, now)]))
  const shown = [...members].map(([leaf, m]): GroupMember => {
    const ssrc = streams.get(leaf)?.ssrc
    return { leaf, identity: m.identity, kind: m.kind, self: leaf === own, ...known.protectionOf(m, now), ...(m.measurement === undefined ? {} : { measurement: m.measurement }), ...(ssrc === undefined ? {} : { ssrc }) }
  })
  const next = [...until].flatMap(([leaf, end]) => (leaf === own || end < now ? [] : [end])).sort((a, b) => a - b)[0]
  return {
    session, groupId: group.groupId.slice(), generation: generationOf(group.groupId) ?? 0, epoch: group.epoch, securityCode: group.securityCode, ownLeaf: own, members: shown,
    expired: [...until].filter(([, end]) => end < now).map(([leaf]) => leaf),
    ...(next === undefined ? {} : { nextEnd: next }),
    revoked: [...members].filter(([, m]) => known.wasRevoked(m)).map(([leaf]) => leaf),
    expiresAt: members.get(own)?.notAfter ?? now, policy: policies.base.policy, state: policies.state.policy,
    policyBy: policies.base.by, stateBy: policies.state.by,
  }
}
