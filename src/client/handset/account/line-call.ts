/** One call of the page's phone on its line: both sides of an INVITE dialog (RFC 3261 §13–§15), hold (RFC 3264 §8.4), blind transfer (RFC 3515). */
import { instant } from '../../../base/brand.ts'
import { fromUtf8, toHex } from '../../../base/bytes.ts'
import type { Stop } from '../../../base/ports.ts'
import { type Fault, makeFault } from '../../../base/result.ts'
import { contentTypeOf, type Dialog, dialogOfCallee, dialogOfCaller, type Header, makeAddress, makeReply, receiveInDialog, refreshTarget, requestInDialog, type SipRequest, type SipResponse, statusOf, tagOf, type Uri } from '../../../protocol/sip/index.ts'
import type { Incoming, Outgoing } from '../../../telephony/index.ts'
import { warningOf } from '../sip/call.ts'
import { CallMedia, isSilent, sameMedia } from '../sip/call-media.ts'
import { repeatUntilStopped } from '../sip/repeater.ts'
import { sdpType } from '../sip/served.ts'
import type { LineEvents, LineHost, LineState } from './types.ts'
import { faultOf } from './words.ts'

/** MESSAGE is among them because what carries an agreement on keys beside the call asks for it; the relay takes those messages out. */
export const METHODS = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'UPDATE', 'INFO', 'NOTIFY', 'MESSAGE']
export const allow: Header = { name: 'Allow', value: METHODS.join(', ') }
/** Those that a sealed call can have; the best first. */
const CODECS = ['g722', 'pcma', 'pcmu'] as const
/** A call that nobody answers ends by itself; most systems are quicker. */
const RINGING_MS = 180_000
const TRANSFER_MS = 20_000

/** Our RTP port. */
type LocalRtp = Parameters<CallMedia['offer']>[0]

export interface LineCallStart {
  readonly host: LineHost
  readonly callId: string
  readonly number: string
  readonly name: string
}

export class LineCall {
  readonly callId: string
  readonly number: string
  /** As the telephone network says; safe to show. */
  readonly name: string
  readonly outgoing: boolean
  events: LineEvents = { state: () => {}, media: () => {}, held: () => {}, failed: () => {} }
  state: LineState
  held = false
  /** It rang here and was taken at another phone. */
  answeredElsewhere = false
  readonly #host: LineHost
  readonly #media: CallMedia
  readonly #invite: Incoming | undefined
  #dialog: Dialog | undefined
  #local: LocalRtp | undefined
  #asked: Outgoing | undefined
  #current: ReturnType<CallMedia['media']>
  /** The 2xx that is being repeated. `offer`: the ACK must bring the answer. */
  #unacknowledged: { readonly cseq: number; readonly stop: Stop; readonly offer: boolean } | undefined
  #byeWhenAcknowledged = false
  /** A description of ours waits for its answer. */
  #offering = false
  /** It was refused for now: we offer again when the other side is done. */
  #backingOff = false
  /** Offers so far: a 2xx that is repeated answers its own. */
  #offers = 0
  /** A REFER of ours, and whether anything was said of it. */
  #transfer: { spoken: boolean } | undefined
  readonly #timers = new Set<Stop>()

  constructor(start: LineCallStart, incoming?: { readonly invite: Incoming; readonly dialog: Dialog; readonly media: CallMedia }) {
    const { host, callId, number, name } = start
    this.#host = host
    this.callId = callId
    this.number = number
    this.name = name
    this.outgoing = incoming === undefined
    this.state = incoming === undefined ? 'calling' : 'incoming'
    this.#media = incoming?.media ?? newMedia(host)
    this.#invite = incoming?.invite
    this.#dialog = incoming?.dialog
    this.#current = incoming?.media.media()
    this.#after(RINGING_MS, () => {
      if (this.state !== 'up') this.hangup(makeFault('LINE_NO_ANSWER'))
    })
    incoming?.invite.respond(this.#reply(incoming.invite.request, 180, [host.contact, allow]))
  }

  /** What is known of its media; before that, a leg that sends nowhere. */
  get media(): NonNullable<ReturnType<CallMedia['media']>> {
    return this.#current ?? this.#media.provisional('127.0.0.1')
  }

  /** Sends the INVITE. `local`: our RTP port. */
  dial(local: LocalRtp, to: Uri, from: Uri): void {
    if (this.state !== 'calling' || this.#asked !== undefined) return
    this.#local = local
    const tag = toHex(this.#host.random.bytes(8))
    const body = this.#media.offer(local)
    let cseq = 0
    const make = (): SipRequest => ({
      kind: 'request', method: 'INVITE', uri: to, maxForwards: 70, via: [], from: makeAddress(from, [{ name: 'tag', value: tag }]), to: makeAddress(to),
      callId: this.callId, cseq: { number: ++cseq, method: 'INVITE' }, headers: [this.#host.contact, allow, sdpType], body,
    })
    this.#asked = this.#host.ask(make, { response: (r, sent) => this.#answered(r, sent), failed: () => this.#over(makeFault('LINE_NO_SERVICE')) })
  }

  #answered(r: SipResponse, sent: SipRequest): void {
    if (r.status < 200) return this.#provisional(r)
    if (r.status >= 300) return this.#over(faultOf(r))
    const known = this.#dialog
    const dialog = dialogOfCaller(sent, r)
    if (!dialog.ok) return this.#over(dialog.fault)
    this.#host.ack(requestInDialog(dialog.value, 'ACK', { cseq: sent.cseq.number, headers: credentials(sent) }).request)
    if (known !== undefined && tagOf(known.remote) === tagOf(dialog.value.remote)) return
    // Another fork has answered as well, or the answer was faster than the CANCEL.
    if (this.state === 'over' || known !== undefined) return this.#send(dialog.value, 'BYE')
    this.#dialog = dialog.value
    const media = r.body.length === 0 && this.#current !== undefined ? undefined : this.#media.takeAnswer(r.body)
    if (media?.ok === false) return this.#bye(makeFault('LINE_NO_CODEC', undefined, media.fault))
    if (media !== undefined) this.#changed(media.value)
    this.#is('up')
  }
  #provisional(r: SipResponse): void {
    if (r.status === 100 || this.state === 'over' || this.state === 'up') return
    const media = contentTypeOf(r) === 'application/sdp' ? this.#media.takeAnswer(r.body) : undefined
    if (media?.ok === true) {
      this.#changed(media.value)
      this.#is('early')
    } else if (r.status === 180 && this.state === 'calling') this.#is('ringing')
  }

  /** Takes a call that rings here. `local`: our RTP port. */
  answer(local: LocalRtp): void {
    if (this.state !== 'incoming' || this.#invite === undefined) return
    this.#local = local
    const offer = this.#current === undefined
    this.#accept(this.#invite, offer ? this.#media.offer(local) : this.#media.answer(local), offer)
    this.#is('up')
  }
  /** Whatever its state asks for. `why`: where it was not the user. */
  hangup(why?: Fault): void {
    if (this.state === 'incoming') {
      this.#invite?.respond(this.#reply(this.#invite.request, why === undefined ? 486 : 480))
      this.#over(why)
    } else if (this.state !== 'up') {
      this.#asked?.cancel()
      this.#over(why)
    } else if (this.#unacknowledged !== undefined) this.#byeWhenAcknowledged = true
    else this.#bye(why)
  }
  /** CANCEL of a call that rings here (§9.2). */
  cancelled(invite: Incoming, elsewhere = false): void {
    if (invite !== this.#invite || this.state !== 'incoming') return
    this.answeredElsewhere = elsewhere
    invite.respond(this.#reply(invite.request, 487))
    this.#over()
  }

  /** Holds the call, or takes it up again: nothing is heard meanwhile, on either side. */
  hold(on: boolean): void {
    if (this.state !== 'up' || this.#offering || this.#backingOff || this.#unacknowledged !== undefined || on === this.held || this.#local === undefined) return
    this.#media.held = on
    this.#offer(() => {
      this.held = on
      this.events.held(on)
    }, () => {
      this.#media.held = this.held
    })
  }
  #offer(done: () => void, undone: () => void, again = true): void {
    const body = this.#media.offerAgain(this.#local!)
    const offer = ++this.#offers
    this.#offering = true
    this.#ask('INVITE', { headers: [this.#host.contact, allow, sdpType], body }, (r, sent) => {
      if (r.status < 200) return
      if (r.status < 300) this.#acknowledge(sent)
      if (!this.#offering || offer !== this.#offers || this.state !== 'up') return
      this.#offering = false
      // §14.1: the other side offers just now; later, and not at the same time as it.
      if (r.status === 491 && again) return this.#offerLater(done, undone)
      const media = r.status < 300 ? this.#media.takeAnswer(r.body) : undefined
      if (media?.ok !== true) undone()
      else {
        this.#changed(media.value)
        done()
      }
      if (r.status === 481 || r.status === 408) this.#bye()
    })
  }
  #offerLater(done: () => void, undone: () => void): void {
    this.#backingOff = true
    this.#after(this.#backOffMs(), () => {
      // The other side has offered, and not acknowledged our answer yet.
      if (this.#unacknowledged !== undefined) return this.#offerLater(done, undone)
      this.#backingOff = false
      this.#offer(done, undone, false)
    })
  }
  #backOffMs(): number {
    const chance = this.#host.random.bytes(1)[0]!
    return this.outgoing ? 2100 + chance * 7 : chance * 7
  }

  /** Passes the other side on; the call is over here once that has come about. */
  transfer(to: Uri): void {
    if (this.state !== 'up' || this.#dialog === undefined) return
    const transfer = { spoken: false }
    this.#transfer = transfer
    this.#ask('REFER', { headers: [this.#host.contact, { name: 'Refer-To', value: `<${to.text}>` }, { name: 'Referred-By', value: `<${this.#dialog.local.uri.text}>` }] }, (r) => {
      if (r.status >= 300) this.#transfer === transfer && this.#transferred(r.status)
      // Who says nothing more has done it (RFC 3515 §2.4.4 wants a NOTIFY; some systems end the call instead).
      else if (r.status >= 200) this.#after(TRANSFER_MS, () => this.#transfer === transfer && !transfer.spoken && this.#bye())
    })
  }
  #notified(request: SipRequest): void {
    const status = Number(/^SIP\/2\.0 ([1-6][0-9][0-9])/.exec(fromUtf8(request.body) ?? '')?.[1] ?? 0)
    if (status >= 100) this.#transferred(status)
  }
  /** From the first word on it is the words that count, and no clock. */
  #transferred(status: number): void {
    if (this.#transfer === undefined) return
    this.#transfer.spoken = true
    if (status >= 300) {
      this.#transfer = undefined
      this.events.failed(makeFault('LINE_NOT_TRANSFERRED', String(status)))
    } else if (status >= 200) this.#bye()
  }

  /** Whether a request inside a dialog is for this call. */
  isFor(request: SipRequest): boolean {
    const d = this.#dialog
    return d !== undefined && request.callId === d.callId && tagOf(request.to) === tagOf(d.local) && tagOf(request.from) === tagOf(d.remote)
  }
  acknowledged(request: SipRequest): void {
    const awaited = this.#unacknowledged
    if (awaited === undefined || request.cseq.number !== awaited.cseq) return
    awaited.stop()
    this.#unacknowledged = undefined
    if (this.#byeWhenAcknowledged) return this.#bye()
    if (!awaited.offer) return
    const media = this.#media.takeAnswer(request.body)
    if (media.ok) this.#changed(media.value)
    else this.#bye(makeFault('LINE_NO_CODEC', undefined, media.fault))
  }
  request(incoming: Incoming): void {
    const { request } = incoming
    const received = receiveInDialog(this.#dialog!, request)
    if (!received.ok) return incoming.respond(this.#reply(request, statusOf(received.fault.code) ?? 500, [{ name: 'Retry-After', value: '2' }]))
    this.#dialog = received.value
    switch (request.method) {
      case 'BYE':
        incoming.respond(this.#reply(request, 200))
        // §15.1.2: a BYE before the answer ends the INVITE too.
        if (this.state === 'incoming') this.#invite?.respond(this.#reply(this.#invite.request, 487))
        return this.#over()
      case 'INVITE':
      case 'UPDATE': return this.#offered(incoming)
      case 'NOTIFY':
        incoming.respond(this.#reply(request, 200))
        return this.#notified(request)
      case 'OPTIONS':
      case 'INFO': return incoming.respond(this.#reply(request, 200, [allow]))
      // Words beside a call have no place in the page yet.
      case 'MESSAGE': return incoming.respond(this.#reply(request, 415))
      default: incoming.respond(this.#reply(request, 405, [allow]))
    }
  }
  /** The other side describes itself anew: another address, hold (§14.2, RFC 3311 §5.2). */
  #offered(incoming: Incoming): void {
    const { request } = incoming
    const local = this.#local
    if (this.#offering) return incoming.respond(this.#reply(request, 491))
    if (local === undefined || this.#unacknowledged !== undefined) return incoming.respond(this.#reply(request, 500, [{ name: 'Retry-After', value: '2' }]))
    const media = request.body.length === 0 ? undefined : this.#media.takeOffer(request.body)
    if (media?.ok === false) return incoming.respond(this.#reply(request, statusOf(media.fault.code) ?? 488, [warningOf(media.fault)]))
    this.#dialog = refreshTarget(this.#dialog!, request)
    if (request.method === 'UPDATE') {
      const headers = [this.#host.contact, allow]
      incoming.respond(makeReply(request, 200, media === undefined ? { headers } : { headers: [...headers, sdpType], body: this.#media.answer(local) }))
    } else this.#accept(incoming, media === undefined ? this.#media.offer(local) : this.#media.answer(local), media === undefined)
    if (media !== undefined) this.#changed(media.value)
  }

  /** A 2xx to an INVITE, repeated until its ACK comes (§13.3.1.4): between us and the other side there may be UDP. */
  #accept(incoming: Incoming, body: Uint8Array, offer: boolean): void {
    const response = makeReply(incoming.request, 200, { tag: tagOf(this.#dialog!.local), headers: [this.#host.contact, allow, sdpType], body })
    const stop = repeatUntilStopped(this.#host.scheduler, () => incoming.respond(response), () => {
      this.#unacknowledged = undefined
      this.#bye()
    })
    this.#unacknowledged = { cseq: incoming.request.cseq.number, stop, offer }
  }
  #changed(media: NonNullable<ReturnType<CallMedia['media']>>): void {
    const before = this.#current
    this.#current = media
    if (before === undefined || !sameMedia(before, media)) this.events.media(media)
  }
  #acknowledge(sent: SipRequest): void {
    this.#host.ack(requestInDialog(this.#dialog!, 'ACK', { cseq: sent.cseq.number, headers: credentials(sent) }).request)
  }
  #ask(method: string, options: Parameters<typeof requestInDialog>[2], response: (r: SipResponse, sent: SipRequest) => void): void {
    const make = (): SipRequest => {
      const { request, dialog } = requestInDialog(this.#dialog!, method, options)
      this.#dialog = dialog
      return request
    }
    this.#host.ask(make, { response, failed: () => this.#bye(makeFault('LINE_NO_SERVICE')) })
  }
  #bye(why?: Fault): void {
    const dialog = this.#dialog
    if (this.state === 'over' || dialog === undefined) return
    this.#over(why)
    this.#send(dialog, 'BYE')
  }
  /** Whatever comes of it. */
  #send(dialog: Dialog, method: string): void {
    let at = dialog
    this.#host.ask(() => {
      const { request, dialog: next } = requestInDialog(at, method)
      at = next
      return request
    }, { response: () => undefined, failed: () => undefined })
  }
  #is(state: LineState): void {
    if (this.state === state || this.state === 'over') return
    this.state = state
    this.events.state(state)
  }
  #over(fault?: Fault): void {
    if (this.state === 'over') return
    this.state = 'over'
    this.#unacknowledged?.stop()
    this.#unacknowledged = undefined
    for (const stop of this.#timers) stop()
    this.#timers.clear()
    this.events.state('over', fault)
  }
  #after(ms: number, run: () => void): void {
    const { scheduler } = this.#host
    const stop = scheduler.at(instant(scheduler.now() + ms), () => {
      this.#timers.delete(stop)
      run()
    })
    this.#timers.add(stop)
  }
  #reply(request: SipRequest, status: number, headers: readonly Header[] = []): SipResponse {
    return makeReply(request, status, { ...(this.#dialog === undefined ? {} : { tag: tagOf(this.#dialog.local) }), headers })
  }
}

export const newMedia = (host: LineHost): CallMedia => new CallMedia({ codecs: CODECS, srtp: 'off', keysAreSafe: false }, host.random, isSilent)

/** A call that comes; undefined where it has no way back. */
export function callFrom(start: LineCallStart, invite: Incoming, tag: string): { readonly call: LineCall } | { readonly status: number; readonly fault: Fault } {
  const dialog = dialogOfCallee(invite.request, tag)
  if (!dialog.ok) return { status: 400, fault: dialog.fault }
  const media = newMedia(start.host)
  const offered = invite.request.body.length === 0 ? undefined : media.takeOffer(invite.request.body)
  if (offered?.ok === false) return { status: statusOf(offered.fault.code) ?? 488, fault: offered.fault }
  return { call: new LineCall(start, { invite, dialog: dialog.value, media }) }
}

/** The ACK of a 2xx has those of its INVITE (§22.1). */
const credentials = (sent: SipRequest): readonly Header[] => sent.headers.filter((h) => h.name === 'Authorization' || h.name === 'Proxy-Authorization')
