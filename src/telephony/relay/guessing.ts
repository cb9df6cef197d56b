/** Wrong passwords, counted for each client: to the PBX, and to whatever bans guessers there, all phones come from one address. */
import type { Instant } from '../../base/brand.ts'
import { parseDigest } from '../../protocol/sip/digest.ts'
import { headersOf } from '../../protocol/sip/message.ts'
import type { SipRequest, SipResponse } from '../../protocol/sip/index.ts'
import { SourceLimit } from '../source-limit.ts'
import { userOf } from './extensions.ts'

/** Five at once, then one every two minutes: a typing error passes, a guesser does not get far. */
const burst = 5
const perSecond = 1 / 120
const provedLimit = 10_000
/** For help, and for calls that stand, which pass in any case: a phone must not lose them to another one of its client that guesses. */
const spared = { burst: 3, perSecond: 1 / 60 }

const passwordHeaders = new Set(['Authorization', 'Proxy-Authorization'])

export class Guessing {
  readonly #wrong = new SourceLimit(perSecond, burst)
  readonly #spared = { help: new SourceLimit(spared.perSecond, spared.burst), inside: new SourceLimit(spared.perSecond, spared.burst) }
  readonly #blocked = new Map<string, Instant>()
  /** Whose password the PBX took last: by client, extension and name. Oldest first. */
  readonly #proved = new Set<string>()

  /** True: this request brings a password that is not known to be right, and this client has shown too many wrong ones. */
  refuses(client: string, request: SipRequest, now: Instant): boolean {
    const until = this.#blocked.get(client)
    if (until === undefined || !hasPassword(request)) return false
    if (now >= until) {
      this.#blocked.delete(client)
      return false
    }
    // One phone with an old password must not silence the others of its client.
    return !this.#proved.has(nameOf(client, request) ?? '')
  }
  /** Whether what passes although `refuses` says no may have its password. */
  spares(client: string, what: 'help' | 'inside', now: Instant): boolean {
    return this.#spared[what].admit(client, now)
  }
  answered(client: string, request: SipRequest, response: SipResponse, now: Instant): void {
    const name = nameOf(client, request)
    if (isWrong(request, response)) {
      this.#proved.delete(name ?? '')
      // Beyond what is allowed nothing is asked for the time in which one more becomes allowed.
      if (!this.#wrong.admit(client, now) || !this.#wrong.admits(client, now)) this.#blocked.set(client, (now + 1000 / perSecond) as Instant)
    } else if (name !== undefined && request.method === 'REGISTER' && response.status < 300) this.#proves(name)
  }
  /** Only by a registration: what else is answered well may never have been asked for a password. */
  #proves(name: string): void {
    this.#proved.delete(name)
    this.#proved.add(name)
    if (this.#proved.size > provedLimit) this.#proved.delete(this.#proved.values().next().value!)
  }
}

const passwordsOf = (request: SipRequest): readonly string[] => [...passwordHeaders].flatMap((name) => headersOf(request, name))
const hasPassword = (request: SipRequest): boolean => passwordsOf(request).length > 0
export const withoutPassword = (request: SipRequest): SipRequest => ({ ...request, headers: request.headers.filter((h) => !passwordHeaders.has(h.name)) })

/** Undefined where it is not exactly one, or not one that can be read: such a password is never known to be right. */
function nameOf(client: string, request: SipRequest): string | undefined {
  const [password, ...more] = passwordsOf(request)
  const digest = password === undefined || more.length > 0 ? undefined : parseDigest(password)
  const user = digest?.ok === true ? digest.value.get('username') : undefined
  return user === undefined ? undefined : JSON.stringify([client, userOf(request.from.uri), user])
}

/** Asked again although a password came; not because its nonce was old (RFC 7616 §3.3). */
function isWrong(request: SipRequest, response: SipResponse): boolean {
  if (!hasPassword(request)) return false
  if (response.status === 403) return request.method === 'REGISTER'
  if (response.status !== 401 && response.status !== 407) return false
  const challenges = [...headersOf(response, 'WWW-Authenticate'), ...headersOf(response, 'Proxy-Authenticate')]
  return !challenges.some((c) => /\bstale\s*=\s*"?true/i.test(c))
}
