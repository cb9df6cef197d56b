/** Who is in a call, as every screen, tone, journal and metric sees it: a fold over `CallEvent`s. */
import type { Instant, Ssrc } from '../base/brand.ts'
import type { Identity } from './identity.ts'

export type MemberState =
  /** In the group, its own signed word not yet heard. */
  | 'joining'
  | 'member'

/** What the conference server says of somebody in a bridged conference; absent flags are false. */
export interface Presence {
  readonly muted?: true
  readonly talking?: true
  /** Somebody records this member's call. */
  readonly recorded?: true
  /** May remove and mute others, and lock the conference. */
  readonly host?: true
}

export interface Member {
  /** Leaf index in the MLS group; in a bridged conference the server's number for this presence. */
  readonly leaf: number
  readonly identity: Identity
  readonly self: boolean
  readonly kind: 'member' | 'gateway'
  readonly state: MemberState
  readonly since: Instant
  readonly ssrc?: Ssrc
  /** "plain on LAN" when the member's own phone is not on loopback and not encrypted; what it says of itself. */
  readonly phoneLeg?: 'local' | 'encrypted' | 'plain-lan'
  /** The last reason why this member's audio could not be opened; cleared by a good frame. */
  readonly unheard?: string
  /** Bridged conferences only. */
  readonly presence?: Presence
}

/** Somebody in a bridged conference whom no certificate names: a plain phone, or a caller from outside. */
export interface Caller {
  /** The server's number for this presence, from the same row as `Member.leaf`. */
  readonly leaf: number
  /** As the telephone network says, which proves nothing; safe to show. Empty: withheld. */
  readonly number: string
  readonly name: string
  readonly self: boolean
  readonly since: Instant
  /** Why the certificate that the server showed for this caller is not believed. */
  readonly refused?: string
  readonly presence: Presence
}

export interface Roster {
  readonly room: string
  readonly kind: 'sealed' | 'bridged' | 'open'
  /** Where we stand ourselves. */
  readonly phase: 'joining' | 'member' | 'healing' | 'left'
  readonly epoch: bigint
  /** 30 digits, in groups of five; empty while joining. */
  readonly securityCode: string
  readonly members: readonly Member[]
  /** *Unverified*; only in bridged conferences. */
  readonly callers: readonly Caller[]
  /** What else the conference server says of a bridged conference. */
  readonly conference?: ConferenceState
  readonly notes: readonly Note[]
}

export interface ConferenceState {
  /** False: the server has lost the telephone system, and the roster is what it was before. */
  readonly current: boolean
  readonly locked: boolean
  /** The whole conference is being recorded. */
  readonly recorded: boolean
  /** We may mute, remove and lock. */
  readonly weAreHost: boolean
  /** Members beyond those listed. */
  readonly more: number
}

/** Something that happened and that people should be able to read. */
export interface Note {
  readonly at: Instant
  readonly code: string
  readonly text: string
}

export type CallEvent =
  | { readonly kind: 'phase'; readonly phase: Roster['phase']; readonly at: Instant; readonly reason?: string }
  /** The group as the vault reports it after an epoch; authoritative for membership. */
  | { readonly kind: 'group'; readonly at: Instant; readonly epoch: bigint; readonly securityCode: string; readonly members: readonly GroupMember[] }
  /** A bridged conference as its server reports it, certificates verified by us; authoritative for members and callers. */
  | { readonly kind: 'conference'; readonly at: Instant; readonly state: ConferenceState; readonly members: readonly ConferenceMember[]; readonly callers: readonly Omit<Caller, 'since'>[] }
  /** The member's signed word arrived: it is really here, and this is its stream. */
  | { readonly kind: 'confirmed'; readonly at: Instant; readonly leaf: number; readonly ssrc: Ssrc }
  | { readonly kind: 'unheard'; readonly at: Instant; readonly leaf: number; readonly code?: string }
  | { readonly kind: 'note'; readonly at: Instant; readonly code: string; readonly text: string }

export interface GroupMember {
  readonly leaf: number
  readonly identity: Identity
  readonly self: boolean
  readonly kind: 'member' | 'gateway'
  readonly ssrc?: Ssrc
}

export interface ConferenceMember {
  readonly leaf: number
  readonly identity: Identity
  readonly self: boolean
  readonly presence: Presence
}

const NOTES_KEPT = 100

export function emptyRoster(room: string, kind: Roster['kind']): Roster {
  return { room, kind, phase: 'joining', epoch: 0n, securityCode: '', members: [], callers: [], notes: [] }
}

export function applyEvent(r: Roster, e: CallEvent): Roster {
  switch (e.kind) {
    case 'phase':
      return { ...r, phase: e.phase, ...(e.phase === 'left' ? { members: [], callers: [], securityCode: '' } : {}) }
    case 'group':
      return { ...r, epoch: e.epoch, securityCode: e.securityCode, members: e.members.map((m) => carryOver(r, m, e.at)) }
    case 'conference':
      return {
        ...r, conference: e.state,
        members: e.members.map((m) => ({ ...m, kind: 'member', state: 'member', since: sinceOf(r.members, m.leaf, e.at) })),
        callers: e.callers.map((c) => ({ ...c, since: sinceOf(r.callers, c.leaf, e.at) })),
      }
    case 'confirmed':
      return { ...r, members: r.members.map((m) => (m.leaf === e.leaf ? { ...m, state: 'member', ssrc: e.ssrc } : m)) }
    case 'unheard':
      return { ...r, members: r.members.map((m) => (m.leaf === e.leaf ? withUnheard(m, e.code) : m)) }
    case 'note':
      return { ...r, notes: [...r.notes, { at: e.at, code: e.code, text: e.text }].slice(-NOTES_KEPT) }
  }
}

const sinceOf = (before: readonly { readonly leaf: number; readonly since: Instant }[], leaf: number, now: Instant): Instant => before.find((b) => b.leaf === leaf)?.since ?? now

/** Keeps what we knew of a member when it is still the same key at the same leaf. */
function carryOver(r: Roster, m: GroupMember, at: Instant): Member {
  const before = r.members.find((b) => b.leaf === m.leaf && b.identity.keyId === m.identity.keyId)
  const fresh: Member = { leaf: m.leaf, identity: m.identity, self: m.self, kind: m.kind, state: m.self || m.ssrc !== undefined ? 'member' : 'joining', since: before?.since ?? at }
  const stream = m.ssrc ?? undefined
  return {
    ...fresh,
    ...(stream === undefined ? {} : { ssrc: stream }),
    ...(before?.unheard === undefined ? {} : { unheard: before.unheard }),
    ...(before?.phoneLeg === undefined ? {} : { phoneLeg: before.phoneLeg }),
  }
}

function withUnheard(m: Member, code: string | undefined): Member {
  const { unheard: _, ...rest } = m
  return code === undefined ? rest : { ...rest, unheard: code }
}
