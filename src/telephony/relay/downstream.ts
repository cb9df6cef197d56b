/** The phones' side of the relay: who is where, who may send how much, where media may go. */
import type { Instant } from '../../base/brand.ts'
import { makeFault } from '../../base/result.ts'
import type { SipRequest, SipResponse, Uri } from '../../protocol/sip/index.ts'
import { addressesOf, headerOf, makeAddress, paramOf, secondsOf, sipUri } from '../../protocol/sip/index.ts'
import { isPrivate } from '../../net/private-address.ts'
import { isLoopback, isOwnAddress, isUnspecified } from '../local-address.ts'
import { SourceLimit } from '../source-limit.ts'
import type { SipFlow } from '../transport.ts'
import type { Rewriter } from './rewrite.ts'
import type { KeyRules, LocalSide, ReadAudio, Refusal } from './side.ts'
import { Tokens } from './tokens.ts'

export interface DownstreamOptions {
  readonly now: () => Instant
  /** Keyed; for the addresses of the other side. */
  readonly hmac: (data: Uint8Array) => Uint8Array
  /** The address of ours that a peer on this flow can reach; IPv6 in brackets. */
  readonly hostFor: (flow: SipFlow) => string
  /** The machine's own address for this flow, where peers reach it at another. */
  readonly boundFor?: (flow: SipFlow) => string
  readonly isEmergency: (number: string) => boolean
  /** The PBX has taken this registration. */
  readonly onRegistered: (request: SipRequest, response: SipResponse, flow: SipFlow) => void
  /** SRTP with the phone on this flow by SDES, also in a call for help. */
  readonly keys: (flow: SipFlow, help: boolean) => KeyRules
  /** Whom else not to let through, outside of calls. */
  readonly refuses?: (request: SipRequest) => Refusal | undefined
  /** The connection in place of one that a phone has given up. */
  readonly current?: (flow: SipFlow) => SipFlow
  /** How often phones are asked whether they still know their call; left out: their connections are watched instead. */
  readonly livenessMs?: number
  /** Phones may be behind a NAT and not know it. */
  readonly nat?: boolean
}

interface Place {
  readonly flow: SipFlow
  /** Proved by a registration that the PBX took, until then; 0: by none. */
  readonly until: number
}

/** Of one source: new requests, and new calls among them. */
const requestRate = { perSecond: 20, burst: 100 }
const inviteRate = { perSecond: 2, burst: 20 }
const placesLimit = 500
/** RFC 3261 §10.3: of a registrar that does not say. */
const DEFAULT_S = 3600

export class Downstream implements LocalSide {
  readonly goneStatus = 503
  readonly silentMs = undefined
  readonly livenessMs: number | undefined
  readonly #o: DownstreamOptions
  readonly #tokens: Tokens<{ readonly name: string }>
  readonly #owner = { name: 'pbx' }
  readonly #places = new Map<string, Place>()
  readonly #requests = new SourceLimit(requestRate.perSecond, requestRate.burst)
  readonly #invites = new SourceLimit(inviteRate.perSecond, inviteRate.burst)

  constructor(options: DownstreamOptions) {
    this.#o = options
    this.livenessMs = options.livenessMs
    this.#tokens = new Tokens(options.hmac)
  }

  /** Contacts that the PBX knows: what a new other half has to be told. */
  get registered(): readonly string[] {
    return [...this.#places].filter(([, p]) => this.#isRegistered(p)).map(([contact]) => contact)
  }

  keys(flow: SipFlow, help: boolean): KeyRules {
    return this.#o.keys(flow, help)
  }
  rewriter(flow: SipFlow): Rewriter {
    const host = this.#o.hostFor(flow)
    const { port } = flow.local
    return {
      present: (uri) => this.#tokens.present(this.#owner, uri, { host, port, transport: flow.transport }),
      restore: (uri) => this.#tokens.find(uri)?.uri,
      isUs: (uri) => this.#isUs(uri, host, port),
      assertsIdentity: false,
      recordRoute: makeAddress(sipUri({ scheme: 'sip', host, port, params: [...(flow.transport === 'UDP' ? [] : [{ name: 'transport', value: flow.transport.toLowerCase() }]), { name: 'lr' }] })),
    }
  }
  #isUs(uri: Uri, host: string, port: number): boolean {
    if (uri.kind !== 'sip' || (uri.port ?? (uri.scheme === 'sips' ? 5061 : 5060)) !== port) return false
    const named = uri.host.replace(/^\[|\]$/g, '').toLowerCase()
    return uri.host === host || named === 'localhost' || isOwnAddress(named)
  }
  /** The Request-URI is one that we gave out for somebody at the PBX. */
  isToken(uri: Uri): boolean {
    return this.#tokens.find(uri) !== undefined
  }

  route(request: SipRequest): SipFlow | Refusal {
    const place = this.#places.get(request.uri.text)
    return place === undefined ? { status: 480, fault: makeFault('RELAY_NO_TARGET', request.uri.text.slice(0, 100)) } : this.current(place.flow)
  }
  current(flow: SipFlow): SipFlow {
    return this.#o.current?.(flow) ?? flow
  }

  admit(request: SipRequest, flow: SipFlow, inside: boolean): Refusal | undefined {
    // Inside a call, and for help, everybody gets through.
    if (inside || this.isEmergency(request)) return undefined
    const now = this.#o.now()
    const source = flow.remote.address
    const admitted = this.#requests.admit(source, now) && (request.method !== 'INVITE' || this.#invites.admit(source, now))
    return admitted ? this.#o.refuses?.(request) : { status: 503, fault: makeFault('RELAY_FLOOD', source) }
  }
  isEmergency(request: SipRequest): boolean {
    return request.method === 'INVITE' && isEmergencyUri(request.uri, this.#o.isEmergency)
  }
  admitFar(): undefined {
    return undefined
  }

  /** Only to the phone itself: to the address that it signals from, or for a phone on this machine, any of the machine's. */
  placed(described: ReadAudio, flow: SipFlow): ReadAudio | undefined {
    const { address } = flow.remote
    if (isUnspecified(described.address) || described.address === address || (isLoopback(address) && isOwnAddress(described.address))) return described
    // What the phone calls itself inside its network means somebody else here: its media comes from where its SIP does.
    return this.#o.nat === true && isPrivate(described.address) && !isPrivate(address) && !isLoopback(address) ? { ...described, address } : undefined
  }
  mediaAddress(flow: SipFlow): string {
    return plain(this.#o.hostFor(flow))
  }
  mediaBind(flow: SipFlow): string {
    return plain((this.#o.boundFor ?? this.#o.hostFor)(flow))
  }

  /** A contact belongs to the address that used it first, until the PBX takes a registration of it from elsewhere. */
  heard(message: SipRequest | SipResponse, flow: SipFlow): void {
    for (const { uri } of addressesOf(message, 'Contact')) {
      const before = this.#places.get(uri.text)
      if (before === undefined || (before.flow.remote.address === flow.remote.address && (!this.#isRegistered(before) || message.kind === 'response' || message.method !== 'REGISTER'))) this.#place(uri.text, { flow, until: before?.until ?? 0 })
    }
  }
  answered(): void {}
  answeredFar(request: SipRequest, response: SipResponse, flow: SipFlow): void {
    if (request.method !== 'REGISTER' || response.status >= 300) return
    const now = this.#o.now()
    const bound = new Map(addressesOf(response, 'Contact').map((a) => [a.uri.text, secondsOf(paramOf(a.params, 'expires') ?? headerOf(response, 'Expires')) ?? DEFAULT_S]))
    for (const { uri } of addressesOf(request, 'Contact')) this.#place(uri.text, { flow, until: bound.has(uri.text) ? now + bound.get(uri.text)! * 1000 : 0 })
    this.#o.onRegistered(request, response, flow)
  }

  #place(contact: string, place: Place): void {
    this.#places.delete(contact)
    this.#places.set(contact, place)
    if (this.#places.size > placesLimit) this.#places.delete(this.#leastWanted(contact))
  }
  #isRegistered({ until }: Place): boolean {
    return until > this.#o.now()
  }
  /** Whoever reaches us can use addresses; a place that the PBX knows goes only where there is no other but the newest, on which a call may be waiting. */
  #leastWanted(newest: string): string {
    for (const [contact, place] of this.#places) if (contact !== newest && !this.#isRegistered(place)) return contact
    return this.#places.keys().next().value!
  }
}

/** IPv6 without brackets. */
const plain = (host: string): string => host.replace(/^\[|\]$/g, '')

/** By name (RFC 5031) or by number. */
export function isEmergencyUri(uri: Uri, isEmergency: (number: string) => boolean): boolean {
  if (/^urn:service:sos\b/i.test(uri.text)) return true
  if (uri.kind === 'sip') return isEmergency(uri.user?.split(';')[0] ?? '')
  return uri.scheme === 'tel' && isEmergency(uri.text.slice(4).split(';')[0]!)
}
