/** Registrations of phones (RFC 3261 §10.3). They are shown and told; calls go from the phone, not to it. */
import type { Instant } from '../../../base/brand.ts'
import { instant } from '../../../base/brand.ts'
import type { Scheduler, Stop } from '../../../base/ports.ts'
import type { Address, Header, SipRequest, SipResponse } from '../../../protocol/sip/index.ts'
import { addressesOf, headerOf, makeReply, paramOf, sameUri, secondsOf } from '../../../protocol/sip/index.ts'
import type { SipFlow } from '../../../telephony/index.ts'
import { phoneName } from './phone-name.ts'

export { phoneName }

const defaultSeconds = 3600
const minimumSeconds = 60
const limits = { users: 200, contacts: 10 }

interface Binding {
  readonly address: Address
  readonly name: string
  readonly callId: string
  readonly cseq: number
  readonly expires: Instant
  readonly cancel: Stop
}

export interface RegistrarEvents {
  registered(contact: string): void
  unregistered(contact: string): void
}

export class Registrar {
  readonly #scheduler: Scheduler
  readonly #events: RegistrarEvents
  /** By address-of-record: the user part of To. */
  readonly #bindings = new Map<string, readonly Binding[]>()

  constructor(scheduler: Scheduler, events: RegistrarEvents) {
    this.#scheduler = scheduler
    this.#events = events
  }

  /** The response to a REGISTER whose sender may register this user. All of it is done or nothing. */
  register(request: SipRequest, flow: SipFlow, tag: string): SipResponse {
    const user = request.to.uri.kind === 'sip' ? (request.to.uri.user ?? '') : ''
    const before = this.#bindings.get(user) ?? []
    const asked = this.#asked(request, before)
    if (!Array.isArray(asked)) return makeReply(request, asked.status, { tag, headers: asked.headers })
    const untouched = before.filter((b) => !asked.some((a) => sameUri(a.address.uri, b.address.uri)))
    const wanted = asked.filter((a) => a.seconds > 0)
    if (untouched.length + wanted.length > limits.contacts || (before.length === 0 && this.#bindings.size >= limits.users)) return makeReply(request, 503, { tag })
    this.#apply({ request, flow, user }, before, untouched, wanted)
    return makeReply(request, 200, { tag, headers: this.#contacts(user) })
  }

  /** Forgets everything without a word. */
  stop(): void {
    for (const list of this.#bindings.values()) for (const b of list) b.cancel()
    this.#bindings.clear()
  }

  #asked(request: SipRequest, before: readonly Binding[]): { address: Address; seconds: number }[] | { status: number; headers: readonly Header[] } {
    const expires = headerOf(request, 'Expires')
    if (headerOf(request, 'Contact') === '*') {
      // Only to remove everything (§10.2.2).
      return secondsOf(expires) === 0 ? before.map((b) => ({ address: b.address, seconds: 0 })) : { status: 400, headers: [] }
    }
    const asked = addressesOf(request, 'Contact').map((address) => ({ address, seconds: Math.min(lifetime(paramOf(address.params, 'expires') ?? expires), defaultSeconds) }))
    if (asked.some((a) => a.seconds > 0 && a.seconds < minimumSeconds)) return { status: 423, headers: [{ name: 'Min-Expires', value: String(minimumSeconds) }] }
    // §10.3 step 7: an old REGISTER that arrives late changes nothing.
    const late = before.some((b) => b.callId === request.callId && b.cseq >= request.cseq.number && asked.some((a) => sameUri(a.address.uri, b.address.uri)))
    return late ? { status: 500, headers: [] } : asked
  }

  #apply(from: { request: SipRequest; flow: SipFlow; user: string }, before: readonly Binding[], untouched: readonly Binding[], wanted: readonly { address: Address; seconds: number }[]): void {
    const { request, flow, user } = from
    const fresh = wanted.map(({ address, seconds }): Binding => {
      const expires = instant(this.#scheduler.now() + seconds * 1000)
      const name = phoneName(user, address, flow)
      return { address, name, callId: request.callId, cseq: request.cseq.number, expires, cancel: this.#scheduler.at(expires, () => this.#expire(user)) }
    })
    for (const b of before) if (!untouched.includes(b)) b.cancel()
    this.#replace(user, [...untouched, ...fresh])
  }

  #expire(user: string): void {
    const now = this.#scheduler.now()
    this.#replace(user, (this.#bindings.get(user) ?? []).filter((b) => b.expires > now))
  }

  #replace(user: string, after: readonly Binding[]): void {
    const before = this.#bindings.get(user) ?? []
    if (after.length === 0) this.#bindings.delete(user)
    else this.#bindings.set(user, after)
    const had = new Set(before.map((b) => b.name))
    const has = new Set(after.map((b) => b.name))
    for (const name of has) if (!had.has(name)) this.#events.registered(name)
    for (const name of had) if (!has.has(name)) this.#events.unregistered(name)
  }

  #contacts(user: string): readonly Header[] {
    const now = this.#scheduler.now()
    return (this.#bindings.get(user) ?? []).map((b) => ({ name: 'Contact', value: `<${b.address.uri.text}>;expires=${Math.max(0, Math.ceil((b.expires - now) / 1000))}` }))
  }
}

/** Absent or not a number of 32 bits: the default (RFC 4475 §3.1.2.4). */
const lifetime = (text: string | undefined): number => secondsOf(text) ?? defaultSeconds
