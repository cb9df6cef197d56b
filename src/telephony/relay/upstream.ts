/** The PBX's side of the relay: one way to the PBX, shared by the lines of all clients; each connection has a half of its own. */
import { toHex } from '../../base/bytes.ts'
import type { Random, Scheduler } from '../../base/ports.ts'
import { type Fault, makeFault } from '../../base/result.ts'
import { makeReply, parseUri, sipUri, type SipRequest, type SipResponse, tagOf } from '../../protocol/sip/index.ts'
import type { Incoming, SipEndpoint, TransactionUser } from '../endpoint.ts'
import type { SipFlow } from '../transport.ts'
import { answersSip } from './alive.ts'
import { RelayHalf } from './half.ts'
import type { RelayMedia } from './media.ts'
import { type PbxLine, type PbxShared, PbxSide, type PbxSideOptions, pbxShared } from './pbx-side.ts'
import { Tokens } from './tokens.ts'
import type { TunnelMessage, TunnelSend } from './tunnel.ts'

export interface UpstreamOptions extends Omit<PbxSideOptions, 'scheduler'> {
  readonly endpoint: () => SipEndpoint
  readonly scheduler: Scheduler
  readonly random: Random
  /** Keyed, the same after a restart: the PBX remembers our contacts. */
  readonly hmac: (data: Uint8Array) => Uint8Array
  readonly report: (fault: Fault, about: string) => void
}

/** A client by its key; `half` is that of its newest connection. */
interface Line extends PbxLine {
  half: RelayHalf | undefined
  /** The name of that connection. */
  session: string
}

/** One connection of a client, as the server's session sees it. */
export interface UpstreamHalf {
  receive(m: TunnelMessage): void
  /** Contacts that the PBX knows already, after a new connection or a restart of ours. */
  contacts(uris: readonly string[]): void
  /** Its calls end at the PBX. */
  close(): void
  readonly load: RelayHalf['load']
}

/** In place of an address of record, until a registration names theirs. */
const ANNOUNCED = ''

export class UpstreamRelay implements TransactionUser {
  readonly #o: UpstreamOptions
  readonly #shared: PbxShared<Line>
  readonly #lines = new Map<string, Line>()
  readonly #halves = new Map<RelayHalf, (reason: string) => void>()

  constructor(options: UpstreamOptions) {
    this.#o = options
    this.#shared = pbxShared(new Tokens<Line>(options.hmac))
  }

  /** A connection of the client with this key. `ended`: all its calls are over at the PBX, for the other half. */
  open(o: { readonly client: string; readonly session?: string; readonly send: TunnelSend; readonly media: RelayMedia; readonly ended?: (reason: string) => void; readonly report?: (fault: Fault, about: string) => void }): UpstreamHalf {
    const line = this.#lines.get(o.client) ?? { name: o.client, half: undefined, session: '' }
    this.#lines.set(o.client, line)
    const { endpoint, scheduler, random, report } = this.#o
    const side = new PbxSide<Line>(this.#o, this.#shared, line)
    const half = new RelayHalf({ endpoint, side, send: o.send, media: o.media, scheduler, random, report: o.report ?? report })
    line.half = half
    line.session = o.session ?? ''
    this.#halves.set(half, o.ended ?? (() => {}))
    return {
      receive: (m) => half.receive(m),
      contacts: (uris) => this.#announce(line, uris),
      close: () => {
        if (line.half === half) line.half = undefined
        this.#halves.delete(half)
        half.down()
      },
      get load() {
        return half.load
      },
    }
  }

  /** The PBX is gone or was started anew: it knows none of the calls any more, and phones are told. */
  pbxGone(reason: string): void {
    for (const [half, tell] of this.#halves) {
      tell(reason.slice(0, 300))
      half.endCalls(reason)
    }
  }
  /** We are at another address than the one that the calls were made from. */
  moved(): void {
    for (const half of this.#halves.keys()) half.cutOff(makeFault('RELAY_MOVED'))
  }
  /** Calls that stand, or are being made, through any connection. */
  get busy(): boolean {
    for (const { load } of this.#halves.keys()) if (load.asked + load.served + load.dialogs > 0) return true
    return false
  }
  /** When the oldest call that stands began, through any connection. */
  get since(): RelayHalf['since'] {
    return [...this.#halves.keys()].map((h) => h.since).reduce((a, b) => (a === undefined || (b !== undefined && b < a) ? b : a), undefined)
  }
  /** A dialog of the PBX that leads to us although none of our connections knows the call: nobody will ever end it. */
  isOrphan(contactUser: string, callId: string): boolean {
    if (!Tokens.looksLike(sipUri({ scheme: 'sip', user: contactUser, host: 'stc.invalid' }))) return false
    for (const half of this.#halves.keys()) if (half.hasCall(callId)) return false
    return true
  }
  /** Whether the PBX answers SIP, whatever it says. */
  answers(withinMs: number): Promise<boolean> {
    const { way, hostFor, scheduler, random, endpoint } = this.#o
    const flow = way()
    return flow === undefined ? Promise.resolve(false) : answersSip({ endpoint: endpoint(), flow, host: hostFor(flow), user: this.#asked ?? 'stc', scheduler, random }, withinMs)
  }
  /** There is an extension in whose name the PBX can be asked. */
  get known(): boolean {
    return this.#asked !== undefined
  }
  get #asked(): string | undefined {
    return this.#shared.extensions.any(this.#o.scheduler.now())
  }

  /** Whose phone a dialog of the PBX leads to; undefined where it leads to none of ours: a Contact can be copied, a call of the relay cannot. */
  legOf(contactUser: string, callId: string): { readonly session: string; readonly call: string } | undefined {
    const line = this.#shared.tokens.find(sipUri({ scheme: 'sip', user: contactUser, host: 'stc.invalid' }))?.owner
    return line?.half?.hasCall(callId) === true ? { session: line.session, call: callId } : undefined
  }

  request(incoming: Incoming): void {
    const { request } = incoming
    if (request.method === 'CANCEL') return this.#cancel(incoming)
    const line = this.#shared.tokens.find(request.uri)?.owner
    if (line?.half !== undefined) return line.half.request(incoming)
    // A qualifying OPTIONS without an answer makes the contact unreachable at the PBX, which it is.
    if (request.method === 'OPTIONS' && Tokens.looksLike(request.uri)) return
    const status = request.method === 'OPTIONS' ? 200 : tagOf(request.to) !== '' ? 481 : Tokens.looksLike(request.uri) ? 480 : 404
    incoming.respond(makeReply(request, status, { tag: toHex(this.#o.random.bytes(8)) }))
  }
  #cancel(incoming: Incoming): void {
    const invite = incoming.cancels
    const half = invite === undefined ? undefined : [...this.#halves.keys()].find((h) => h.owns(invite))
    if (half !== undefined) half.request(incoming)
    else incoming.respond(makeReply(incoming.request, 481, { tag: toHex(this.#o.random.bytes(8)) }))
  }
  ack(request: SipRequest, flow: SipFlow): void {
    this.#shared.tokens.find(request.uri)?.owner.half?.ack(request, flow)
  }
  /** A 2xx for a transaction that is over cannot be forwarded without its Via: of a place that was given up it is ended, of all else the sender gives up. */
  stray(response: SipResponse, flow: SipFlow): void {
    for (const half of this.#halves.keys()) half.stray(response, flow)
  }
  failed(incoming: Incoming): void {
    for (const half of this.#halves.keys()) half.failed(incoming)
  }
  report(fault: Fault, flow: SipFlow): void {
    this.#o.report(fault, `from ${flow.remote.address}`)
  }

  #announce(line: Line, uris: readonly string[]): void {
    const flow = this.#o.way()
    if (flow === undefined) return
    const { tokens } = this.#shared
    const at = { host: this.#o.hostFor(flow), port: flow.local.port, transport: flow.transport }
    tokens.keep(line, ANNOUNCED, uris.flatMap((text) => {
      const uri = parseUri(text)
      return uri.ok && uri.value.kind === 'sip' ? [tokens.present(line, uri.value, at)] : []
    }))
  }
}
