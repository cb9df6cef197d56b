/** The page's phone on its line: a SIP user agent with one account, registered, that calls and is called (RFC 3261 §8, §10, §13). */
import { toHex } from '../../../base/bytes.ts'
import type { Scheduler } from '../../../base/ports.ts'
import type { Fault } from '../../../base/result.ts'
import type { Secret } from '../../../base/secret.ts'
import { safeText } from '../../../model/identity.ts'
import { DigestClient, escapeUser, type Header, headersOf, inspectRequest, makeAddress, makeReply, type Served, sipUri, type SipRequest, tagOf, unescapeUri, unquote, type Uri } from '../../../protocol/sip/index.ts'
import { type Incoming, type Outgoing, SipEndpoint, type SipFlow, type SipTransport, type TransactionUser } from '../../../telephony/index.ts'
import { warningOf } from '../sip/call.ts'
import type { SipCrypto } from '../sip/options.ts'
import { allow, callFrom, LineCall, METHODS } from './line-call.ts'
import { Registration } from './registration.ts'
import type { LineHost } from './types.ts'

export interface LineAccount {
  readonly user: string
  /** What stands behind the @ in its address. */
  readonly domain: string
  /** What the telephone system knows the account by, where that is not `user`. */
  readonly login?: string
  readonly password: Secret
}

export interface LineAgentOptions {
  readonly account: LineAccount
  readonly transport: SipTransport
  readonly flow: SipFlow
  readonly scheduler: Scheduler
  readonly crypto: SipCrypto
  /** The telephone system takes calls for us, or does not. */
  readonly onRegistered: (registered: boolean, fault?: Fault) => void
  /** Somebody calls. */
  readonly onCall: (call: LineCall) => void
}

/** Calls at once; more are answered 486. */
const CALLS = 4
/** Answers to challenges of one request. */
const TRIES = 3

const served: Served = {
  methods: METHODS, extensions: [],
  bodies: { INVITE: ['application/sdp'], UPDATE: ['application/sdp'], ACK: ['application/sdp'], INFO: ['application/dtmf-relay', 'application/dtmf'], NOTIFY: ['message/sipfrag'], MESSAGE: ['text/plain'] },
}

export class LineAgent implements TransactionUser {
  readonly #o: LineAgentOptions
  readonly #endpoint: SipEndpoint
  readonly #digest: DigestClient
  readonly #registration: Registration
  readonly #host: LineHost
  readonly #calls = new Set<LineCall>()
  readonly #own: Uri

  constructor(options: LineAgentOptions) {
    this.#o = options
    const { account, transport, flow, scheduler, crypto } = options
    this.#own = sipUri({ scheme: 'sip', user: escapeUser(account.user), host: account.domain })
    this.#endpoint = new SipEndpoint({ transports: [transport], scheduler, random: crypto, hostFor: (f) => f.local.address, user: this })
    this.#digest = new DigestClient({ user: account.login ?? account.user, password: account.password, crypto })
    const contact = makeAddress(sipUri({ scheme: 'sip', user: escapeUser(account.user), host: flow.local.address, port: flow.local.port, params: [{ name: 'transport', value: 'tcp' }] }))
    this.#host = { scheduler, random: crypto, contact: { name: 'Contact', value: contact.text }, ask: (make, done) => this.#ask(make, done), ack: (r) => this.#endpoint.sendAck(r, flow) }
    this.#registration = new Registration({ host: this.#host, own: this.#own, registrar: sipUri({ scheme: 'sip', host: account.domain }), contact: contact.uri, tell: options.onRegistered })
  }

  /** The way to the telephone system is there: registers now, and stays so. */
  start(): void {
    this.#registration.start()
  }
  /** The way is gone. Calls end by what the relay says of them. */
  lost(fault: Fault): void {
    this.#registration.lost(fault)
  }
  /** A call that has not been sent yet: `dial` does. */
  call(number: string): LineCall {
    const call = new LineCall({ host: this.#host, callId: toHex(this.#o.crypto.bytes(12)), number: safeText(number, 64), name: '' })
    this.#calls.add(call)
    return call
  }
  /** Where a number is, and who calls it. */
  addressOf(number: string): Uri {
    return sipUri({ scheme: 'sip', user: escapeUser(number), host: this.#o.account.domain })
  }
  get own(): Uri {
    return this.#own
  }
  forget(call: LineCall): void {
    this.#calls.delete(call)
  }
  /** Hangs up, and says goodbye to the telephone system. */
  end(): void {
    for (const call of [...this.#calls]) call.hangup()
    this.#registration.end()
  }
  close(): void {
    this.#registration.stop()
    this.#endpoint.close()
  }
  /** For tests of leaks. */
  get load(): { readonly calls: number; readonly servers: number; readonly clients: number } {
    return { calls: this.#calls.size, ...this.#endpoint.load }
  }

  #ask(make: () => SipRequest, done: { response: Parameters<LineHost['ask']>[1]['response']; failed(): void }): Outgoing {
    let tries = 0
    let cancelled = false
    let outgoing: Outgoing
    const send = (): void => {
      const bare = make()
      const proof = this.#digest.authorization(bare)
      const request = proof === undefined ? bare : { ...bare, headers: [...bare.headers, proof] }
      outgoing = this.#endpoint.request(request, this.#o.flow, {
        response: (r) => {
          const asked = (r.status === 401 || r.status === 407) && !cancelled && tries < TRIES && this.#digest.challenged(r, tries > 0)
          if (!asked) return done.response(r, request)
          tries++
          send()
        },
        failed: () => done.failed(),
      })
    }
    send()
    return {
      cancel: (headers) => {
        cancelled = true
        outgoing.cancel(headers)
      },
    }
  }

  request(incoming: Incoming): void {
    const { request } = incoming
    if (request.method === 'CANCEL') return this.#cancel(incoming)
    const refusal = inspectRequest(request, served)
    if (refusal !== undefined) return this.#refuse(incoming, refusal.status, refusal.headers)
    if (tagOf(request.to) !== '') {
      const call = [...this.#calls].find((c) => c.isFor(request))
      if (call === undefined) this.#refuse(incoming, 481)
      else call.request(incoming)
    } else if (request.method === 'INVITE') this.#invited(incoming)
    else if (request.method === 'OPTIONS') incoming.respond(makeReply(request, 200, { tag: this.#tag(), headers: [allow] }))
    // Mailbox lights come without having been asked for.
    else this.#refuse(incoming, request.method === 'NOTIFY' ? 489 : 481)
  }
  ack(request: SipRequest): void {
    for (const call of this.#calls) if (call.isFor(request)) call.acknowledged(request)
  }
  stray(): void {}
  failed(): void {}
  report(): void {}

  #invited(incoming: Incoming): void {
    const { request } = incoming
    // A Call-ID names one call for all that goes by it: whoever takes that of a running one wants to be taken for it.
    if (incoming.merged || [...this.#calls].some((c) => c.callId === request.callId)) return this.#refuse(incoming, 482)
    if (this.#calls.size >= CALLS) return this.#refuse(incoming, 486)
    const { uri, display } = request.from
    const number = uri.kind === 'sip' ? (unescapeUri(uri.user ?? '') ?? '') : uri.text.replace(/^[a-z]+:/i, '')
    const made = callFrom({ host: this.#host, callId: request.callId, number: safeText(number, 64), name: safeText(unquote(display ?? ''), 64) }, incoming, this.#tag())
    if ('fault' in made) return this.#refuse(incoming, made.status, [warningOf(made.fault)])
    this.#calls.add(made.call)
    this.#o.onCall(made.call)
  }
  #cancel(incoming: Incoming): void {
    const { cancels } = incoming
    incoming.respond(makeReply(incoming.request, cancels === undefined ? 481 : 200, { tag: this.#tag() }))
    if (cancels !== undefined) for (const call of [...this.#calls]) call.cancelled(cancels, isElsewhere(incoming.request))
  }
  #refuse(incoming: Incoming, status: number, headers: readonly Header[] = []): void {
    incoming.respond(makeReply(incoming.request, status, { tag: this.#tag(), headers }))
  }
  #tag(): string {
    return toHex(this.#o.crypto.bytes(8))
  }
}

/** It was answered at another phone (RFC 3326 §2). */
const isElsewhere = (cancel: SipRequest): boolean => headersOf(cancel, 'Reason').some((v) => /(?:^|,)\s*SIP\s*;(?:[^,]*;)?\s*cause\s*=\s*200\s*(?:[;,]|$)/i.test(v))
