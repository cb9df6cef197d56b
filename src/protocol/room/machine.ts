/**
 * The server's delivery of one room's group messages (docs/protocol/channel.md §3–5): who gets in, who commits, what
 * stands. It reads of MLS no more than the outside of commits and holds no key.
 */
import type { Instant } from '../../base/brand.ts'
import type { Machine } from '../../base/machine.ts'
import { take } from './bucket.ts'
import { commit } from './committing.ts'
import { applied, rejected, tellSettled } from './deciding.ts'
import { cancel, create, type From, gone, join, leave, relay } from './entering.ts'
import { COMMIT_RATE, MESSAGE_RATE, ROOM_LIMITS, type RoomLimits } from './limits.ts'
import { nominate } from './nominating.ts'
import type { RoomGroup, RoomIn, RoomMember, RoomOut, RoomState, Stream } from './state.ts'
import { memberOf, Room } from './state.ts'
import { expire, nextDeadline } from './timing.ts'

export class RoomMachine implements Machine<RoomIn, RoomOut> {
  readonly #limits: RoomLimits
  readonly #state: RoomState

  /** Goes on from `state`, a copy of another machine's, if given. */
  constructor(room: string, limits: RoomLimits = ROOM_LIMITS, state?: RoomState) {
    this.#limits = limits
    this.#state = state ?? { room, generation: 1, streams: [] }
  }

  /** Plain data; a copy may be kept. */
  get state(): RoomState {
    return this.#state
  }

  step(input: RoomIn, now: Instant): { readonly out: readonly RoomOut[]; readonly wakeAt?: Instant } {
    const room = new Room(this.#limits, this.#state, now)
    if (input.kind === 'message') this.#message(room, input)
    else if (input.kind === 'gone') gone(room, input.session)
    if (this.#state.group !== undefined) expire(room, this.#state.group)
    if (this.#state.group !== undefined) tellSettled(room, this.#state.group)
    if (this.#state.group !== undefined) nominate(room, this.#state.group)
    tellStreams(room)
    const { group, lingerUntil } = this.#state
    if (group === undefined && (lingerUntil === undefined || lingerUntil <= now)) {
      room.out.push({ kind: 'over' })
      return { out: room.out }
    }
    const wakeAt = nextDeadline(room)
    return wakeAt === undefined ? { out: room.out } : { out: room.out, wakeAt }
  }

  #message(room: Room, from: From): void {
    const m = from.message
    switch (m.k) {
      case 'room-open': return room.info(from.session)
      case 'room-create': return create(room, from, m)
      case 'room-join': return join(room, from, m)
      case 'room-cancel': return cancel(room, from.session)
      case 'room-leave': return leave(room, from.session, m.evidence)
      default: return asMember(room, from, m)
    }
  }
}

type MemberMessage = Extract<From['message'], { k: 'room-commit' | 'room-applied' | 'room-rejected' | 'room-message' }>

/** What only members may say. */
function asMember(room: Room, from: From, m: MemberMessage): void {
  const g = room.state.group
  const member = g === undefined ? undefined : memberOf(g, from.session)
  if (g === undefined || member === undefined) return room.fault(from.session, 'ROOM_STATE', `${m.k} from outside`)
  if (m.k !== 'room-commit') {
    if (!take(member.messages, MESSAGE_RATE, room.now)) return room.fault(from.session, 'ROOM_RATE', m.k)
  } else if (!take(member.commits, COMMIT_RATE, room.now)) return room.fault(from.session, 'ROOM_RATE', m.k)
  fromMember(room, g, member, m)
}

function fromMember(room: Room, g: RoomGroup, member: RoomMember, m: MemberMessage): void {
  switch (m.k) {
    case 'room-commit': return commit(room, g, member, m)
    case 'room-applied': return applied(room, g, member, m.seq)
    case 'room-rejected': return rejected(room, g, member, m.seq, m.code)
    case 'room-message': return relay(room, g, member, m)
  }
}

/** Removals cut a stream when they are ordered, joiners are heard when their commit stands. */
function tellStreams(room: Room): void {
  const g = room.state.group
  const cut = new Set(g?.flight?.removes.map((r) => r.leaf) ?? [])
  const streams: Stream[] = (g?.members ?? []).filter((m) => m.reachable && !cut.has(m.leaf)).map((m) => ({ session: m.session, ssrc: m.ssrc }))
  const before = room.state.streams
  if (streams.length === before.length && streams.every((s, i) => s.ssrc === before[i]?.ssrc && s.session === before[i]?.session)) return
  room.state.streams = streams
  room.out.push({ kind: 'streams', streams })
}
