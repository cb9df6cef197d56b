/** What one client's line may do at the PBX, and how it looks there. */
import { makeFault } from '../../base/result.ts'
import type { Scheduler } from '../../base/ports.ts'
import type { SipRequest, SipResponse } from '../../protocol/sip/index.ts'
import { addressesOf, makeAddress, sipUri } from '../../protocol/sip/index.ts'
import { SourceLimit } from '../source-limit.ts'
import type { SipFlow } from '../transport.ts'
import { isEmergencyUri } from './downstream.ts'
import { Extensions } from './extensions.ts'
import { Guessing, withoutPassword } from './guessing.ts'
import type { Rewriter } from './rewrite.ts'
import type { LocalSide, ReadAudio, Refusal } from './side.ts'
import type { Tokens } from './tokens.ts'

/** A client, by its certificate, and how it is reached now. */
export interface PbxLine {
  /** Stable over connections: the name of its key. */
  readonly name: string
}

export interface PbxSideOptions {
  readonly scheduler: Pick<Scheduler, 'now'>
  /** Undefined: the PBX cannot be reached now. `within`: the flow of a call that is in one of its places. */
  readonly way: (within?: SipFlow) => SipFlow | undefined
  /** It is known that nobody is there, although packets can be sent. */
  readonly dead?: () => boolean
  readonly hostFor: (flow: SipFlow) => string
  /** Our address in descriptions for the PBX; undefined: that of the signalling. */
  readonly mediaAddress: string | undefined
  readonly isEmergency: (number: string) => boolean
}

/** Of one client: new requests, and new calls among them. Thirty desk phones behind one client register at once. */
const requestRate = { perSecond: 30, burst: 200 }
const inviteRate = { perSecond: 5, burst: 40 }

export interface PbxShared<Line extends PbxLine> {
  readonly tokens: Tokens<Line>
  readonly guessing: Guessing
  readonly extensions: Extensions
  readonly requests: SourceLimit
  readonly invites: SourceLimit
}

export const pbxShared = <Line extends PbxLine>(tokens: Tokens<Line>): PbxShared<Line> => ({
  tokens, guessing: new Guessing(), extensions: new Extensions(),
  requests: new SourceLimit(requestRate.perSecond, requestRate.burst), invites: new SourceLimit(inviteRate.perSecond, inviteRate.burst),
})

export class PbxSide<Line extends PbxLine> implements LocalSide {
  readonly goneStatus = 480
  readonly silentMs = 4000
  readonly #o: PbxSideOptions
  readonly #shared: PbxShared<Line>
  readonly #line: Line

  constructor(options: PbxSideOptions, shared: PbxShared<Line>, line: Line) {
    this.#o = options
    this.#shared = shared
    this.#line = line
  }

  rewriter(flow: SipFlow): Rewriter {
    const host = this.#o.hostFor(flow)
    const { port } = flow.local
    const { tokens } = this.#shared
    return {
      present: (uri) => tokens.present(this.#line, uri, { host, port, transport: flow.transport }),
      restore: (uri) => {
        const found = tokens.find(uri)
        return found?.owner === this.#line ? found.uri : undefined
      },
      isUs: (uri) => uri.kind === 'sip' && uri.host === host && (uri.port ?? 5060) === port,
      assertsIdentity: true,
      recordRoute: makeAddress(sipUri({ scheme: 'sip', host, port, params: [...(flow.transport === 'UDP' ? [] : [{ name: 'transport', value: flow.transport.toLowerCase() }]), { name: 'lr' }] })),
    }
  }

  /** To the one PBX, whatever the Request-URI says. */
  route(_: SipRequest, within?: SipFlow): SipFlow | Refusal {
    return (this.#o.dead?.() === true ? undefined : this.#o.way(within)) ?? { status: 503, fault: makeFault('RELAY_DOWN') }
  }
  /** After a new connection, or from another address of ours. */
  current(flow: SipFlow): SipFlow {
    return this.#o.way(flow) ?? flow
  }
  admit(): undefined {
    return undefined
  }
  admitFar(request: SipRequest, inside: boolean): Refusal | undefined {
    // Help comes before every rule (DESIGN §1); inside a call the tags speak.
    if (inside || this.#isEmergency(request)) return undefined
    const now = this.#o.scheduler.now()
    const { guessing, extensions, requests, invites } = this.#shared
    const { name } = this.#line
    if (!requests.admit(name, now) || (request.method === 'INVITE' && !invites.admit(name, now))) return { status: 503, fault: makeFault('RELAY_FLOOD') }
    const guessed = guessing.refuses(name, request, now)
    if (guessed !== undefined) return { status: guessed, fault: makeFault('RELAY_GUESSING') }
    if (request.method !== 'REGISTER' && extensions.isOthers(name, request.from, now)) return { status: 403, fault: makeFault('RELAY_OTHERS_NAME') }
    return undefined
  }
  settled(request: SipRequest, response: SipResponse | undefined): void {
    this.#shared.guessing.settled(this.#line.name, request, response, this.#o.scheduler.now())
  }

  /** What passes the rules must not be the guesser's way round them: help and calls that stand go through, beyond a few passwords of their own without one. */
  stripped(request: SipRequest, inside: boolean): SipRequest {
    const now = this.#o.scheduler.now()
    const { guessing } = this.#shared
    const { name } = this.#line
    if ((!inside && !this.#isEmergency(request)) || guessing.refuses(name, request, now) === undefined) return request
    return guessing.spares(name, inside ? 'inside' : 'help', now) ? request : withoutPassword(request)
  }
  #isEmergency(request: SipRequest): boolean {
    return request.method === 'INVITE' && isEmergencyUri(request.uri, this.#o.isEmergency)
  }

  /** The PBX says where media goes: it may be another machine of its own, and in direct media it is a phone. */
  placed(described: ReadAudio): ReadAudio {
    return described
  }
  mediaAddress(flow: SipFlow): string {
    return this.#o.mediaAddress ?? this.#o.hostFor(flow).replace(/^\[|\]$/g, '')
  }
  heard(): void {}
  answered(request: SipRequest, response: SipResponse): void {
    if (request.method !== 'REGISTER' || response.status >= 300) return
    const { extensions, tokens } = this.#shared
    extensions.registered(this.#line.name, request, response, this.#o.scheduler.now())
    tokens.keep(this.#line, request.to.uri.text, addressesOf(response, 'Contact').map((a) => a.uri))
  }
  answeredFar(): void {}
}
