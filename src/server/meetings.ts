/** Pairs of clients that agree on the keys of a sealed call: whoever names the same token meets, two at most. The server hands on and keeps nothing. */
import type { Instant } from '../base/brand.ts'
import { toHex } from '../base/bytes.ts'
import type { FaultCode } from '../base/faults/index.ts'
import type { Rate } from '../protocol/room/bucket.ts'
import type { ServerMessage } from '../protocol/wire/messages.ts'
import { KeyRates } from './key-rates.ts'

/** Calls of one key at a time that agree. */
const PER_KEY = 32
const ALL = 10_000
/** An agreement takes a second; whoever waits longer has nobody to meet. */
const STAYS_MS = 60_000
const MESSAGES = 128
const MEET_RATE: Rate = { burst: 64, perSecond: 2 }
const MESSAGE_RATE: Rate = { burst: 256, perSecond: 32 }

interface Meeting {
  readonly token: Uint8Array
  readonly sessions: string[]
  readonly until: number
  messages: number
}

export class Meetings {
  readonly #meetings = new Map<string, Meeting>()
  readonly #send: (session: string, m: ServerMessage) => void
  readonly #keyOf: (session: string) => string
  readonly #meets = new KeyRates(MEET_RATE)
  readonly #said = new KeyRates(MESSAGE_RATE)

  /** `keyOf`: whose connection it is; limits are those of a key. */
  constructor(send: (session: string, m: ServerMessage) => void, keyOf: (session: string) => string = (s) => s) {
    this.#send = send
    this.#keyOf = keyOf
  }
  get size(): number {
    return this.#meetings.size
  }

  meet(session: string, token: Uint8Array, now: Instant): FaultCode | undefined {
    const owner = this.#keyOf(session)
    if (!this.#meets.take(owner, now)) return 'CALL_MEETINGS_FULL'
    this.#expire(now)
    const key = toHex(token)
    const meeting = this.#meetings.get(key)
    if (meeting?.sessions.includes(session) === true) return undefined
    if (meeting === undefined) {
      const own = [...this.#meetings.values()].filter((m) => m.sessions.some((s) => this.#keyOf(s) === owner)).length
      if (own >= PER_KEY || this.#meetings.size >= ALL) return 'CALL_MEETINGS_FULL'
      this.#meetings.set(key, { token, sessions: [session], until: now + STAYS_MS, messages: 0 })
      return undefined
    }
    // Two know it; a third has it from somewhere.
    if (meeting.sessions.length >= 2) return 'CALL_MEETING_TAKEN'
    meeting.sessions.push(session)
    for (const s of meeting.sessions) this.#send(s, { k: 'call-met', token: meeting.token })
    return undefined
  }

  message(session: string, token: Uint8Array, message: Uint8Array, now: Instant): FaultCode | undefined {
    if (!this.#said.take(this.#keyOf(session), now)) return 'CALL_MEETINGS_FULL'
    this.#expire(now)
    const meeting = this.#meetings.get(toHex(token))
    const other = meeting?.sessions.find((s) => s !== session)
    if (meeting === undefined || other === undefined || !meeting.sessions.includes(session)) return 'CALL_MEETING_UNKNOWN'
    if (++meeting.messages > MESSAGES) return 'CALL_MEETINGS_FULL'
    this.#send(other, { k: 'call-message', token: meeting.token, message })
    return undefined
  }

  part(session: string, token: Uint8Array): void {
    const key = toHex(token)
    if (this.#meetings.get(key)?.sessions.includes(session) === true) this.#meetings.delete(key)
  }
  gone(session: string): void {
    for (const [key, m] of this.#meetings) if (m.sessions.includes(session)) this.#meetings.delete(key)
  }

  /** In the order of their begin. */
  #expire(now: Instant): void {
    for (const [key, m] of this.#meetings) {
      if (m.until > now) return
      this.#meetings.delete(key)
    }
  }
}
