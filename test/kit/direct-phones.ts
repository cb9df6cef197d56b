/** A server's door for phones over real TLS sockets, a scripted PBX on UDP behind it; media is written down instead of moved. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import tls from 'node:tls'
import { fromUtf8 } from '../../src/base/bytes.ts'
import { must, ok } from '../../src/base/result.ts'
import type { BridgeTo, LegId, PlainPeer, PlaneHandle } from '../../src/media/plane/types.ts'
import { realScheduler } from '../../src/net/scheduler.ts'
import { issueCertificate } from '../../src/pki/authority.ts'
import { ROOM_LIMITS } from '../../src/protocol/room/index.ts'
import { clientKey, parseMessage, type SipRequest, type SipResponse } from '../../src/protocol/sip/index.ts'
import { SipStream } from '../../src/protocol/sip/stream.ts'
import { encodePem } from '../../src/protocol/x509/pem.ts'
import { ServerCore } from '../../src/server/index.ts'
import { Revocation } from '../../src/server/revocation.ts'
import { phonesConfig, startPhones } from '../../src/server/phones/index.ts'
import { sipConfig, startSip } from '../../src/server/sip/index.ts'
import { freePorts } from './free-ports.ts'
import { People } from './people.ts'
import { until } from './processes.ts'

const here = '127.0.0.1'
export const plainSdp = ['v=0', `o=p 1 1 IN IP4 ${here}`, 's=-', `c=IN IP4 ${here}`, 't=0 0', 'm=audio 17000 RTP/AVP 0', ''].join('\r\n')
export const keyLine = (fill: string, o: { tag?: number; suite?: string } = {}): string => `a=crypto:${o.tag ?? 1} ${o.suite ?? 'AES_CM_128_HMAC_SHA1_80'} inline:${Buffer.alloc(o.suite?.includes('GCM') ? 28 : 30, fill).toString('base64')}`
export const secureSdp = (...crypto: readonly string[]): string => plainSdp.replace('17000 RTP/AVP', '18000 RTP/SAVP') + crypto.map((c) => `${c}\r\n`).join('')

/** Answers by `answer`; keeps what came. */
export class FakePbx {
  readonly requests: SipRequest[] = []
  readonly responses: SipResponse[] = []
  answer: (r: SipRequest) => { status: number; headers?: readonly string[]; body?: string } | undefined = () => ({ status: 200 })
  readonly #socket: Socket
  #peer = { port: 0 }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (data, from) => this.#take(data, from))
  }
  static async open(): Promise<FakePbx> {
    const socket = createSocket('udp4').bind(0, here)
    await once(socket, 'listening')
    return new FakePbx(socket)
  }
  get port(): number {
    return this.#socket.address().port
  }
  send(text: string): void {
    this.#socket.send(text, this.#peer.port, here)
  }
  close(): void {
    this.#socket.close()
  }
  #take(data: Uint8Array, from: { port: number }): void {
    this.#peer = from
    const m = must(parseMessage(data))
    if (m.kind === 'response') return void this.responses.push(m)
    if (this.requests.some((r) => clientKey(r) === clientKey(m) && r.method === m.method)) return
    this.requests.push(m)
    const reply = m.method === 'ACK' ? undefined : this.answer(m)
    if (reply !== undefined) this.send(respond(fromUtf8(new Uint8Array(data))!, reply))
  }
}

/** An answer that keeps what answers keep. */
export function respond(request: string, o: { status: number; headers?: readonly string[]; body?: string }): string {
  const kept = request.split('\r\n').filter((l) => /^(Via|From|To|Call-ID|CSeq|Record-Route):/i.test(l)).map((l) => (/^To:/i.test(l) && !/;tag=/.test(l) ? `${l};tag=answer` : l))
  const body = o.body ?? ''
  return [`SIP/2.0 ${o.status} X`, ...kept, `Contact: <sip:pbx@${here}>`, ...(o.headers ?? []), ...(body === '' ? [] : ['Content-Type: application/sdp']), `Content-Length: ${body.length}`, '', body].join('\r\n')
}

export class TlsPhone {
  readonly socket: tls.TLSSocket
  readonly texts: string[] = []
  readonly name: string
  ended = false
  answer: (text: string) => { status: number; headers?: readonly string[]; body?: string } | undefined = () => ({ status: 200 })
  readonly #port: number
  #n = 0

  constructor(socket: tls.TLSSocket, name: string, port: number) {
    this.socket = socket
    this.name = name
    this.#port = port
    const stream = new SipStream()
    socket.on('data', (chunk: Buffer) => {
      for (const item of must(stream.push(chunk))) if (item.kind === 'message') this.#take(fromUtf8(item.bytes)!)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.ended = true
    })
  }
  /** Gives the Call-ID. */
  send(method: string, o: { to?: string; from?: string; body?: string; callId?: string; headers?: readonly string[]; uri?: string; cseq?: number; branch?: string; toTag?: string } = {}): string {
    const n = ++this.#n
    const callId = o.callId ?? `${this.name}-${n}`
    const body = o.body ?? ''
    this.socket.write([
      `${method} ${o.uri ?? `sip:${o.to ?? '600'}@pbx.example`} SIP/2.0`, `Via: SIP/2.0/TLS ${here}:5061;branch=${o.branch ?? `z9hG4bK${this.name}${n}`};rport`, 'Max-Forwards: 70',
      `From: <sip:${o.from ?? this.name}@pbx.example>;tag=f${callId}`, `To: <sip:${o.to ?? '600'}@pbx.example>${o.toTag ?? ''}`, `Call-ID: ${callId}`, `CSeq: ${o.cseq ?? n} ${method}`,
      `Contact: <sip:${this.name}@${here}:5061;transport=tls>`, ...(o.headers ?? []), ...(body === '' ? [] : ['Content-Type: application/sdp']), `Content-Length: ${body.length}`, '', body,
    ].join('\r\n'))
    return callId
  }
  invite(body: string, o: Parameters<TlsPhone['send']>[1] = {}): Promise<string> {
    return this.final(this.send('INVITE', { body, ...o }), 'INVITE')
  }
  /** The final answer to this call's newest request of that method. */
  final(callId: string, method: string): Promise<string> {
    return until(5000, `an answer to ${method} of ${this.name}`, () => this.texts.findLast((t) => /^SIP\/2\.0 [2-6]/.test(t) && t.includes(`Call-ID: ${callId}\r\n`) && new RegExp(`CSeq: \\d+ ${method}`).test(t)), () => this.texts.join('\n'), 10)
  }
  async register(): Promise<string> {
    return this.final(this.send('REGISTER', { to: this.name, headers: ['Expires: 300'] }), 'REGISTER')
  }
  #take(text: string): void {
    this.texts.push(text)
    if (text.startsWith('SIP/2.0') || text.startsWith('ACK')) return
    const reply = this.answer(text)
    if (reply !== undefined) this.socket.write(respond(text, reply))
  }
  get port(): number {
    return this.#port
  }
}

export interface Opened {
  readonly leg: LegId
  readonly peers: PlainPeer[]
  bridged: BridgeTo | undefined
  closed: boolean
}

export async function directPhones(t: TestContext, config: Readonly<Record<string, unknown>> = {}) {
  const scheduler = realScheduler()
  const people = new People(scheduler.unix())
  const legs: Opened[] = []
  const find = (id: LegId): Opened => legs.find((l) => l.leg === id)!
  const plane = {
    openPlain: async () => {
      const leg = (legs.length + 1) as LegId
      legs.push({ leg, peers: [], bridged: undefined, closed: false })
      return ok({ leg, rtp: { address: here, port: 20000 + 2 * leg }, rtcp: { address: here, port: 20001 + 2 * leg } })
    },
    negotiate: (leg: LegId, peer: PlainPeer) => void find(leg).peers.push(peer),
    bridge: (leg: LegId, to: BridgeTo) => void (find(leg).bridged = to),
    close: (leg: LegId) => void (find(leg).closed = true),
  } as unknown as PlaneHandle
  const log: { code?: string; text: string }[] = []
  const keep = (fields: object, text: string): void => void log.push({ ...fields, text })
  const revocation = new Revocation()
  const core = new ServerCore({ crypto: people.crypto, scheduler, plane, log: { info: keep, warn: keep }, agent: 'stc', realm: 'test', advertise: [], roomLimits: ROOM_LIMITS, maximumRooms: 10, revocation })
  const pbx = await FakePbx.open()
  const issued = issueCertificate(people.ca, { name: 'server', hosts: ['localhost', here], kind: 'server', now: scheduler.unix() })
  const credentials = { certificate: issued.chain.map((c) => encodePem('CERTIFICATE', c)).join(''), key: encodePem('PRIVATE KEY', issued.pkcs8), anchors: people.anchors, authorities: [] }
  const sip = sipConfig.parse({ port: pbx.port, listen: { address: here, port: await freePorts(2) } })
  const relay = must(await startSip(sip, core, credentials.key))
  const door = must(await startPhones({
    config: phonesConfig.parse({ listen: { address: here, port: 0 }, extensions: { anna: ['cn:anna'], bert: ['cn:bert'] }, ...config }), core, credentials, relay, emergency: ['112'],
  }))
  t.after(() => {
    core.phones!.close()
    relay.close()
    pbx.close()
  })
  const connect = async (name: string, o: { readonly as?: { readonly chain: readonly Uint8Array[]; readonly pkcs8: Uint8Array } | undefined; readonly anonymous?: true } = {}): Promise<TlsPhone> => {
    const own = o.anonymous ? undefined : (o.as ?? people.person(name))
    const paper = own === undefined ? {} : { cert: own.chain.map((c) => encodePem('CERTIFICATE', c)).join(''), key: encodePem('PRIVATE KEY', own.pkcs8) }
    const socket = tls.connect({ port: door.local.port, host: here, ca: [encodePem('CERTIFICATE', people.ca.certificate)], servername: 'localhost', ...paper })
    const phone = new TlsPhone(socket, name, door.local.port)
    t.after(() => socket.destroy())
    await once(socket, 'secureConnect')
    return phone
  }
  return { people, core, pbx, legs, log, connect, revocation, scheduler, port: door.local.port, codes: (): (string | undefined)[] => log.flatMap((l) => (l.code === undefined ? [] : [l.code])), refused: () => new Map(core.refusals.counts) }
}
