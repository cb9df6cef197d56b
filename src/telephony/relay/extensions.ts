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
    const holders = this.#holders.get(extension) ?? new Map<string, Instant>()
    holders.delete(client)
    if (seconds > 0 && holders.size < limits.clients && this.#holders.size < limits.extensions) holders.set(client, (now + seconds * 1000) as Instant)
    if (holders.size === 0) this.#holders.delete(extension)
    else this.#holders.set(extension, holders)
  }

  /** Somebody holds this extension, and it is not this client. Where nobody does, the PBX asks for the password. */
  isOthers(client: string, from: SipRequest['from'], now: Instant): boolean {
    const holders = this.#holders.get(userOf(from.uri))
    if (holders === undefined) return false
    for (const [who, until] of holders) if (until < now) holders.delete(who)
    return holders.size > 0 && !holders.has(client)
  }
  /** One that the PBX knows, of a plain name. */
  get any(): string | undefined {
    for (const extension of this.#holders.keys()) if (/^[A-Za-z0-9._-]{1,64}$/.test(extension)) return extension
    return undefined
  }
  /** Extensions of a client. */
  of(client: string): readonly string[] {
    return [...this.#holders].filter(([, holders]) => holders.has(client)).map(([extension]) => extension)
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
