/** The SIP handset: what ordinary phones talk to. User agent server and registrar (RFC 3261 §8.2, §10.3, §13.3). */
import { toHex } from '../../../base/bytes.ts'
import type { Fault } from '../../../base/result.ts'
import { answerSessionTimer, contactOf, dialogKey, dialogOfCallee, escapeUser, type Header, inspectRequest, keyOfRequest, makeAddress, makeReply, type SipRequest, sipUri, statusOf, tagOf, unescapeUri } from '../../../protocol/sip/index.ts'
import { type Incoming, SipEndpoint, type SipFlow, type SipTransport, type TransactionUser } from '../../../telephony/index.ts'
import type { CallRef, Handset, HandsetCommand, HandsetEvent } from '../port.ts'
import { SipCall, warningOf } from './call.ts'
import { CallMedia } from './call-media.ts'
import { Gate } from './gate.ts'
import { keysAreSafe, type ResolvedSettings, resolveSettings, type SipHandsetSettings } from './options.ts'
import type { PhoneRelay } from './phone-relay.ts'
import { phoneName, Registrar } from './registrar.ts'
import { acceptSdp, allow, served, supported } from './served.ts'

export interface SipHandsetWiring {
  readonly transports: readonly SipTransport[]
  /** The address of ours that a peer on this flow can reach; IPv6 in brackets. */
  readonly hostFor: (flow: SipFlow) => string
}

export class SipHandset implements Handset, TransactionUser {
  readonly line: string
  readonly #settings: ResolvedSettings
  readonly #wiring: SipHandsetWiring
  readonly #endpoint: SipEndpoint
  readonly #gate: Gate
  readonly #registrar: Registrar
  readonly #relay: PhoneRelay | undefined
  readonly #detach: Disposable | undefined
  readonly #callHost: ConstructorParameters<typeof SipCall>[0]
  readonly #listeners = new Set<(e: HandsetEvent) => void>()
  readonly #byRef = new Map<CallRef, SipCall>()
  readonly #byDialog = new Map<string, SipCall>()
  readonly #events: HandsetEvent[] = []
  #emitting = false
  #nextCall = 1

  constructor(settings: SipHandsetSettings, wiring: SipHandsetWiring) {
    const resolved = resolveSettings(settings)
    this.line = resolved.line
    this.#settings = resolved
    this.#wiring = wiring
    this.#gate = new Gate(resolved)
    this.#registrar = new Registrar(resolved.scheduler, {
      registered: (contact) => this.#emit({ kind: 'registered', line: this.line, contact }),
      unregistered: (contact) => this.#emit({ kind: 'unregistered', line: this.line, contact }),
    })
    this.#endpoint = new SipEndpoint({ transports: wiring.transports, scheduler: resolved.scheduler, random: resolved.crypto, hostFor: wiring.hostFor, user: this })
    const { upstream } = resolved
    this.#relay = upstream
    this.#detach = upstream?.attach({
      transports: wiring.transports, endpoint: this.#endpoint, hostFor: wiring.hostFor, srtp: resolved.srtp,
      registered: (request, flow) => void this.#registrar.register(request, flow, this.#tag()),
    })
    this.#callHost = {
      settings: resolved,
      endpoint: this.#endpoint,
      contact: (flow) => this.#contact(flow),
      emit: (e) => this.#emit(e),
      forget: (call) => {
        this.#byRef.delete(call.ref)
        this.#byDialog.delete(call.key)
      },
    }
  }

  command(c: HandsetCommand): void {
    const call = this.#byRef.get(c.call)
    if (call === undefined) return
    if (c.kind === 'ringing') call.ringing()
    else if (c.kind === 'answer') call.answer(c.local)
    else if (c.kind === 'refuse') call.refuse(c.status, c.reason)
    else call.hangup(c.reason)
  }

  subscribe(listener: (e: HandsetEvent) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  [Symbol.dispose](): void {
    for (const call of [...this.#byRef.values()]) call.hangup('the telephone service ends')
    this.#detach?.[Symbol.dispose]()
    this.#listeners.clear()
    this.#registrar.stop()
    this.#endpoint.close()
  }

  /** Running calls and transactions, for tests of leaks. */
  get load(): { readonly calls: number; readonly servers: number; readonly clients: number } {
    const relayed = this.#relay?.load
    return { calls: this.#byRef.size + (relayed === undefined ? 0 : relayed.asked + relayed.served + relayed.dialogs), ...this.#endpoint.load }
  }

  request(incoming: Incoming): void {
    const { request } = incoming
    if (this.#relay?.takes(incoming, this.#byDialog.has(keyOfRequest(request))) === true) {
      this.#relay.request(incoming)
      return
    }
    if (request.method === 'CANCEL') {
      this.#onCancel(incoming)
      return
    }
    const refusal = inspectRequest(request, served)
    // Emergency calls come before everything else, so that the phone's second server is used.
    if (request.method === 'INVITE' && this.#isEmergency(request)) this.#refuse(incoming, 503)
    else if (refusal !== undefined) this.#refuse(incoming, refusal.status, refusal.headers, refusal.reason)
    else if (incoming.merged) this.#refuse(incoming, 482)
    else if (tagOf(request.to) !== '') this.#inDialog(incoming)
    else if (request.method === 'INVITE') this.#onInvite(incoming)
    else if (request.method === 'REGISTER') this.#onRegister(incoming)
    else if (request.method === 'OPTIONS') incoming.respond(makeReply(request, 200, { tag: this.#tag(), headers: [allow, supported, acceptSdp] }))
    else this.#refuse(incoming, 481)
  }

  /** By name (RFC 5031) or by number. */
  #isEmergency(request: SipRequest): boolean {
    return /^urn:service:sos\b/i.test(request.uri.text) || (tagOf(request.to) === '' && this.#settings.isEmergency(dialledNumber(request)))
  }

  ack(request: SipRequest, flow: SipFlow): void {
    const call = this.#byDialog.get(keyOfRequest(request))
    if (call !== undefined) call.ack(request)
    else this.#relay?.ack(request, flow)
  }

  /** A user agent has no use for responses that it did not ask for (RFC 3261 §18.1.2). */
  stray(): void {}

  failed(incoming: Incoming): void {
    this.#relay?.failed(incoming)
    for (const call of [...this.#byRef.values()]) if (call.isFor(incoming)) call.failed()
  }

  report(fault: Fault, flow: SipFlow): void {
    this.#settings.report(fault, flow.remote)
  }

  /** §9.2: the CANCEL is answered for itself; its INVITE gets 487. */
  #onCancel(incoming: Incoming): void {
    const invite = incoming.cancels
    incoming.respond(makeReply(incoming.request, invite === undefined ? 481 : 200, { tag: this.#tag() }))
    if (invite !== undefined) for (const call of [...this.#byRef.values()]) if (call.isFor(invite)) call.cancel()
  }

  #inDialog(incoming: Incoming): void {
    const { request, flow } = incoming
    const call = this.#byDialog.get(keyOfRequest(request))
    if (call === undefined) {
      this.#refuse(incoming, 481)
      return
    }
    // The tags prove knowledge of the dialog; a new address has to prove more.
    const verdict = flow.remote.address === call.address ? undefined : this.#gate.admit(request, flow, userOf(request))
    if (verdict?.kind === 'refused') this.#refuse(incoming, verdict.status, verdict.headers)
    else call.request(incoming)
  }

  #onRegister(incoming: Incoming): void {
    const { request, flow } = incoming
    const user = request.to.uri.kind === 'sip' ? (request.to.uri.user ?? '') : ''
    const verdict = this.#gate.admit(request, flow, user)
    if (verdict.kind === 'refused') this.#refuse(incoming, verdict.status, verdict.headers)
    else incoming.respond(this.#registrar.register(request, flow, this.#tag()))
  }

  #onInvite(incoming: Incoming): void {
    const { request, flow } = incoming
    const verdict = this.#gate.admit(request, flow, userOf(request))
    if (verdict.kind === 'refused') return this.#refuse(incoming, verdict.status, verdict.headers)
    const target = dialledNumber(request)
    if (target === '') return this.#refuse(incoming, 484)
    const timer = answerSessionTimer(request)
    if (timer.kind === 'tooSmall') return this.#refuse(incoming, 422, timer.headers)
    const tag = this.#tag()
    const dialog = dialogOfCallee(request, tag)
    if (!dialog.ok) return this.#refuse(incoming, 400, [warningOf(dialog.fault)])
    const contact = phoneName(userOf(request), contactOf(request)!, flow)
    const busy = this.#tooMany(contact)
    if (busy !== undefined) return this.#refuse(incoming, busy, busy === 503 ? [{ name: 'Retry-After', value: '30' }] : [])
    const media = this.#mediaFor(flow)
    const offered = request.body.length === 0 ? undefined : media.takeOffer(request.body)
    if (offered?.ok === false) return this.#refuse(incoming, statusOf(offered.fault.code) ?? 488, [warningOf(offered.fault)])
    const ref = `${this.line}/${this.#nextCall++}` as CallRef
    const call = new SipCall(this.#callHost, { ref, invite: incoming, dialog: dialog.value, media, offered: offered?.value, target, contact })
    this.#byRef.set(ref, call)
    this.#byDialog.set(dialogKey(request.callId, tag, tagOf(request.from)), call)
    this.#emit({ kind: 'dial', call: ref, line: this.line, target, contact, media: offered?.value ?? media.provisional(flow.remote.address) })
  }

  #tooMany(contact: string): number | undefined {
    if (this.#byRef.size >= this.#settings.maxCalls) return 503
    const ofContact = [...this.#byRef.values()].filter((c) => c.contact === contact).length
    return ofContact >= this.#settings.maxCallsPerContact ? 486 : undefined
  }

  #mediaFor(flow: SipFlow): CallMedia {
    const { codecs, srtp, crypto } = this.#settings
    return new CallMedia({ codecs, srtp, keysAreSafe: keysAreSafe(flow) }, crypto)
  }

  #refuse(incoming: Incoming, status: number, headers: readonly Header[] = [], reason?: string): void {
    incoming.respond(makeReply(incoming.request, status, { tag: this.#tag(), headers, ...(reason === undefined ? {} : { reason }) }))
  }

  /** 64 bits: tags are what keeps others out of a dialog (§19.3 asks for 32). */
  #tag(): string {
    return toHex(this.#settings.crypto.bytes(8))
  }

  #contact(flow: SipFlow): Header {
    const params = flow.transport === 'UDP' ? [] : [{ name: 'transport', value: flow.transport.toLowerCase() }]
    const uri = sipUri({ scheme: 'sip', user: escapeUser(this.line), host: this.#wiring.hostFor(flow), port: flow.local.port, params })
    return { name: 'Contact', value: makeAddress(uri).text }
  }

  /** A listener that answers an event by a command causes more events: they wait, so that all see one order. */
  #emit(e: HandsetEvent): void {
    this.#events.push(e)
    if (this.#emitting) return
    this.#emitting = true
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) for (const listener of [...this.#listeners]) listener(next)
    } finally {
      this.#emitting = false
    }
  }
}

/** What was dialled: the user part of the request URI; `tel:` URIs have none. */
const dialledNumber = (request: SipRequest): string => (request.uri.kind === 'sip' ? (unescapeUri(request.uri.user ?? '') ?? '') : '')
const userOf = (request: SipRequest): string => (request.from.uri.kind === 'sip' ? (request.from.uri.user ?? '') : '')
