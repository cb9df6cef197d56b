/** Rooms: each call is one step of one group, and what it means for the media keys. */
import { type UnixTime, unixTime } from '../../../base/brand.ts'
import { type Fault, type Result, err, ok } from '../../../base/result.ts'
import { createRoom, joinRoom } from '../../../protocol/mls/begin.ts'
import { encodeKeyPackageMessage } from '../../../protocol/mls/codec.ts'
import { type GroupChange, MlsGroup } from '../../../protocol/mls/group.ts'
import { makeKeyPackage } from '../../../protocol/mls/key-package.ts'
import { CLOCK_SKEW_S, REQUEST_LIFE_S } from '../../../protocol/mls/limits.ts'
import { guarded } from '../../../protocol/mls/snapshot.ts'
import { createSuite } from '../../../protocol/mls/suite.ts'
import type { GroupView, RemovalRequest, SessionId, VaultCalls } from '../../api/calls.ts'
import { policiesFor } from '../room-policy.ts'
import { type RoomSession, viewOf } from '../room-session.ts'
import type { Handlers, VaultState } from '../state.ts'

type RoomCall = 'room.create' | 'room.request' | 'room.welcome' | 'room.propose' | 'room.confirm' | 'room.abandon' | 'room.apply' | 'room.announce' | 'room.message' | 'room.leave' | 'room.act' | 'room.end'

const NONCE_OCTETS = 16

export const roomHandlers: Handlers<RoomCall> = {
  async 'room.create'(vault, { policy, generation }) {
    const policies = policiesFor(vault, policy, generation)
    if (!policies.ok) return policies
    const key = vault.identity.leafKey(policies.value.base.policy.suite, vault.clock.unix())
    if (!key.ok) return key
    const created = await createRoom(vault.world, policies.value, generation, key.value)
    if (!created.ok) return created
    const session = vault.newSession()
    if (!session.ok) return session
    const group = new MlsGroup(vault.world, created.value)
    await session.value.enter(group)
    return ok({ view: view(vault, session.value, group) })
  },

  async 'room.request'(vault, { room, suite }) {
    const now = vault.clock.unix()
    const key = vault.identity.leafKey(suite, now)
    if (!key.ok) return key
    const { realm } = vault.identity.trust
    const expiry = unixTime(now + REQUEST_LIFE_S)
    const request = { room, realm, nonce: vault.crypto.bytes(NONCE_OCTETS), expiry }
    const own = await guarded(async () => ok(await makeKeyPackage(createSuite(vault.crypto, suite), key.value, request, now)))
    if (!own.ok) return own
    const session = vault.newSession({ room, realm, suite, own: own.value, expiry })
    if (!session.ok) return session
    return ok({ session: session.value.id, keyPackage: encodeKeyPackageMessage(own.value.publicPackage) })
  },

  async 'room.welcome'(vault, { session: id, welcome }) {
    const session = vault.session(id)
    if (!session.ok) return session
    const { waiting } = session.value
    if (waiting === undefined) return err('MLS_WELCOME', 'this request was answered before')
    if (expired(waiting.expiry, vault.clock.unix())) return err('MLS_KEY_PACKAGE_EXPIRED', 'the welcome comes too late')
    const joined = await joinRoom(vault.world, waiting, welcome)
    if (!joined.ok) return joined
    if (session.value.waiting !== waiting) return err('MLS_WELCOME', 'this request was answered before')
    const group = new MlsGroup(vault.world, joined.value)
    await session.value.enter(group)
    return ok({ view: view(vault, session.value, group) })
  },

  'room.propose': (vault, { session: id, adds, removes }) => within(vault, id, async (session, group) => {
    const made = await group.propose(adds, removes)
    if (!made.ok) return made
    const { commit, welcome, epoch, plan, next } = made.value
    await session.prepare(next, plan.removals.map((r) => r.leaf))
    return ok({
      commit, epoch, ...(welcome === undefined ? {} : { welcome }), removes: plan.removals,
      refused: plan.refused.map(({ id: joiner, fault }) => ({ id: joiner, ...said(fault) })),
      refusedRemovals: plan.refusedRemovals.map(({ leaf, fault }) => ({ leaf, ...said(fault) })),
    })
  }),

  'room.confirm': (vault, { session: id }) => within(vault, id, async (session, group) => {
    const change = await group.confirm()
    if (!change.ok) return change
    session.confirmed(change.value.after)
    return ok({ view: view(vault, session, group) })
  }),

  'room.abandon': (vault, { session: id }) => within(vault, id, async (session, group) => {
    await group.abandon()
    session.abandoned(group.epoch + 1n)
    return ok({})
  }),

  'room.apply': (vault, { session: id, commit, removals }) => within(vault, id, async (session, group) => {
    const change = await group.apply(commit, (stated) => agree(stated, removals))
    if (!change.ok) return change
    const { after, ended } = change.value
    if (ended) {
      const last = view(vault, session, group)
      vault.endSession(id)
      return ok({ ...changes(change.value), view: last })
    }
    await session.prepare(after, change.value.removals.map((r) => r.leaf))
    session.confirmed(after)
    return ok({ ...changes(change.value), view: view(vault, session, group) })
  }),

  'room.announce': (vault, { session: id, ssrc }) => within(vault, id, async (session, group) => {
    const message = await group.announce(ssrc)
    if (!message.ok) return message
    session.announced(group.ownLeaf, ssrc)
    return ok({ message: message.value })
  }),

  'room.message': (vault, { session: id, message }) => within(vault, id, async (session, group) => {
    const claim = await group.receive(message)
    if (!claim.ok) return claim
    session.announced(claim.value.leaf, claim.value.ssrc)
    return ok({ kind: 'announced' as const, leaf: claim.value.leaf, ssrc: claim.value.ssrc })
  }),

  'room.leave': (vault, { session: id }) => within(vault, id, async (_, group) => {
    const evidence = group.leave()
    return evidence.ok ? ok({ evidence: evidence.value }) : evidence
  }),

  'room.act': (vault, { session: id, leaf, ban }) => within(vault, id, async (_, group) => {
    const evidence = group.act(leaf, ban, vault.identity.signer)
    return evidence.ok ? ok({ evidence: evidence.value }) : evidence
  }),

  async 'room.end'(vault, { session }) {
    vault.endSession(session)
    return ok({})
  },
}

async function within<T>(vault: VaultState, id: SessionId, step: (session: RoomSession, group: MlsGroup) => Promise<Result<T>>): Promise<Result<T>> {
  const session = vault.session(id)
  if (!session.ok) return session
  const group = session.value.group()
  return group.ok ? step(session.value, group.value) : group
}

const view = (vault: VaultState, session: RoomSession, group: MlsGroup): GroupView => viewOf(session.id, group, vault.clock.unix())
const expired = (expiry: UnixTime, now: UnixTime): boolean => expiry + CLOCK_SKEW_S < now
const said = (fault: Fault): { readonly code: string; readonly message: string } => ({ code: fault.code, message: fault.message })

/** The server's word on the removals is worth nothing, but it may not differ either. */
function agree(stated: readonly RemovalRequest[], told: readonly RemovalRequest[]): Result<undefined> {
  const same = stated.length === told.length && stated.every((s) => told.some((t) => t.leaf === s.leaf && t.reason === s.reason))
  return same ? ok(undefined) : err('MLS_REMOVAL', 'the server states other reasons than the committer')
}

function changes(change: GroupChange): Omit<VaultCalls['room.apply']['out'], 'view'> {
  const { before, after, committer, ended } = change
  const removed = change.removals.flatMap((r) => {
    const member = before.members.get(r.leaf)
    return member === undefined ? [] : [{ leaf: r.leaf, identity: member.identity, reason: r.reason, by: committer }]
  })
  const gone = new Set(change.removals.map((r) => r.leaf))
  const added = ended ? [] : [...after.members.keys()].filter((leaf) => gone.has(leaf) || !before.members.has(leaf))
  return { removed, added, ended }
}
