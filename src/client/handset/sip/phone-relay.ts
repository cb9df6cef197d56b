/** What phones have to say to others than us: it goes on to the PBX or provider through the relay. One for all phones of a line. */
import { type Instant, instant } from '../../../base/brand.ts'
import type { Scheduler } from '../../../base/ports.ts'
import { type Fault, makeFault } from '../../../base/result.ts'
import { type SipRequest, tagOf, unescapeUri } from '../../../protocol/sip/index.ts'
import type { Incoming, SipEndpoint, SipFlow, SipTransport } from '../../../telephony/index.ts'
import { Downstream, KeyMemory, RelayHalf, type RelayMedia, type TunnelMessage, type TunnelSend } from '../../../telephony/relay/index.ts'
import { LIVENESS_MS, type SipCrypto, type SrtpPolicy } from './options.ts'
import { keyRules } from './phone-keys.ts'

export interface PhoneRelayOptions {
  readonly scheduler: Scheduler
  readonly crypto: SipCrypto
  /** The dial plan keeps this number here. */
  readonly isLocal: (number: string) => boolean
  readonly isEmergency: (number: string) => boolean
  /** False: the other half cannot be reached, and nothing is sent. */
  readonly up: () => boolean
  readonly send: TunnelSend
  /** When anything came from the other half's machine last; left out: it is this one. */
  readonly heardAt?: () => Instant | undefined
  readonly media: RelayMedia
  readonly report: (fault: Fault, about: string) => void
}

/** A handset whose phones use the relay. */
export interface RelayedHandset {
  readonly transports: readonly SipTransport[]
  readonly endpoint: SipEndpoint
  /** The address of ours that a peer on this flow can reach; IPv6 in brackets. */
  readonly hostFor: (flow: SipFlow) => string
  readonly srtp: SrtpPolicy
  /** The PBX took a registration. */
  registered(request: SipRequest, flow: SipFlow): void
}

export class PhoneRelay {
  readonly #o: PhoneRelayOptions
  readonly #side: Downstream
  readonly #half: RelayHalf
  readonly #handsets = new Set<RelayedHandset>()

  constructor(options: PhoneRelayOptions) {
    this.#o = options
    const { scheduler, crypto, isEmergency, send, media, report, heardAt } = options
    const [key, memoryKey] = [crypto.bytes(32), crypto.bytes(32)]
    const memory = new KeyMemory((data) => crypto.hmac('sha256', memoryKey, data))
    this.#side = new Downstream({
      now: () => instant(scheduler.now()), livenessMs: LIVENESS_MS, hmac: (data) => crypto.hmac('sha256', key, data), isEmergency,
      hostFor: (flow) => this.#handsetOf(flow).hostFor(flow),
      keys: (flow, help) => keyRules(this.#handsetOf(flow).srtp, flow, help, (used, callId) => memory.fresh(used, callId)),
      onRegistered: (request, _response, flow) => this.#handsetOf(flow).registered(request, flow),
    })
    this.#half = new RelayHalf({ endpoint: (flow) => this.#handsetOf(flow).endpoint, side: this.#side, send, media, scheduler, random: crypto, report, ...(heardAt === undefined ? {} : { heardAt }) })
  }

  attach(handset: RelayedHandset): Disposable {
    this.#handsets.add(handset)
    return { [Symbol.dispose]: () => void this.#handsets.delete(handset) }
  }
  /** What the other half says. */
  receive(m: TunnelMessage): void {
    this.#half.receive(m)
  }
  /** The other half is gone: calls through it end. */
  down(reason = makeFault('RELAY_DOWN').message): void {
    this.#half.down(reason)
  }
  /** Only what is behind the other half is gone. */
  endCalls(reason: string): void {
    this.#half.endCalls(reason)
  }
  /** Phones that the PBX knows, for a new other half. */
  get registered(): readonly string[] {
    return this.#side.registered
  }

  /** Not for us. `own`: the request is inside a call of the handset's own. */
  takes(incoming: Incoming, own: boolean): boolean {
    const { request } = incoming
    if (request.method === 'CANCEL') return incoming.cancels !== undefined && this.#half.owns(incoming.cancels)
    if (tagOf(request.to) !== '') return !own
    if (this.#side.isToken(request.uri)) return true
    const { uri } = request
    const user = uri.kind === 'sip' ? (unescapeUri(uri.user ?? '') ?? '') : uri.text
    // Without a way there is no help here: the phone hears it at once and tries its second server.
    if (this.#side.isEmergency(request)) return this.#o.up()
    if (request.method === 'REGISTER') return true
    return user !== '' && !(request.method === 'INVITE' && this.#o.isLocal(user))
  }
  request(incoming: Incoming): void {
    this.#half.request(incoming)
  }
  /** It belongs to a call of one of our phones, early or standing. */
  knows(request: SipRequest): boolean {
    return this.#half.knows(request)
  }
  ack(request: SipRequest, flow: SipFlow): void {
    this.#half.ack(request, flow)
  }
  failed(incoming: Incoming): void {
    this.#half.failed(incoming)
  }
  /** After the handsets. */
  close(): void {
    this.#half.close()
  }
  get load(): RelayHalf['load'] {
    return this.#half.load
  }

  /** Flows come from attached handsets alone. */
  #handsetOf(flow: SipFlow): RelayedHandset {
    for (const h of this.#handsets) if (h.transports.some((t) => carries(t, flow))) return h
    throw new Error('a flow of no handset')
  }
}

const carries = (t: SipTransport, flow: SipFlow): boolean =>
  t.name === flow.transport && t.local.port === flow.local.port && (t.local.address === flow.local.address || t.local.address === '0.0.0.0' || t.local.address === '::')
