/** Several providers behind one set of phones: each call and each registration goes to the one whose account it uses. */
import { remember } from '../../base/remember.ts'
import { err, type Result } from '../../base/result.ts'
import { parseMessage, serialise, type SipMessage, type SipRequest } from '../../protocol/sip/index.ts'
import type { TunnelMessage, TunnelSend } from '../../telephony/relay/index.ts'
import type { InsideCalls, Insert } from './inside-calls.ts'
import type { Provider } from './provider.ts'

export interface NamedProvider {
  /** Domains of its accounts, lower case; the first provider also takes what is of no domain that is named. */
  readonly domains: readonly string[]
  readonly provider: Provider
}

/** A message between the two halves, as it passes. `id` is the phones' half's number for it, `account` the domain of the account, empty where it is not known. */
export type Passing = (towards: 'provider' | 'phone', m: TunnelMessage, parsed: SipMessage | undefined, account: string) => void

const REMEMBERED = 2000

export class Providers {
  readonly #all: readonly NamedProvider[]
  readonly #passing: Passing
  readonly #inside: InsideCalls | undefined
  /** By the number of the phones' half's request: where it went, and under which number. */
  readonly #asked = new Map<number, { readonly provider: Provider; readonly id: number }>()
  /** By the number that a provider knows: the phones' half's, or who of us waits for the answer. */
  readonly #waiting = new Map<number, number | ((status: number) => void)>()
  #nextAsked = 1
  /** By the number that we gave to a request of a provider. */
  readonly #served = new Map<number, { readonly provider: Provider; readonly id: number }>()
  readonly #numbers = new Map<Provider, Map<number, number>>()
  readonly #calls = new Map<string, Provider>()
  #next = 1

  /** `inside`: says things of its own in the calls. */
  constructor(all: readonly NamedProvider[], passing: Passing = () => {}, inside?: InsideCalls) {
    this.#all = all
    this.#inside = inside
    this.#passing = passing
  }
  get up(): boolean {
    return this.#all.some((p) => p.provider.up)
  }

  /** What the phones' half says. */
  readonly send: TunnelSend = (m) => {
    const parsed = parsedOf(m)
    this.#passing('provider', m, parsed, this.#accountOf(parsed && this.#of(parsed), parsed))
    return this.#send(m, parsed)
  }
  #send(m: TunnelMessage, parsed: SipMessage | undefined): Result<void> {
    switch (m.k) {
      case 'sip-request': {
        const provider = parsed === undefined ? undefined : this.#of(parsed)
        if (provider === undefined || !provider.up) return err('RELAY_DOWN')
        if (parsed !== undefined) remember(this.#calls, parsed.callId, provider, REMEMBERED)
        const id = this.#nextAsked++
        remember(this.#asked, m.id, { provider, id }, REMEMBERED)
        remember(this.#waiting, id, m.id, REMEMBERED)
        provider.receive({ ...(this.#inside?.outgoing(m, parsed, this.#insert(provider)) as typeof m | undefined ?? m), id })
        break
      }
      case 'sip-cancel': {
        const asked = this.#asked.get(m.id)
        asked?.provider.receive({ ...m, id: asked.id })
        break
      }
      case 'sip-response':
      case 'sip-refused': {
        const served = this.#served.get(m.id)
        if (served === undefined) break
        this.#inside?.outgoing(m, parsed, this.#insert(served.provider))
        served.provider.receive({ ...m, id: served.id })
        break
      }
      case 'sip-ack': {
        const provider = parsed === undefined ? undefined : this.#of(parsed)
        if (provider === undefined) break
        provider.receive(this.#inside?.outgoing(m, parsed, this.#insert(provider)) ?? m)
        this.#inside?.passed(parsed)
      }
    }
    return { ok: true, value: undefined }
  }

  /** Into a call, beside what its phone says. */
  #insert(provider: Provider): Insert {
    return (request: SipRequest, done) => {
      const id = this.#nextAsked++
      remember(this.#waiting, id, done, REMEMBERED)
      provider.receive({ k: 'sip-request', id, message: serialise(request) })
    }
  }

  /** What a provider's half says, for the phones'; undefined where it was for us. */
  from(provider: Provider, m: TunnelMessage): TunnelMessage | undefined {
    const parsed = parsedOf(m)
    const mine = this.#mine(provider, m, parsed)
    if (mine === undefined) return undefined
    if (m.k === 'sip-request' && parsed !== undefined) remember(this.#calls, parsed.callId, provider, REMEMBERED)
    const taken = this.#inside === undefined ? mine : this.#inside.incoming(mine, parsed, this.#insert(provider), (answer) => 'id' in m && 'id' in answer && provider.receive({ ...answer, id: m.id }))
    if (taken !== undefined) this.#passing('phone', taken, parsed, this.#accountOf(provider, parsed))
    return taken
  }
  /** With the number that the phones' half knows. */
  #mine(provider: Provider, m: TunnelMessage, parsed: SipMessage | undefined): TunnelMessage | undefined {
    if (m.k === 'sip-request' || m.k === 'sip-cancel') return { ...m, id: this.#number(provider, m.id) }
    if (m.k !== 'sip-response' && m.k !== 'sip-refused') return m
    const waiting = this.#waiting.get(m.id)
    if (typeof waiting === 'number') return { ...m, id: waiting }
    const status = m.k === 'sip-refused' ? m.status : parsed?.kind === 'response' ? parsed.status : 0
    if (status >= 200 && waiting !== undefined) {
      this.#waiting.delete(m.id)
      waiting(status)
    }
    return undefined
  }
  /** One row of numbers for the requests of all. */
  #number(provider: Provider, id: number): number {
    const own = this.#numbers.get(provider) ?? new Map<number, number>()
    this.#numbers.set(provider, own)
    const before = own.get(id)
    if (before !== undefined) return before
    const given = this.#next++
    remember(own, id, given, REMEMBERED)
    remember(this.#served, given, { provider, id }, REMEMBERED)
    return given
  }

  #of(m: SipMessage): Provider | undefined {
    const running = this.#calls.get(m.callId)
    if (running !== undefined) return running
    const host = m.from.uri.kind === 'sip' ? m.from.uri.host.toLowerCase() : ''
    return (this.#all.find((p) => p.domains.includes(host)) ?? this.#all[0])?.provider
  }
  /** Of several at one provider the one that the message names, as ours. */
  #accountOf(provider: Provider | undefined, m: SipMessage | undefined): string {
    const domains = this.#all.find((p) => p.provider === provider)?.domains ?? []
    if (domains.length === 1) return domains[0]!
    const named = m === undefined ? [] : [m.to, m.from].flatMap(({ uri }) => (uri.kind === 'sip' ? [uri.host.toLowerCase()] : [])).filter((h) => domains.includes(h))
    return new Set(named).size === 1 ? named[0]! : ''
  }
  close(): void {
    for (const p of this.#all) p.provider.close()
  }
}

function parsedOf(m: TunnelMessage): SipMessage | undefined {
  if (!('message' in m)) return undefined
  const parsed = parseMessage(m.message, { stream: true })
  return parsed.ok ? parsed.value : undefined
}
