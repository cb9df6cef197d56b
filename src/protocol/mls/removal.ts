/**
 * Why members are removed. The committer states the reasons in the commit's authenticated data, under its own
 * signature, so nobody on the way can change or invent one:
 *
 *     version (1) ‖ count (2) ‖ count × (leaf (4) ‖ reason (1) ‖ len‖evidence)
 *
 * Evidence of `leave` is the leaver's signature; of `host` a host's, with the new state of the room when it bans;
 * of `blocked` a block notice (protocol/policy/block-notice.ts).
 */
import { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { PROPOSALS_LIMIT } from './limits.ts'
import { signedContent } from '../policy/signed.ts'

export type RemovalReason = 'leave' | 'host' | 'unreachable' | 'rejoin' | 'blocked'

export interface Removal {
  readonly leaf: number
  readonly reason: RemovalReason
  readonly evidence?: Uint8Array
}

/** Position is the code on the wire. */
const REASONS: readonly RemovalReason[] = ['leave', 'host', 'unreachable', 'rejoin', 'blocked']
const VERSION = 1
const LEAVE_LABEL = 'stc leave v1'
const HOST_LABEL = 'stc host removal v1'
const EMPTY = new Uint8Array(0)

export function encodeRemovals(removals: readonly Removal[]): Uint8Array {
  const w = new ByteWriter().u8(VERSION).u16(removals.length)
  for (const r of removals) w.u32(r.leaf).u8(REASONS.indexOf(r.reason)).vec16(r.evidence ?? EMPTY)
  return w.finish()
}

export function decodeRemovals(bytes: Uint8Array): Result<Removal[]> {
  const r = new ByteReader(bytes)
  const version = r.u8()
  const count = r.u16()
  if (version !== VERSION || count > PROPOSALS_LIMIT) return err('MLS_REMOVAL', 'malformed list of reasons')
  const removals: Removal[] = []
  for (let i = 0; i < count && !r.failed; i++) {
    const leaf = r.u32()
    const reason = REASONS[r.u8()]
    const evidence = r.vec16().slice()
    if (reason === undefined) return err('MLS_REMOVAL', 'unknown reason')
    removals.push(evidence.length === 0 ? { leaf, reason } : { leaf, reason, evidence })
  }
  return r.done ? ok(removals) : err('MLS_REMOVAL', 'malformed list of reasons')
}

/** The membership that is meant: a leaf index is used again, a leaf's signature key never. */
export interface Target {
  readonly groupId: Uint8Array
  readonly leaf: number
  readonly signatureKey: Uint8Array
}

const targetBody = (t: Target): ByteWriter => new ByteWriter().vec16(t.groupId).u32(t.leaf).vec16(t.signatureKey)

export function signLeave(crypto: CryptoPort, own: Target, privateKey: Uint8Array): Uint8Array {
  return crypto.signRaw('ed25519', privateKey, signedContent(LEAVE_LABEL, targetBody(own).finish()))
}

export function verifyLeave(crypto: CryptoPort, target: Target, evidence: Uint8Array | undefined): Result<undefined> {
  const good = evidence !== undefined && crypto.verifyRaw('ed25519', target.signatureKey, signedContent(LEAVE_LABEL, targetBody(target).finish()), evidence)
  return good ? ok(undefined) : err('MLS_REMOVAL', `leaf ${target.leaf} did not ask to leave`)
}

export interface HostAct {
  /** Leaf of the host who acts. */
  readonly by: number
  /** The next state of the room, signed, which bans the target; absent when the host only removes. */
  readonly state?: Uint8Array
  readonly signature: Uint8Array
}

const hostBody = (t: Target, by: number, state: Uint8Array): Uint8Array => targetBody(t).u32(by).vec16(state).finish()

export function signHostAct(crypto: CryptoPort, target: Target, by: number, state: Uint8Array | undefined, privateKey: Uint8Array): Uint8Array {
  const signature = crypto.signRaw('ed25519', privateKey, signedContent(HOST_LABEL, hostBody(target, by, state ?? EMPTY)))
  return new ByteWriter().u32(by).vec16(state ?? EMPTY).vec16(signature).finish()
}

export function decodeHostAct(evidence: Uint8Array | undefined): Result<HostAct> {
  if (evidence === undefined) return err('MLS_REMOVAL', 'a host is said to have removed somebody, without its signature')
  const r = new ByteReader(evidence)
  const by = r.u32()
  const state = r.vec16().slice()
  const signature = r.vec16().slice()
  if (!r.done) return err('MLS_REMOVAL', 'malformed act of a host')
  return ok(state.length === 0 ? { by, signature } : { by, state, signature })
}

/** `hostKey`: MLS signature key of the leaf that the act names. */
export function verifyHostAct(crypto: CryptoPort, target: Target, act: HostAct, hostKey: Uint8Array): boolean {
  return crypto.verifyRaw('ed25519', hostKey, signedContent(HOST_LABEL, hostBody(target, act.by, act.state ?? EMPTY)), act.signature)
}
