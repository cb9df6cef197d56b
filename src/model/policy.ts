/** What a sealed room allows. Fixed at creation unless a signed state says otherwise; part of the MLS group context. */
import type { RoomName } from '../base/brand.ts'

/** 'all': every member's stream to everybody, at most 16 members. 'loudest': the server picks by an authenticated level. */
export type Forwarding = 'all' | 'loudest'
export type MlsSuite = 'x-wing' | 'x25519'
export type RoomCodecName = 'g722' | 'opus'

/** Members of an `all` room; the next one is refused. */
export const ALL_FORWARDED_LIMIT = 16
/** Rooms of up to this many members use the hybrid suite unless the policy says otherwise. */
export const HYBRID_LIMIT = 50

/** Signed by the owner. */
export interface BasePolicy {
  readonly room: RoomName
  readonly realm: string
  readonly version: number
  /** SHA-256 of the SubjectPublicKeyInfo, hex: owner first, then co-owners. */
  readonly owners: readonly string[]
  readonly hosts: readonly string[]
  /** Who may join: everybody with a certificate under the anchors, or only these (keyId, 'o:Organisation', 'domain:example.org', 'cn:Name'). */
  readonly admit: 'anchors' | readonly string[]
  readonly suite: MlsSuite
  readonly codec: RoomCodecName
  readonly forwarding: Forwarding
  readonly maximumMembers: number
  readonly gatewaysAllowed: boolean
}

/** Signed by a host; each names its predecessor by hash. */
export interface StatePolicy {
  readonly version: number
  readonly locked: boolean
  readonly admitted: readonly string[]
  readonly banned: readonly string[]
}
