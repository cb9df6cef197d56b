/** INVITE server transaction (RFC 3261 §17.2.1, RFC 6026 §7.1). */
import type { Instant } from '../../../base/brand.ts'
import type { SipRequest, SipResponse } from '../message.ts'
import { makeReply } from '../reply.ts'
import { t1Ms, t2Ms, t4Ms, Timers, transactionMs } from './timers.ts'
import type { ServerIn, ServerOut, ServerTransaction } from './types.ts'

type State = 'new' | 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated'

/** Retransmission of 2xx is the transaction user's task (§13.3.1.4): it gives them as `respond` again. */
export class InviteServerTransaction implements ServerTransaction {
  readonly #reliable: boolean
  readonly #timers = new Timers<'G' | 'H' | 'I' | 'L'>()
  #state: State = 'new'
  #intervalMs = t1Ms
  #last: SipResponse | undefined

  constructor(reliable: boolean) {
    this.#reliable = reliable
  }

  step(input: ServerIn, now: Instant): { readonly out: readonly ServerOut[]; readonly wakeAt?: Instant } {
    const out: ServerOut[] = []
    if (this.#state !== 'terminated') this.#handle(input, now, out)
    return { out, ...this.#timers.wake() }
  }

  #handle(input: ServerIn, now: Instant, out: ServerOut[]): void {
    if (input.kind === 'request') this.#request(input.request, now, out)
    else if (input.kind === 'respond') this.#respond(input.response, now, out)
    else if (input.kind === 'unreachable') this.#fail('unreachable', out)
    else for (let t = this.#timers.take(now); t !== undefined; t = this.#timers.take(now)) this.#timer(t, now, out)
  }

  #request(request: SipRequest, now: Instant, out: ServerOut[]): void {
    if (this.#state === 'new') {
      this.#state = 'proceeding'
      // At once, not after 200 ms: it stops the retransmissions of the INVITE.
      this.#last = makeReply(request, 100)
      out.push({ kind: 'send', response: this.#last }, { kind: 'request', request })
    } else if (request.method === 'ACK') this.#acknowledged(request, now, out)
    else if ((this.#state === 'proceeding' || this.#state === 'completed') && this.#last !== undefined) out.push({ kind: 'send', response: this.#last })
  }

  #acknowledged(request: SipRequest, now: Instant, out: ServerOut[]): void {
    // RFC 6026: the ACK of a 2xx with the INVITE's own branch (a broken but frequent client) goes up.
    if (this.#state === 'accepted') out.push({ kind: 'request', request })
    if (this.#state !== 'completed') return
    this.#state = 'confirmed'
    this.#timers.clearAll()
    if (this.#reliable) this.#end(out)
    else this.#timers.set('I', now, t4Ms)
  }

  #respond(response: SipResponse, now: Instant, out: ServerOut[]): void {
    const success = response.status >= 200 && response.status < 300
    if (this.#state === 'accepted' ? !success : this.#state !== 'proceeding') return
    this.#last = response
    out.push({ kind: 'send', response })
    if (response.status < 200 || this.#state === 'accepted') return
    if (success) {
      this.#state = 'accepted'
      this.#timers.set('L', now, transactionMs)
      return
    }
    this.#state = 'completed'
    if (!this.#reliable) this.#timers.set('G', now, this.#intervalMs)
    this.#timers.set('H', now, transactionMs)
  }

  #timer(name: 'G' | 'H' | 'I' | 'L', now: Instant, out: ServerOut[]): void {
    if (name === 'H') this.#fail('timeout', out)
    else if (name !== 'G') this.#end(out)
    else {
      out.push({ kind: 'send', response: this.#last! })
      this.#intervalMs = Math.min(this.#intervalMs * 2, t2Ms)
      this.#timers.set('G', now, this.#intervalMs)
    }
  }

  #fail(why: 'timeout' | 'unreachable', out: ServerOut[]): void {
    if (this.#state === 'confirmed') return
    out.push({ kind: 'failed', why })
    // §17.2.1 and RFC 6026 §7.1: in Accepted the user may try again.
    if (why === 'timeout' || this.#state !== 'accepted') this.#end(out)
  }

  #end(out: ServerOut[]): void {
    this.#state = 'terminated'
    this.#timers.clearAll()
    out.push({ kind: 'ended' })
  }
}
