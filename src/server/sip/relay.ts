/** The upstream half of the SIP relay, for every client that wants it. */
import type { Instant } from '../../base/brand.ts'
import type { Scheduler } from '../../base/ports.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { isEmergencyNumber } from '../../model/emergency.ts'
import type { RelayMedia } from '../../telephony/relay/index.ts'
import { type UpstreamHalf, UpstreamRelay } from '../../telephony/relay/index.ts'
import { SipEndpoint, type SipFlow, type SipTransport } from '../../telephony/index.ts'
import type { LimitedLog } from '../log.ts'
import type { ClientLeg, ClientLegs, LegQuestion } from '../pbx/legs.ts'
import type { Session } from '../session.ts'
import type { SipClientMessage, SipPort } from './port.ts'

export interface SipRelayOptions {
  readonly transport: SipTransport & { way(): SipFlow | undefined }
  readonly hostFor: (flow: SipFlow) => string
  /** Which port our end should have. */
  readonly port: number
  readonly scheduler: Scheduler
  readonly crypto: Pick<CryptoPort, 'bytes' | 'hmac'>
  /** The same after a restart: the PBX remembers our contacts. */
  readonly tokenKey: Uint8Array
  readonly emergency: readonly string[]
  readonly media: (session: Session) => RelayMedia
  readonly refusals: LimitedLog
  /** The PBX is known to be gone: calls are refused at once. */
  readonly dead?: () => boolean
}

export class SipRelay implements SipPort, ClientLegs {
  readonly #o: SipRelayOptions
  readonly #upstream: UpstreamRelay
  readonly #endpoint: SipEndpoint
  readonly #halves = new Map<string, UpstreamHalf>()

  constructor(options: SipRelayOptions) {
    this.#o = options
    const { transport, hostFor, scheduler, crypto, tokenKey, emergency, refusals } = options
    this.#upstream = new UpstreamRelay({
      endpoint: () => this.#endpoint, way: () => transport.way(), ...(options.dead === undefined ? {} : { dead: options.dead }), hostFor, mediaAddress: undefined, scheduler, random: crypto,
      isEmergency: (number) => isEmergencyNumber(emergency, number),
      hmac: (data) => crypto.hmac('sha256', tokenKey, data),
      report: (fault, about) => refusals.warn(fault.code, { about }, fault.message),
    })
    this.#endpoint = new SipEndpoint({ transports: [transport], scheduler, random: crypto, hostFor, user: this.#upstream })
  }

  open(session: Session): void {
    if (this.#halves.has(session.id)) return
    const who = { session: session.id.slice(0, 8), key: session.keyId.slice(0, 16) }
    this.#halves.set(session.id, this.#upstream.open({
      client: session.keyId, session: session.id,
      send: (m) => session.trySend(m),
      ended: (reason) => session.send({ k: 'sip-gone', reason }),
      media: this.#o.media(session),
      report: (fault, about) => this.#o.refusals.warn(fault.code, { ...who, about }, fault.message),
    }))
  }
  /** The PBX's half for a phone that came by itself. */
  openPhone(o: Parameters<UpstreamRelay['open']>[0] & { readonly session: string }): UpstreamHalf {
    const half = this.#upstream.open(o)
    this.#halves.set(o.session, half)
    return { ...half, close: () => {
      this.#halves.delete(o.session)
      half.close()
    }, get load() {
      return half.load
    } }
  }
  message(session: Session, m: SipClientMessage): void {
    const half = this.#halves.get(session.id)
    if (half === undefined) return session.link.fail('CHANNEL_ORDER', `${m.k} without the capability sip`)
    if (m.k === 'sip-contacts') half.contacts(m.contacts)
    else half.receive(m)
  }
  gone(session: Session): void {
    this.#halves.get(session.id)?.close()
    this.#halves.delete(session.id)
  }

  find(q: LegQuestion): ClientLeg | undefined {
    // A phone at the PBX that shows one of our contacts is somewhere else. Our own connections over TCP may come from another address than the one that we listen at.
    return this.#o.transport.name === 'TCP' || hostOf(q.remote) === hostOf(q.contactAt) ? this.#upstream.legOf(q.contactUser, q.callId) : undefined
  }
  isOrphan(q: LegQuestion, afterLogin: boolean): boolean {
    const { transport, hostFor } = this.#o
    const way = transport.way()
    if (way === undefined) return false
    const [host, { port }] = [hostFor(way), way.local]
    // Where our port was taken it was perhaps another one before as well: asked once, for another server on this host would have the same name.
    const moved = afterLogin && transport.name === 'TLS' && port !== this.#o.port
    return (q.contactAt === `${host}:${port}` || (moved && hostOf(q.contactAt) === host)) && this.#upstream.isOrphan(q.contactUser, q.callId)
  }
  get busy(): boolean {
    return this.#upstream.busy
  }
  get known(): boolean {
    return this.#upstream.known
  }
  get since(): Instant | undefined {
    return this.#upstream.since
  }
  answers(withinMs: number): Promise<boolean> {
    return this.#upstream.answers(withinMs)
  }
  /** The PBX knows none of the calls any more. */
  pbxGone(reason: string): void {
    this.#upstream.pbxGone(reason)
  }
  close(): void {
    for (const half of this.#halves.values()) half.close()
    this.#halves.clear()
    this.#endpoint.close()
  }
  get load(): { readonly sessions: number; readonly dialogs: number; readonly servers: number; readonly clients: number } {
    return { sessions: this.#halves.size, dialogs: [...this.#halves.values()].reduce((n, h) => n + h.load.dialogs, 0), ...this.#endpoint.load }
  }
}

/** Of `host:port`; IPv6 in brackets. */
const hostOf = (at: string): string => at.replace(/:[0-9]+$/, '')
