/** Coming and going: who asks, who waits, who leaves. */
import { ALL_FORWARDED_LIMIT } from '../../model/policy.ts'
import { fullBucket } from './bucket.ts'
import { endGeneration } from './ending.ts'
import { keyPackageIn } from './framing.ts'
import { COMMIT_RATE, MESSAGE_RATE } from './limits.ts'
import { takeBack } from './nominating.ts'
import { leaveLobby } from './lobby.ts'
import type { JoinRequest, Room, RoomGroup, RoomIn, RoomMember, RoomRequest } from './state.ts'
import { memberOf } from './state.ts'

export type From = Extract<RoomIn, { kind: 'message' }>
type Message<K extends RoomRequest['k']> = Extract<RoomRequest, { k: K }>

/** The first makes the group; whoever comes later is told what there is. */
export function create(room: Room, from: From, m: Message<'room-create'>): void {
  const { state, limits } = room
  if (state.group !== undefined || m.generation !== state.generation) return room.info(from.session)
  if (!limits.forwarding.includes(m.forwarding)) return room.refuse(from.session, 'ROOM_FORWARDING', m.forwarding)
  const most = m.forwarding === 'all' ? Math.min(limits.maximumAll, ALL_FORWARDED_LIMIT, limits.maximumMembers) : limits.maximumMembers
  const creator = newMember(room, { id: 1, session: from.session, keyId: from.keyId, leaf: 0, ssrc: from.ssrc, joinedSeq: 0 })
  creator.confirmed = true
  state.group = {
    groupId: m.groupId, suite: m.suite, forwarding: m.forwarding, maximumMembers: Math.min(m.maximumMembers, most),
    epoch: 0n, seq: 0, nextId: 2, members: [creator], queue: [], lobby: [], passed: [], voidSeqs: [], voids: 0,
  }
  delete state.lingerUntil
  room.send(from.session, { k: 'room-created', room: room.name, generation: m.generation, ssrc: from.ssrc })
  room.note(`generation ${m.generation} begins`)
}

export function newMember(room: Room, who: Pick<RoomMember, 'id' | 'session' | 'keyId' | 'leaf' | 'ssrc' | 'joinedSeq'>): RoomMember {
  const { now } = room
  return { ...who, reachable: true, confirmed: false, strikes: 0, ownCommitsFrom: 0, commits: fullBucket(COMMIT_RATE, now), messages: fullBucket(MESSAGE_RATE, now) }
}

export function join(room: Room, from: From, m: Message<'room-join'>): void {
  const { state, limits, now } = room
  const g = state.group
  if (g === undefined || m.generation !== state.generation) return room.info(from.session)
  if (keyPackageIn(m.keyPackage) === undefined) return room.refuse(from.session, 'ROOM_BAD_FRAMING', 'the key package cannot be read')
  dropRequests(room, g, (q) => q.keyId === from.keyId, from.session)
  if (onlyOurselves(g, from)) {
    // The one member comes back on another connection: nobody else could let it in.
    for (const old of g.members) if (old.reachable && old.session !== from.session) room.send(old.session, { k: 'room-closed', room: room.name, reason: 'replaced' })
    for (const old of g.members) old.reachable = false
    endGeneration(room)
    return room.info(from.session)
  }
  if (!fits(g, from.keyId)) return room.refuse(from.session, 'ROOM_FULL', `${g.maximumMembers} members`)
  if (g.queue.length + g.lobby.length >= limits.queueLimit) return room.refuse(from.session, 'ROOM_QUEUE_FULL')
  // A rejoin: the old membership is dead for its owner from here on.
  const own = memberOf(g, from.session)
  if (own !== undefined) own.reachable = false
  const request: JoinRequest = {
    id: g.nextId++, session: from.session, keyId: from.keyId, keyPackage: m.keyPackage, ssrc: from.ssrc,
    since: now, refusedBy: [], knocks: true, suspicion: 0, abandoned: false,
  }
  g.queue.push(request)
  room.send(from.session, { k: 'room-queued', room: room.name, request: request.id, ssrc: from.ssrc })
}

const onlyOurselves = (g: RoomGroup, from: From): boolean => !g.members.some((m) => m.reachable && m.keyId !== from.keyId) && !g.flight?.adds.some((a) => a.request.keyId !== from.keyId)

/** People, not leaves: a rejoin takes the place that it had. */
function fits(g: RoomGroup, keyId: string): boolean {
  const people = new Set([...g.members, ...g.queue, ...(g.flight?.adds.map((a) => a.request) ?? [])].map((p) => p.keyId))
  return people.add(keyId).size <= g.maximumMembers
}

/** Takes matching requests out of the queue, and gives up those whose commit is in flight. `keep` is the session that asked for it. */
function dropRequests(room: Room, g: RoomGroup, which: (q: JoinRequest) => boolean, keep: string): void {
  leaveLobby(room, g, which)
  const dropped = g.queue.filter(which)
  for (const q of dropped) if (q.session !== keep) room.send(q.session, { k: 'room-closed', room: room.name, reason: 'replaced' })
  g.queue = g.queue.filter((q) => !which(q))
  takeBack(room, g, dropped)
  for (const { request: q } of g.flight?.adds ?? []) {
    if (!which(q) || q.abandoned) continue
    q.abandoned = true
    if (q.session !== keep) room.send(q.session, { k: 'room-closed', room: room.name, reason: 'replaced' })
  }
}

export function cancel(room: Room, session: string): void {
  const g = room.state.group
  if (g !== undefined) dropRequests(room, g, (q) => q.session === session, session)
}

export function leave(room: Room, session: string, evidence: Uint8Array | undefined): void {
  const g = room.state.group
  cancel(room, session)
  const m = g === undefined ? undefined : memberOf(g, session)
  if (m !== undefined) {
    m.reachable = false
    m.removal = evidence === undefined ? { reason: 'unreachable', failures: 0 } : { reason: 'leave', evidence, failures: 0 }
  }
  room.send(session, { k: 'room-closed', room: room.name, reason: 'left' })
}

/** The connection is lost. The same person on a new one is a rejoin. */
export function gone(room: Room, session: string): void {
  const g = room.state.group
  if (g === undefined) return
  cancel(room, session)
  for (const m of g.members) {
    if (m.session !== session || !m.reachable) continue
    m.reachable = false
    m.lostAt = room.now
  }
}

/** A room message goes to all other members that can still read it: those in one epoch more than it names at most. */
export function relay(room: Room, g: RoomGroup, from: RoomMember, m: Message<'room-message'>): void {
  const late = m.epoch === g.epoch - 1n && g.flight === undefined
  if (m.epoch !== g.epoch && !late) return room.fault(from.session, 'ROOM_EPOCH', `${m.epoch}, the room is in ${g.epoch}`)
  for (const other of g.members) if (other.reachable && other.id !== from.id) room.send(other.session, { k: 'room-message', room: room.name, epoch: m.epoch, message: m.message })
}
