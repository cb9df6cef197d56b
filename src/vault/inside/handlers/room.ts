/** In a room: each call is one step of one group, and what it means for the media keys. */
import { type Fault, type Result, err, ok } from '../../../base/result.ts'
import type { GroupChange } from '../../../protocol/mls/group.ts'
import { decodeHostAct } from '../../../protocol/mls/removal.ts'
import type { RemovalRequest, VaultCalls } from '../../api/calls.ts'
import { viewOf } from '../room-session.ts'
import type { Handlers } from '../state.ts'
import { within } from './within.ts'

type RoomCall = 'room.propose' | 'room.confirm' | 'room.settle' | 'room.abandon' | 'room.apply' | 'room.announce' | 'room.leave' | 'room.end' | 'room.check'

export const roomHandlers: Handlers<RoomCall> = {
  'room.propose': (vault, { session: id, adds, removes, signed }) => within(vault, id, async (session, group) => {
    const made = await group.propose(adds, removes, signed)
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
    session.guard(vault.world.blocks, vault.clock.now())
    return ok({ view: viewOf(session.id, group, vault.clock.unix(), vault.identity.known) })
  }),

  'room.settle': (vault, { session: id, epoch }) => within(vault, id, async (session) => {
    session.settled(epoch)
    return ok({})
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
      const last = viewOf(session.id, group, vault.clock.unix(), vault.identity.known)
      vault.endSession(id)
      return ok({ ...changes(change.value), view: last })
    }
    await session.prepare(after, change.value.removals.map((r) => r.leaf))
    session.confirmed(after)
    session.guard(vault.world.blocks, vault.clock.now())
    return ok({ ...changes(change.value), view: viewOf(session.id, group, vault.clock.unix(), vault.identity.known) })
  }),

  'room.announce': (vault, { session: id, ssrc }) => within(vault, id, async (session, group) => {
    const message = await group.announce(ssrc)
    if (!message.ok) return message
    session.announced(group.ownLeaf, ssrc)
    return ok({ message: message.value })
  }),

  'room.leave': (vault, { session: id }) => within(vault, id, async (_, group) => {
    const evidence = group.leave()
    return evidence.ok ? ok({ evidence: evidence.value }) : evidence
  }),

  'room.check': (vault, { session: id }) => within(vault, id, async (session, group) => {
    session.check()
    return ok({ view: viewOf(id, group, vault.clock.unix(), vault.identity.known) })
  }),

  async 'room.end'(vault, { session }) {
    vault.endSession(session)
    return ok({})
  },
}

const said = (fault: Fault): { readonly code: string; readonly message: string } => ({ code: fault.code, message: fault.message })

/** The server's word on the removals is worth nothing, but it may not differ either. */
function agree(stated: readonly RemovalRequest[], told: readonly RemovalRequest[]): Result<undefined> {
  const same = stated.length === told.length && stated.every((s) => told.some((t) => t.leaf === s.leaf && t.reason === s.reason))
  return same ? ok(undefined) : err('MLS_REMOVAL', 'the server states other reasons than the committer')
}

/** Whoever decided a removal, not whoever carried it out: the rules have verified its signature. */
function actorOf({ reason, evidence }: RemovalRequest): number | undefined {
  const act = reason === 'host' ? decodeHostAct(evidence) : undefined
  return act?.ok === true ? act.value.by : undefined
}

function changes(change: GroupChange): Omit<VaultCalls['room.apply']['out'], 'view'> {
  const { before, after, committer, ended } = change
  const removed = change.removals.flatMap((r) => {
    const member = before.members.get(r.leaf)
    return member === undefined ? [] : [{ leaf: r.leaf, identity: member.identity, reason: r.reason, by: actorOf(r) ?? committer, ...(r.reason === 'blocked' && r.evidence !== undefined ? { notice: r.evidence } : {}) }]
  })
  const gone = new Set(change.removals.map((r) => r.leaf))
  const added = ended ? [] : [...after.members.keys()].filter((leaf) => gone.has(leaf) || !before.members.has(leaf))
  return { removed, added, ended }
}
