/** Requests of our side: they cross to the other half, its answers come back. */
import { type FaultCode, faultTable } from '../../base/faults/index.ts'
import { type Fault, makeFault } from '../../base/result.ts'
import { type Dialog, dialogOfCaller, headerOf, makeReply, requestInDialog, serialise, type SipRequest, type SipResponse, tagOf, tokensOf, transactionMs } from '../../protocol/sip/index.ts'
import type { Incoming } from '../endpoint.ts'
import type { SipFlow } from '../transport.ts'
import { byeReason, type HalfContext, ownStatuses, parseTunnelled, statusOfFault, warning } from './context.ts'
import type { Leg } from './leg.ts'
import { requestOut, responseIn } from './rewrite.ts'
import type { Refusal } from './side.ts'
import { type HopStreams, type TunnelMessage, tunnelLimits } from './tunnel.ts'

interface Asked {
  readonly incoming: Incoming
  readonly leg: Leg | undefined
  /** It brought a description. */
  readonly offered: boolean
  cancelled: boolean
  /** The far side has said that something goes on. */
  early: boolean
  /** A 2xx has passed: only that may come again (RFC 6026). */
  succeeded: boolean
}

/** Pings are answered every five seconds (protocol/wire/link.ts). */
const TUNNEL_SILENT_MS = 6000
/** PRACK and UPDATE before the call stood were not counted; numbers may have gaps (RFC 3261 §12.2.2). */
const UNSEEN = 50

export class Asking {
  readonly #c: HalfContext
  readonly #asked = new Map<number, Asked>()
  /** Of our own: BYE in the name of a phone that is gone. Nobody waits for the answer. */
  readonly #own = new Set<number>()
  /** INVITEs that were given up although the tunnel may still bring a 2xx. */
  readonly #given = new Map<number, Asked>()
  #next = 0

  constructor(context: HalfContext) {
    this.#c = context
  }
  get size(): number {
    return this.#asked.size
  }
  owns(incoming: Incoming): boolean {
    return this.#find(incoming) !== undefined
  }
  hasCall(callId: string): boolean {
    for (const a of this.#asked.values()) if (a.incoming.request.callId === callId) return true
    return false
  }

  request(incoming: Incoming): void {
    const { request, flow } = incoming
    const { side } = this.#c.o
    const refusal = this.#inspect(request) ?? side.admit(request, flow, this.#c.dialogs.holds(request))
    if (refusal !== undefined) return this.#refuse(incoming, refusal)
    const inside = tagOf(request.to) !== ''
    const known = this.#c.dialogs.legOf(request)
    if (request.method === 'INVITE' && inside && known === undefined) return this.#refuse(incoming, { status: 481, fault: makeFault('RELAY_MISMATCH', 'no such call') })
    const leg = known ?? (request.method === 'INVITE' ? this.#c.newLeg(flow, side.isEmergency?.(request)) : undefined)
    leg?.hold()
    const out = this.#c.bodies.out(request, leg, flow, leg?.roleOf(request.method, true) ?? 'offer')
    if (!out.ok) {
      leg?.release()
      return this.#refuse(incoming, { status: statusOfFault(out.fault.code), fault: out.fault })
    }
    side.heard(request, flow)
    this.#c.dialogs.moved(request, flow)
    const id = ++this.#next
    this.#asked.set(id, { incoming, leg, offered: out.value !== request, cancelled: false, early: false, succeeded: false })
    const message = serialise(requestOut(out.value, side.rewriter(flow)))
    const sent = this.#c.send({ k: 'sip-request', id, message, ...withStreams(leg) })
    if (!sent.ok) return this.#end(id, { status: 503, fault: makeFault('RELAY_DOWN', undefined, sent.fault) })
    if (request.method === 'INVITE') this.#c.after(TUNNEL_SILENT_MS, () => this.#silent(id))
  }
  /** Nothing at all has come through the tunnel for so long: the network is gone, and a phone that is told tries its second server. One that rings waits for the end of the connection, which may be back in a moment. */
  #silent(id: number): void {
    const asked = this.#asked.get(id)
    const { heardAt, scheduler } = this.#c.o
    if (asked === undefined || asked.succeeded || asked.early || heardAt === undefined) return
    const left = (heardAt() ?? 0) + TUNNEL_SILENT_MS - scheduler.now()
    if (left > 0) return void this.#c.after(left, () => this.#silent(id))
    this.#giveUp(id, asked, makeFault('RELAY_DOWN', 'the server does not answer'))
  }
  /** Nobody of our side can be told any more what becomes of an INVITE: who rings for it need not go on. */
  cutOff(fault: Fault): void {
    for (const [id, asked] of [...this.#asked]) if (asked.incoming.request.method === 'INVITE' && !asked.succeeded) this.#giveUp(id, asked, fault)
  }
  #giveUp(id: number, asked: Asked, fault: Fault): void {
    this.#takeBack(id, asked)
    this.#end(id, { status: asked.cancelled ? 487 : this.#c.o.side.goneStatus, fault })
  }
  /** It may get there after all, and an answer may be on its way. */
  #takeBack(id: number, asked: Asked): void {
    this.#c.send({ k: 'sip-cancel', id })
    this.#given.set(id, asked)
    this.#c.after(transactionMs, () => void this.#given.delete(id))
  }
  /** In the name of a phone that is gone. `near`: the call as it saw it. */
  bye(near: Dialog, flow: SipFlow, reason: string): void {
    const { request } = requestInDialog({ ...near, localSeq: near.localSeq + UNSEEN }, 'BYE', { headers: [byeReason(reason)] })
    const id = ++this.#next
    this.#own.add(id)
    this.#c.send({ k: 'sip-request', id, message: serialise(requestOut(request, this.#c.o.side.rewriter(flow))) })
  }
  /** Answered although it was given up: that call ends at once. */
  #late({ incoming }: Asked, response: SipResponse): void {
    if (response.status < 200 || response.status >= 300 || !answers(incoming.request, response)) return
    const rewriter = this.#c.o.side.rewriter(incoming.flow)
    const near = dialogOfCaller(incoming.request, responseIn(response, rewriter))
    if (!near.ok) return
    const { request: ack } = requestInDialog(near.value, 'ACK', { cseq: incoming.request.cseq.number })
    this.#c.send({ k: 'sip-ack', message: serialise(requestOut(ack, rewriter)) })
    this.bye(near.value, incoming.flow, 'the caller was told that nobody can be reached')
  }

  /** RFC 3261 §16.3. */
  #inspect(request: SipRequest): Refusal | undefined {
    if (request.maxForwards === 0) return { status: 483, fault: makeFault('RELAY_MISMATCH', 'Max-Forwards') }
    if (tokensOf(request, 'Proxy-Require').length > 0) return { status: 420, fault: makeFault('RELAY_MISMATCH', 'Proxy-Require') }
    if (request.uri.kind !== 'sip' && request.uri.scheme !== 'tel' && request.uri.scheme !== 'urn') return { status: 416, fault: makeFault('RELAY_MISMATCH', request.uri.scheme) }
    if (this.#asked.size >= tunnelLimits.asked) return { status: 503, fault: makeFault('RELAY_FLOOD') }
    return undefined
  }

  /** §16.10: the CANCEL is answered for itself and goes on. */
  cancel(incoming: Incoming): void {
    const found = incoming.cancels === undefined ? undefined : this.#find(incoming.cancels)
    incoming.respond(makeReply(incoming.request, found === undefined ? 481 : 200, { tag: this.#c.tag() }))
    if (found === undefined) return
    const [id, asked] = found
    if (asked.cancelled || asked.succeeded) return
    asked.cancelled = true
    const reason = headerOf(incoming.request, 'Reason')
    this.#c.send({ k: 'sip-cancel', id, ...(reason === undefined ? {} : { reason: reason.slice(0, 300) }) })
    // A 487 comes, or a 2xx that was faster; from a half that says nothing more, neither (§9.1).
    this.#c.after(transactionMs + 1000, () => {
      if (this.#asked.get(id) === asked && !asked.succeeded) this.#end(id, { status: 487, fault: makeFault('RELAY_DOWN', 'no answer to CANCEL') })
    })
  }

  /** The transaction ended without us: the answer could not be delivered. */
  failed(incoming: Incoming): void {
    const found = this.#find(incoming)
    if (found === undefined) return
    const [id, asked] = found
    if (incoming.request.method === 'INVITE' && !asked.succeeded) this.#takeBack(id, asked)
    this.#forget(id)
  }

  response(m: Extract<TunnelMessage, { k: 'sip-response' }>): void {
    const asked = this.#asked.get(m.id)
    const parsed = parseTunnelled(m.message, 'response')
    if (!parsed.ok) return this.#c.o.report(parsed.fault, `response ${m.id}`)
    const response = parsed.value
    const given = this.#given.get(m.id)
    if (given !== undefined) return this.#late(given, response)
    if (this.#own.has(m.id)) return void (response.status >= 200 && this.#own.delete(m.id))
    if (asked === undefined || !answers(asked.incoming.request, response) || (asked.succeeded && response.status >= 300)) return this.#c.o.report(makeFault('RELAY_MISMATCH'), `response ${m.id}`)
    // 100 is per hop.
    if (response.status === 100) return
    const { incoming, leg } = asked
    asked.early = true
    leg?.join(m.streams)
    this.#c.bodies.in(response, leg, incoming.flow, asked.offered ? 'answer' : 'offer', (ready) => {
      if (this.#asked.get(m.id) !== asked) return
      if (ready.ok) this.#deliver(m.id, asked, responseIn(ready.value, this.#c.o.side.rewriter(incoming.flow)))
      else {
        // Who answered believes in a call that will not be.
        this.#c.send({ k: 'sip-cancel', id: m.id })
        this.#end(m.id, { status: 500, fault: ready.fault })
      }
    })
  }

  #deliver(id: number, asked: Asked, response: SipResponse): void {
    const { incoming, leg } = asked
    const { request, flow } = incoming
    const mine: SipResponse = { ...response, via: request.via, from: request.from, callId: request.callId, cseq: request.cseq }
    const invite = request.method === 'INVITE' && leg !== undefined
    if (invite && mine.status < 200) this.#c.dialogs.early(mine, flow, leg)
    if (invite && mine.status >= 200 && mine.status < 300) {
      this.#c.dialogs.confirmCaller(request, mine, flow, leg)
      leg.answered()
      if (!asked.succeeded) this.#c.after(transactionMs + 1000, () => this.#forget(id))
      asked.succeeded = true
    }
    incoming.respond(mine)
    if (mine.status < 200) return
    this.#c.o.side.answeredFar(request, mine, flow)
    if (endsDialog(request, mine)) this.#c.dialogs.end(mine)
    if (mine.status >= 300 && asked.offered) leg?.refused()
    if (!asked.succeeded) this.#forget(id)
  }

  refused(m: Extract<TunnelMessage, { k: 'sip-refused' }>): void {
    const asked = this.#asked.get(m.id)
    if (this.#given.delete(m.id) || this.#own.delete(m.id)) return
    if (asked === undefined || asked.succeeded) return this.#c.o.report(makeFault('RELAY_MISMATCH'), `refusal ${m.id}`)
    // The server's own words; its code stands for nothing here unless we know it.
    this.#end(m.id, { status: m.status, fault: { code: Object.hasOwn(faultTable, m.code) ? (m.code as FaultCode) : 'RELAY_DOWN', message: m.reason } })
  }

  /** The other half is gone. */
  down(): void {
    const fault = makeFault('RELAY_DOWN')
    this.#own.clear()
    this.#given.clear()
    for (const [id, asked] of [...this.#asked]) {
      if (asked.succeeded) this.#forget(id)
      else {
        // Where only what is behind the other half is gone, it is told.
        if (asked.incoming.request.method === 'INVITE' && !asked.cancelled) this.#c.send({ k: 'sip-cancel', id })
        this.#end(id, { status: asked.cancelled ? 487 : this.#c.o.side.goneStatus, fault }, false)
      }
    }
  }

  #end(id: number, refusal: Refusal, report = true): void {
    const asked = this.#asked.get(id)
    if (asked === undefined) return
    if (endsDialog(asked.incoming.request, refusal)) this.#c.dialogs.end(asked.incoming.request)
    if (asked.offered) asked.leg?.refused()
    this.#forget(id)
    this.#refuse(asked.incoming, refusal, report)
  }

  #refuse(incoming: Incoming, { status: found, fault }: Refusal, report = true): void {
    const { request } = incoming
    // Whoever needs help tries the second server, whatever is wrong with the first try here (DESIGN §1); a call that stands goes on.
    const elsewhere = ownStatuses.has(found) && tagOf(request.to) === '' && this.#c.o.side.isEmergency?.(request) === true
    const status = elsewhere ? 503 : found
    if (report) this.#c.o.report(fault, `${request.method} from ${incoming.flow.remote.address}`)
    const headers = [warning(fault), ...(status === 503 ? [{ name: 'Retry-After', value: '5' }] : []), ...(status === 420 ? [{ name: 'Unsupported', value: tokensOf(request, 'Proxy-Require').join(', ') }] : [])]
    incoming.respond(makeReply(request, status, { tag: this.#c.tag(), headers }))
  }

  #forget(id: number): void {
    const asked = this.#asked.get(id)
    if (!this.#asked.delete(id) || asked?.leg === undefined) return
    if (asked.incoming.request.method === 'INVITE') this.#c.dialogs.forgetEarly(asked.leg)
    asked.leg.release()
  }
  #find(incoming: Incoming): [number, Asked] | undefined {
    for (const entry of this.#asked) if (entry[1].incoming === incoming) return entry
    return undefined
  }
}

export const withStreams = (leg: Leg | undefined): { streams?: HopStreams } => {
  const streams = leg?.streams
  return streams === undefined ? {} : { streams }
}

/** What the other half sends must answer what was asked, to the same people. */
const answers = (request: SipRequest, response: SipResponse): boolean =>
  response.callId === request.callId && response.cseq.number === request.cseq.number && response.cseq.method === request.cseq.method
  && tagOf(response.from) === tagOf(request.from) && (tagOf(request.to) === '' || tagOf(response.to) === tagOf(request.to))

/** After BYE, whatever came of it, there is no call; but a challenge is answered by another BYE. */
export const endsDialog = (request: SipRequest, response: { readonly status: number }): boolean =>
  request.method === 'BYE' && response.status >= 200 && response.status !== 401 && response.status !== 407
