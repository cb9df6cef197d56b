/** Who is in a call, as every screen, tone, journal and metric sees it: a fold over `CallEvent`s. */
import type { Instant, Ssrc } from '../base/brand.ts'
import type { FaultCode } from '../base/faults/index.ts'
import type { BlockNotice } from './block-notice.ts'
import { type EnclaveProof, type Identity, type KeyProtection, inSentence } from './identity.ts'
import { type PolicyAct, type Role, type RoomPolicy, roleOf } from './policy.ts'

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

/** How a phone's sound gets to its stc: without leaving the machine, under SRTP, or readable by whoever is on the local network. */
export type PhoneLeg = 'local' | 'encrypted' | 'plain-lan'

export interface Member {
  /** Leaf index in the MLS group; in a bridged conference the server's number for this presence. */
  readonly leaf: number
  readonly identity: Identity
  readonly self: boolean
  readonly kind: 'member' | 'gateway'
  readonly state: MemberState
  readonly since: Instant
  readonly ssrc?: Ssrc
  /** By its own word; unknown where it says nothing, as those do whose phones cannot be overheard. */
  readonly phoneLeg?: PhoneLeg
  /** The last reason why this member's audio could not be opened; cleared by a good frame. */
  readonly unheard?: string
  /** Bridged conferences only. */
  readonly presence?: Presence
  /** What it may do in the room beyond talking. */
  readonly role?: Role
  /** `enclave` with a quote that we verified; the others as it claims itself. */
  readonly keyProtection?: KeyProtection
  /** Of the program that keeps the keys, SHA-256, hex: the member's word. */
  readonly measurement?: string
  /** What its quote shows to us, where it says that the keys are in an enclave. */
  readonly enclave?: EnclaveProof
  readonly acquaintance?: Acquaintance
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

/** How this key stands to what we remember of the person. */
export interface Acquaintance {
  /** `changed`: the name was known with another key. `reissued`: a new certificate for the key that we know. */
  readonly kind: 'first-contact' | 'known' | 'changed' | 'reissued'
  /** The pairwise code was compared with this key. */
  readonly compared: boolean
  /** When, Unix seconds. */
  readonly comparedAt?: number
}

/** Somebody who waits for a host to admit them. */
export interface Knocking {
  readonly request: number
  readonly identity: Identity
  readonly kind: 'member' | 'gateway'
  readonly since: Instant
}

export interface Roster {
  readonly room: string
  readonly kind: 'sealed' | 'bridged' | 'open'
  /** Where we stand ourselves. */
  readonly phase: 'joining' | 'member' | 'healing' | 'left'
  readonly epoch: bigint
  /** What the server's log and the journals call it (call-id.ts); unknown until we are in. */
  readonly call?: string
  /** 30 digits, in groups of five; empty while joining. */
  readonly securityCode: string
  readonly members: readonly Member[]
  /** *Unverified*; only in bridged conferences. */
  readonly callers: readonly Caller[]
  /** What else the conference server says of a bridged conference. */
  readonly conference?: ConferenceState
  /** Only of calls through a provider. */
  readonly sealedCall?: CallState
  /** Of our own phone in this call, once it is there. */
  readonly phoneLeg?: PhoneLeg
  readonly notes: readonly Note[]
  /** Unknown until we are in. */
  readonly policy?: RoomPolicy
  /** Others in the lobby. */
  readonly knocking: readonly Knocking[]
  /** We wait in the lobby ourselves. */
  readonly waiting: boolean
}

/** A call through a provider. */
export interface CallState {
  /** Dialled, or what the network says of who calls. */
  readonly number: string
  readonly state: 'early' | 'seeking' | 'agreeing' | 'doubt' | 'sealed' | 'lost' | 'asking' | 'open'
  /** Four, to be compared aloud. */
  readonly words: readonly string[]
  /** Of the other side's certificate, whoever issued it. */
  readonly keyId?: string
  /** The published cascade: nobody is authenticated, and what is heard can be changed. */
  readonly profile?: 'chained'
  /** Whether that key is remembered as this number's. `new`: not yet, and a person who has compared the words may say that it is. Absent: there is none to remember. */
  readonly memory?: 'new' | 'remembered'
  /** The other side says that it holds the call. */
  readonly held?: true
  /** The other side says that it is muted. */
  readonly muted?: true
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
  /** Nobody may miss it: shown apart, with a sound. */
  readonly prominent?: true
}

export type CallEvent =
  | { readonly kind: 'phase'; readonly phase: Roster['phase']; readonly at: Instant; readonly reason?: string }
  /** The group as the vault reports it after an epoch; authoritative for membership. */
  | { readonly kind: 'group'; readonly at: Instant; readonly epoch: bigint; readonly securityCode: string; readonly members: readonly GroupMember[]; readonly call?: string }
  /** A bridged conference as its server reports it, certificates verified by us; authoritative for members and callers. */
  | { readonly kind: 'conference'; readonly at: Instant; readonly state: ConferenceState; readonly members: readonly ConferenceMember[]; readonly callers: readonly Omit<Caller, 'since'>[] }
  /** The member's signed word arrived: it is really here, and this is its stream. */
  | { readonly kind: 'confirmed'; readonly at: Instant; readonly leaf: number; readonly ssrc: Ssrc }
  | { readonly kind: 'unheard'; readonly at: Instant; readonly leaf: number; readonly code?: string }
  | { readonly kind: 'note'; readonly at: Instant; readonly code: string; readonly text: string; readonly prominent?: true }
  /** The policy that the group follows now. */
  | { readonly kind: 'policy'; readonly at: Instant; readonly policy: RoomPolicy }
  /** A signed act, verified: `by` is the key that signed, `text` the sentence for people. */
  | { readonly kind: 'act'; readonly at: Instant; readonly act: PolicyAct; readonly by: string; readonly text: string; readonly prominent: boolean }
  /** Somebody waits for a host; its certificate is verified. */
  | { readonly kind: 'knock'; readonly at: Instant; readonly request: number; readonly identity: Identity; readonly member: 'member' | 'gateway' }
  | { readonly kind: 'knock-over'; readonly at: Instant; readonly request: number }
  /** We wait for a host ourselves. */
  | { readonly kind: 'waiting'; readonly at: Instant }
  /** A member says that something is wrong. */
  | { readonly kind: 'flag'; readonly at: Instant; readonly leaf: number; readonly text: string }
  /** A signed block notice arrived. `name`: of whom it means, where known. */
  | { readonly kind: 'notice'; readonly at: Instant; readonly notice: BlockNotice; readonly name?: string }
  /** Where a call through a provider stands; `peer`: as its certificate says, verified. */
  | { readonly kind: 'sealed-call'; readonly at: Instant; readonly peer?: Identity } & CallState
  | { readonly kind: 'acquainted'; readonly at: Instant; readonly leaf: number; readonly acquaintance: Acquaintance }
  /** How the sound of a member's phone gets to its client, by its own signed word; without `leaf` that of ours. `again`: this member has said the same before: nothing to speak of. */
  | { readonly kind: 'phone-leg'; readonly at: Instant; readonly leg: PhoneLeg; readonly leaf?: number; readonly again?: true }

export interface GroupMember {
  readonly leaf: number
  readonly identity: Identity
  readonly self: boolean
  readonly kind: 'member' | 'gateway'
  readonly ssrc?: Ssrc
  readonly keyProtection?: KeyProtection
  /** Of the program that keeps the keys, SHA-256, hex: the member's word. */
  readonly measurement?: string
  readonly enclave?: EnclaveProof
}

export interface ConferenceMember {
  readonly leaf: number
  readonly identity: Identity
  readonly self: boolean
  readonly presence: Presence
}

const ACT_CODES = {
  lock: 'ROOM_LOCK', unlock: 'ROOM_UNLOCK', admit: 'ROOM_ADMIT', withdraw: 'ROOM_WITHDRAW', ban: 'ROOM_BAN', unban: 'ROOM_UNBAN', 'hand-over': 'ROOM_HAND_OVER', 'gateways-allowed': 'ROOM_GATEWAYS_ALLOWED', edit: 'ROOM_EDIT',
} as const satisfies Record<PolicyAct['act'], FaultCode>
const NOTES_KEPT = 100
const KNOCKS_KEPT = 256

export function emptyRoster(room: string, kind: Roster['kind']): Roster {
  return { room, kind, phase: 'joining', epoch: 0n, securityCode: '', members: [], callers: [], notes: [], knocking: [], waiting: false }
}

export function applyEvent(r: Roster, e: CallEvent): Roster {
  switch (e.kind) {
    case 'phase':
      return { ...r, phase: e.phase, waiting: e.phase === 'joining' && r.waiting, ...(e.phase === 'left' ? { members: [], callers: [], securityCode: '', knocking: [] } : {}), ...(e.phase === 'healing' ? { knocking: [] } : {}) }
    case 'group':
      return { ...r, epoch: e.epoch, securityCode: e.securityCode, members: e.members.map((m) => carryOver(r, m, e.at)), ...(e.call === undefined ? {} : { call: e.call }) }
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
      return withNote(r, e)
    case 'policy':
      return { ...r, policy: e.policy, members: r.members.map((m) => withRole(m, e.policy)) }
    case 'act':
      return withNote(r, { at: e.at, code: ACT_CODES[e.act.act], text: e.text, ...(e.prominent ? { prominent: true } : {}) })
    case 'knock':
      return { ...r, knocking: [...r.knocking.filter((k) => k.request !== e.request && k.identity.keyId !== e.identity.keyId), { request: e.request, identity: e.identity, kind: e.member, since: e.at }].slice(-KNOCKS_KEPT) }
    case 'knock-over':
      return { ...r, knocking: r.knocking.filter((k) => k.request !== e.request) }
    case 'waiting':
      return { ...r, waiting: true }
    case 'flag':
      return withNote(r, { at: e.at, code: 'ROOM_FLAG', text: flagText(r, e), prominent: true })
    case 'notice':
      return withNote(r, { at: e.at, code: e.notice.kind === 'block' ? 'ROOM_BLOCK_NOTICE' : 'ROOM_BLOCK_LIFTED', text: noticeText(r, e), prominent: true })
    case 'sealed-call':
      return withCall(r, e)
    case 'acquainted':
      return { ...r, members: r.members.map((m) => (m.leaf === e.leaf ? { ...m, acquaintance: e.acquaintance } : m)) }
    case 'phone-leg':
      return { ...r, ...(e.leaf === undefined ? { phoneLeg: e.leg } : {}), members: r.members.map((m) => (e.leaf === undefined ? m.self : m.leaf === e.leaf) ? { ...m, phoneLeg: e.leg } : m) }
  }
}

function withCall(r: Roster, { at, peer, number, state, words, keyId, memory, profile, held, muted }: Extract<CallEvent, { kind: 'sealed-call' }>): Roster {
  const since = sinceOf([...r.members, ...r.callers], 1, at)
  const other = { leaf: 1, number, name: '', self: false, since, presence: {} }
  const member: Member | undefined = peer && { leaf: 1, identity: peer, self: false, kind: 'member', state: 'member', since }
  return {
    ...r, phase: 'member', securityCode: words.join(' '), sealedCall: { number, state, words, ...(keyId === undefined ? {} : { keyId }), ...(memory === undefined ? {} : { memory }), ...(profile === undefined ? {} : { profile }), ...(held === undefined ? {} : { held }), ...(muted === undefined ? {} : { muted }) },
    members: member === undefined ? [] : [member], callers: member === undefined ? [other] : [],
  }
}

const sinceOf = (before: readonly { readonly leaf: number; readonly since: Instant }[], leaf: number, now: Instant): Instant => before.find((b) => b.leaf === leaf)?.since ?? now

/** Keeps what we knew of a member when it is still the same key at the same leaf. */
function carryOver(r: Roster, m: GroupMember, at: Instant): Member {
  const before = r.members.find((b) => b.leaf === m.leaf && b.identity.keyId === m.identity.keyId)
  const fresh: Member = { leaf: m.leaf, identity: m.identity, self: m.self, kind: m.kind, state: m.self || m.ssrc !== undefined ? 'member' : 'joining', since: before?.since ?? at }
  const stream = m.ssrc ?? undefined
  // Who came in anew says it anew.
  const phoneLeg = m.self ? r.phoneLeg : before?.ssrc === stream ? before?.phoneLeg : undefined
  return {
    ...fresh,
    ...(stream === undefined ? {} : { ssrc: stream }),
    ...(before?.unheard === undefined ? {} : { unheard: before.unheard }),
    ...(m.keyProtection === undefined ? {} : { keyProtection: m.keyProtection }),
    ...(m.measurement === undefined ? {} : { measurement: m.measurement }),
    ...(m.enclave === undefined ? {} : { enclave: m.enclave }),
    ...roleIn(r.policy, m.identity.keyId),
    ...(before?.acquaintance === undefined || before.identity.fingerprint !== m.identity.fingerprint ? {} : { acquaintance: before.acquaintance }),
    ...(phoneLeg === undefined ? {} : { phoneLeg }),
  }
}

function withUnheard(m: Member, code: string | undefined): Member {
  const { unheard: _, ...rest } = m
  return code === undefined ? rest : { ...rest, unheard: code }
}

const roleIn = (policy: RoomPolicy | undefined, keyId: string): Pick<Member, 'role'> => {
  const role = policy === undefined ? undefined : roleOf(policy.base, keyId)
  return role === undefined ? {} : { role }
}

function withRole(m: Member, policy: RoomPolicy): Member {
  const { role: _, ...rest } = m
  return { ...rest, ...roleIn(policy, m.identity.keyId) }
}

const withNote = (r: Roster, n: Note): Roster => ({ ...r, notes: keptOf([...r.notes, { at: n.at, code: n.code, text: n.text, ...(n.prominent === undefined ? {} : { prominent: n.prominent }) }]) })

/** What nobody may miss goes last: whoever can cause notes must not be able to push it away with them. */
function keptOf(notes: readonly Note[]): readonly Note[] {
  return notes.length <= NOTES_KEPT ? notes : notes.toSpliced(Math.max(0, notes.findIndex((n) => n.prominent === undefined)), 1)
}

/** A member's name, or the start of its key. */
export function nameIn(r: Pick<Roster, 'members'>, keyId: string): string {
  const m = r.members.find((x) => x.identity.keyId === keyId)
  return m === undefined ? `key ${keyId.slice(0, 16)}` : inSentence(m.identity)
}

export function flagText(r: Roster, e: { readonly leaf: number; readonly text: string }): string {
  const m = r.members.find((x) => x.leaf === e.leaf)
  return `${m === undefined ? 'A member' : inSentence(m.identity)} raises a RED FLAG${e.text === '' ? '' : `: ${e.text}`}`
}

export function noticeText(r: Roster, e: { readonly notice: BlockNotice; readonly name?: string }): string {
  const { kind, target, by, reason } = e.notice
  return `${e.name ?? nameIn(r, target)} is ${kind === 'block' ? 'BLOCKED' : 'no longer blocked'}, signed by ${nameIn(r, by)}${reason === '' ? '' : `: ${reason}`}`
}
