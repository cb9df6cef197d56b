/** What happens because time passed. */
import type { Instant } from '../../base/brand.ts'
import { instant } from '../../base/brand.ts'
import { makeVoid } from './deciding.ts'
import { endGeneration, reset } from './ending.ts'
import { leaveLobby } from './lobby.ts'
import { passOver } from './nominating.ts'
import type { Room, RoomGroup, RoomMember } from './state.ts'

/** Handles every deadline that has passed. */
export function expire(room: Room, g: RoomGroup): void {
  const { now, limits } = room
  for (const m of g.members) settle(room, g, m)
  const late = g.queue.filter((q) => q.since + limits.queueMs <= now)
  g.queue = g.queue.filter((q) => !late.includes(q))
  const unheard = g.lobby.filter((q) => q.since + limits.queueMs <= now)
  leaveLobby(room, g, (q) => unheard.includes(q))
  for (const q of [...late, ...unheard]) room.refuse(q.session, 'ROOM_JOIN_TIMEOUT')
  if (g.nomination !== undefined && (g.nomination.deadline <= now || g.members.find((m) => m.id === g.nomination?.member)?.reachable !== true)) passOver(room, g, 'late')
  if (g.flight !== undefined && g.flight.deadline <= now) makeVoid(room, g, g.flight, 'nobody applied it in time')
  if (!g.members.some((m) => m.reachable)) return endGeneration(room)
  if (mostOut(g)) g.mostOutSince ??= now
  else delete g.mostOutSince
  if (g.mostOutSince !== undefined && g.mostOutSince + limits.healMs <= now) return reset(room, 'most members are out of step')
  if (g.workSince !== undefined && g.workSince + limits.stuckMs <= now) reset(room, 'nobody commits')
}

/** Who must be removed, and since when. */
function settle(room: Room, g: RoomGroup, m: RoomMember): void {
  const { now, limits } = room
  if (m.removal !== undefined || asksAgain(g, m)) return
  const outTooLong = m.outOfStepAt !== undefined && m.outOfStepAt + limits.healMs <= now
  const unanswered = m.welcomeBy !== undefined && m.welcomeBy <= now
  if (m.reachable && (outTooLong || unanswered)) {
    room.send(m.session, { k: 'room-closed', room: room.name, reason: 'unreachable' })
    m.reachable = false
  } else if (m.reachable || (m.lostAt !== undefined && m.lostAt + limits.lostMs > now)) return
  m.removal = { reason: 'unreachable', failures: 0 }
}

/** The same person waits to be let in again: its old leaf goes together with that. */
const asksAgain = (g: RoomGroup, m: RoomMember): boolean =>
  g.queue.some((q) => q.keyId === m.keyId) || g.flight?.adds.some((a) => a.request.keyId === m.keyId && !a.request.abandoned && a.request.id !== m.id) === true

/** Members of this generation that sit on other branches, those rejoining included. */
function mostOut(g: RoomGroup): boolean {
  const connected = g.members.filter((m) => m.removal?.reason !== 'leave' && m.lostAt === undefined)
  return connected.length >= 2 && connected.filter((m) => m.outOfStepAt !== undefined).length * 2 > connected.length
}

/** When the next deadline passes. */
export function nextDeadline(room: Room): Instant | undefined {
  const { state, limits, now } = room
  const g = state.group
  if (g === undefined) return state.lingerUntil === undefined ? undefined : instant(state.lingerUntil)
  const all = [g.nomination?.deadline, g.flight?.deadline, g.pauseUntil, add(g.mostOutSince, limits.healMs), add(g.workSince, limits.stuckMs), g.queue[0] && add(g.queue[0].since, limits.queueMs), g.lobby[0] && add(g.lobby[0].since, limits.queueMs)]
  if (g.freshenAt !== undefined && g.freshenAt > now) all.push(g.freshenAt)
  for (const m of g.members) {
    if (m.removal !== undefined) continue
    all.push(m.welcomeBy, add(m.outOfStepAt, limits.healMs), add(m.lostAt, limits.lostMs))
  }
  let first: number | undefined
  for (const t of all) if (t !== undefined && (first === undefined || t < first)) first = t
  // A deadline that passed without effect (somebody rejoins) must not wake us at once again.
  return first === undefined ? undefined : instant(Math.max(first, now + 50))
}

const add = (since: number | undefined, ms: number): number | undefined => (since === undefined ? undefined : since + ms)
