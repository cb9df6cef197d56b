/**
 * The messages of the control channel (docs/protocol/channel.md), one CBOR map `{k: kind, ...fields}` per
 * WebSocket message. Unknown kinds are an error, unknown fields are ignored. This file is the list; schemas with
 * limits stand beside it.
 */
import type { BasePolicy } from '../../model/policy.ts'
import type { CallClientWire, CallServerWire } from './call-messages.ts'
import type { PbxClientWire, PbxServerWire } from './pbx-messages.ts'
import type { RingClientWire, RingServerWire } from './ring-messages.ts'
import type { SipClientWire, SipServerWire } from './sip-messages.ts'

/** Client → server. */
export interface ClientWire extends PbxClientWire, RingClientWire, SipClientWire, CallClientWire {
  hello: { minVersion: number; maxVersion: number; capabilities: string[]; agent: string }
  'hop-offer': { generation: number; message: Uint8Array }
  /** Asks what the room is; the answer is `room-info`. */
  'room-open': { room: string }
  /** First in: the group exists with us alone. The first wins, the others get a new `room-info`. */
  'room-create': { room: string; generation: number; groupId: Uint8Array; suite: string; forwarding: string; maximumMembers: number }
  /** Let me in: a key package for this room. */
  'room-join': { room: string; generation: number; keyPackage: Uint8Array }
  /** What a nominee, or a host on its own account, gives for the current epoch. */
  'room-commit': { room: string; generation: number; epoch: bigint; commit: Uint8Array; welcome?: Uint8Array; adds: number[]; removes: WireRemoval[]; refused: { id: number; code: string; message: string }[] }
  /** The commit with this sequence number was applied, or refused; `hash` is SHA-256 of the commit. A joiner answers its welcome with them too, the committer `room-stands`. */
  'room-applied': { room: string; seq: number }
  'room-rejected': { room: string; seq: number; hash: Uint8Array; code: string }
  /** An MLS application message for everybody. */
  'room-message': { room: string; epoch: bigint; message: Uint8Array }
  /** The newest policy of a standing room, for those who come first: the server keeps and hands it on, and cannot change it. */
  'room-policy': { room: string; base: Uint8Array; state: Uint8Array }
  /** A signed block notice for everybody. */
  notice: { notice: Uint8Array }
  /** My signed wish to be removed; media stops at once. */
  'room-leave': { room: string; evidence?: Uint8Array }
  /** A joiner that gave up before it was in. */
  'room-cancel': { room: string }
  ping: { n: number }
}

/** Server → client. */
export interface ServerWire extends PbxServerWire, RingServerWire, SipServerWire, CallServerWire {
  welcome: { version: number; capabilities: string[]; agent: string; realm: string; session: string; unixTime: number; udp: { address: string; port: number }[] }
  /** Lists and answers about revocation, signed by their authorities; to clients with the capability of that name, at the start and when they change. */
  revocation: { proofs: { kind: 'crl' | 'ocsp'; der: Uint8Array }[] }
  /** What Intel publishes about platforms (docs/protocol/attestation.md), signed by Intel; to clients with the capability of that name, at the start and when it changes. */
  attestation: { collateral: Uint8Array[] }
  'hop-answer': { generation: number; message: Uint8Array; probe: number }
  'room-info': { room: string; exists: boolean; generation: number; suite?: string; forwarding?: string; members: number; policy?: { base: Uint8Array; state: Uint8Array } }
  /** You created it. `ssrc` is your stream's. */
  'room-created': { room: string; generation: number; ssrc: number }
  /** Your request waits until a host admits you. */
  'room-waiting': { room: string; request: number }
  /** Somebody waits for a host; and no longer. */
  'room-knock': { room: string; request: number; keyPackage: Uint8Array }
  'room-knock-over': { room: string; request: number }
  /** A block notice from somebody. */
  notice: { notice: Uint8Array }
  /** Your request waits under this number. `ssrc` will be your stream's. */
  'room-queued': { room: string; request: number; ssrc: number }
  /** You are in once you have processed this; `seq` is the commit that added you. */
  'room-welcome': { room: string; generation: number; seq: number; welcome: Uint8Array }
  /** You commit next: for this epoch, these requests, within `deadlineMs`. */
  'room-nominate': { room: string; generation: number; epoch: bigint; adds: { id: number; keyPackage: Uint8Array }[]; removes: WireRemoval[]; deadlineMs: number }
  /** The nomination was taken back (too late, or somebody else's turn): forget the pending commit. */
  'room-passed': { room: string; epoch: bigint; reason: string }
  /** The one commit for `epoch`, in order, to every member, its committer included. */
  'room-ordered': { room: string; generation: number; seq: number; epoch: bigint; commit: Uint8Array; removes: WireRemoval[] }
  /** Somebody applied it: it stands. The committer switches now, others that refused it rejoin. */
  'room-stands': { room: string; seq: number }
  /** Every member that can be reached, the committer included, applied or refused it: who has not yet begun sends under it now. */
  'room-settled': { room: string; seq: number }
  /** Nobody applied it: the epoch is open again. */
  'room-void': { room: string; seq: number }
  'room-message': { room: string; epoch: bigint; message: Uint8Array }
  /** Start again in a new generation of the group (the old one is dead for most). */
  'room-reset': { room: string; generation: number; reason: string }
  /** Ends the request (create, join) that it answers; never a membership. */
  'room-refused': { room: string; code: string; message: string }
  /** Your membership is over: 'left', 'removed', 'replaced' are final; 'unreachable' is not. */
  'room-closed': { room: string; reason: string }
  /** Something you sent was not taken; changes nothing by itself. */
  fault: { code: string; message: string; room?: string }
  pong: { n: number }
}

export interface WireRemoval {
  leaf: number
  reason: 'leave' | 'host' | 'unreachable' | 'rejoin' | 'blocked'
  evidence?: Uint8Array
}

export type ClientMessage = { [K in keyof ClientWire]: { k: K } & ClientWire[K] }[keyof ClientWire]
export type ServerMessage = { [K in keyof ServerWire]: { k: K } & ServerWire[K] }[keyof ServerWire]

/** What the creator's policy says that the server must know. */
export type ServerKnownPolicy = Pick<BasePolicy, 'suite' | 'forwarding' | 'maximumMembers'>
export const WIRE_VERSION = 1
