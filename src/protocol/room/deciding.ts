/** What becomes of an ordered commit: it stands with the first member that applied it, or it is void. */
import { instant } from '../../base/brand.ts'
import { newMember } from './entering.ts'
import { VOIDS_KEPT } from './limits.ts'
import { askAgain, showLobby } from './lobby.ts'
import { blame } from './nominating.ts'
import type { Flight, Room, RoomGroup, RoomMember } from './state.ts'
import { memberById } from './state.ts'

export function applied(room: Room, g: RoomGroup, from: RoomMember, seq: number): void {
  const f = g.flight
  if (!from.confirmed && seq === from.joinedSeq) {
    from.confirmed = true
    delete from.welcomeBy
    showLobby(room, g, from)
  } else if (f?.seq === seq && f.awaited.includes(from.id)) stand(room, g, f)
  // It applied what nobody else did: alone on a branch.
  else if (g.voidSeqs.includes(seq)) from.outOfStepAt ??= room.now
  else if (seq > g.seq || seq < from.joinedSeq) room.fault(from.session, 'ROOM_STATE', `nothing was ordered as ${seq}`)
  answered(g, from, seq)
}

function answered(g: RoomGroup, from: RoomMember, seq: number): void {
  if (g.settling?.seq === seq) g.settling.awaiting = g.settling.awaiting.filter((id) => id !== from.id)
}

/** Once everybody who can be reached has the last epoch, all may send under it. */
export function tellSettled(room: Room, g: RoomGroup): void {
  if (g.settling === undefined || g.settling.awaiting.some((id) => memberById(g, id)?.reachable === true)) return
  room.tellMembers(g, { k: 'room-settled', room: room.name, seq: g.settling.seq })
  delete g.settling
}

export function rejected(room: Room, g: RoomGroup, from: RoomMember, seq: number, code: string): void {
  const f = g.flight
  room.note(`leaf ${from.leaf} rejected ${seq}: ${code}`)
  if (f?.seq === seq && f.awaited.includes(from.id)) {
    if (!f.rejected.includes(from.id)) f.rejected.push(from.id)
    if (f.awaited.every((id) => f.rejected.includes(id) || memberById(g, id)?.reachable !== true)) makeVoid(room, g, f, 'rejected by all')
  } else if (seq <= g.seq && seq >= from.joinedSeq && !g.voidSeqs.includes(seq)) {
    // Its welcome, or a commit that stands.
    from.outOfStepAt ??= room.now
    delete from.welcomeBy
  }
  answered(g, from, seq)
}

export function stand(room: Room, g: RoomGroup, f: Flight): void {
  const { limits, now, state } = room
  delete g.flight
  g.epoch++
  g.passed = []
  g.voids = 0
  delete g.workSince
  delete g.doubted
  const committer = memberById(g, f.committer)
  if (committer !== undefined) committer.strikes = 0
  const removed = g.members.filter((m) => f.removes.some((r) => r.leaf === m.leaf))
  g.members = g.members.filter((m) => !removed.includes(m))
  for (const m of g.members) if (f.rejected.includes(m.id)) m.outOfStepAt ??= now
  g.settling = { seq: f.seq, awaiting: [f.committer, ...f.awaited].filter((id) => !f.rejected.includes(id)) }
  room.tellMembers(g, { k: 'room-stands', room: room.name, seq: f.seq })
  for (const m of removed) tellRemoved(room, m, f)
  for (const { request: q, leaf } of f.adds) {
    const m = newMember(room, { id: q.id, session: q.session, keyId: q.keyId, leaf, ssrc: q.ssrc, joinedSeq: f.seq })
    g.members.push(m)
    if (q.abandoned) {
      m.reachable = false
      continue
    }
    m.welcomeBy = instant(now + limits.welcomeMs)
    if (f.welcome !== undefined) room.send(m.session, { k: 'room-welcome', room: room.name, generation: state.generation, seq: f.seq, welcome: f.welcome })
  }
  if (f.policy) askAgain(room, g)
  if (f.adds.length > 0) g.freshenAt = instant(now + limits.freshenMs)
}

/** One's own leave and one's own rejoin were answered before. */
function tellRemoved(room: Room, m: RoomMember, f: Flight): void {
  if (!m.reachable) return
  const reason = f.removes.find((r) => r.leaf === m.leaf)?.reason
  room.send(m.session, { k: 'room-closed', room: room.name, reason: reason === 'host' || reason === 'blocked' ? 'removed' : reason === 'rejoin' ? 'replaced' : 'unreachable' })
}

export function makeVoid(room: Room, g: RoomGroup, f: Flight, why: string): void {
  const { limits, now } = room
  delete g.flight
  g.voids++
  g.voidSeqs.push(f.seq)
  if (g.voidSeqs.length > VOIDS_KEPT) g.voidSeqs.shift()
  room.note(`commit ${f.seq} is void: ${why}`)
  const committer = memberById(g, f.committer)
  if (committer !== undefined) {
    committer.strikes++
    g.passed.push(committer.id)
    if (!f.nominated) committer.ownCommitsFrom = instant(now + limits.ownCommitPauseMs)
  }
  const back = f.adds.map((a) => a.request).filter((q) => !q.abandoned)
  g.queue = [...back, ...g.queue]
  room.tellMembers(g, { k: 'room-void', room: room.name, seq: f.seq })
  blame(room, g, back, f.removes)
}
