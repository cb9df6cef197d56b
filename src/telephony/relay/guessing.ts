/** Wrong passwords, counted for each client: to the PBX, and to whatever bans guessers there, all phones come from one address. */
import type { Instant } from '../../base/brand.ts'
import { headerOf, headersOf } from '../../protocol/sip/message.ts'
import type { SipRequest, SipResponse } from '../../protocol/sip/index.ts'
import { SourceLimit } from '../source-limit.ts'

/** Five at once, then one every two minutes: a typing error passes, a guesser does not get far. */
const burst = 5
const perSecond = 1 / 120

export class Guessing {
  readonly #wrong = new SourceLimit(perSecond, burst)
  readonly #blocked = new Map<string, Instant>()

  /** True: this request brings a password, and this client has shown too many wrong ones. */
  refuses(client: string, request: SipRequest, now: Instant): boolean {
    const until = this.#blocked.get(client)
    if (until === undefined || !hasPassword(request)) return false
    if (now < until) return true
    this.#blocked.delete(client)
    return false
  }
  answered(client: string, request: SipRequest, response: SipResponse, now: Instant): void {
    if (!isWrong(request, response)) return
    // Beyond what is allowed nothing is asked for the time in which one more becomes allowed.
    if (!this.#wrong.admit(client, now) || !this.#wrong.admits(client, now)) this.#blocked.set(client, (now + 1000 / perSecond) as Instant)
  }
}

const hasPassword = (request: SipRequest): boolean => headerOf(request, 'Authorization') !== undefined || headerOf(request, 'Proxy-Authorization') !== undefined

/** Asked again although a password came; not because its nonce was old (RFC 7616 §3.3). */
function isWrong(request: SipRequest, response: SipResponse): boolean {
  if (!hasPassword(request)) return false
  if (response.status === 403) return request.method === 'REGISTER'
  if (response.status !== 401 && response.status !== 407) return false
  const challenges = [...headersOf(response, 'WWW-Authenticate'), ...headersOf(response, 'Proxy-Authenticate')]
  return !challenges.some((c) => /\bstale\s*=\s*"?true/i.test(c))
}
