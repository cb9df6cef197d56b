/** INVITE client transaction (RFC 3261 §17.1.1, RFC 6026 §7.2). */
import type { Instant } from '../../../base/brand.ts'
import type { SipRequest, SipResponse } from '../message.ts'
import { noBody } from '../message.ts'
import { t1Ms, timerDMs, Timers, transactionMs } from './timers.ts'
import type { ClientIn, ClientOut, ClientTransaction } from './types.ts'

type State = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated'

export class InviteClientTransaction implements ClientTransaction {
  readonly #request: SipRequest
  readonly #reliable: boolean
  readonly #timers = new Timers<'A' | 'B' | 'D' | 'M'>()
  #state: State = 'calling'
  #intervalMs = t1Ms
  #ack: SipRequest | undefined

  /** @param reliable TCP or TLS: no retransmissions of our own. */
  constructor(request: SipRequest, reliable: boolean) {
    this.#request = request
    this.#reliable = reliable
  }

  step(input: ClientIn, now: Instant): { readonly out: readonly ClientOut[]; readonly wakeAt?: Instant } {
    const out: ClientOut[] = []
    if (this.#state !== 'terminated') this.#handle(input, now, out)
    return { out, ...this.#timers.wake() }
  }

  #handle(input: ClientIn, now: Instant, out: ClientOut[]): void {
    if (input.kind === 'start') {
      out.push({ kind: 'send', request: this.#request })
      if (!this.#reliable) this.#timers.set('A', now, this.#intervalMs)
      this.#timers.set('B', now, transactionMs)
    } else if (input.kind === 'response') this.#response(input.response, now, out)
    else if (input.kind === 'unreachable') this.#fail('unreachable', out)
    else if (input.kind === 'abandon') {
      if (this.#state === 'calling' || this.#state === 'proceeding') this.#fail('timeout', out)
    }
    else for (let t = this.#timers.take(now); t !== undefined; t = this.#timers.take(now)) this.#timer(t, now, out)
  }

  #timer(name: 'A' | 'B' | 'D' | 'M', now: Instant, out: ClientOut[]): void {
    if (name === 'A') {
      out.push({ kind: 'send', request: this.#request })
      this.#intervalMs *= 2
      this.#timers.set('A', now, this.#intervalMs)
    } else if (name === 'B') this.#fail('timeout', out)
    else this.#end(out)
  }

  #response(response: SipResponse, now: Instant, out: ClientOut[]): void {
    const early = this.#state === 'calling' || this.#state === 'proceeding'
    if (response.status < 200) {
      if (!early) return
      this.#state = 'proceeding'
      this.#timers.clear('A', 'B')
      out.push({ kind: 'response', response })
    } else if (response.status < 300) {
      // RFC 6026: further 2xx, from forks or retransmitted, go up until timer M.
      if (!early && this.#state !== 'accepted') return
      if (early) {
        this.#state = 'accepted'
        this.#timers.clearAll()
        this.#timers.set('M', now, transactionMs)
      }
      out.push({ kind: 'response', response })
    } else this.#refused(response, early, now, out)
  }

  #refused(response: SipResponse, early: boolean, now: Instant, out: ClientOut[]): void {
    if (this.#state === 'completed' && this.#ack !== undefined) out.push({ kind: 'send', request: this.#ack })
    if (!early) return
    this.#state = 'completed'
    this.#timers.clearAll()
    this.#ack = ackOfRefusal(this.#request, response)
    out.push({ kind: 'send', request: this.#ack }, { kind: 'response', response })
    if (this.#reliable) this.#end(out)
    else this.#timers.set('D', now, timerDMs)
  }

  #fail(why: 'timeout' | 'unreachable', out: ClientOut[]): void {
    if (this.#state === 'calling' || this.#state === 'proceeding' || this.#state === 'completed') out.push({ kind: 'failed', why })
    this.#end(out)
  }

  #end(out: ClientOut[]): void {
    this.#state = 'terminated'
    this.#timers.clearAll()
    out.push({ kind: 'ended' })
  }
}

/** The ACK of a refusal belongs to the transaction: same branch, Route and Request-URI (§17.1.1.3). */
export function ackOfRefusal(request: SipRequest, response: SipResponse): SipRequest {
  return {
    ...request,
    method: 'ACK',
    via: request.via.slice(0, 1),
    to: response.to,
    cseq: { number: request.cseq.number, method: 'ACK' },
    maxForwards: 70,
    headers: request.headers.filter((h) => h.name === 'Route'),
    body: noBody,
  }
}
