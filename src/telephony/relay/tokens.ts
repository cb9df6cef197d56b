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

interface Known<Owner> extends TokenEntry<Owner> {
  /** The address of record whose contact it is at the PBX; undefined: of none. */
  record: string | undefined
}

export class Tokens<Owner extends { readonly name: string }> {
  readonly #hmac: (data: Uint8Array) => Uint8Array
  readonly #limit: number
  readonly #entries = new Map<string, Known<Owner>>()
  /** The same of each owner, in the order of last use. */
  readonly #owned = new Map<string, Map<string, Known<Owner>>>()

  /** @param hmac keyed, at least 12 octets out; @param limit entries of one owner: the one unused longest is forgotten. */
  constructor(hmac: (data: Uint8Array) => Uint8Array, limit = 200) {
    this.#hmac = hmac
    this.#limit = limit
  }

  /** The URI that stands for `uri` at `host` and `port`. */
  present(owner: Owner, uri: SipUri, at: { readonly host: string; readonly port: number; readonly transport: string }): SipUri {
    const token = this.tokenOf(owner, uri)
    const own = this.#of(owner)
    const entry = { owner, uri, record: own.get(token)?.record }
    own.delete(token)
    own.set(token, entry)
    this.#entries.set(token, entry)
    if (own.size > this.#limit) this.#forgetOne(own, token)
    return sipUri({ scheme: 'sip', user: token, host: at.host, port: at.port, params: at.transport === 'UDP' ? [] : [{ name: 'transport', value: at.transport.toLowerCase() }] })
  }
  tokenOf(owner: Owner, uri: SipUri): string {
    return prefix + toHex(this.#hmac(utf8(`${owner.name}\n${uri.text}`)).subarray(0, tokenOctets))
  }
  find(uri: Uri): TokenEntry<Owner> | undefined {
    return uri.kind === 'sip' && uri.user !== undefined ? this.#entries.get(uri.user) : undefined
  }
  /** All contacts that the PBX has of this address of record: others of the owner are forgotten before them. Those that it had are like any other again. */
  keep(owner: Owner, record: string, contacts: readonly Uri[]): void {
    const own = this.#of(owner)
    for (const entry of own.values()) if (entry.record === record) entry.record = undefined
    for (const uri of contacts) {
      const entry = uri.kind === 'sip' ? own.get(uri.user ?? '') : undefined
      if (entry !== undefined) entry.record = record
    }
  }
  /** True for what looks like one of ours, known or not. */
  static looksLike(uri: Uri): boolean {
    return uri.kind === 'sip' && /^stc[0-9a-f]{24}$/.test(uri.user ?? '')
  }

  #of(owner: Owner): Map<string, Known<Owner>> {
    const own = this.#owned.get(owner.name) ?? new Map<string, Known<Owner>>()
    this.#owned.set(owner.name, own)
    return own
  }
  /** Never the one that somebody is about to be told. What the PBX has goes last, but leaves half of the room to all else: it may be dead without a word. */
  #forgetOne(own: Map<string, Known<Owner>>, told: string): void {
    const others = [...own].filter(([token]) => token !== told)
    const crowded = others.filter(([, { record }]) => record !== undefined).length > this.#limit / 2
    const [forgotten] = others.find(([, { record }]) => (record !== undefined) === crowded) ?? others[0]!
    own.delete(forgotten)
    this.#entries.delete(forgotten)
  }
}
