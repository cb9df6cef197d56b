/** Who commits next, and what. */
import { instant } from '../../base/brand.ts'
import type { WireRemoval } from '../wire/messages.ts'
import { BATCH_LIMIT } from '../wire/limits.ts'
import { enterLobby } from './lobby.ts'
import { REFUSALS, REFUSE_AFTER, SUSPECT_AFTER } from './limits.ts'
import type { JoinRequest, Room, RoomGroup, RoomMember } from './state.ts'
import { memberById } from './state.ts'

interface Batch {
  readonly adds: readonly JoinRequest[]
  readonly removes: readonly WireRemoval[]
}

/** Bad evidence of a leave, or so it seems: asked for without. */
const REMOVAL_FAILURES = 2

/** Nominates if there is work, nobody is at it and somebody can. */
export function nominate(room: Room, g: RoomGroup): void {
  if (g.flight !== undefined || g.nomination !== undefined) return
  const { now } = room
  settleRefusals(room, g)
  const freshen = g.freshenAt !== undefined && g.freshenAt <= now && g.members.length > 1
  if (!workWaits(g) && !freshen) {
    delete g.workSince
    delete g.pauseUntil
    return
  }
  if (workWaits(g)) g.workSince ??= now
  if (g.pauseUntil !== undefined && g.pauseUntil > now) return
  if (g.pauseUntil !== undefined) {
    delete g.pauseUntil
    g.passed = []
  }
  for (const m of candidates(g)) {
    const batch = batchFor(room, g, m)
    if (batch.adds.length + batch.removes.length > 0) return appoint(room, g, m, batch)
  }
  if (candidates(g).length === 0 && g.passed.length > 0) {
    // One round was in vain. A key update is not worth a second one.
    if (workWaits(g)) g.pauseUntil = instant(now + room.limits.roundMs)
    else delete g.freshenAt
    return
  }
  if (freshen || g.doubted === true) keyUpdate(room, g)
}

const workWaits = (g: RoomGroup): boolean => g.doubted === true || g.queue.length > 0 || g.members.some((m) => m.removal !== undefined)

/** Longest present first, those that failed lately last. */
function candidates(g: RoomGroup): RoomMember[] {
  const rejoining = new Set(g.queue.map((q) => q.keyId))
  const fit = g.members.filter((m) => canCommit(m) && !g.passed.includes(m.id) && !rejoining.has(m.keyId))
  return fit.sort((a, b) => a.strikes - b.strikes || a.joinedSeq - b.joinedSeq || a.id - b.id)
}

const canCommit = (m: RoomMember): boolean => m.reachable && m.confirmed && m.removal === undefined && m.outOfStepAt === undefined

/** One member's refusal may be spite: a second one must agree, where there is one. */
function settleRefusals(room: Room, g: RoomGroup): void {
  const judges = g.members.filter(canCommit)
  const refused = (q: JoinRequest): boolean => q.refusedBy.length >= REFUSALS || (q.refusedBy.length > 0 && judges.every((m) => q.refusedBy.includes(m.id)))
  const settled = g.queue.filter(refused)
  g.queue = g.queue.filter((q) => !settled.includes(q))
  for (const q of settled) {
    if (q.knocks) enterLobby(room, g, q)
    else room.refuse(q.session, 'ROOM_NOT_ADMITTED', q.refusal)
  }
}

/** A joiner in the nomination is no longer one: nobody's fault. */
export function takeBack(room: Room, g: RoomGroup, dropped: readonly JoinRequest[]): void {
  const n = g.nomination
  if (n === undefined || !dropped.some((q) => n.adds.includes(q.id))) return
  delete g.nomination
  const m = memberById(g, n.member)
  if (m?.reachable === true) room.send(m.session, { k: 'room-passed', room: room.name, epoch: g.epoch, reason: 'a joiner gave up' })
}

function batchFor(room: Room, g: RoomGroup, nominee: RoomMember): Batch {
  const { limits } = room
  const askable = g.queue.filter((q) => !q.refusedBy.includes(nominee.id))
  const healthy = askable.filter((q) => q.suspicion < SUSPECT_AFTER)
  // One bad request must not keep the others out: suspects go alone.
  const order = healthy.length > 0 ? healthy : askable.slice(0, 1)
  const adds: JoinRequest[] = []
  let octets = 0
  for (const q of order) {
    if (adds.length >= limits.batchAdds || (octets += q.keyPackage.length) > limits.batchOctets) break
    adds.push(q)
  }
  return { adds, removes: removesWith(g, adds) }
}

/** What must go, and the old leaves of those who rejoin. */
function removesWith(g: RoomGroup, adds: readonly JoinRequest[]): WireRemoval[] {
  const removes: WireRemoval[] = []
  for (const m of g.members) {
    if (removes.length >= BATCH_LIMIT) break
    const { leaf, removal } = m
    if (adds.some((q) => q.keyId === m.keyId)) removes.push({ leaf, reason: 'rejoin' })
    else if (removal !== undefined) removes.push({ leaf, reason: removal.reason, ...(removal.evidence === undefined ? {} : { evidence: removal.evidence }) })
  }
  return removes
}

/** The newest member's path is blank: it makes it fresh. */
function keyUpdate(room: Room, g: RoomGroup): void {
  delete g.freshenAt
  const fit = candidates(g)
  const by = fit.filter((m) => m.strikes === 0).at(-1) ?? (g.doubted === true ? fit[0] : undefined)
  if (by !== undefined) appoint(room, g, by, { adds: [], removes: [] })
}

function appoint(room: Room, g: RoomGroup, m: RoomMember, batch: Batch): void {
  const { limits, now, state } = room
  g.nomination = { member: m.id, adds: batch.adds.map((q) => q.id), removes: batch.removes, deadline: instant(now + limits.nominationMs) }
  room.send(m.session, {
    k: 'room-nominate', room: room.name, generation: state.generation, epoch: g.epoch,
    adds: batch.adds.map((q) => ({ id: q.id, keyPackage: q.keyPackage })), removes: [...batch.removes], deadlineMs: limits.nominationMs,
  })
}

/** The nominee was late or wrong: next. */
export function passOver(room: Room, g: RoomGroup, reason: string): void {
  const n = g.nomination
  if (n === undefined) return
  delete g.nomination
  const m = memberById(g, n.member)
  if (m !== undefined) {
    m.strikes++
    g.passed.push(m.id)
    if (m.reachable) room.send(m.session, { k: 'room-passed', room: room.name, epoch: g.epoch, reason })
  }
  room.note(`passed over leaf ${m?.leaf ?? 'gone'}: ${reason}`)
  blame(room, g, g.queue.filter((q) => n.adds.includes(q.id)), n.removes)
}

/** What was in a failed batch may be the cause. */
export function blame(room: Room, g: RoomGroup, adds: readonly JoinRequest[], removes: readonly WireRemoval[]): void {
  for (const q of adds) {
    q.suspicion++
    if (q.suspicion < REFUSE_AFTER) continue
    g.queue = g.queue.filter((x) => x !== q)
    room.refuse(q.session, 'ROOM_NOBODY_COMMITS')
    // Was it the joiner's fault, or does nobody commit anything? A key update will tell.
    if (g.doubted !== true) g.workSince = room.now
    g.doubted = true
  }
  for (const r of removes) {
    const removal = g.members.find((m) => m.leaf === r.leaf)?.removal
    if (removal?.reason === 'leave' && ++removal.failures >= REMOVAL_FAILURES) withoutEvidence(removal)
  }
}

export function withoutEvidence(removal: NonNullable<RoomMember['removal']>): void {
  removal.reason = 'unreachable'
  delete removal.evidence
}
