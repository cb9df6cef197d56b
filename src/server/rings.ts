/** Who rings whom: the server finds the connections, passes signed words on, and forgets. */
import { instant } from '../base/brand.ts'
import type { Scheduler } from '../base/ports.ts'
import { makeFault } from '../base/result.ts'
import { isMail, type RingEnd } from '../model/ring.ts'
import type { Rate } from '../protocol/room/bucket.ts'
import type { ClientWire } from '../protocol/wire/messages.ts'
import { RING_CAPABILITY } from '../protocol/wire/ring-messages.ts'
import { KeyRates } from './key-rates.ts'
import type { Session } from './session.ts'

/** As long as telephones ring. */
const RING_MS = 60_000
const RATE: Rate = { burst: 10, perSecond: 0.5 }
/** At one time: that a key makes on all its connections, that ring at somebody, each of another key, that ring here. */
const OUTGOING = 4
const INCOMING = 4
const ALL = 10_000

interface Ringing {
  readonly caller: Session
  /** Where it still rings. */
  readonly at: Set<Session>
  readonly cancelTimer: () => void
}

export class Rings {
  readonly #scheduler: Scheduler
  readonly #sessions: () => Iterable<Session>
  readonly #ringing = new Map<string, Ringing>()
  readonly #rates = new KeyRates(RATE)

  constructor(scheduler: Scheduler, sessions: () => Iterable<Session>) {
    this.#scheduler = scheduler
    this.#sessions = sessions
  }

  begin(caller: Session, { id, to, ring, chain }: ClientWire['ring']): void {
    const end = (reason: RingEnd): void => caller.send({ k: 'ring-end', id, reason })
    const now = this.#scheduler.now()
    // By key: whoever comes again, or by many connections, is the same. Before anything is searched.
    const often = !this.#rates.take(caller.keyId, now)
    const mine = often ? [] : [...this.#ringing.values()].filter((r) => r.caller.keyId === caller.keyId)
    if (often || mine.length >= OUTGOING || this.#ringing.size >= ALL || this.#ringing.has(id)) {
      caller.fault(makeFault('RING_RATE'))
      return end('busy')
    }
    const wanted = [...this.#sessions()].filter((s) => s.greeted && s.capabilities.has(RING_CAPABILITY) && s.keyId !== caller.keyId && names(s, to))
    if (wanted.length === 0) return end('unreachable')
    const free = wanted.filter((s) => !mine.some((r) => r.at.has(s)) && [...this.#ringing.values()].filter((r) => r.at.has(s)).length < INCOMING)
    if (free.length === 0) return end('busy')
    const cancelTimer = this.#scheduler.at(instant(now + RING_MS), () => this.#over(id, 'unanswered'))
    this.#ringing.set(id, { caller, at: new Set(free), cancelTimer })
    for (const s of free) s.send({ k: 'ring', id, ring, chain })
    caller.send({ k: 'ring-rings', id })
  }

  end(session: Session, { id, reason }: ClientWire['ring-end']): void {
    const r = this.#ringing.get(id)
    if (r === undefined) return
    if (r.caller === session) return this.#over(id, 'cancelled')
    if (!r.at.has(session)) return
    if (reason === 'answered' || reason === 'declined') return this.#over(id, reason, session)
    r.at.delete(session)
    if (r.at.size === 0) this.#over(id, 'busy')
  }

  /** Its connection is over. */
  gone(session: Session): void {
    for (const [id, r] of [...this.#ringing]) {
      if (r.caller === session) this.#over(id, 'cancelled')
      else if (r.at.delete(session) && r.at.size === 0) this.#over(id, 'unreachable')
    }
  }
  stop(): void {
    for (const r of this.#ringing.values()) r.cancelTimer()
    this.#ringing.clear()
  }

  #over(id: string, reason: RingEnd, by?: Session): void {
    const r = this.#ringing.get(id)
    if (!this.#ringing.delete(id) || r === undefined) return
    r.cancelTimer()
    for (const s of [r.caller, ...r.at]) if (s !== by) s.send({ k: 'ring-end', id, reason })
  }
}

const names = (s: Session, to: string): boolean => (isMail(to) ? s.peer.identity.emails.some((m) => m.toLowerCase() === to) : s.keyId === to)
