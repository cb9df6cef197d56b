/**
 * Requests of our own inside the calls of phones: the carrier `message` of a key agreement. We speak in the phone's name, so what it says
 * itself afterwards gets higher numbers (CSeq, RFC 3261 §12.2.1.1), and its answers the numbers back that it knows.
 */
import { toHex, utf8 } from '../../base/bytes.ts'
import type { Random } from '../../base/ports.ts'
import { contentTypeOf, type Dialog, dialogOfCallee, dialogOfCaller, headerOf, makeReply, refreshTarget, requestInDialog, serialise, type SipMessage, type SipRequest, tagOf } from '../../protocol/sip/index.ts'
import { placeholderVia, type TunnelMessage } from '../../telephony/relay/index.ts'
import { type AgreementBody, Assembler, CONTENT_TYPE, decodeBody, encodeBody, split } from './agreement-messages.ts'

export type InsideNews =
  /** The other side has answered our question: messages reach it. */
  | { readonly kind: 'reached' }
  /** One of its messages, whole. */
  | { readonly kind: 'message'; readonly bytes: Uint8Array }

export interface InsideOptions {
  readonly random: Random
  readonly onNews: (call: number, news: InsideNews) => void
}

/** What is ours goes to the provider by this; `done` gets the status of the final answer. */
export type Insert = (m: SipRequest, done: (status: number) => void) => void

interface Call {
  readonly call: number
  dialog: Dialog
  readonly insert: Insert
  /** ACK has passed: requests may come. */
  stands: boolean
  /** The highest number that went to the provider, and what the phone calls those that were raised. */
  last: number
  readonly raised: Map<number, number>
  readonly waiting: AgreementBody[]
  busy: boolean
  nonce: string
  next: number
  readonly parts: Assembler
  taken: number
}

const REMEMBERED = 500
const RAISED = 50
const WAITING = 200
/** Messages of the other side in one call. */
const TAKEN = 1000

export class InsideCalls {
  readonly #o: InsideOptions
  readonly #invites = new Map<string, { readonly request: SipRequest; call: number | undefined; last: number }>()
  readonly #calls = new Map<string, Call>()

  constructor(options: InsideOptions) {
    this.#o = options
  }

  /** Asks whether there is somebody at the other side who understands. */
  probe(call: number): void {
    const c = this.#of(call)
    if (c === undefined) return
    c.nonce = toHex(this.#o.random.bytes(8))
    this.#say(c, { kind: 'probe', nonce: c.nonce })
  }
  send(call: number, bytes: Uint8Array): void {
    const c = this.#of(call)
    if (c === undefined) return
    for (const part of split(bytes, c.next++)) this.#say(c, part)
  }
  closed(call: number): void {
    for (const [key, c] of this.#calls) if (c.call === call) this.#calls.delete(key)
    for (const [key, i] of this.#invites) if (i.call === call) this.#invites.delete(key)
  }
  #of(call: number): Call | undefined {
    return [...this.#calls.values()].findLast((c) => c.call === call)
  }

  /** From the phones. */
  outgoing(m: TunnelMessage, parsed: SipMessage | undefined, insert: Insert): TunnelMessage {
    if (parsed === undefined) return m
    if (parsed.kind === 'response') {
      this.#answered('phone', m, parsed, insert)
      return m
    }
    if (m.k === 'sip-request' && parsed.method === 'INVITE' && tagOf(parsed.to) === '') this.#invited(`phone ${m.id}`, m, parsed)
    const c = this.#calls.get(keyOf(parsed))
    if (c === undefined) {
      for (const i of this.#invites.values()) if (i.request.callId === parsed.callId) i.last = Math.max(i.last, parsed.cseq.number)
      return m
    }
    const raised = raise(c, parsed)
    if (parsed.method === 'BYE') c.stands = false
    return raised === parsed || !('message' in m) ? m : { ...m, message: serialise(raised) }
  }

  /** It went to the provider. An ACK completes the call: before it nothing else may come. */
  passed(parsed: SipMessage | undefined): void {
    const c = parsed?.kind === 'request' && parsed.method === 'ACK' ? this.#calls.get(keyOf(parsed)) : undefined
    if (c !== undefined) this.#stands(c)
  }

  /** From the provider; undefined where it was for us. `answer` goes back to it. */
  incoming(m: TunnelMessage, parsed: SipMessage | undefined, insert: Insert, answer: (m: TunnelMessage) => void): TunnelMessage | undefined {
    if (parsed === undefined) return m
    if (parsed.kind === 'response') {
      this.#answered('provider', m, parsed, insert)
      const c = this.#calls.get(keyOf(parsed))
      const known = c?.raised.get(parsed.cseq.number)
      if (c !== undefined && parsed.status < 300 && (parsed.cseq.method === 'INVITE' || parsed.cseq.method === 'UPDATE')) c.dialog = refreshTarget(c.dialog, parsed)
      return known === undefined || !('message' in m) ? m : { ...m, message: serialise({ ...parsed, cseq: { ...parsed.cseq, number: known } }) }
    }
    if (m.k === 'sip-request' && parsed.method === 'INVITE' && tagOf(parsed.to) === '') this.#invited(`provider ${m.id}`, m, parsed)
    const c = this.#calls.get(keyOf(parsed))
    if (c === undefined) return m
    if (parsed.method === 'ACK') this.#stands(c)
    else if (parsed.method === 'BYE') c.stands = false
    else if (parsed.method === 'INVITE' || parsed.method === 'UPDATE') c.dialog = refreshTarget(c.dialog, parsed)
    else if (m.k === 'sip-request' && parsed.method === 'MESSAGE' && contentTypeOf(parsed) === CONTENT_TYPE) {
      answer({ k: 'sip-response', id: m.id, message: serialise(makeReply(parsed, 200, {})) })
      this.#take(c, parsed.body)
      return undefined
    }
    return m
  }

  #invited(key: string, m: Extract<TunnelMessage, { k: 'sip-request' }>, request: SipRequest): void {
    this.#invites.set(key, { request, call: m.streams?.up, last: key.startsWith('phone') ? request.cseq.number : 0 })
    if (this.#invites.size > REMEMBERED) this.#invites.delete(this.#invites.keys().next().value!)
  }
  /** `by`: whose answer it is; the INVITE came from the other. */
  #answered(by: 'phone' | 'provider', m: TunnelMessage, response: Extract<SipMessage, { kind: 'response' }>, insert: Insert): void {
    if (m.k !== 'sip-response' || response.cseq.method !== 'INVITE') return
    const invite = this.#invites.get(`${by === 'phone' ? 'provider' : 'phone'} ${m.id}`)
    if (invite === undefined) return
    invite.call ??= m.streams?.up
    const key = keyOf(response)
    if (invite.call === undefined || response.status < 200 || response.status >= 300 || this.#calls.has(key)) return
    const dialog = by === 'phone' ? dialogOfCallee(invite.request, tagOf(response.to)) : dialogOfCaller(invite.request, response)
    // Who says what it takes, and MESSAGE is not in it, is not asked.
    const allowed = headerOf(by === 'phone' ? invite.request : response, 'Allow')
    if (!dialog.ok || (allowed !== undefined && !/\bMESSAGE\b/i.test(allowed))) return
    this.#calls.set(key, { call: invite.call, dialog: dialog.value, insert, stands: false, last: invite.last, raised: new Map(), waiting: [], busy: false, nonce: '', next: 0, parts: new Assembler(), taken: 0 })
    if (this.#calls.size > REMEMBERED) this.#calls.delete(this.#calls.keys().next().value!)
  }
  #stands(c: Call): void {
    c.stands = true
    this.#pump(c)
  }

  #say(c: Call, body: AgreementBody): void {
    if (c.waiting.length < WAITING) c.waiting.push(body)
    this.#pump(c)
  }
  /** One after the other: they arrive in order, and nothing is flooded (RFC 3428 §8). */
  #pump(c: Call): void {
    if (!c.stands || c.busy) return
    const body = c.waiting.shift()
    if (body === undefined) return
    c.busy = true
    const { request } = requestInDialog({ ...c.dialog, localSeq: c.last }, 'MESSAGE', { headers: [{ name: 'Content-Type', value: CONTENT_TYPE }], body: utf8(encodeBody(body)) })
    c.last = request.cseq.number
    c.insert({ ...request, via: [placeholderVia] }, (status) => {
      c.busy = false
      // Nobody there takes such messages: the agreement finds another way.
      if (status >= 300) c.waiting.length = 0
      this.#pump(c)
    })
  }

  #take(c: Call, octets: Uint8Array): void {
    const body = decodeBody(String.fromCharCode(...octets.subarray(0, 1024)))
    if (body === undefined || ++c.taken > TAKEN) return
    if (body.kind === 'part') {
      const bytes = c.parts.take(body)
      if (bytes !== undefined) this.#o.onNews(c.call, { kind: 'message', bytes })
    } else if (body.kind === 'probe') this.#say(c, { kind: 'answer', nonce: body.nonce })
    else if (body.nonce === c.nonce && c.nonce !== '') this.#o.onNews(c.call, { kind: 'reached' })
  }
}

/** Higher than all that went before; ACK as its INVITE. */
function raise(c: Call, request: SipRequest): SipRequest {
  const { number, method } = request.cseq
  const before = [...c.raised].find(([, phone]) => phone === number)?.[0]
  if (method === 'ACK' || method === 'CANCEL') return before === undefined ? request : { ...request, cseq: { method, number: before } }
  const out = Math.max(number, c.last + 1)
  c.last = out
  if (out === number) return request
  c.raised.set(out, number)
  if (c.raised.size > RAISED) c.raised.delete(c.raised.keys().next().value!)
  return { ...request, cseq: { method, number: out } }
}

/** Both orders of the tags name the same dialog. */
const keyOf = (m: SipMessage): string => [m.callId, ...[tagOf(m.from), tagOf(m.to)].sort()].join('|')
