/** Who calls, whom we call, whom we met: what the page shows of people besides those in a call. */
import type { Clock } from '../../base/ports.ts'
import { err, ok, type Result } from '../../base/result.ts'
import { displayName, type Identity } from '../../model/identity.ts'
import type { PageAddress, PageCalling, PageMessage, PagePerson, PageRing, PastCall } from '../../model/page.ts'
import { isMail, ringTo } from '../../model/ring.ts'
import type { Acquaintance } from '../../model/roster.ts'
import type { RunningCall } from '../calls.ts'
import type { RingNews, Rings } from '../rings.ts'

/** What is remembered of people and calls, on disk. */
export interface PeopleMemory {
  readonly past: readonly PastCall[]
  readonly people: readonly PagePerson[]
  add(call: PastCall): void
  clear(): void
  standing(i: Identity): Acquaintance
  compared(keyId: string): Acquaintance | undefined
  /** False: nobody whom we met. */
  block(keyId: string, on: boolean): boolean
  blocked(keyId: string): boolean
  /** The code with somebody. */
  pairwise(keyId: string): string | undefined
}

export interface PeopleOptions {
  readonly clock: Clock
  readonly tell: (m: PageMessage) => void
  /** Ends the page's own call, because nobody came. */
  readonly unanswered: (room: string, reason: string) => void
}

const PEOPLE_SHOWN = 100
const PAST_KEPT = 100
const ROOMS_NAMED = 200

export class People {
  readonly #o: PeopleOptions
  /** Until there is a client, nothing is remembered. */
  memory: PeopleMemory | undefined
  client: { readonly rings: Rings } | undefined
  /** Whose call a room is, by its name. */
  readonly #rooms = new Map<string, PageAddress & { readonly direction: 'in' | 'out' }>()
  /** Called as soon as we are in. */
  readonly #toRing = new Map<string, string>()
  /** Not written down: their rooms want no journal, or there is no memory. */
  #passing: PastCall[] = []

  constructor(options: PeopleOptions) {
    this.#o = options
  }
  get past(): readonly PastCall[] {
    return [...this.#passing, ...(this.memory?.past ?? [])].sort((a, b) => b.endedAt - a.endedAt).slice(0, PAST_KEPT)
  }
  get people(): readonly PagePerson[] {
    return (this.memory?.people ?? []).slice(0, PEOPLE_SHOWN)
  }
  get rings(): readonly PageRing[] {
    return (this.client?.rings.incoming ?? []).map((r) => {
      const acquaintance = this.memory?.standing(r.identity)
      return { ...r, ...(acquaintance === undefined ? {} : { acquaintance }) }
    })
  }
  get calling(): readonly PageCalling[] {
    return (this.client?.rings.outgoing ?? []).map((r) => ({ ...r, name: this.#nameOf(r.to) }))
  }
  personIn(room: string): PageAddress | undefined {
    const p = this.#rooms.get(room)
    return p && { name: p.name, to: p.to }
  }
  #nameOf(to: string): string {
    return this.memory?.people.find((p) => p.to === to)?.name ?? (isMail(to) ? to : to.slice(0, 8))
  }

  /** A room of its own for a call with this person; it rings there once we are in. */
  begin(address: string, room: string): PageAddress {
    const to = ringTo(address)
    const person = { to, name: this.#nameOf(to) }
    this.#name(room, { ...person, direction: 'out' })
    this.#toRing.set(room, to)
    return person
  }
  /** The room to go to. */
  answer(id: string): Result<string> {
    const ring = this.client?.rings.answer(id) ?? err('RING_OVER')
    if (!ring.ok) return ring
    const { room, identity } = ring.value
    this.#name(room, { to: identity.keyId, name: displayName(identity), direction: 'in' })
    return ok(room)
  }
  joined(call: RunningCall): void {
    const to = this.#toRing.get(call.name)
    if (!this.#toRing.delete(call.name) || to === undefined) return
    void this.client?.rings.call(to, call.name).then((r) => {
      if (!r.ok) this.#o.unanswered(call.name, r.fault.message)
    })
  }
  /** `kept`: to be shown again later; written down, where its room wants no less. */
  over(call: RunningCall, kept: boolean, past: PastCall): PastCall {
    this.#toRing.delete(call.name)
    this.client?.rings.cancel(call.name)
    const p = this.#rooms.get(call.name)
    const whole: PastCall = p === undefined ? past : { ...past, person: { name: p.name, to: p.to }, direction: p.direction }
    if (kept) this.#keep(whole, call.roster.policy?.base.journal !== false)
    return whole
  }
  #keep(past: PastCall, lasting: boolean): void {
    if (lasting && this.memory !== undefined) this.memory.add(past)
    else this.#passing = [past, ...this.#passing].slice(0, PAST_KEPT)
  }
  forget(): void {
    this.#passing = []
    this.memory?.clear()
    this.#o.tell({ k: 'past', past: this.past })
  }
  peopleChanged(): void {
    this.#o.tell({ k: 'people', people: this.people })
  }

  onRing(news: RingNews): void {
    if (news.kind === 'over' && news.reason !== 'answered' && news.reason !== 'declined') this.#missed(news.ring.identity, news.ring.room, news.ring.at)
    if (news.kind === 'done') {
      const { fault, ring } = news
      if (fault !== undefined) {
        this.#o.tell({ k: 'notice', fault: { code: fault.code, message: `${this.#nameOf(ring.to)}: ${fault.message}` } })
        if (this.#rooms.get(ring.room)?.to === ring.to) this.#o.unanswered(ring.room, fault.message)
      }
    }
    this.#o.tell({ k: 'rings', rings: this.rings, calling: this.calling })
  }
  /** Nobody took a telephone call. */
  missedOnLine(number: string, at: number): void {
    const now = this.#o.clock.unix() * 1000
    this.#keep({ room: number, startedAt: now - (this.#o.clock.now() - at), endedAt: now, people: [], direction: 'missed', telephone: true }, true)
    this.#o.tell({ k: 'past', past: this.past })
  }
  #missed(identity: Identity, room: string, at: number): void {
    const now = this.#o.clock.unix() * 1000
    const startedAt = now - (this.#o.clock.now() - at)
    this.#keep({ room, startedAt, endedAt: now, people: [], person: { name: displayName(identity), to: identity.keyId }, direction: 'missed' }, true)
    this.#o.tell({ k: 'past', past: this.past })
  }
  #name(room: string, p: PageAddress & { readonly direction: 'in' | 'out' }): void {
    this.#rooms.delete(room)
    this.#rooms.set(room, p)
    if (this.#rooms.size > ROOMS_NAMED) this.#rooms.delete(this.#rooms.keys().next().value!)
  }
}
