/** A scripted SIP phone and a transport between it and the handset, in virtual time: every message of both is seen. */
import { utf8 } from '../../src/base/bytes.ts'
import { instant } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { Secret } from '../../src/base/secret.ts'
import { SipHandset } from '../../src/client/handset/sip/handset.ts'
import type { SipHandsetSettings } from '../../src/client/handset/sip/options.ts'
import type { CallRef, HandsetEvent } from '../../src/client/handset/port.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { SipMessage, SipRequest, SipResponse } from '../../src/protocol/sip/index.ts'
import { headerOf, parseMessage, tagOf } from '../../src/protocol/sip/index.ts'
import type { SipFlow, SipTransport, TransportName } from '../../src/telephony/index.ts'
import type { TransportListener } from '../../src/telephony/transport.ts'
import { VirtualClock } from './virtual-clock.ts'

const local = { address: '127.0.0.1', port: 5060 }

export class SimSipTransport implements SipTransport {
  readonly name: TransportName
  readonly local: { readonly address: string; readonly port: number }
  readonly #clock: VirtualClock
  readonly #phones: ScriptedPhone[] = []
  listener: TransportListener | undefined
  constructor(name: TransportName, clock: VirtualClock, at: { readonly address: string; readonly port: number } = local) {
    this.local = at
    this.name = name
    this.#clock = clock
  }
  listen(listener: TransportListener): void {
    this.listener = listener
  }
  send(data: Uint8Array, flow: SipFlow): boolean {
    const phone = this.#phones.find((p) => p.port === flow.remote.port && p.address === flow.remote.address)
    if (phone === undefined) return this.name === 'UDP'
    if (phone.gone && this.name !== 'UDP') return false
    const copy = new Uint8Array(data)
    this.#clock.at(instant(this.#clock.now() + 1), () => phone.receive(copy))
    return true
  }
  close(): void {}
  attach(phone: ScriptedPhone): void {
    this.#phones.push(phone)
  }
}

export const sdpOf = (lines: readonly string[] = ['m=audio 4000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000'], address = '127.0.0.1'): string =>
  ['v=0', `o=p 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0', ...lines, ''].join('\r\n')

export interface RequestOptions {
  readonly uri?: string
  readonly headers?: readonly string[]
  readonly body?: string
  readonly type?: string
  readonly branch?: string
  readonly to?: string
  readonly cseq?: number
  readonly from?: string
}

export class ScriptedPhone {
  readonly address: string
  readonly port: number
  readonly log: { readonly at: number; readonly message: SipMessage }[] = []
  /** Power cut: nothing is received any more, nothing answered. */
  gone = false
  /** Double CRLFs: nothing but a sign that the way is open. */
  keptOpen = 0
  /** Answers requests by itself, 200, unless this says otherwise. */
  answer: (r: SipRequest) => { status: number; headers?: readonly string[]; body?: string } | undefined = () => ({ status: 200 })
  readonly #transport: SimSipTransport
  readonly #clock: VirtualClock
  readonly callId: string
  readonly user: string
  cseq = 0
  #branch = 0
  /** To of our dialog, with the handset's tag. */
  to = '<sip:room@127.0.0.1>'

  constructor(transport: SimSipTransport, clock: VirtualClock, at: { address?: string; port?: number; callId?: string; user?: string } = {}) {
    this.user = at.user ?? 'alice'
    this.#transport = transport
    this.#clock = clock
    this.address = at.address ?? '127.0.0.1'
    this.port = at.port ?? 6000
    this.callId = at.callId ?? `call-${this.port}`
    transport.attach(this)
  }
  get flow(): SipFlow {
    return { transport: this.#transport.name, local: this.#transport.local, remote: { address: this.address, port: this.port }, ...(this.#transport.name === 'UDP' ? {} : { connection: this.port }) }
  }
  raw(text: string | Uint8Array): void {
    this.#transport.listener!.message(typeof text === 'string' ? utf8(text) : text, this.flow)
  }
  /** Sends a request; gives its branch. */
  send(method: string, o: RequestOptions = {}): string {
    const cseq = o.cseq ?? (method === 'ACK' || method === 'CANCEL' ? this.cseq : ++this.cseq)
    const branch = o.branch ?? `z9hG4bK${this.callId}.${this.#branch++}`
    const body = o.body ?? ''
    this.raw([
      `${method} ${o.uri ?? 'sip:room@127.0.0.1'} SIP/2.0`, `Via: SIP/2.0/${this.#transport.name} ${this.address}:${this.port};branch=${branch};rport`, 'Max-Forwards: 70',
      `From: <sip:${o.from ?? this.user}@127.0.0.1>;tag=f${this.port}`, `To: ${o.to ?? this.to}`, `Call-ID: ${this.callId}`, `CSeq: ${cseq} ${method}`, `Contact: <sip:${this.user}@${this.address}:${this.port}>`,
      ...(o.headers ?? []), ...(body === '' ? [] : [`Content-Type: ${o.type ?? 'application/sdp'}`]), `Content-Length: ${utf8(body).length}`, '', body,
    ].join('\r\n'))
    return branch
  }
  /** An INVITE out of dialog, with SDP unless `body` is ''. */
  invite(o: RequestOptions = {}): string {
    return this.send('INVITE', { body: sdpOf(), ...o })
  }
  ack(body = '', cseq = this.cseq): void {
    this.send('ACK', { body, cseq })
  }
  receive(data: Uint8Array): void {
    if (this.gone) return
    if (data.length <= 4) return void this.keptOpen++
    const message = must(parseMessage(data, { stream: this.#transport.name !== 'UDP' }))
    this.log.push({ at: this.#clock.now(), message })
    if (message.kind === 'response') {
      if (message.cseq.method === 'INVITE' && message.status >= 200 && message.status < 300) this.to = message.to.text
      return
    }
    const answer = message.method === 'ACK' ? undefined : this.answer(message)
    if (answer !== undefined) this.respond(message, answer.status, answer.headers, answer.body)
  }
  respond(r: SipRequest, status: number, headers: readonly string[] = [], body = ''): void {
    this.raw([
      `SIP/2.0 ${status} X`, ...r.via.map((v) => `Via: ${v.text}`), `From: ${r.from.text}`, `To: ${r.to.text}${tagOf(r.to) === '' && status > 100 ? `;tag=t${this.port}` : ''}`, `Call-ID: ${r.callId}`, `CSeq: ${r.cseq.number} ${r.cseq.method}`,
      ...(headers.some((h) => h.startsWith('Contact:')) ? [] : [`Contact: <sip:${this.user}@${this.address}:${this.port}>`]), ...headers, ...(body === '' ? [] : ['Content-Type: application/sdp']), `Content-Length: ${utf8(body).length}`, '', body,
    ].join('\r\n'))
  }
  get responses(): SipResponse[] {
    return this.log.flatMap((l) => (l.message.kind === 'response' ? [l.message] : []))
  }
  get requests(): SipRequest[] {
    return this.log.flatMap((l) => (l.message.kind === 'request' ? [l.message] : []))
  }
  get last(): SipResponse {
    return this.responses.at(-1)!
  }
  /** `200 INVITE`, `OPTIONS`, … with times when asked. */
  shown(times = false): string[] {
    return this.log.map(({ at, message: m }) => `${times ? `${at} ` : ''}${m.kind === 'response' ? `${m.status} ${m.cseq.method}` : m.method}`)
  }
}

/** A handset with one simulated transport, its events, and a phone or more. */
export function simHandset(options: { readonly transport?: TransportName; readonly users?: Readonly<Record<string, string>> } & Partial<Omit<SipHandsetSettings, 'users'>> = {}) {
  const { transport: name = 'UDP', users = {}, ...settings } = options
  const clock = new VirtualClock()
  const transport = new SimSipTransport(name, clock)
  const handset = new SipHandset({ line: 'desk', scheduler: clock, crypto: createNodeCrypto(), users: new Map(Object.entries(users).map(([u, p]) => [u, new Secret(utf8(p))])), ...settings }, { transports: [transport], hostFor: () => '127.0.0.1' })
  const events: HandsetEvent[] = []
  handset.subscribe((e) => events.push(e))
  const dials = () => events.filter((e) => e.kind === 'dial')
  return {
    clock, transport, handset, events,
    phone: (at: { address?: string; port?: number; callId?: string } = {}) => new ScriptedPhone(transport, clock, at),
    /** The call that was dialled last. */
    get call(): CallRef {
      return dials().at(-1)!.call
    },
    dials,
    answer(call = dials().at(-1)!.call, port = 7000): void {
      handset.command({ kind: 'answer', call, local: { address: '127.0.0.1', port } })
    },
    kinds: (): string[] => events.map((e) => (e.kind === 'ended' ? `ended: ${e.reason}` : e.kind)),
    /** A call that is up. */
    up(phone: ScriptedPhone, o: RequestOptions = {}): void {
      phone.invite(o)
      this.answer()
      clock.advanceSync(10)
      phone.ack()
      clock.advanceSync(10)
    },
    /** Long after the end nothing may be left. */
    left(): unknown {
      clock.advanceSync(200_000)
      return { ...handset.load, timers: clock.pending }
    },
  }
}
export const nothing = { calls: 0, servers: 0, clients: 0, timers: 0 }
export { headerOf, tagOf }
