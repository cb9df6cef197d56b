/** Wrong passwords, counted for each client: to the PBX, and to whatever bans guessers there, all phones come from one address. */
import type { Instant } from '../../base/brand.ts'
import { remember } from '../../base/remember.ts'
import { parseDigest } from '../../protocol/sip/digest.ts'
import { headersOf } from '../../protocol/sip/message.ts'
import type { SipRequest, SipResponse } from '../../protocol/sip/index.ts'
import { SourceLimit } from '../source-limit.ts'
import { userOf } from './extensions.ts'

/** Of one user name: five at once, then one every two minutes. A typing error passes, a guesser does not get far. */
const ofName = { burst: 5, perSecond: 1 / 120 }
/** Of one client, whatever the names: thirty desk phones may register at once after a restart, since what was right is given back. */
const ofClient = { burst: 40, perSecond: 1 / 30 }
const provedLimit = 10_000
const rememberedLimit = 10_000
/** For help, and for calls that stand, which pass in any case: a phone must not lose them to another one of its client that guesses. */
const spared = { burst: 3, perSecond: 1 / 60 }

const passwordHeaders = new Set(['Authorization', 'Proxy-Authorization'])

/** 403: this name has shown too many wrong passwords; 503: its client has, under other names, and later it may be another's turn. */
export type Guessed = 403 | 503

export class Guessing {
  readonly #ofName = new SourceLimit(ofName.perSecond, ofName.burst)
  readonly #ofClient = new SourceLimit(ofClient.perSecond, ofClient.burst)
  readonly #spared = { help: new SourceLimit(spared.perSecond, spared.burst), inside: new SourceLimit(spared.perSecond, spared.burst) }
  /** Whose password the PBX took last: by client, extension and name. Oldest first. */
  readonly #proved = new Set<string>()
  /** Wrong ones under each name since it was right last: who knows the password then was not guessing, as phones whose nonce was old at a PBX that does not say so. */
  readonly #wrong = new Map<string, Taken>()
  /** Requests that were counted and are not settled yet, themselves, as whatever a request says of itself can be said twice: many at once are as many guesses. */
  readonly #asked = new WeakSet<SipRequest>()

  /** Why a request is not to be passed on with the password that it brings, which is not known to be right; else it is counted until it is settled. */
  refuses(client: string, request: SipRequest, now: Instant): Guessed | undefined {
    // One phone with an old password must not silence the others of its client.
    if (!hasPassword(request) || this.#proved.has(nameOf(client, request) ?? '')) return undefined
    if (!this.#ofName.admits(accountOf(client, request), now)) return 403
    if (!this.#ofClient.admits(client, now)) return 503
    this.#take(client, request, now)
    this.#asked.add(request)
    return undefined
  }
  /** Whether what passes although it is refused may have its password. */
  spares(client: string, what: 'help' | 'inside', now: Instant): boolean {
    return this.#spared[what].admit(client, now)
  }
  /** `request`: the same object that was asked about. `response`: its final one; undefined: it went nowhere, or nobody has said anything, which tells a guesser nothing either. */
  settled(client: string, request: SipRequest, response: SipResponse | undefined, now: Instant): void {
    const name = nameOf(client, request)
    const counted = this.#asked.delete(request)
    if (response !== undefined && isWrong(request, response)) {
      this.#proved.delete(name ?? '')
      const taken = counted ? { ofName: 1, ofClient: 1 } : this.#take(client, request, now)
      if (name !== undefined) remember(this.#wrong, name, sum(this.#wrong.get(name), taken), rememberedLimit)
      return
    }
    if (counted) this.#giveBack(client, request, { ofName: 1, ofClient: 1 }, now)
    if (name === undefined || request.method !== 'REGISTER' || response === undefined || response.status >= 300) return
    this.#giveBack(client, request, this.#wrong.get(name), now)
    this.#wrong.delete(name)
    this.#proves(name)
  }
  #take(client: string, request: SipRequest, now: Instant): Taken {
    const ofName = this.#ofName.admit(accountOf(client, request), now) ? 1 : 0
    return { ofName, ofClient: this.#ofClient.admits(client, now) && this.#ofClient.admit(client, now) ? 1 : 0 }
  }
  #giveBack(client: string, request: SipRequest, taken: Taken | undefined, now: Instant): void {
    for (let n = taken?.ofName ?? 0; n > 0; n--) this.#ofName.giveBack(accountOf(client, request), now)
    for (let n = taken?.ofClient ?? 0; n > 0; n--) this.#ofClient.giveBack(client, now)
  }
  /** Only by a registration: what else is answered well may never have been asked for a password. */
  #proves(name: string): void {
    this.#proved.delete(name)
    this.#proved.add(name)
    if (this.#proved.size > provedLimit) this.#proved.delete(this.#proved.values().next().value!)
  }
}

/** Of each bucket what was really in it: no more is given back. */
interface Taken {
  readonly ofName: number
  readonly ofClient: number
}
const sum = (a: Taken | undefined, b: Taken): Taken => ({ ofName: (a?.ofName ?? 0) + b.ofName, ofClient: (a?.ofClient ?? 0) + b.ofClient })

const passwordsOf = (request: SipRequest): readonly string[] => [...passwordHeaders].flatMap((name) => headersOf(request, name))
const hasPassword = (request: SipRequest): boolean => passwordsOf(request).length > 0
export const withoutPassword = (request: SipRequest): SipRequest => ({ ...request, headers: request.headers.filter((h) => !passwordHeaders.has(h.name)) })

/** Undefined where it is not exactly one, or not one that can be read: such a password is never known to be right. */
function userNameOf(request: SipRequest): string | undefined {
  const [password, ...more] = passwordsOf(request)
  const digest = password === undefined || more.length > 0 ? undefined : parseDigest(password)
  return digest?.ok === true ? digest.value.get('username') : undefined
}
function nameOf(client: string, request: SipRequest): string | undefined {
  const user = userNameOf(request)
  return user === undefined ? undefined : JSON.stringify([client, userOf(request.from.uri), user])
}
/** Whose password is tried: what stands in From does not matter for that. */
const accountOf = (client: string, request: SipRequest): string => JSON.stringify([client, userNameOf(request) ?? null])

/** Asked again although a password came; not because its nonce was old (RFC 7616 §3.3). */
function isWrong(request: SipRequest, response: SipResponse): boolean {
  if (!hasPassword(request)) return false
  if (response.status === 403) return request.method === 'REGISTER'
  if (response.status !== 401 && response.status !== 407) return false
  const challenges = [...headersOf(response, 'WWW-Authenticate'), ...headersOf(response, 'Proxy-Authenticate')]
  return !challenges.some((c) => /\bstale\s*=\s*"?true/i.test(c))
}
