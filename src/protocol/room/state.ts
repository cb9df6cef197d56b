/** A room on the server: plain data that can be written down and taken up again, and what every part of the machine does with it. */
import type { Instant } from '../../base/brand.ts'
import type { FaultCode } from '../../base/faults/index.ts'
import { makeFault } from '../../base/result.ts'
import type { ClientMessage, ServerMessage, WireRemoval } from '../wire/messages.ts'
import type { Bucket } from './bucket.ts'
import type { RoomLimits } from './limits.ts'

/** A leaf of the group and who holds it. */
export interface RoomMember {
  readonly id: number
  readonly session: string
  readonly keyId: string
  readonly leaf: number
  readonly ssrc: number
  /** Sequence number of the commit that added it; 0 for the creator. Smaller is longer present. */
  readonly joinedSeq: number
  /** False: nothing more is sent for this membership (left, lost, replaced, rejoining). */
  reachable: boolean
  /** When the connection was lost; the member is removed a little later. */
  lostAt?: number
  /** Answered its welcome. Until then never nominated. */
  confirmed: boolean
  welcomeBy?: number
  /** Since when it is known to be on another branch. */
  outOfStepAt?: number
  /** To be removed, as said in the next nomination. */
  removal?: { reason: WireRemoval['reason']; evidence?: Uint8Array; failures: number }
  /** Failed nominations since its last good commit. */
  strikes: number
  /** No commits of its own accord before. */
  ownCommitsFrom: number
  commits: Bucket
  messages: Bucket
}

/** Somebody waits to be let in. */
export interface JoinRequest {
  readonly id: number
  readonly session: string
  readonly keyId: string
  readonly keyPackage: Uint8Array
  readonly ssrc: number
  readonly since: number
  /** Members that refused it, and what the last one said. */
  refusedBy: number[]
  refusal?: string
  /** Every refusal so far left it to a host. */
  knocks: boolean
  /** Nominations with it that failed. */
  suspicion: number
  /** Given up while its commit was in flight. */
  abandoned: boolean
}

export interface Nomination {
  readonly member: number
  readonly adds: readonly number[]
  readonly removes: readonly WireRemoval[]
  readonly deadline: number
}

/** A commit that was ordered and is not yet decided. */
export interface Flight {
  readonly seq: number
  readonly committer: number
  readonly nominated: boolean
  readonly adds: readonly { readonly request: JoinRequest; readonly leaf: number }[]
  readonly removes: readonly WireRemoval[]
  readonly welcome?: Uint8Array
  /** It changes the policy: who waits in the lobby may come in now. */
  readonly policy: boolean
  /** Members whose answer counts. */
  readonly awaited: readonly number[]
  readonly rejected: number[]
  readonly deadline: number
}

export interface RoomGroup {
  readonly groupId: Uint8Array
  readonly suite: string
  readonly forwarding: string
  readonly maximumMembers: number
  epoch: bigint
  /** Of the last ordered commit. */
  seq: number
  nextId: number
  members: RoomMember[]
  queue: JoinRequest[]
  /** Whoever waits for a host to admit them: asked for again after the next change of the policy. */
  lobby: JoinRequest[]
  nomination?: Nomination
  flight?: Flight
  /** The last commit that stood, and the members that have not said yet that they applied it. */
  settling?: { readonly seq: number; awaiting: number[] }
  /** Members passed over since the last commit that stood. */
  passed: number[]
  /** Everybody was passed over: no nomination before. */
  pauseUntil?: number
  voidSeqs: number[]
  /** Void commits of this epoch. */
  voids: number
  freshenAt?: number
  /** A joiner was refused because nobody committed it: whether anybody commits anything is to be seen. */
  doubted?: true
  /** Since when work waits. */
  workSince?: number
  /** Since when most members are out of step. */
  mostOutSince?: number
}

export interface RoomState {
  readonly room: string
  /** Of the group that is, or of the next one. */
  generation: number
  group?: RoomGroup
  /** Empty: forgotten then. */
  lingerUntil?: number
  /** The streams last told. */
  streams: Stream[]
}

/** A member's stream, forwarded to all other sessions in the list. */
export interface Stream {
  readonly session: string
  readonly ssrc: number
}

/** Policies of standing rooms are the server's to keep, not a machine's. */
export type RoomRequest = Exclude<Extract<ClientMessage, { room: string }>, { k: 'room-policy' }>

export type RoomIn =
  /** `ssrc` is for `room-create` and `room-join`: fresh, never given out before. */
  | { readonly kind: 'message'; readonly session: string; readonly keyId: string; readonly message: RoomRequest; readonly ssrc: number }
  /** The session's connection is gone. */
  | { readonly kind: 'gone'; readonly session: string }
  | { readonly kind: 'tick' }

export type RoomOut =
  | { readonly kind: 'send'; readonly session: string; readonly message: ServerMessage }
  /** All streams that flow now, between all members. */
  | { readonly kind: 'streams'; readonly streams: readonly Stream[] }
  /** For the log: what happened, without secrets. */
  | { readonly kind: 'note'; readonly text: string }
  /** Nobody is here and nothing need be remembered: forget the machine. */
  | { readonly kind: 'over' }

/** One step's view of the room. */
export class Room {
  readonly limits: RoomLimits
  readonly state: RoomState
  readonly now: Instant
  readonly out: RoomOut[] = []

  constructor(limits: RoomLimits, state: RoomState, now: Instant) {
    this.limits = limits
    this.state = state
    this.now = now
  }
  get name(): string {
    return this.state.room
  }
  send(session: string, message: ServerMessage): void {
    this.out.push({ kind: 'send', session, message })
  }
  fault(session: string, code: FaultCode, detail?: string): void {
    this.send(session, { k: 'fault', room: this.name, code, message: makeFault(code, detail).message })
  }
  refuse(session: string, code: FaultCode, detail?: string): void {
    this.send(session, { k: 'room-refused', room: this.name, code, message: makeFault(code, detail).message })
  }
  note(text: string): void {
    this.out.push({ kind: 'note', text })
  }
  tellMembers(g: RoomGroup, message: ServerMessage): void {
    for (const m of g.members) if (m.reachable) this.send(m.session, message)
  }
  info(session: string): void {
    const { group: g, generation } = this.state
    const rest = g === undefined ? {} : { suite: g.suite, forwarding: g.forwarding }
    this.send(session, { k: 'room-info', room: this.name, exists: g !== undefined, generation, members: g?.members.length ?? 0, ...rest })
  }
}

export const memberOf = (g: RoomGroup, session: string): RoomMember | undefined => g.members.find((m) => m.session === session && m.reachable)
export const memberById = (g: RoomGroup, id: number): RoomMember | undefined => g.members.find((m) => m.id === id)

/** Where an Add goes: the leftmost blank leaf, else a new one (RFC 9420 §12.1.1); `taken` is changed. */
export function takeLeaf(taken: Set<number>): number {
  let leaf = 0
  while (taken.has(leaf)) leaf++
  taken.add(leaf)
  return leaf
}
