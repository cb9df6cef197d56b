/** Whom we met before, by key: what tells an old friend from somebody with the same name. Pure; the store keeps the list. */
import { type Identity, displayName } from './identity.ts'
import type { Acquaintance } from './roster.ts'

export interface KnownPeer {
  /** `Identity.keyId`. */
  readonly keyId: string
  /** Of the newest certificate seen with this key. */
  readonly fingerprint: string
  /** Who this is, for comparing with others: see `personOf`. */
  readonly person: string
  readonly name: string
  /** Unix seconds. */
  readonly firstSeen: number
  readonly lastSeen: number
  /** Came under the name of somebody whom we knew with another key; until the code is compared. */
  readonly changed: boolean
  readonly compared: boolean
  /** When, Unix seconds; not known of those of older versions. */
  readonly comparedAt?: number
  /** May not ring here, and is not heard. */
  readonly blocked?: true
}

/** Mail address where there is one, else name and organisation: what stays when a certificate is renewed. */
export const personOf = (i: Identity): string => (i.emails[0] === undefined ? `${displayName(i)}\n${i.organisation ?? ''}`.toLowerCase() : i.emails[0].toLowerCase())

/** How this identity stands to the list, and the list after the meeting. */
export function meet(peers: ReadonlyMap<string, KnownPeer>, i: Identity, unix: number): { readonly acquaintance: Acquaintance; readonly peer: KnownPeer } {
  const person = personOf(i)
  const known = peers.get(i.keyId)
  if (known !== undefined) {
    const kind = known.changed ? 'changed' : known.fingerprint === i.fingerprint ? 'known' : 'reissued'
    return { acquaintance: { kind, ...comparison(known) }, peer: { ...known, person, name: displayName(i), fingerprint: i.fingerprint, lastSeen: unix } }
  }
  const changed = [...peers.values()].some((p) => p.person === person)
  const peer: KnownPeer = { keyId: i.keyId, fingerprint: i.fingerprint, person, name: displayName(i), firstSeen: unix, lastSeen: unix, changed, compared: false }
  return { acquaintance: { kind: changed ? 'changed' : 'first-contact', compared: false }, peer }
}

/** The code was compared by voice, or face to face: the key is theirs. */
export const compared = (p: KnownPeer, unix: number): KnownPeer => ({ ...p, compared: true, comparedAt: unix, changed: false })

const comparison = (p: KnownPeer): Pick<Acquaintance, 'compared' | 'comparedAt'> => ({ compared: p.compared, ...(p.comparedAt === undefined ? {} : { comparedAt: p.comparedAt }) })

/** How somebody whom we did not meet just now stands to us: as `meet`, and nothing is remembered. */
export function standingOf(peers: ReadonlyMap<string, KnownPeer>, i: Identity): Acquaintance {
  return meet(peers, i, 0).acquaintance
}
