/**
 * Drives transactions over transports (RFC 3261 §17, §18). What it serves, the transaction user, may be a user
 * agent or a stateful proxy: it gets requests with a way to answer them, and sends requests with a way to hear.
 */
import { toHex } from '../base/bytes.ts'
import { type Instant, instant } from '../base/brand.ts'
import type { Machine } from '../base/machine.ts'
import type { Random, Scheduler } from '../base/ports.ts'
import type { Fault } from '../base/result.ts'
import { makeFault } from '../base/result.ts'
import type { ClientIn, Header, ServerIn, SipRequest, SipResponse } from '../protocol/sip/index.ts'
import { ackOfRefusal, branchCookie, clientKey, makeReply, makeVia, markReceived, mergeKeyOf, paramOf, parseMessage, reasonOf, refuseRaw, serialise, serverKey, statusOf, tagOf, transactionMs } from '../protocol/sip/index.ts'
import { InviteClientTransaction, InviteServerTransaction, NonInviteClientTransaction, NonInviteServerTransaction } from '../protocol/sip/index.ts'
import { SourceLimit } from './source-limit.ts'
import type { SipFlow, SipTransport } from './transport.ts'
import { isReliable, sameFlow } from './transport.ts'

/** A request that waits for its answer. */
export interface Incoming {
  readonly request: SipRequest
  readonly flow: SipFlow
  /** The same request came by another way and is being handled: a user agent answers 482 (§8.2.2.2). */
  readonly merged: boolean
  /** Of a CANCEL: the INVITE that it means, if there is one (§9.2). */
  readonly cancels: Incoming | undefined
  respond(response: SipResponse): void
}

/** What the transaction user does. All are called from the event loop, one at a time. */
export interface TransactionUser {
  request(incoming: Incoming): void
  /** The ACK of a 2xx belongs to no transaction (§13.2.2.4). */
  ack(request: SipRequest, flow: SipFlow): void
  /** A response that matches no request of ours: a user agent drops it, a proxy forwards a 2xx (RFC 6026 §8.9). */
  stray(response: SipResponse, flow: SipFlow): void
  /** A final response could not be delivered, or a refusal was never acknowledged. */
  failed(incoming: Incoming): void
  /** For the log: already limited in rate by source. */
  report(fault: Fault, flow: SipFlow): void
}

export interface OutgoingHandlers {
  response(response: SipResponse): void
  failed(why: 'timeout' | 'unreachable'): void
}

/** A request on its way. */
export interface Outgoing {
  /** Of an INVITE (§9.1): sends CANCEL once there was a provisional response; the INVITE's own final response still comes. */
  cancel(headers?: readonly Header[]): void
}

export interface EndpointOptions {
  readonly transports: readonly SipTransport[]
  readonly scheduler: Scheduler
  readonly random: Random
  /** The address that peers on this flow reach us at, for Via: IPv6 in brackets. */
  readonly hostFor: (flow: SipFlow) => string
  readonly user: TransactionUser
}

/** Transactions alive at once, each way and of one source; more are refused with 503. Each lives 32 s after its end. */
const transactionLimit = 10_000
const transactionsOfSource = 4000

interface Live<In> {
  readonly flow: SipFlow
  step(input: In): void
}
/** `unansweredSince`: of a request that any place may serve, and to which nobody has said anything yet. */
type LiveClient = Live<ClientIn> & { unansweredSince: Instant | undefined }

export class SipEndpoint {
  readonly #options: EndpointOptions
  readonly #limit = new SourceLimit(1000, 2000)
  /** Faults told to the log. */
  readonly #reports = new SourceLimit(1, 20)
  readonly #serversOf = new Map<string, number>()
  readonly #servers = new Map<string, Live<ServerIn> & { readonly incoming: Incoming }>()
  readonly #clients = new Map<string, LiveClient>()
  /** Merge keys of running server transactions, to their transaction. */
  readonly #merging = new Map<string, string>()
  readonly #wakes = new Set<() => void>()
  #closed = false

  constructor(options: EndpointOptions) {
    this.#options = options
    for (const t of options.transports) t.listen({ message: (data, flow) => this.#receive(data, flow), lost: (flow) => this.#lost(flow), silent: (flow, forMs) => this.#silent(flow, forMs) })
  }

  /** Sends a request in a transaction of its own. Via is added here. */
  request(request: SipRequest, flow: SipFlow, handlers: OutgoingHandlers): Outgoing {
    return this.#start(this.#withVia(request, flow), flow, handlers)
  }

  #start(sent: SipRequest, flow: SipFlow, handlers: OutgoingHandlers): Outgoing {
    const key = clientKey(sent)
    if (this.#clients.size >= transactionLimit) {
      this.#options.scheduler.at(this.#options.scheduler.now(), () => handlers.failed('unreachable'))
      return { cancel: () => {} }
    }
    const { method } = sent
    const cancelling = new Cancelling((headers) => this.#cancel(sent, flow, headers, step))
    const reliable = isReliable(flow.transport)
    const machine = method === 'INVITE' ? new InviteClientTransaction(sent, reliable) : new NonInviteClientTransaction(sent, reliable)
    const step = this.#drive(machine, (o) => {
      if (o.kind === 'ended') this.#clients.delete(key)
      else if (o.kind === 'send') {
        if (!this.#send(serialise(o.request), flow)) step({ kind: 'unreachable' })
      } else if (o.kind === 'response') {
        return () => {
          cancelling.heard(o.response.status)
          handlers.response(o.response)
        }
      } else return () => handlers.failed(o.why)
    })
    // A CANCEL follows its INVITE (§9.1), a request inside a dialog its call.
    const movable = method !== 'CANCEL' && tagOf(sent.to) === ''
    this.#clients.set(key, { flow, step, unansweredSince: movable ? this.#options.scheduler.now() : undefined })
    step({ kind: 'start' })
    return { cancel: (headers = []) => method === 'INVITE' && cancelling.ask(headers) }
  }

  /** §9.1: the INVITE's own Via, Route and Request-URI. An INVITE that has no final response 64·T1 later is given up. */
  #cancel(invite: SipRequest, flow: SipFlow, headers: readonly Header[], step: (input: ClientIn) => void): void {
    const cancel: SipRequest = { ...ackOfRefusal(invite, { ...makeReply(invite, 487), to: invite.to }), method: 'CANCEL', cseq: { number: invite.cseq.number, method: 'CANCEL' } }
    this.#start({ ...cancel, headers: [...cancel.headers, ...headers] }, flow, { response: () => undefined, failed: () => undefined })
    const { scheduler } = this.#options
    const stop = scheduler.at(instant(scheduler.now() + transactionMs), () => {
      this.#wakes.delete(stop)
      // A transaction that has had its final response takes no notice.
      step({ kind: 'abandon' })
    })
    this.#wakes.add(stop)
  }

  /** Sends a request outside any transaction: the ACK of a 2xx. */
  sendAck(request: SipRequest, flow: SipFlow): void {
    this.#send(serialise(this.#withVia(request, flow)), flow)
  }

  close(): void {
    this.#closed = true
    for (const cancel of this.#wakes) cancel()
    this.#wakes.clear()
    for (const t of this.#options.transports) t.close()
  }

  /** Running transactions, for tests of leaks. */
  get load(): { readonly servers: number; readonly clients: number } {
    return { servers: this.#servers.size, clients: this.#clients.size }
  }

  #withVia(request: SipRequest, flow: SipFlow): SipRequest {
    const branch = branchCookie + toHex(this.#options.random.bytes(12))
    const via = makeVia(flow.transport, this.#options.hostFor(flow), flow.local.port, [{ name: 'branch', value: branch }, { name: 'rport' }])
    return { ...request, via: [via, ...request.via] }
  }

  #send(data: Uint8Array, flow: SipFlow): boolean {
    if (this.#closed) return false
    const transport = this.#options.transports.find((t) => t.name === flow.transport && t.local.port === flow.local.port)
    return transport?.send(data, flow) ?? false
  }

  #receive(data: Uint8Array, flow: SipFlow): void {
    if (this.#closed || !this.#limit.admit(flow.remote.address, this.#options.scheduler.now())) return
    const parsed = parseMessage(data, { stream: isReliable(flow.transport) })
    if (!parsed.ok) {
      this.#report(parsed.fault, flow)
      const status = statusOf(parsed.fault.code)
      const reply = status === undefined ? undefined : refuseRaw(data, status, reasonOf(status))
      if (reply !== undefined) this.#send(reply, flow)
    } else if (parsed.value.kind === 'response') this.#response(parsed.value, flow)
    else this.#request(parsed.value, flow)
  }

  /** Only responses that came the way the request went: an address of another host proves nothing. */
  #response(response: SipResponse, flow: SipFlow): void {
    const client = this.#clients.get(clientKey(response))
    if (client === undefined) this.#options.user.stray(response, flow)
    // §8.1.3.3: more than one Via in a user agent means that it was not for us.
    else if (client.flow.remote.address === flow.remote.address && response.via.length === 1) {
      client.unansweredSince = undefined
      client.step({ kind: 'response', response })
    }
  }

  #request(received: SipRequest, flow: SipFlow): void {
    const top = received.via[0]!
    const request = { ...received, via: [markReceived(top, flow.remote.address, flow.remote.port), ...received.via.slice(1)] }
    const key = serverKey(received)
    const running = this.#servers.get(key)
    if (running !== undefined) running.step({ kind: 'request', request })
    else if (request.method === 'ACK') this.#options.user.ack(request, flow)
    else if (this.#servers.size >= transactionLimit || (this.#serversOf.get(flow.remote.address) ?? 0) >= transactionsOfSource) {
      this.#send(serialise(makeReply(request, 503, { headers: [{ name: 'Retry-After', value: '10' }] })), replyFlow(request, flow))
      this.#report(makeFault('SIP_TOO_BUSY', 'transactions'), flow)
    } else this.#serve(request, key, received, flow)
  }

  #serve(request: SipRequest, key: string, received: SipRequest, flow: SipFlow): void {
    const mergeKey = tagOf(request.to) === '' ? mergeKeyOf(request) : undefined
    const merged = mergeKey !== undefined && this.#merging.has(mergeKey)
    if (mergeKey !== undefined && !merged) this.#merging.set(mergeKey, key)
    const back = replyFlow(request, flow)
    const { user } = this.#options
    const machine = request.method === 'INVITE' ? new InviteServerTransaction(isReliable(flow.transport)) : new NonInviteServerTransaction(isReliable(flow.transport))
    const incoming: Incoming = {
      request,
      flow,
      merged,
      cancels: request.method === 'CANCEL' ? this.#servers.get(serverKey(received, 'INVITE'))?.incoming : undefined,
      respond: (response) => step({ kind: 'respond', response }),
    }
    const step = this.#drive(machine, (o) => {
      if (o.kind === 'send') {
        if (!this.#send(serialise(o.response), back)) step({ kind: 'unreachable' })
      } else if (o.kind === 'request') return () => (o.request.method === 'ACK' ? user.ack(o.request, flow) : user.request(incoming))
      else if (o.kind === 'failed') return () => user.failed(incoming)
      else {
        this.#servers.delete(key)
        this.#countServer(flow, -1)
        if (mergeKey !== undefined && this.#merging.get(mergeKey) === key) this.#merging.delete(mergeKey)
      }
    })
    this.#servers.set(key, { flow, incoming, step })
    this.#countServer(flow, 1)
    step({ kind: 'request', request })
  }

  #countServer(flow: SipFlow, change: 1 | -1): void {
    const count = (this.#serversOf.get(flow.remote.address) ?? 0) + change
    if (count === 0) this.#serversOf.delete(flow.remote.address)
    else this.#serversOf.set(flow.remote.address, count)
  }

  #report(fault: Fault, flow: SipFlow): void {
    if (this.#reports.admit(flow.remote.address, this.#options.scheduler.now())) this.#options.user.report(fault, flow)
  }

  #lost(flow: SipFlow): void {
    for (const live of [...this.#clients.values()]) if (sameFlow(live.flow, flow)) live.step({ kind: 'unreachable' })
    for (const live of [...this.#servers.values()]) if (sameFlow(live.flow, flow)) live.step({ kind: 'unreachable' })
  }
  /** What was asked later than that may still be answered there: a request in two places at once rings twice. */
  #silent(flow: SipFlow, forMs: number): void {
    const now = this.#options.scheduler.now()
    for (const live of [...this.#clients.values()]) {
      if (live.unansweredSince !== undefined && now - live.unansweredSince >= forMs && sameFlow(live.flow, flow)) live.step({ kind: 'unreachable' })
    }
  }

  /**
   * Steps a machine and wakes it. Inputs that its outputs cause wait until those are handled. What `handle` gives back
   * runs when the machine is at rest: the user may answer at once, and its messages leave in the order of its calls.
   */
  #drive<In extends { readonly kind: string }, Out>(machine: Machine<In | { kind: 'tick' }, Out>, handle: (o: Out) => (() => void) | undefined): (input: In) => void {
    const { scheduler } = this.#options
    const waiting: (In | { kind: 'tick' })[] = []
    let stepping = false
    let cancel: (() => void) | undefined
    const wake = (at: Instant | undefined): void => {
      if (cancel !== undefined) {
        cancel()
        this.#wakes.delete(cancel)
      }
      cancel = at === undefined ? undefined : scheduler.at(at, () => run({ kind: 'tick' }))
      if (cancel !== undefined) this.#wakes.add(cancel)
    }
    const run = (input: In | { kind: 'tick' }): void => {
      waiting.push(input)
      if (stepping || this.#closed) return
      stepping = true
      const up: (() => void)[] = []
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { out, wakeAt } = machine.step(next, scheduler.now())
        wake(wakeAt)
        up.push(...out.flatMap((o) => handle(o) ?? []))
      }
      stepping = false
      for (const call of up) call()
    }
    return run
  }
}

/** A CANCEL waits for the first provisional response, and is not sent any more after the final one (§9.1). */
class Cancelling {
  readonly #send: (headers: readonly Header[]) => void
  #state: 'early' | 'provisional' | 'over' = 'early'
  #asked: readonly Header[] | undefined

  constructor(send: (headers: readonly Header[]) => void) {
    this.#send = send
  }
  ask(headers: readonly Header[]): void {
    if (this.#asked !== undefined) return
    this.#asked = headers
    if (this.#state === 'provisional') this.#send(headers)
  }
  heard(status: number): void {
    if (status >= 200) this.#state = 'over'
    else if (this.#state === 'early') {
      this.#state = 'provisional'
      if (this.#asked !== undefined) this.#send(this.#asked)
    }
  }
}

/** Where the answer goes (§18.2.2, RFC 3581): the same connection; over UDP the source, its port only if asked. */
export function replyFlow(request: SipRequest, flow: SipFlow): SipFlow {
  const via = request.via[0]!
  if (flow.transport !== 'UDP' || paramOf(via.params, 'rport') !== undefined) return flow
  return { ...flow, remote: { address: flow.remote.address, port: via.port ?? 5060 } }
}
