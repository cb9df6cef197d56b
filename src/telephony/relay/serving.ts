/** Requests of the other half: they go to our side in transactions of our own. */
import type { Stop } from '../../base/ports.ts'
import { type Fault, makeFault } from '../../base/result.ts'
import { dialogOfCaller, requestInDialog, serialise, type SipRequest, type SipResponse, tagOf, transactionMs } from '../../protocol/sip/index.ts'
import type { Outgoing } from '../endpoint.ts'
import { sameFlow, type SipFlow } from '../transport.ts'
import { endsDialog, withStreams } from './asking.ts'
import { byeReason, type HalfContext, parseTunnelled, statusOfFault } from './context.ts'
import type { RelayedDialog } from './dialogs.ts'
import type { Leg } from './leg.ts'
import { requestIn, responseOut } from './rewrite.ts'
import { isRefusal, type Refusal } from './side.ts'
import { type TunnelMessage, tunnelLimits } from './tunnel.ts'

interface Served {
  /** As our side was asked whether it may have it. */
  readonly came: SipRequest
  /** As our side got it. */
  request: SipRequest
  flow: SipFlow
  /** Places in which it was: none is asked twice. */
  readonly tried: SipFlow[]
  readonly leg: Leg | undefined
  readonly offered: boolean
  /** It brought our side an offer. */
  offers: boolean
  /** Its description is offered anew, and it is sent again. */
  readonly again: () => void
  outgoing: Outgoing | undefined
  cancelled: string | true | undefined
  succeeded: boolean
  /** The other half is gone: nobody is told any more. */
  orphan: boolean
  stopTimerC: Stop
  /** Our side has said something. */
  heard: boolean
  /** Undefined: it has not been sent anywhere. */
  stopSilence: Stop | undefined
}

/** RFC 3261 §16.6 step 11: more than three minutes. */
const timerCMs = 190_000
const terminated = makeFault('RELAY_MISMATCH', 'the call was cancelled')

export class Serving {
  readonly #c: HalfContext
  readonly #served = new Map<number, Served>()
  #last = 0

  constructor(context: HalfContext) {
    this.#c = context
  }
  get size(): number {
    return this.#served.size
  }
  hasCall(callId: string): boolean {
    for (const s of this.#served.values()) if (s.request.callId === callId) return true
    return false
  }

  request(m: Extract<TunnelMessage, { k: 'sip-request' }>): void {
    if (m.id <= this.#last) return this.#c.refuseFar(m.id, 500, makeFault('RELAY_REPLAY'), `request ${m.id}`)
    this.#last = m.id
    const parsed = parseTunnelled(m.message, 'request')
    if (!parsed.ok) return this.#c.refuseFar(m.id, 400, parsed.fault, `request ${m.id}`)
    const { side } = this.#c.o
    const inside = this.#c.dialogs.holds(parsed.value)
    const request = side.stripped?.(parsed.value, inside) ?? parsed.value
    const about = `${request.method} of ${request.from.uri.text.slice(0, 80)}`
    const refuse = ({ status, fault }: Refusal): void => {
      side.settled?.(request, undefined)
      this.#c.refuseFar(m.id, status, fault, about)
    }
    if (request.method === 'ACK' || request.method === 'CANCEL') return refuse({ status: 400, fault: makeFault('RELAY_BAD_MESSAGE', request.method) })
    const refusal = side.admitFar(request, inside)
    if (refusal !== undefined) return refuse(refusal)
    const flow = side.route(request, this.#c.dialogs.flowOf(request))
    if (isRefusal(flow)) return refuse(flow)
    const known = this.#c.dialogs.legOf(request)
    const invite = request.method === 'INVITE'
    if (invite && known === undefined && tagOf(request.to) !== '') return refuse({ status: 481, fault: makeFault('RELAY_MISMATCH', 'no such call') })
    if (this.#served.size >= tunnelLimits.asked || (invite && known === undefined && this.#c.dialogs.size >= tunnelLimits.dialogs)) return refuse({ status: 503, fault: makeFault('RELAY_TOO_MANY') })
    const leg = known ?? (invite ? this.#c.newLeg(flow) : undefined)
    leg?.hold()
    leg?.join(m.streams)
    const again = (): void => this.#offer(m.id, served, request)
    const served: Served = { came: request, request, flow, tried: [], again, leg, offered: request.body.length > 0 && leg !== undefined, offers: false, outgoing: undefined, cancelled: undefined, succeeded: false, orphan: false, heard: false, stopTimerC: () => {}, stopSilence: undefined }
    this.#served.set(m.id, served)
    again()
  }
  /** `request`: as the other half sent it. */
  #offer(id: number, served: Served, request: SipRequest): void {
    const { leg, flow } = served
    const role = leg?.roleOf(request.method, false) ?? 'offer'
    this.#c.bodies.in(request, leg, flow, role, (ready) => {
      if (this.#served.get(id) !== served) return
      served.offers = role === 'offer' && ready.ok && ready.value !== request
      if (!ready.ok) this.#end(id, statusOfFault(ready.fault.code), ready.fault)
      else if (served.cancelled !== undefined) this.#end(id, 487, terminated)
      else this.#start(id, served, ready.value)
    })
  }

  #start(id: number, served: Served, request: SipRequest): void {
    served.request = requestIn(request, this.#c.o.side.rewriter(served.flow))
    this.#c.dialogs.passed(served.request)
    if (request.method === 'INVITE') this.#armTimerC(id, served)
    const { silentMs } = this.#c.o.side
    // Once for all places: whoever needs help does not wait for each.
    if (request.method === 'INVITE' && silentMs !== undefined) served.stopSilence ??= this.#c.after(silentMs, () => this.#silent(id, served))
    served.tried.push(served.flow)
    served.outgoing = this.#c.o.endpoint(served.flow).request(served.request, served.flow, {
      response: (r) => this.#response(id, served, r),
      failed: (why) => {
        if (why === 'unreachable' && this.#elsewhere(served)) return this.#start(id, served, request)
        this.#c.o.side.settled?.(served.came, undefined)
        const fault = why === 'timeout' ? makeFault('RELAY_DOWN', 'no answer') : makeFault('RELAY_DOWN')
        this.#end(id, served.cancelled !== undefined ? 487 : why === 'timeout' ? 408 : 503, fault)
      },
    })
  }

  /** RFC 3263 §4.3: what nobody has answered yet goes to the next place, where there is one. What belongs to a call stays with it. */
  #elsewhere(served: Served): boolean {
    if (served.cancelled !== undefined || served.orphan || served.heard || tagOf(served.request.to) !== '') return false
    const flow = this.#c.o.side.route(served.request)
    if (isRefusal(flow) || served.tried.some((f) => sameFlow(f, flow))) return false
    served.flow = flow
    return true
  }

  cancel(m: Extract<TunnelMessage, { k: 'sip-cancel' }>): void {
    const served = this.#served.get(m.id)
    if (served === undefined || served.cancelled !== undefined || served.request.method !== 'INVITE') return
    served.cancelled = m.reason ?? true
    served.outgoing?.cancel(m.reason === undefined ? [] : [{ name: 'Reason', value: m.reason.replace(/[\x00-\x1f\x7f]/g, ' ') }])
  }

  ack(m: Extract<TunnelMessage, { k: 'sip-ack' }>): void {
    const parsed = parseTunnelled(m.message, 'request')
    if (!parsed.ok) return this.#c.o.report(parsed.fault, 'ack')
    const ack = parsed.value
    const known = this.#c.dialogs.find(ack)
    if (ack.method !== 'ACK' || known === undefined) return this.#c.o.report(makeFault('RELAY_MISMATCH', 'ACK of no call'), 'ack')
    const { leg } = known
    const flow = this.#c.o.side.current?.(known.flow) ?? known.flow
    this.#c.bodies.in(ack, leg, flow, 'answer', (ready) => {
      if (ready.ok) this.#c.o.endpoint(flow).sendAck(requestIn(ready.value, this.#c.o.side.rewriter(flow)), flow)
      else this.#c.o.report(ready.fault, 'ack')
    })
  }

  /** The other half is gone: what rings stops ringing, calls end. */
  down(reason: string): void {
    const cause = byeReason(reason)
    for (const [id, served] of [...this.#served]) {
      served.orphan = true
      if (served.request.method === 'INVITE' && !served.succeeded) {
        served.cancelled ??= true
        served.outgoing?.cancel([cause])
        if (served.outgoing === undefined) this.#forget(id)
      } else this.#forget(id)
    }
    for (const bye of this.#c.dialogs.farewell([cause])) this.#quiet(bye.request, this.#c.o.side.current?.(bye.flow) ?? bye.flow)
  }
  /** To our side, although it is probably gone. */
  bye(d: RelayedDialog, reason: string): void {
    this.#quiet(requestInDialog(d.dialog, 'BYE', { headers: [byeReason(reason)] }).request, this.#c.o.side.current?.(d.flow) ?? d.flow)
  }
  /** A new other half counts from the beginning. */
  restart(): void {
    this.#last = 0
  }

  /** Whoever waits hears 503 and tries elsewhere: help must not wait for 64·T1. An answer that comes after all is hung up. */
  #silent(id: number, served: Served): void {
    if (this.#served.get(id) !== served || served.orphan) return
    this.#c.refuseFar(id, served.cancelled === undefined ? 503 : 487, makeFault('RELAY_DOWN', 'no answer'), `${served.request.method} to ${served.flow.remote.address}`)
    served.orphan = true
    served.cancelled ??= true
    served.outgoing?.cancel()
  }

  #response(id: number, served: Served, response: SipResponse): void {
    const { request, flow, leg } = served
    served.stopSilence?.()
    served.heard = true
    if (response.status === 100) return
    if (!samePeople(request, response)) return this.#c.o.report(makeFault('RELAY_MISMATCH'), `response to ${request.method}`)
    const { side } = this.#c.o
    // Whoever asked may have left meanwhile.
    if (response.status >= 200) side.settled?.(served.came, response)
    if (this.#served.get(id) !== served) return
    if (served.orphan) return this.#orphan(id, served, response)
    if (request.method === 'INVITE' && response.status < 200) this.#armTimerC(id, served)
    if (NOT_SO.has(response.status) && isFirst(served) && leg?.insists() === true) return served.again()
    side.heard(response, flow)
    const out = this.#c.bodies.out(response, leg, flow, served.offered ? 'answer' : 'offer')
    const success = request.method === 'INVITE' && response.status >= 200 && response.status < 300
    if (!out.ok) {
      if (success) this.#hangUp(served, response)
      return response.status < 200 ? this.#c.o.report(out.fault, `response to ${request.method}`) : this.#end(id, statusOfFault(out.fault.code), out.fault)
    }
    if (leg !== undefined && request.method === 'INVITE') {
      if (success) {
        this.#c.dialogs.confirmCallee(request, response, flow, leg)
        leg.answered()
      } else if (response.status < 200) this.#c.dialogs.early(response, flow, leg)
    }
    const message = serialise(responseOut(out.value, side.rewriter(flow)))
    const sent = this.#c.send({ k: 'sip-response', id, message, ...withStreams(leg) })
    if (!sent.ok) this.#c.o.report(sent.fault, `response to ${request.method}`)
    if (response.status < 200) return
    side.answered(request, response)
    if (request.method === 'SUBSCRIBE' && response.status < 300) this.#c.dialogs.subscribed(response, flow)
    if (endsDialog(request, response)) this.#c.dialogs.end(response)
    if (success && !served.succeeded) {
      served.succeeded = true
      served.stopTimerC()
      served.stopTimerC = this.#c.after(transactionMs + 1000, () => this.#forget(id))
    } else if (!success) this.#forget(id, response.status >= 300)
  }

  /** Answered in the moment in which the way back broke: that call ends at once (the ACK belongs to us now). */
  #orphan(id: number, served: Served, response: SipResponse): void {
    if (response.status < 200) return
    if (response.status < 300 && served.request.method === 'INVITE') this.#hangUp(served, response)
    this.#forget(id)
  }

  /** A place that was given up answers after all: that call ends at once, the one elsewhere goes on. */
  stray(response: SipResponse, flow: SipFlow): void {
    if (response.cseq.method !== 'INVITE' || response.status < 200 || response.status >= 300) return
    for (const { request, tried, flow: now } of this.#served.values()) {
      const given = tried.find((f) => sameFlow(f, flow) && !sameFlow(f, now))
      if (given !== undefined && samePeople(request, response)) return this.#hangUp({ request, flow: given }, response)
    }
  }

  #hangUp(served: Pick<Served, 'request' | 'flow'>, response: SipResponse): void {
    const dialog = dialogOfCaller(served.request, response)
    if (!dialog.ok) return
    const ack = requestInDialog(dialog.value, 'ACK', { cseq: served.request.cseq.number })
    this.#c.o.endpoint(served.flow).sendAck(ack.request, served.flow)
    this.#quiet(requestInDialog(dialog.value, 'BYE').request, served.flow)
  }

  #quiet(request: SipRequest, flow: SipFlow): void {
    this.#c.o.endpoint(flow).request(request, flow, { response: () => undefined, failed: () => undefined })
  }

  #end(id: number, status: number, fault: Fault): void {
    const served = this.#served.get(id)
    if (served === undefined) return
    if (!served.orphan) this.#c.refuseFar(id, status, fault, `${served.request.method} to ${served.flow.remote.address}`)
    if (endsDialog(served.request, { status })) this.#c.dialogs.end(served.request)
    this.#forget(id, true)
  }

  #forget(id: number, refused = false): void {
    const served = this.#served.get(id)
    if (served === undefined) return
    if (refused && served.offers) served.leg?.oursRefused()
    this.#served.delete(id)
    if (served.outgoing === undefined) this.#c.o.side.settled?.(served.came, undefined)
    served.stopTimerC()
    served.stopSilence?.()
    if (served.leg === undefined) return
    if (served.request.method === 'INVITE') this.#c.dialogs.forgetEarly(served.leg)
    served.leg.release()
  }

  #armTimerC(id: number, served: Served): void {
    served.stopTimerC()
    served.stopTimerC = this.#c.after(timerCMs, () => {
      if (this.#served.get(id) === served) served.outgoing?.cancel()
    })
  }
}

/** RFC 3261 §21.4.26, §21.6.4: not in this description. */
const NOT_SO: ReadonlySet<number> = new Set([488, 606])
/** Of a call that nobody has taken or given up. */
const isFirst = ({ request, offered, cancelled }: Served): boolean => request.method === 'INVITE' && tagOf(request.to) === '' && offered && cancelled === undefined

/** A response with other people in it answers something else (§8.1.3.3, §12.1.2). */
const samePeople = (request: SipRequest, response: SipResponse): boolean =>
  response.callId === request.callId && response.cseq.number === request.cseq.number && tagOf(response.from) === tagOf(request.from)
  && (tagOf(request.to) === '' || tagOf(response.to) === tagOf(request.to))
