/** What every part of the conference machine works on: outputs, timers and questions to the vault. */
import type { Instant, UnixTime } from '../../../base/brand.ts'
import { instant } from '../../../base/brand.ts'
import type { Fault, Result } from '../../../base/result.ts'
import type { NewRoom, RoomPolicy } from '../../../model/policy.ts'
import type { Identity } from '../../../model/identity.ts'
import type { Acquaintance, CallEvent, PhoneLeg, Roster } from '../../../model/roster.ts'
import { applyEvent, emptyRoster } from '../../../model/roster.ts'
import type { ClientMessage } from '../../../protocol/wire/messages.ts'
import type { GroupView, RemovalRequest, SessionId, VaultCallName, VaultCalls } from '../../../vault/api/calls.ts'
import type { CallMedia, CallOut, VaultRequest } from '../../call.ts'
import type { MediaCommand } from '../../../media/api.ts'
import type { PendingAct, SaidWord } from './act-types.ts'

export interface ConferenceOptions {
  readonly room: string
  readonly media: CallMedia
  /** For a room that does not exist yet. */
  readonly newRoom: NewRoom
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  /** Wall time, seconds: delegations end by it. */
  readonly unix: () => UnixTime
  /** What somebody is to us; remembered by whoever gives this. */
  readonly meet?: (identity: Identity) => Acquaintance
  /** 0 ≤ x < 1; spreads what many members would do at once. */
  readonly chance: () => number
}

export type TimerName = 'certificates' | 'answer' | 'welcome' | 'retry' | 'announce' | 'act' | 'renew' | 'lobby' | 'gossip' | 'blocked' | 'leg'
export type Phase = 'asking' | 'creating' | 'requesting' | 'waiting' | 'entering' | 'member' | 'healing' | 'left'

/** Questions to the vault are asked one at a time: the group has one state. */
export class ConferenceState {
  readonly options: ConferenceOptions
  now: Instant = instant(0)
  out: CallOut[] = []
  phase: Phase = 'asking'
  roster: Roster
  phone: number
  muted = false
  /** How our phone's sound gets here, and what we told the others of it. */
  phoneLeg: PhoneLeg | undefined
  legSaid: PhoneLeg | undefined
  /** Of those who are here, by key: what each has said of its phone. */
  readonly legsHeard = new Map<string, Set<PhoneLeg>>()

  session: SessionId | undefined
  view: GroupView | undefined
  generation = 0
  ssrc: number | undefined
  /** Our own group before the server says that we were first. */
  pendingView: GroupView | undefined
  /** Number of the newest ordered commit that we have seen. */
  lastSeq = 0
  /** Our own commit, handed to the server and not yet decided. */
  ownCommit: Uint8Array | undefined
  /** Whom it removes, and why. */
  ownRemoves: readonly RemovalRequest[] = []
  /** What we are doing as a host, owner or bearer of a notice; the first one is at work. */
  readonly acts: PendingAct[] = []
  /** Notices that were passed on in this room, and those that wait for that. */
  readonly gossiped = new Set<string>()
  readonly toGossip: Uint8Array[] = []
  toRepeat: Uint8Array[] = []
  /** What the server keeps of the room, and what we saw of it last: changes are told, in sentences. */
  shelved: { readonly base: number; readonly state: number } | undefined
  lastPolicy: (RoomPolicy & { readonly policyBy: string; readonly stateBy: string }) | undefined
  /** Of everybody who was here, by key. */
  readonly names = new Map<string, string>()
  /** Certificates (fingerprints) whom we met in this call. */
  readonly met = new Set<string>()
  /** Words of the last seconds: said again when they came in a wrong epoch. */
  said: { readonly word: SaidWord; readonly at: Instant }[] = []
  /** Since when we wait for a host. */
  waitingSince: Instant | undefined
  /** Its place in the order, once it was ordered. */
  ownSeq: number | undefined
  /** Newest commit of another that we applied. */
  appliedSeq: number | undefined
  /** The newest commit that we applied, ours or another's, and the epoch that it led to. */
  standing: { readonly seq: number; readonly epoch: bigint } | undefined
  /** Ordered commits that we refused; when one of them stands we are on another branch and rejoin. */
  readonly refusedSeqs = new Set<number>()
  /** Tries to get in since the last time we were a member. */
  attempts = 0
  joinedOnce = false
  /** Epoch in which this membership gave its word first. */
  announcedIn: bigint | undefined
  /** The end of a certificate that a timer waits for. */
  watchedEnd: UnixTime | undefined
  sinceJoin: Instant = instant(0)
  startedAt: Instant = instant(0)

  readonly #timers = new Map<TimerName, { when: Instant; run: () => void }>()
  readonly #answers = new Map<number, (r: Result<unknown>) => void>()
  #nextRef = 1
  readonly #tasks: ((done: () => void) => void)[] = []
  #busy = false

  constructor(options: ConferenceOptions) {
    this.options = options
    this.roster = emptyRoster(options.room, 'sealed')
    this.phone = options.media.phone
  }

  send(message: ClientMessage): void {
    this.out.push({ kind: 'send', message })
  }
  media(command: MediaCommand): void {
    this.out.push({ kind: 'media', command })
  }
  event(event: CallEvent): void {
    this.roster = applyEvent(this.roster, event)
    this.out.push({ kind: 'event', event })
  }
  note(code: Fault['code'], text: string, prominent = false): void {
    this.event({ kind: 'note', at: this.now, code, text, ...(prominent ? { prominent: true } : {}) })
  }
  over(reason: string, fault?: Fault): void {
    this.phase = 'left'
    this.#timers.clear()
    this.event({ kind: 'phase', phase: 'left', at: this.now, reason })
    this.out.push(fault === undefined ? { kind: 'over', reason } : { kind: 'over', reason, fault })
  }

  after(name: TimerName, delayMs: number, run: () => void): void {
    this.#timers.set(name, { when: instant(this.now + delayMs), run })
  }
  cancel(name: TimerName): void {
    this.#timers.delete(name)
  }
  waiting(name: TimerName): boolean {
    return this.#timers.has(name)
  }
  runDueTimers(): void {
    for (const [name, timer] of [...this.#timers]) {
      if (timer.when > this.now || this.#timers.get(name) !== timer) continue
      this.#timers.delete(name)
      timer.run()
    }
  }
  get wakeAt(): Instant | undefined {
    let first: Instant | undefined
    for (const t of this.#timers.values()) if (first === undefined || t.when < first) first = t.when
    return first
  }

  /** Asks the vault; `then` runs when it answers. For use inside a task, or where order does not matter. */
  ask<K extends VaultCallName>(call: K, args: VaultCalls[K]['in'], then: (r: Result<VaultCalls[K]['out']>) => void): void {
    const ref = this.#nextRef++
    this.#answers.set(ref, then as (r: Result<unknown>) => void)
    this.out.push({ kind: 'vault', ref, request: { call, args } as unknown as VaultRequest })
  }
  answered(ref: number, result: Result<unknown>): void {
    const then = this.#answers.get(ref)
    this.#answers.delete(ref)
    then?.(result)
  }

  /** Group work, strictly one after the other. The task calls `done` when it is finished. */
  enqueue(task: (done: () => void) => void): void {
    this.#tasks.push(task)
    if (!this.#busy) this.#next(this.#work)
  }
  /** Drops all group work: the session it was for is gone. */
  dropTasks(): void {
    this.#tasks.length = 0
    this.#busy = false
    this.#work++
  }
  get queued(): number {
    return this.#tasks.length
  }
  #work = 0
  #next(work: number): void {
    if (work !== this.#work) return
    const task = this.#tasks.shift()
    this.#busy = task !== undefined
    task?.(() => this.#next(work))
  }
}

/** Being told of a new epoch while still in the old one is normal; being in the group is what counts. */
export const inGroup = (s: ConferenceState): boolean => (s.phase === 'member' || s.phase === 'entering') && s.session !== undefined
