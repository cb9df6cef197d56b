/**
 * Contacts of the other side as our local side sees them: our own address, with a token in the user part that leads
 * back to the real one. A token is a keyed hash of its owner and contact: the same phone has the same address at the PBX
 * after any restart (a PBX that allows one contact per extension would refuse a second one), and nobody can make one up.
 */
import { toHex, utf8 } from '../../base/bytes.ts'
import type { SipUri, Uri } from '../../protocol/sip/uri.ts'
import { sipUri } from '../../protocol/sip/uri.ts'

export interface TokenEntry<Owner> {
  readonly owner: Owner
  /** As the other side wrote it. */
  readonly uri: SipUri
}

const prefix = 'stc'
const tokenOctets = 12

export class Tokens<Owner extends { readonly name: string }> {
  readonly #hmac: (data: Uint8Array) => Uint8Array
  readonly #limit: number
  /** In the order of last use, of each owner. */
  readonly #entries = new Map<string, TokenEntry<Owner>>()
  readonly #kept = new Set<string>()

  /** @param hmac keyed, at least 12 octets out; @param limit entries of one owner: the one unused longest is forgotten. */
  constructor(hmac: (data: Uint8Array) => Uint8Array, limit = 200) {
    this.#hmac = hmac
    this.#limit = limit
  }

  /** The URI that stands for `uri` at `host` and `port`. */
  present(owner: Owner, uri: SipUri, at: { readonly host: string; readonly port: number; readonly transport: string }): SipUri {
    const token = this.tokenOf(owner, uri)
    this.#entries.delete(token)
    this.#entries.set(token, { owner, uri })
    this.#forgetOldest(owner)
    return sipUri({ scheme: 'sip', user: token, host: at.host, port: at.port, params: at.transport === 'UDP' ? [] : [{ name: 'transport', value: at.transport.toLowerCase() }] })
  }
  tokenOf(owner: Owner, uri: SipUri): string {
    return prefix + toHex(this.#hmac(utf8(`${owner.name}\n${uri.text}`)).subarray(0, tokenOctets))
  }
  find(uri: Uri): TokenEntry<Owner> | undefined {
    return uri.kind === 'sip' && uri.user !== undefined ? this.#entries.get(uri.user) : undefined
  }
  /** Somebody relies on these alone of all that were in a message: the others are forgotten first. */
  keep(all: readonly Uri[], kept: readonly Uri[]): void {
    for (const uri of all) if (uri.kind === 'sip') this.#kept.delete(uri.user ?? '')
    for (const uri of kept) if (uri.kind === 'sip' && this.#entries.has(uri.user ?? '')) this.#kept.add(uri.user!)
  }
  /** True for what looks like one of ours, known or not. */
  static looksLike(uri: Uri): boolean {
    return uri.kind === 'sip' && /^stc[0-9a-f]{24}$/.test(uri.user ?? '')
  }

  #forgetOldest(owner: Owner): void {
    let count = 0
    let oldest: string | undefined
    let oldestKept: string | undefined
    for (const [token, e] of this.#entries) {
      if (e.owner.name !== owner.name) continue
      if (this.#kept.has(token)) oldestKept ??= token
      else oldest ??= token
      count++
    }
    const forgotten = oldest ?? oldestKept
    if (count <= this.#limit || forgotten === undefined) return
    this.#entries.delete(forgotten)
    this.#kept.delete(forgotten)
  }
}
