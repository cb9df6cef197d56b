/** What a sealed room allows. Fixed at creation unless a signed state says otherwise; part of the MLS group context. */
import type { RoomName } from '../base/brand.ts'
import { KEY_PROTECTIONS, type KeyProtection } from './identity.ts'

/** 'all': every member's stream to everybody, at most 16 members. 'loudest': the server picks by an authenticated level. */
export type Forwarding = 'all' | 'loudest'
export type MlsSuite = 'x-wing' | 'x25519'
export type RoomCodecName = 'g722' | 'opus'

/** Members of an `all` room; the next one is refused. */
export const ALL_FORWARDED_LIMIT = 16
/** Rooms of up to this many members use the hybrid suite unless the policy says otherwise. */
export const HYBRID_LIMIT = 50

/** Signed by an owner, or with the recovery key. A later version is signed by an owner of the one before, or with its recovery key. */
export interface BasePolicy {
  readonly room: RoomName
  readonly realm: string
  readonly version: number
  /** SHA-256 of the SubjectPublicKeyInfo, hex: owner first, then co-owners. */
  readonly owners: readonly string[]
  /** Key, kept offline, that may name new owners; SHA-256 of its SubjectPublicKeyInfo, hex. */
  readonly recovery?: string
  readonly hosts: readonly string[]
  /** Who may join: everybody with a certificate under the anchors, or only these (keyId, 'o:Organisation', 'domain:example.org', 'cn:Name'). */
  readonly admit: 'anchors' | readonly string[]
  readonly suite: MlsSuite
  readonly codec: RoomCodecName
  readonly forwarding: Forwarding
  readonly maximumMembers: number
  readonly gatewaysAllowed: boolean
  /** The weakest way of keeping keys that a member may claim. */
  readonly minimumKeyProtection: KeyProtection
  /** Everybody but hosts waits until a host admits them. */
  readonly lobby: boolean
  /** The name belongs to these owners for good. Otherwise the room is whoever's who opens it first, until it is empty. */
  readonly standing: boolean
  /** Members keep a journal of the room unless their own configuration says otherwise. */
  readonly journal: boolean
}

/** Signed by a host; each names its predecessor by hash. */
export interface StatePolicy {
  readonly version: number
  readonly locked: boolean
  /** Entries as of `BasePolicy.admit`. */
  readonly admitted: readonly string[]
  /** Keys. */
  readonly banned: readonly string[]
}

/** What a new room's creator chooses; the rest has a default. */
export type NewRoom = Omit<BasePolicy, 'owners' | 'version' | keyof typeof NEW_ROOM_DEFAULTS | 'recovery'> & Partial<Pick<BasePolicy, keyof typeof NEW_ROOM_DEFAULTS | 'recovery'>>

/** What an owner may change later; `recovery: null` takes the recovery key away. */
export type PolicyChange = Partial<Pick<BasePolicy, 'owners' | 'hosts' | 'admit' | 'maximumMembers' | 'gatewaysAllowed' | 'minimumKeyProtection' | 'lobby' | 'journal'>> & { readonly recovery?: string | null }

/** The octets of both, as signed. */
export interface SignedRoom {
  readonly base: Uint8Array
  readonly state: Uint8Array
}

export const NEW_ROOM_DEFAULTS = { minimumKeyProtection: 'in-process', lobby: false, standing: false, journal: true } as const satisfies Partial<BasePolicy>

/** What a host decides in a running room: each becomes the next signed state. */
export type Decision =
  | { readonly act: 'lock' }
  | { readonly act: 'unlock' }
  /** `entry` as in `BasePolicy.admit`; for somebody in the lobby its key. */
  | { readonly act: 'admit'; readonly entry: string }
  | { readonly act: 'withdraw'; readonly entry: string }
  /** Somebody who is not there: whoever is, is banned by the commit that removes. */
  | { readonly act: 'ban'; readonly keyId: string }
  | { readonly act: 'unban'; readonly keyId: string }

/** What happened to the policy of a room, as members are told. */
export type PolicyAct =
  | Decision
  /** The first owner is another one. */
  | { readonly act: 'hand-over'; readonly from: string; readonly to: string }
  /** Something else in the base: the names of what changed. */
  | { readonly act: 'edit'; readonly changed: readonly string[] }
  | { readonly act: 'gateways-allowed' }

export type Role = 'owner' | 'co-owner' | 'host'

/** What a key may do in a room beyond talking. */
export function roleOf(base: Pick<BasePolicy, 'owners' | 'hosts'>, keyId: string): Role | undefined {
  if (base.owners[0] === keyId) return 'owner'
  if (base.owners.includes(keyId)) return 'co-owner'
  return base.hosts.includes(keyId) ? 'host' : undefined
}

export const isHost = (base: Pick<BasePolicy, 'owners' | 'hosts'>, keyId: string): boolean => roleOf(base, keyId) !== undefined

/** The state after a decision; the same object where it changes nothing. */
export function decided(state: StatePolicy, d: Decision): StatePolicy {
  switch (d.act) {
    case 'lock': return state.locked ? state : { ...state, locked: true }
    case 'unlock': return state.locked ? { ...state, locked: false } : state
    case 'admit': return state.admitted.includes(d.entry) ? state : { ...state, admitted: [...state.admitted, d.entry] }
    case 'withdraw': return state.admitted.includes(d.entry) ? { ...state, admitted: state.admitted.filter((e) => e !== d.entry) } : state
    case 'ban': return state.banned.includes(d.keyId) ? state : { ...state, banned: [...state.banned, d.keyId], admitted: state.admitted.filter((e) => e !== d.keyId) }
    case 'unban': return state.banned.includes(d.keyId) ? { ...state, banned: state.banned.filter((k) => k !== d.keyId) } : state
  }
}

/** Whether somebody who is in the room could come in under this policy as far as gateways and key protection go; lists and locks are for those who come. */
export function fits(base: Pick<BasePolicy, 'minimumKeyProtection' | 'gatewaysAllowed'>, m: { readonly kind: 'member' | 'gateway'; readonly keyProtection?: KeyProtection }): boolean {
  if (m.kind === 'gateway' && !base.gatewaysAllowed) return false
  return KEY_PROTECTIONS.indexOf(m.keyProtection ?? 'in-process') >= KEY_PROTECTIONS.indexOf(base.minimumKeyProtection)
}

export interface RoomPolicy {
  readonly base: BasePolicy
  readonly state: StatePolicy
}

/** What made one policy of a room into the next. Order: the base first. */
export function actsBetween(before: RoomPolicy, after: RoomPolicy): PolicyAct[] {
  const acts: PolicyAct[] = []
  const [from, to] = [before.base.owners[0] ?? '', after.base.owners[0] ?? '']
  if (from !== to) acts.push({ act: 'hand-over', from, to })
  if (!before.base.gatewaysAllowed && after.base.gatewaysAllowed) acts.push({ act: 'gateways-allowed' })
  const changed = changedKeys(before.base, after.base)
  if (changed.length > 0) acts.push({ act: 'edit', changed })
  const [b, a] = [before.state, after.state]
  if (b.locked !== a.locked) acts.push({ act: a.locked ? 'lock' : 'unlock' })
  for (const entry of a.admitted) if (!b.admitted.includes(entry)) acts.push({ act: 'admit', entry })
  for (const entry of b.admitted) if (!a.admitted.includes(entry)) acts.push({ act: 'withdraw', entry })
  for (const keyId of a.banned) if (!b.banned.includes(keyId)) acts.push({ act: 'ban', keyId })
  for (const keyId of b.banned) if (!a.banned.includes(keyId)) acts.push({ act: 'unban', keyId })
  return acts
}

/** `owners` and `gatewaysAllowed` are told apart above where they matter most. */
function changedKeys(before: BasePolicy, after: BasePolicy): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof BasePolicy)[]
  const told = (k: keyof BasePolicy): boolean => k === 'version' || (k === 'owners' && before.owners[0] !== after.owners[0]) || (k === 'gatewaysAllowed' && after.gatewaysAllowed)
  return keys.filter((k) => !told(k) && JSON.stringify(before[k]) !== JSON.stringify(after[k]))
}

/** Acts that let others hear more than before, or change who decides: announced so that nobody misses them. */
export const isProminent = (a: PolicyAct): boolean => a.act === 'unlock' || a.act === 'hand-over' || a.act === 'gateways-allowed' || (a.act === 'edit' && a.changed.some((c) => c === 'admit' || c === 'lobby' || c === 'minimumKeyProtection'))
