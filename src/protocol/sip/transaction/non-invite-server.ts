/** Non-INVITE server transaction (RFC 3261 §17.2.2). */
import type { Instant } from '../../../base/brand.ts'
import type { SipResponse } from '../message.ts'
import { Timers, transactionMs } from './timers.ts'
import type { ServerIn, ServerOut, ServerTransaction } from './types.ts'

export class NonInviteServerTransaction implements ServerTransaction {
  readonly #reliable: boolean
  readonly #timers = new Timers<'J' | 'unanswered'>()
  #state: 'new' | 'trying' | 'proceeding' | 'completed' | 'terminated' = 'new'
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
    if (input.kind === 'request') {
      if (this.#state === 'new') {
        this.#state = 'trying'
        // The client gives up then (timer F): a request that nobody answers must not stay for ever.
        this.#timers.set('unanswered', now, transactionMs)
        out.push({ kind: 'request', request: input.request })
      } else if (this.#last !== undefined) out.push({ kind: 'send', response: this.#last })
    } else if (input.kind === 'respond') this.#respond(input.response, now, out)
    else if (input.kind === 'unreachable') {
      out.push({ kind: 'failed', why: 'unreachable' })
      this.#end(out)
    } else if (this.#timers.take(now) !== undefined) this.#end(out)
  }

  #respond(response: SipResponse, now: Instant, out: ServerOut[]): void {
    if (this.#state !== 'trying' && this.#state !== 'proceeding') return
    this.#last = response
    out.push({ kind: 'send', response })
    if (response.status < 200) {
      this.#state = 'proceeding'
      return
    }
    this.#state = 'completed'
    this.#timers.clearAll()
    if (this.#reliable) this.#end(out)
    else this.#timers.set('J', now, transactionMs)
  }

  #end(out: ServerOut[]): void {
    this.#state = 'terminated'
    this.#timers.clearAll()
    out.push({ kind: 'ended' })
  }
}
