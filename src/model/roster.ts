/** Who is in a call, as every screen, tone, journal and metric sees it: a fold over `CallEvent`s. */
import type { Instant, Ssrc } from '../base/brand.ts'
import type { Identity } from './identity.ts'

export type MemberState =
  /** In the group, its own signed word not yet heard. */
  | 'joining'
  | 'member'

export interface Member {
  /** Leaf index in the MLS group. */
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
  readonly notes: readonly Note[]
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

const NOTES_KEPT = 100

export function emptyRoster(room: string, kind: Roster['kind']): Roster {
  return { room, kind, phase: 'joining', epoch: 0n, securityCode: '', members: [], notes: [] }
}

export function applyEvent(r: Roster, e: CallEvent): Roster {
  switch (e.kind) {
    case 'phase':
      return { ...r, phase: e.phase, ...(e.phase === 'left' ? { members: [], securityCode: '' } : {}) }
    case 'group':
      return { ...r, epoch: e.epoch, securityCode: e.securityCode, members: e.members.map((m) => carryOver(r, m, e.at)) }
    case 'confirmed':
      return { ...r, members: r.members.map((m) => (m.leaf === e.leaf ? { ...m, state: 'member', ssrc: e.ssrc } : m)) }
    case 'unheard':
      return { ...r, members: r.members.map((m) => (m.leaf === e.leaf ? withUnheard(m, e.code) : m)) }
    case 'note':
      return { ...r, notes: [...r.notes, { at: e.at, code: e.code, text: e.text }].slice(-NOTES_KEPT) }
  }
}

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
