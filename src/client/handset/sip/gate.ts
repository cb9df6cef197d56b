/** Who may register and call: everybody on loopback, users with their password from elsewhere (RFC 3261 §22, RFC 8760). */
import type { Instant } from '../../../base/brand.ts'
import { fromUtf8 } from '../../../base/bytes.ts'
import type { DigestAlgorithm, Header, SipRequest } from '../../../protocol/sip/index.ts'
import { digestAlgorithms, digestHa1, DigestServer, headerOf, unescapeUri } from '../../../protocol/sip/index.ts'
import type { SipFlow } from '../../../telephony/transport.ts'
import type { ResolvedSettings } from './options.ts'
import { isLoopback } from '../../../telephony/local-address.ts'

export type GateVerdict =
  /** `user` is undefined on loopback. */
  | { readonly kind: 'in'; readonly user: string | undefined }
  | { readonly kind: 'refused'; readonly status: number; readonly headers: readonly Header[] }

/** Wrong passwords of one source in a minute, beyond which it is not even asked any more. */
const failuresAllowed = 20
const failureWindowMs = 60_000
const rememberedSources = 1024

export class Gate {
  readonly #settings: ResolvedSettings
  readonly #digest: DigestServer
  readonly #failures = new Map<string, { count: number; readonly since: Instant }>()

  constructor(settings: ResolvedSettings) {
    this.#settings = settings
    const ha1Of = (user: string, algorithm: DigestAlgorithm): string | undefined => {
      const password = settings.users.get(user)
      return password === undefined ? undefined : digestHa1(settings.crypto, algorithm, user, settings.realm, fromUtf8(password.reveal()) ?? '')
    }
    this.#digest = new DigestServer({ realm: settings.realm, crypto: settings.crypto, ha1Of })
  }

  /** `identity`: the user part that the request claims, which must be the authenticated user. */
  admit(request: SipRequest, flow: SipFlow, identity: string): GateVerdict {
    const source = flow.remote.address
    if (isLoopback(source)) return { kind: 'in', user: undefined }
    const now = this.#settings.scheduler.now()
    const failed = this.#failures.get(source)
    if (failed !== undefined && now - failed.since > failureWindowMs) this.#failures.delete(source)
    else if (failed !== undefined && failed.count >= failuresAllowed) return { kind: 'refused', status: 403, headers: [] }
    const unix = this.#settings.scheduler.unix()
    const verdict = this.#digest.verify(request, unix)
    if (verdict.ok) return (unescapeUri(identity) ?? identity) === verdict.user ? { kind: 'in', user: verdict.user } : { kind: 'refused', status: 403, headers: [] }
    if (headerOf(request, 'Authorization') !== undefined && !verdict.stale) this.#failure(source, now)
    return { kind: 'refused', status: 401, headers: this.#digest.challenges(unix, verdict.stale, algorithmsFor(request)) }
  }

  #failure(source: string, now: Instant): void {
    const before = this.#failures.get(source) ?? { count: 0, since: now }
    this.#failures.set(source, { count: before.count + 1, since: before.since })
    if (this.#failures.size > rememberedSources) this.#failures.delete(this.#failures.keys().next().value!)
  }
}

/**
 * baresip before 2.0 gives up on a challenge that it does not know, wherever it stands, instead of taking the next
 * (RFC 3261 §22.1). MD5 alone costs nothing more: whoever could remove the other from our 401 could also do this.
 */
const algorithmsFor = (request: SipRequest): readonly DigestAlgorithm[] =>
  /^baresip v[01]\./i.test(headerOf(request, 'User-Agent') ?? '') ? ['MD5'] : digestAlgorithms
