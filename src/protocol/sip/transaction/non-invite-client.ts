/** Non-INVITE client transaction (RFC 3261 §17.1.2). */
import type { Instant } from '../../../base/brand.ts'
import type { SipRequest, SipResponse } from '../message.ts'
import { t1Ms, t2Ms, t4Ms, Timers, transactionMs } from './timers.ts'
import type { ClientIn, ClientOut, ClientTransaction } from './types.ts'

export class NonInviteClientTransaction implements ClientTransaction {
  readonly #request: SipRequest
  readonly #reliable: boolean
  readonly #timers = new Timers<'E' | 'F' | 'K'>()
  #state: 'trying' | 'proceeding' | 'completed' | 'terminated' = 'trying'
  #intervalMs = t1Ms

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
      if (!this.#reliable) this.#timers.set('E', now, this.#intervalMs)
      this.#timers.set('F', now, transactionMs)
    } else if (input.kind === 'response') this.#response(input.response, now, out)
    else if (input.kind === 'unreachable') this.#fail('unreachable', out)
    else if (input.kind === 'abandon') {
      if (this.#state !== 'completed') this.#fail('timeout', out)
    }
    else for (let t = this.#timers.take(now); t !== undefined; t = this.#timers.take(now)) this.#timer(t, now, out)
  }

  #timer(name: 'E' | 'F' | 'K', now: Instant, out: ClientOut[]): void {
    if (name === 'F') this.#fail('timeout', out)
    else if (name === 'K') this.#end(out)
    else {
      out.push({ kind: 'send', request: this.#request })
      this.#intervalMs = this.#state === 'proceeding' ? t2Ms : Math.min(this.#intervalMs * 2, t2Ms)
      this.#timers.set('E', now, this.#intervalMs)
    }
  }

  #response(response: SipResponse, now: Instant, out: ClientOut[]): void {
    if (this.#state === 'completed') return
    out.push({ kind: 'response', response })
    if (response.status < 200) {
      this.#state = 'proceeding'
      return
    }
    this.#state = 'completed'
    this.#timers.clearAll()
    if (this.#reliable) this.#end(out)
    else this.#timers.set('K', now, t4Ms)
  }

  #fail(why: 'timeout' | 'unreachable', out: ClientOut[]): void {
    if (this.#state !== 'completed') out.push({ kind: 'failed', why })
    this.#end(out)
  }

  #end(out: ClientOut[]): void {
    this.#state = 'terminated'
    this.#timers.clearAll()
    out.push({ kind: 'ended' })
  }
}
