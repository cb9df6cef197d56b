/**
 * The vault's calls: all that the rest of the client can ask of the keys. No call returns a long-term,
 * group or frame key; SRTP hop keys are handed out because they protect one hop only.
 */
import type { Der, RoomName, Ssrc, UnixTime } from '../../base/brand.ts'
import type { Fault, Result } from '../../base/result.ts'
import type { BlockNotice } from '../../model/block-notice.ts'
import type { Identity, KeyProtection } from '../../model/identity.ts'
import type { BasePolicy, Decision, NewRoom, PolicyChange, RoomPolicy, SignedRoom, StatePolicy } from '../../model/policy.ts'
import type { ClientNote } from '../../model/journal.ts'
import type { GroupMember, PhoneLeg } from '../../model/roster.ts'
import type { RevocationProof } from '../../model/trust.ts'
import type { FrameVault } from './frames.ts'
import type { JournalPart, JournalWritten } from './journal.ts'

/** The vault's number for one membership of one room; also names it in `FrameBatch`. */
export type SessionId = number
/** The vault's number for one TLS connection that ends in it. */
export type PipeId = number

/** The group as it is after an epoch: the only source of the roster. */
export interface GroupView {
  readonly session: SessionId
  readonly groupId: Uint8Array
  readonly generation: number
  readonly epoch: bigint
  /** 30 digits, in groups of five. */
  readonly securityCode: string
  readonly ownLeaf: number
  /** `ssrc` is present for members whose signed word was verified; own one once announced. */
  readonly members: readonly GroupMember[]
  /** Leaves whose certificate or delegation has ended or was revoked since: nothing of theirs is opened, others take no commit of theirs, and nothing is sealed for them for long. */
  readonly expired: readonly number[]
  /** Those of `expired` that were revoked. */
  readonly revoked: readonly number[]
  /** The next certificate or delegation of another member ends then: look again. Absent when all have ended. */
  readonly nextEnd?: UnixTime
  /** Our own certificate or delegation ends then; rejoining before gets a new delegation. */
  readonly expiresAt: UnixTime
  readonly policy: BasePolicy
  readonly state: StatePolicy
  /** Keys that signed them. */
  readonly policyBy: string
  readonly stateBy: string
}

/** A room's policy as the vault remembers it. */
export interface KnownRoom extends RoomPolicy {
  readonly signed: SignedRoom
  readonly policyBy: string
  readonly stateBy: string
}

export interface HopKeys {
  readonly suite: 'AEAD_AES_128_GCM' | 'AEAD_AES_256_GCM' | 'AES_CM_128_HMAC_SHA1_80'
  readonly masterKey: Uint8Array
  readonly masterSalt: Uint8Array
}

export type RemovalReason = 'leave' | 'host' | 'unreachable' | 'rejoin' | 'blocked'

export interface RemovalRequest {
  readonly leaf: number
  readonly reason: RemovalReason
  /** leave: the leaver's signed request; host: the host's signed act; blocked: the notice; otherwise absent. */
  readonly evidence?: Uint8Array
}

export interface Removed {
  readonly leaf: number
  readonly identity: Identity
  readonly reason: RemovalReason
  /** Leaf of whoever decided it: the host that signed, else the committer. */
  readonly by: number
  /** The block notice that was the reason. */
  readonly notice?: Uint8Array
}

export interface JoinerRequest {
  /** The server's number for the request. */
  readonly id: number
  readonly keyPackage: Uint8Array
}

export interface VaultCalls {
  'identity.show': { in: Record<string, never>; out: { readonly identity: Identity; readonly chain: readonly Der[] } }

  /** Who stands behind certificates that somebody else showed: verified under our anchors and rules, as of now. */
  'identity.verify': { in: { chain: readonly Uint8Array[] }; out: { readonly identity: Identity } }
  /** Statements about revocation from the server or the issuer's own place; the newest are kept. `changed`: look at the rooms again by `room.check`. */
  'revocation.update': { in: { proofs: readonly RevocationProof[] }; out: { readonly changed: boolean; readonly refused: readonly string[] } }

  /** Intel's words about platforms (`encodeCollateral`), from wherever: what is genuine and newer is kept. `changed`: look at the rooms again by `room.check`. */
  'attestation.update': { in: { collateral: readonly Uint8Array[] }; out: { readonly changed: boolean; readonly refused: readonly string[] } }

  /** Hop keys: bound to the TLS connection by its exporter (docs/protocol). */
  'hop.offer': { in: { pipe: PipeId; generation: number; suites: readonly HopKeys['suite'][] }; out: { message: Uint8Array } }
  'hop.finish': { in: { pipe: PipeId; answer: Uint8Array }; out: { receive: HopKeys; send: HopKeys } }

  /**
   * The keys of one sealed call; frames go through `frames` under this number from now on. `carriers`: what may bring the messages; with
   * `in-band` or `server` the other side is looked for in the sound. `anonymous`: without our certificate. `password`: the other side must have
   * the same. `profile`: `chained` is the published cascade, not authenticated.
   */
  'call.begin': { in: { codec: CallCodec; carriers: readonly CallCarrier[]; anonymous: boolean; password?: string; profile?: CallProfile }; out: { session: SessionId } }
  /** One step of the agreement. `start`: this carrier leads to the other side. Over the carrier `in-band` (when none is named), and under keys that stand, messages leave in the frames by themselves. */
  'call.step': { in: { session: SessionId; input: 'start' | 'tick' | 'rekey' | 'message'; carrier?: CallCarrier; message?: Uint8Array; sealed?: boolean }; out: CallProgress }
  /** What the other side is told of us, under the keys. */
  'call.state': { in: { session: SessionId; hold: boolean; mute: boolean }; out: Record<string, never> }
  /** Wipes everything of the call. Idempotent. */
  'call.end': { in: { session: SessionId }; out: Record<string, never> }

  /** A new group with us as its only member; under the policy that is remembered for a standing room, else one of ours. */
  'room.create': { in: { policy: NewRoom; generation: number }; out: { view: GroupView } }
  /** A single-use key package for this room, valid for at most 120 s. */
  'room.request': { in: { room: RoomName; suite: BasePolicy['suite'] }; out: { session: SessionId; keyPackage: Uint8Array } }
  'room.welcome': { in: { session: SessionId; welcome: Uint8Array }; out: { view: GroupView } }
  /** As nominee or host: builds a commit (kept pending) with these changes; requests that break a rule are named, not committed. With neither adds nor removes: a key update. A joiner whose key is in the group already replaces its old leaf; `removes` of the result lists what is really in the commit. `signed`: the policies that the commit puts in place, from `room.decide` or `room.amend`. */
  'room.propose': {
    in: { session: SessionId; adds: readonly JoinerRequest[]; removes: readonly RemovalRequest[]; signed?: SignedRoom }
    out: { commit: Uint8Array; welcome?: Uint8Array; epoch: bigint; removes: readonly RemovalRequest[]; refused: readonly { id: number; code: string; message: string }[]; refusedRemovals: readonly { leaf: number; code: string; message: string }[] }
  }
  /** The pending commit was ordered and applied by somebody (or we are alone): switch to it. */
  'room.confirm': { in: { session: SessionId }; out: { view: GroupView } }
  /** The server says that every member has this epoch: frames are sealed under it from now on, instead of 400 ms after it came. */
  'room.settle': { in: { session: SessionId; epoch: bigint }; out: Record<string, never> }
  /** The pending commit was passed over: forget it. */
  'room.abandon': { in: { session: SessionId }; out: Record<string, never> }
  /** Another member's commit: checked against every group rule first, then applied. A refusal leaves the state untouched. The reasons of removals are in the commit, under the committer's signature; `removals` is what the server says of them and has to agree. `ended`: we were removed ourselves, the session is over. */
  'room.apply': { in: { session: SessionId; commit: Uint8Array; removals: readonly RemovalRequest[] }; out: { view: GroupView; removed: readonly Removed[]; added: readonly number[]; ended: boolean } }
  /** Our signed word {epoch authenticator, SSRC} for everybody, after welcome or create. */
  'room.announce': { in: { session: SessionId; ssrc: Ssrc }; out: { message: Uint8Array } }
  /** Another member's application message. */
  'room.message': { in: { session: SessionId; message: Uint8Array }; out: RoomWord }
  /** Our signed wish to leave. */
  'room.leave': { in: { session: SessionId }; out: { evidence: Uint8Array } }
  /** A host's signed act to remove a leaf. */
  'room.act': { in: { session: SessionId; leaf: number; ban: boolean }; out: { evidence: Uint8Array } }
  /** The group as it is, with everybody's certificate held against clock and revocation. */
  'room.check': { in: { session: SessionId }; out: { view: GroupView } }
  /** A host's decision as the next signed state; `room.propose` puts it in place. */
  'room.decide': { in: { session: SessionId; decision: Decision }; out: { signed: SignedRoom } }
  /** An owner's change of the policy; `handTo`: the key of its next first owner. */
  'room.amend': { in: { session: SessionId; change: PolicyChange; handTo?: string }; out: { signed: SignedRoom } }
  /** Who asks to be let in, verified; whether the policy lets them is another matter. */
  'room.knock': { in: { session: SessionId; keyPackage: Uint8Array }; out: Knock }
  /** A word for everybody in the room: a red flag, a notice passed on, or how our phone's sound gets to us. */
  'room.say': { in: { session: SessionId; word: { readonly kind: 'flag'; readonly text: string } | { readonly kind: 'notice'; readonly notice: Uint8Array } | { readonly kind: 'leg'; readonly leg: PhoneLeg } }; out: { message: Uint8Array } }
  /** Wipes everything of the session. Idempotent. */
  'room.end': { in: { session: SessionId }; out: Record<string, never> }

  /** A room's policy from elsewhere (server, file): verified, remembered when it is newer, refused when it may not follow. `news`: it was not known. */
  'policy.learn': { in: { signed: SignedRoom }; out: { known: KnownRoom; news: boolean } }
  /** What is remembered of one room, or of all. */
  'policy.known': { in: { room?: string }; out: { rooms: readonly KnownRoom[] } }
  /** A standing room of ours. */
  'policy.draft': { in: { room: NewRoom & { readonly coOwners?: readonly string[] } }; out: { known: KnownRoom } }
  /** As an owner, outside a call. `recoveryKey` (PKCS #8, DER) signs in place of ours and makes us the first owner. */
  'policy.amend': { in: { room: string; change: PolicyChange; handTo?: string; recoveryKey?: Uint8Array }; out: { known: KnownRoom } }
  /** As a host, outside a call. */
  'policy.decide': { in: { room: string; decision: Decision }; out: { known: KnownRoom } }
  'policy.forget': { in: { room: string }; out: Record<string, never> }

  /** A block notice signed with our certificate's key; it counts in rooms that we own. */
  'notice.sign': { in: { kind: BlockNotice['kind']; target: string; reason: string }; out: { notice: BlockNotice } }
  /** A notice from elsewhere. `news`: it was not known. `heeded`: rooms that we are in where its signer may block. `hits`: places in our rooms that it takes away. */
  'notice.learn': { in: { notice: Uint8Array }; out: { notice: BlockNotice; news: boolean; heeded: readonly SessionId[]; hits: readonly NoticeHit[] } }
  'notice.known': { in: Record<string, never>; out: { notices: readonly BlockNotice[] } }

  /** Our signed word that asks somebody into a room, and the chain to show with it; `to` as `RING_TO`, `id` 16 octets in hex. */
  'ring.sign': { in: { room: string; to: string; id: string }; out: { ring: Uint8Array; chain: readonly Der[] } }
  /** Somebody's: signed by the key of that chain, which is verified, meant for us, new, and not seen before. */
  'ring.read': { in: { ring: Uint8Array; chain: readonly Uint8Array[] }; out: { id: string; room: string; identity: Identity } }

  /** Goes on with the journal of this identity: its last one or two parts, and the head that was written last. `wholes`: octets of each that stand; `records` begin a part or a section, `first` is their number. */
  'journal.open': { in: { parts: readonly Uint8Array[]; head?: Uint8Array }; out: { readonly wholes: readonly number[]; readonly first: number } & JournalWritten }
  /** What the vault saw since, then what the client tells, as records. */
  'journal.append': { in: { notes: readonly ClientNote[] }; out: JournalWritten }
  /** Begins a new part with a signed checkpoint: what is before it can be deleted. */
  'journal.checkpoint': { in: Record<string, never>; out: JournalWritten }
  /** A part in the clear, verified; the first without `from`, then from where the one before ended; the last with the head. */
  'journal.read': { in: { part: Uint8Array; head?: Uint8Array; from?: { readonly number: number; readonly hash: string } }; out: JournalPart }
}

/** Codec of the frames of a sealed call. */
export type CallCodec = 'g722' | 'pcmu' | 'pcma'
/** What brings the messages of the agreement to the other side. */
export type CallCarrier = 'server' | 'message' | 'in-band'
export type CallProfile = 'sealed' | 'chained'

export interface CallProgress {
  /** For the carrier. */
  readonly send: readonly Uint8Array[]
  readonly carrier?: CallCarrier
  /** To be compared aloud: four words, or ten digits. */
  readonly shortString?: { readonly words: readonly string[]; readonly digits: string }
  /** Both have the same keys and know it; frames are sealed. `identity`: verified; `keyId`: of the key that signed, known or not. */
  readonly confirmed?: {
    readonly epoch: number
    readonly role: 'initiator' | 'responder'
    readonly profile: CallProfile
    readonly carrier: CallCarrier
    /** Better carriers that both sides have, and that led nowhere. */
    readonly missed: readonly CallCarrier[]
    readonly identity?: Identity
    readonly keyId?: string
    /** Under which its verified certificate may be called; empty where it does not say. */
    readonly numbers?: readonly string[]
  }
  /** The agreement is over. */
  readonly failed?: Fault
  /** Not taken; it goes on. */
  readonly refused: readonly Fault[]
  /** The other side said so, under the keys. */
  readonly state?: { readonly hold: boolean; readonly mute: boolean }
  /** Ask for a `tick` then. */
  readonly wakeInMs?: number
}

/** What another member said. */
export type RoomWord =
  | { readonly kind: 'announced'; readonly leaf: number; readonly ssrc: Ssrc }
  | { readonly kind: 'flag'; readonly leaf: number; readonly text: string }
  | { readonly kind: 'notice'; readonly leaf: number; readonly notice: Uint8Array }
  | { readonly kind: 'leg'; readonly leaf: number; readonly leg: PhoneLeg }
  /** Of a later version than ours. */
  | { readonly kind: 'unknown'; readonly leaf: number }

export interface Knock {
  readonly identity: Identity
  readonly kind: 'member' | 'gateway'
  readonly keyProtection: KeyProtection
}

export interface NoticeHit {
  readonly session: SessionId
  readonly leaf: number
  readonly identity: Identity
}

export type VaultCallName = keyof VaultCalls

/**
 * A TLS connection whose end is in the vault. The client moves ciphertext between `cipher` and the
 * network, and reads and writes plaintext at `plain`. Node Duplex streams, typed structurally here.
 */
export interface VaultPipe {
  readonly id: PipeId
  /** Octets from the network in; octets for the network come out of `onCipher`. */
  feed(cipher: Uint8Array): void
  onCipher(listener: (cipher: Uint8Array) => void): void
  /** Handshake done and the server's certificate verified. */
  readonly secured: Promise<Result<{ readonly server: Identity }>>
  /** Plaintext out of and into the connection. */
  onPlain(listener: (plain: Uint8Array) => void): void
  write(plain: Uint8Array): void
  /** Either side closed; where a fault was the reason, its code stands at the end in brackets. */
  onClose(listener: (reason: string) => void): void
  end(): void
}

export interface Vault extends FrameVault {
  call<K extends VaultCallName>(k: K, a: VaultCalls[K]['in']): Promise<Result<VaultCalls[K]['out']>>
  /** Opens a TLS 1.3 client connection to a server of this name, with our certificate. */
  pipe(options: { readonly serverName: string; readonly protocols: readonly string[] }): VaultPipe
  close(): Promise<void>
}
