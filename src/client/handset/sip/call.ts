/** One call from a phone: the callee's side of an INVITE dialog (RFC 3261 §13.3, §14.2, §15). */
import type { Fault } from '../../../base/result.ts'
import type { AddressPort } from '../../../net/address.ts'
import type { RtpPhoneMedia } from '../../../media/api.ts'
import { answerSessionTimer, contentTypeOf, type Dialog, type Header, headerOf, keyOfDialog, makeReply, quote, receiveInDialog, refreshHeaders, refreshTarget, requestInDialog, type SessionTimer, type SipRequest, type SipResponse, secondsOf, statusOf, tagOf, timerOfResponse, tokensOf } from '../../../protocol/sip/index.ts'
import { type Incoming, Liveness, replyFlow, type SipFlow } from '../../../telephony/index.ts'
import { type CallMedia, sameMedia } from './call-media.ts'
import type { CallHost, CallStart } from './call-types.ts'
import { CallWatch } from './call-watch.ts'
import { digitOfInfo } from './dtmf.ts'
import { ReliableProvisional } from './reliable-provisional.ts'
import { repeatUntilStopped } from './repeater.ts'
import { acceptSdp, allow, sdpType, supported } from './served.ts'

/** ringing: no final response yet · answered: 200 sent, ACK awaited · up · over */
type State = 'ringing' | 'answered' | 'up' | 'over'

export class SipCall {
  readonly ref: CallStart['ref']
  readonly contact: string
  readonly target: string
  readonly #host: CallHost
  readonly #invite: Incoming
  readonly #media: CallMedia
  readonly #watch: CallWatch
  readonly #provisional: ReliableProvisional
  /** The peer lists UPDATE: refreshes need no offer then (RFC 4028 §7.4). */
  readonly #peerUpdates: boolean
  #dialog: Dialog
  #flow: SipFlow
  #state: State = 'ringing'
  #current: RtpPhoneMedia | undefined
  /** The 2xx that is being repeated, by the CSeq of its INVITE; `offer`: the ACK must bring the answer. */
  #unacknowledged: { readonly cseq: number; readonly stop: () => void; readonly offer: boolean } | undefined
  #hangupWhenAcknowledged: string | undefined
  #refreshing = false

  constructor(host: CallHost, start: CallStart) {
    this.#host = host
    this.ref = start.ref
    this.contact = start.contact
    this.target = start.target
    this.#invite = start.invite
    this.#dialog = start.dialog
    this.#media = start.media
    this.#current = start.offered
    this.#flow = replyFlow(start.invite.request, start.invite.flow)
    this.#peerUpdates = tokensOf(start.invite.request, 'Allow').includes('update')
    const { scheduler, livenessMs } = host.settings
    this.#provisional = new ReliableProvisional(scheduler, start.invite, () => this.#refuse(504, 'no PRACK'))
    this.#watch = new CallWatch(scheduler, livenessMs, {
      probe: () => this.#probe(),
      refresh: () => this.#refresh(),
      expired: () => this.#bye('the phone did not refresh its session'),
      unanswered: () => this.#refuse(487, 'Request Terminated', 'not answered in time'),
    })
    this.#watch.ringing(ringingMs(start.invite.request))
  }

  get key(): string {
    return keyOfDialog(this.#dialog)
  }
  /** Where the phone last was. */
  get address(): string {
    return this.#flow.remote.address
  }
  isFor(incoming: Incoming): boolean {
    return this.#invite === incoming
  }

  ringing(): void {
    if (this.#state === 'ringing') this.#provisional.send(this.#reply(this.#invite.request, 180, [this.#host.contact(this.#invite.flow), allow]))
  }

  answer(local: AddressPort): void {
    if (this.#state !== 'ringing') return
    this.#provisional.stop()
    this.#state = 'answered'
    const timer = answerSessionTimer(this.#invite.request)
    this.#watch.answered()
    if (timer.kind !== 'accepted') return
    this.#accept(this.#invite, this.#current === undefined ? this.#media.offer(local) : this.#media.answer(local), timer.headers, this.#current === undefined)
    this.#watch.session(timer.timer)
  }

  refuse(status: number, reason: string): void {
    if (this.#state === 'ringing') this.#refuse(status >= 300 && status <= 699 ? status : 480, reason)
  }

  hangup(reason: string): void {
    if (this.#state === 'ringing') this.#refuse(480, reason)
    // §15: the callee sends BYE only after the ACK, or when none has come.
    else if (this.#state === 'answered') this.#hangupWhenAcknowledged = reason
    else if (this.#state === 'up') this.#bye(reason)
  }

  /** CANCEL of the INVITE (§9.2); too late after the 200. */
  cancel(): void {
    if (this.#state === 'ringing') this.#refuse(487, 'Request Terminated', 'cancelled')
  }

  /** The connection that the INVITE came by broke before the call was up. */
  failed(): void {
    if (this.#state === 'ringing' || this.#state === 'answered') this.#over('the connection to the phone broke')
  }

  ack(request: SipRequest): void {
    const awaited = this.#unacknowledged
    if (awaited === undefined || request.cseq.number !== awaited.cseq) return
    awaited.stop()
    this.#unacknowledged = undefined
    if (this.#state === 'answered') this.#state = 'up'
    this.#watch.heard()
    if (this.#hangupWhenAcknowledged !== undefined) this.#bye(this.#hangupWhenAcknowledged)
    else if (awaited.offer) this.#takeAnswer(request.body)
  }

  /** A request inside the dialog. */
  request(incoming: Incoming): void {
    const { request } = incoming
    const received = receiveInDialog(this.#dialog, request)
    if (!received.ok) {
      incoming.respond(this.#reply(request, statusOf(received.fault.code) ?? 500, [{ name: 'Retry-After', value: '2' }]))
      return
    }
    this.#dialog = received.value
    if (this.#state === 'up') this.#watch.heard()
    const handler = this.#handlers[request.method]
    if (handler !== undefined) handler(incoming)
    else incoming.respond(this.#reply(request, 405, [allow]))
  }

  readonly #handlers: Readonly<Record<string, (incoming: Incoming) => void>> = {
    BYE: (i) => this.#onBye(i),
    INVITE: (i) => this.#onReinvite(i),
    UPDATE: (i) => this.#onUpdate(i),
    PRACK: (i) => i.respond(this.#reply(i.request, this.#provisional.acknowledge(headerOf(i.request, 'RAck')) ? 200 : 481)),
    OPTIONS: (i) => i.respond(this.#reply(i.request, 200, [allow, supported, acceptSdp])),
    INFO: (i) => this.#onInfo(i),
  }

  #onBye(incoming: Incoming): void {
    incoming.respond(this.#reply(incoming.request, 200))
    // §15.1.2: a BYE before the answer ends the INVITE too.
    if (this.#state === 'ringing') this.#refuse(487, 'Request Terminated', 'hung up before the answer')
    else this.#over('hung up')
  }

  #onInfo(incoming: Incoming): void {
    const { request } = incoming
    const digit = request.body.length === 0 ? undefined : digitOfInfo(contentTypeOf(request), request.body)
    if (request.body.length > 0 && digit === undefined) return incoming.respond(this.#reply(request, 400, [], 'No key in this INFO'))
    incoming.respond(this.#reply(request, 200))
    if (digit !== undefined) this.#host.emit({ kind: 'dtmf', call: this.ref, digit })
  }

  #onReinvite(incoming: Incoming): void {
    const { request } = incoming
    // §14.2: not before the first INVITE is settled, and not while one of ours is under way.
    if (this.#state === 'ringing') return incoming.respond(this.#reply(request, 500, [{ name: 'Retry-After', value: '3' }]))
    if (this.#refreshing || this.#unacknowledged?.offer === true) return incoming.respond(this.#reply(request, 491))
    const timer = answerSessionTimer(request)
    if (timer.kind === 'tooSmall') return incoming.respond(this.#reply(request, 422, timer.headers))
    const local = this.#media.local!
    if (request.body.length === 0) {
      this.#moved(incoming)
      this.#accept(incoming, this.#media.offer(local), timer.headers, true)
      this.#watch.session(timer.timer)
      return
    }
    const media = this.#media.takeOffer(request.body)
    if (!media.ok) return this.#refuseOffer(incoming, media.fault)
    this.#moved(incoming)
    this.#accept(incoming, this.#media.answer(local), timer.headers, false)
    this.#watch.session(timer.timer)
    this.#changed(media.value)
  }

  /** RFC 3311: an offer only when no other is open; without one it is a refresh. */
  #onUpdate(incoming: Incoming): void {
    const { request } = incoming
    const local = this.#media.local
    if (request.body.length > 0) {
      if (this.#refreshing) return incoming.respond(this.#reply(request, 491))
      // §5.2: the offer of the INVITE is not answered yet.
      if (local === undefined || this.#unacknowledged?.offer === true) return incoming.respond(this.#reply(request, 500, [{ name: 'Retry-After', value: '3' }]))
    }
    const timer = answerSessionTimer(request)
    if (timer.kind === 'tooSmall') return incoming.respond(this.#reply(request, 422, timer.headers))
    const media = request.body.length === 0 ? undefined : this.#media.takeOffer(request.body)
    if (media?.ok === false) return this.#refuseOffer(incoming, media.fault)
    this.#moved(incoming)
    const headers = [this.#host.contact(incoming.flow), allow, supported, ...timer.headers]
    incoming.respond(makeReply(request, 200, media === undefined ? { headers } : { headers: [...headers, sdpType], body: this.#media.answer(local!) }))
    if (this.#state !== 'ringing') this.#watch.session(timer.timer)
    if (media !== undefined) this.#changed(media.value)
  }

  /** The call goes on as it was (§14.2). */
  #refuseOffer(incoming: Incoming, fault: Fault): void {
    incoming.respond(this.#reply(incoming.request, statusOf(fault.code) ?? 488, [warningOf(fault)]))
  }

  #moved(incoming: Incoming): void {
    this.#dialog = refreshTarget(this.#dialog, incoming.request)
    this.#flow = replyFlow(incoming.request, incoming.flow)
  }

  #changed(media: RtpPhoneMedia): void {
    const before = this.#current
    this.#current = media
    if (before === undefined || !sameMedia(before, media)) this.#host.emit({ kind: 'media', call: this.ref, media })
  }

  #takeAnswer(body: Uint8Array): void {
    const media = this.#media.takeAnswer(body)
    if (media.ok) return this.#changed(media.value)
    this.#host.settings.report(media.fault, this.#flow.remote)
    this.#bye('the phone did not answer our offer in a way that works')
  }

  /** A 2xx to an INVITE, repeated until its ACK comes; without one the call ends (§13.3.1.4, §14.2). */
  #accept(incoming: Incoming, body: Uint8Array, headers: readonly Header[], offer: boolean): void {
    const response = makeReply(incoming.request, 200, { tag: tagOf(this.#dialog.local), headers: [this.#host.contact(incoming.flow), allow, supported, ...headers, sdpType], body })
    this.#unacknowledged?.stop()
    const stop = repeatUntilStopped(this.#host.settings.scheduler, () => incoming.respond(response), () => this.#bye(this.#hangupWhenAcknowledged ?? 'the phone did not acknowledge'))
    this.#unacknowledged = { cseq: incoming.request.cseq.number, stop, offer }
  }

  #probe(): void {
    this.#send('OPTIONS', { headers: [acceptSdp] }, (r) => (Liveness.isGone(r.status) ? this.#bye('the phone no longer knows the call') : this.#watch.heard()))
  }

  /** Our turn as refresher (RFC 4028 §10). */
  #refresh(): void {
    const timer = this.#watch.timer
    if (timer === undefined || this.#state !== 'up') return
    const headers = [this.#host.contact(this.#flow), allow, ...refreshHeaders(timer)]
    this.#refreshing = !this.#peerUpdates
    if (this.#peerUpdates) this.#send('UPDATE', { headers }, (r) => this.#refreshed(r, timer))
    else this.#send('INVITE', { headers: [...headers, sdpType], body: this.#media.lastSent }, (r, cseq) => {
      this.#refreshing = false
      if (r.status < 300) this.#acknowledge(cseq)
      this.#refreshed(r, timer)
      if (r.status < 300 && r.body.length > 0 && this.#state === 'up') this.#takeAnswer(r.body)
    })
  }

  #refreshed(response: SipResponse, timer: SessionTimer): void {
    this.#watch.heard()
    if (response.status < 300) this.#watch.session(timerOfResponse(response, timer))
    else if (Liveness.isGone(response.status)) this.#bye('the phone no longer knows the call')
    // The side that does not own the Call-ID waits up to 2 s (RFC 3261 §14.1).
    else if (response.status === 491) this.#watch.refreshAgain(this.#host.settings.crypto.bytes(1)[0]! * 8)
    else {
      const least = response.status === 422 ? (secondsOf(headerOf(response, 'Min-SE')) ?? 0) : 0
      this.#watch.session({ ...timer, intervalSeconds: Math.max(timer.intervalSeconds, Math.min(least, 86_400)) })
    }
  }

  #acknowledge(cseq: number): void {
    this.#host.endpoint.sendAck(requestInDialog(this.#dialog, 'ACK', { cseq }).request, this.#flow)
  }

  /** Sends inside the dialog; `done` gets the final response, and again each repeated 2xx. A phone that does not answer is gone. */
  #send(method: string, options: { readonly headers: readonly Header[]; readonly body?: Uint8Array }, done: (r: SipResponse, cseq: number) => void): void {
    const { request, dialog } = requestInDialog(this.#dialog, method, options)
    this.#dialog = dialog
    let settled = false
    this.#host.endpoint.request(request, this.#flow, {
      response: (r) => {
        if (r.status < 200 || this.#state === 'over') return
        if (settled) this.#acknowledge(request.cseq.number)
        else done(r, request.cseq.number)
        settled = true
      },
      failed: () => this.#bye('the phone does not answer any more'),
    })
  }

  #bye(reason: string): void {
    if (this.#state === 'over' || this.#state === 'ringing') return
    const { request, dialog } = requestInDialog(this.#dialog, 'BYE', { headers: [reasonHeader(reason)] })
    this.#dialog = dialog
    this.#over(reason, () => this.#host.endpoint.request(request, this.#flow, { response: () => undefined, failed: () => undefined }))
  }

  #refuse(status: number, phrase: string, reason = phrase): void {
    if (this.#state !== 'ringing') return
    this.#over(reason, () => this.#invite.respond(this.#reply(this.#invite.request, status, [], phrase)))
  }

  /** Everything stops first, then the last message goes, then the client hears of it. */
  #over(reason: string, farewell?: () => void): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#unacknowledged?.stop()
    this.#provisional.stop()
    this.#watch.stop()
    this.#host.forget(this)
    farewell?.()
    this.#host.emit({ kind: 'ended', call: this.ref, reason })
  }

  #reply(request: SipRequest, status: number, headers: readonly Header[] = [], reason?: string): SipResponse {
    return makeReply(request, status, { tag: tagOf(this.#dialog.local), headers, ...(reason === undefined ? {} : { reason }) })
  }
}

/** How long an INVITE may ring: as its Expires says (§13.3.1), three minutes at most. */
const ringingMs = (invite: SipRequest): number => Math.min(secondsOf(headerOf(invite, 'Expires')) ?? 180, 180) * 1000

/** RFC 3326: why, in words that a phone may show. */
const reasonHeader = (text: string): Header => ({ name: 'Reason', value: `SIP;cause=200;text=${quote(text.slice(0, 100))}` })
/** RFC 3261 §20.43, 399: for people. */
export const warningOf = (fault: Fault): Header => ({ name: 'Warning', value: `399 stc ${quote(fault.message.slice(0, 200))}` })
