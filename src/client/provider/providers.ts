/** Several providers behind one set of phones: each call and each registration goes to the one whose account it uses. */
import { err, type Result } from '../../base/result.ts'
import { parseMessage, type SipMessage } from '../../protocol/sip/index.ts'
import type { TunnelMessage, TunnelSend } from '../../telephony/relay/index.ts'
import type { Provider } from './provider.ts'

export interface NamedProvider {
  /** Domains of its accounts, lower case; the first provider also takes what is of no domain that is named. */
  readonly domains: readonly string[]
  readonly provider: Provider
}

/** A message between the two halves, as it passes. `id` is the phones' half's number for it. */
export type Passing = (towards: 'provider' | 'phone', m: TunnelMessage, parsed: SipMessage | undefined) => void

const REMEMBERED = 2000

export class Providers {
  readonly #all: readonly NamedProvider[]
  readonly #passing: Passing
  /** By the number of the phones' half's request. */
  readonly #asked = new Map<number, Provider>()
  /** By the number that we gave to a request of a provider. */
  readonly #served = new Map<number, { readonly provider: Provider; readonly id: number }>()
  readonly #numbers = new Map<Provider, Map<number, number>>()
  readonly #calls = new Map<string, Provider>()
  #next = 1

  constructor(all: readonly NamedProvider[], passing: Passing = () => {}) {
    this.#all = all
    this.#passing = passing
  }
  get up(): boolean {
    return this.#all.some((p) => p.provider.up)
  }

  /** What the phones' half says. */
  readonly send: TunnelSend = (m) => {
    const parsed = parsedOf(m)
    this.#passing('provider', m, parsed)
    return this.#send(m, parsed)
  }
  #send(m: TunnelMessage, parsed: SipMessage | undefined): Result<void> {
    switch (m.k) {
      case 'sip-request': {
        const provider = parsed === undefined ? undefined : this.#of(parsed)
        if (provider === undefined || !provider.up) return err('RELAY_DOWN')
        remember(this.#asked, m.id, provider)
        if (parsed !== undefined) remember(this.#calls, parsed.callId, provider)
        provider.receive(m)
        break
      }
      case 'sip-cancel':
        this.#asked.get(m.id)?.receive(m)
        break
      case 'sip-response':
      case 'sip-refused': {
        const served = this.#served.get(m.id)
        served?.provider.receive({ ...m, id: served.id })
        break
      }
      case 'sip-ack':
        if (parsed !== undefined) this.#of(parsed)?.receive(m)
    }
    return { ok: true, value: undefined }
  }

  /** What a provider's half says, for the phones'. */
  from(provider: Provider, m: TunnelMessage): TunnelMessage {
    const parsed = parsedOf(m)
    const mine = m.k === 'sip-request' || m.k === 'sip-cancel' ? { ...m, id: this.#number(provider, m.id) } : m
    if (m.k === 'sip-request' && parsed !== undefined) remember(this.#calls, parsed.callId, provider)
    this.#passing('phone', mine, parsed)
    return mine
  }
  /** One row of numbers for the requests of all. */
  #number(provider: Provider, id: number): number {
    const own = this.#numbers.get(provider) ?? new Map<number, number>()
    this.#numbers.set(provider, own)
    const before = own.get(id)
    if (before !== undefined) return before
    const given = this.#next++
    remember(own, id, given)
    remember(this.#served, given, { provider, id })
    return given
  }

  #of(m: SipMessage): Provider | undefined {
    const running = this.#calls.get(m.callId)
    if (running !== undefined) return running
    const host = m.from.uri.kind === 'sip' ? m.from.uri.host.toLowerCase() : ''
    return (this.#all.find((p) => p.domains.includes(host)) ?? this.#all[0])?.provider
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

function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > REMEMBERED) map.delete(map.keys().next().value!)
}
