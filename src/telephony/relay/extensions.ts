/** Which client the PBX has accepted for which extension: nobody else of ours may speak in its name. */
import type { Instant } from '../../base/brand.ts'
import type { SipRequest, SipResponse } from '../../protocol/sip/index.ts'
import { addressesOf, headerOf, paramOf, secondsOf, unescapeUri } from '../../protocol/sip/index.ts'

const limits = { extensions: 10_000, clients: 20 }

export class Extensions {
  /** Extension → client → until when. */
  readonly #holders = new Map<string, Map<string, Instant>>()

  /** The PBX took a registration. */
  registered(client: string, request: SipRequest, response: SipResponse, now: Instant): void {
    const extension = userOf(request.to.uri)
    if (extension === '') return
    const seconds = lifetime(request, response)
    if (this.#holders.size >= limits.extensions) for (const known of this.#holders.keys()) this.#held(known, now)
    const room = this.#holders.has(extension) || this.#holders.size < limits.extensions
    const holders = this.#holders.get(extension) ?? new Map<string, Instant>()
    holders.delete(client)
    if (seconds > 0 && holders.size < limits.clients && room) holders.set(client, (now + seconds * 1000) as Instant)
    if (holders.size === 0) this.#holders.delete(extension)
    else this.#holders.set(extension, holders)
  }

  /** Somebody holds this extension, and it is not this client. Where nobody does, the PBX asks for the password. */
  isOthers(client: string, from: SipRequest['from'], now: Instant): boolean {
    const holders = this.#held(userOf(from.uri), now)
    return holders !== undefined && !holders.has(client)
  }
  /** One that the PBX has now, of a plain name. */
  any(now: Instant): string | undefined {
    for (const extension of this.#holders.keys()) if (/^[A-Za-z0-9._-]{1,64}$/.test(extension) && this.#held(extension, now) !== undefined) return extension
    return undefined
  }
  /** Who holds it now: somebody, or undefined. */
  #held(extension: string, now: Instant): ReadonlyMap<string, Instant> | undefined {
    const holders = this.#holders.get(extension)
    if (holders === undefined) return undefined
    for (const [who, until] of holders) if (until < now) holders.delete(who)
    if (holders.size > 0) return holders
    this.#holders.delete(extension)
    return undefined
  }
}

export const userOf = (uri: SipRequest['uri']): string => (uri.kind === 'sip' ? (unescapeUri(uri.user ?? '') ?? '') : '')

/** The longest that was granted to a contact of this request; a PBX that says nothing grants what was asked. */
function lifetime(request: SipRequest, response: SipResponse): number {
  const asked = headerOf(request, 'Contact') === '*' ? 0 : Math.max(0, ...addressesOf(request, 'Contact').map((a) => secondsOf(paramOf(a.params, 'expires') ?? headerOf(request, 'Expires')) ?? 3600))
  if (asked === 0) return 0
  const granted = addressesOf(response, 'Contact').map((a) => secondsOf(paramOf(a.params, 'expires')) ?? 0)
  return Math.min(86_400, granted.length === 0 ? asked : Math.max(...granted))
}
