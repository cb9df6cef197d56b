/**
 * The policy of a room as two extensions of the group context, each signed with the end-entity key of whoever may:
 *
 *     extension = body ‖ algorithm (1) ‖ len‖SubjectPublicKeyInfo ‖ len‖signature (envelope.ts)
 *
 * *Base* is an owner's, or made with the recovery key; a later one is signed by an owner of the one before. *State* is a
 * host's, names the base by hash and its predecessor by hash. The state names no group, so that a new generation of a
 * room can start with it though no host is there.
 */
import { ByteReader, ByteWriter, fromHex, fromUtf8, toHex, utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort, Signer } from '../../crypto/port.ts'
import { KEY_PROTECTIONS } from '../../model/identity.ts'
import { type BasePolicy, type Forwarding, type MlsSuite, type RoomCodecName, type SignedRoom, type StatePolicy, ALL_FORWARDED_LIMIT, isHost } from '../../model/policy.ts'
import { LEAVES_LIMIT, LIST_LIMIT, POLICY_LIMIT } from './limits.ts'
import { keyIdOf, openEnvelope, signEnvelope } from './envelope.ts'

const VERSION = 1
const BASE_LABEL = 'stc room policy v1'
const STATE_LABEL = 'stc room state v1'
const KEY_ID = 32
const NO_PREDECESSOR = new Uint8Array(32)
const NO_KEY = new Uint8Array(0)
const ROOM = /^[a-z0-9._-]{1,64}$/

/** Position is the code on the wire. */
const SUITE_CODES: readonly MlsSuite[] = ['x25519', 'x-wing']
const CODECS: readonly RoomCodecName[] = ['g722', 'opus']
const FORWARDINGS: readonly Forwarding[] = ['all', 'loudest']

export interface SignedBase {
  readonly policy: BasePolicy
  readonly bytes: Uint8Array
  /** SHA-256 of `bytes`. */
  readonly hash: Uint8Array
  /** The key that signed. */
  readonly by: string
}

export interface SignedState {
  readonly policy: StatePolicy
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
  readonly previous: Uint8Array
  readonly by: string
}

/** What the group context of a room holds. */
export interface Policies {
  readonly base: SignedBase
  readonly state: SignedState
}

function putKeyIds(w: ByteWriter, ids: readonly string[]): void {
  w.u16(ids.length)
  for (const id of ids) w.put(fromHex(id)!)
}

function takeKeyIds(r: ByteReader): string[] {
  const ids: string[] = []
  for (let n = r.u16(); n > 0 && !r.failed; n--) ids.push(toHex(r.take(KEY_ID)))
  return ids
}

function putTexts(w: ByteWriter, texts: readonly string[]): void {
  w.u16(texts.length)
  for (const t of texts) w.vec16(utf8(t))
}

/** Undefined where one is not UTF-8. */
function takeTexts(r: ByteReader): string[] | undefined {
  const texts: string[] = []
  for (let n = r.u16(); n > 0 && !r.failed; n--) {
    const t = fromUtf8(r.vec16())
    if (t === undefined) return undefined
    texts.push(t)
  }
  return texts
}

function encodeBase(p: BasePolicy): Uint8Array {
  const w = new ByteWriter().u8(VERSION).vec16(utf8(p.room)).vec16(utf8(p.realm)).u32(p.version)
  putKeyIds(w, p.owners)
  putKeyIds(w, p.hosts)
  w.u8(p.admit === 'anchors' ? 0 : 1)
  if (p.admit !== 'anchors') putTexts(w, p.admit)
  w.u8(SUITE_CODES.indexOf(p.suite)).u8(CODECS.indexOf(p.codec)).u8(FORWARDINGS.indexOf(p.forwarding))
  w.u16(p.maximumMembers).u8(p.gatewaysAllowed ? 1 : 0).u8(KEY_PROTECTIONS.indexOf(p.minimumKeyProtection))
  w.u8(p.lobby ? 1 : 0).u8(p.standing ? 1 : 0).u8(p.journal ? 1 : 0)
  return w.vec16(p.recovery === undefined ? NO_KEY : fromHex(p.recovery)!).finish()
}

function decodeBase(r: ByteReader): BasePolicy | undefined {
  const version = r.u8()
  const room = fromUtf8(r.vec16())
  const realm = fromUtf8(r.vec16())
  const policyVersion = r.u32()
  const owners = takeKeyIds(r)
  const hosts = takeKeyIds(r)
  const listed = r.u8()
  const admit = listed === 0 ? 'anchors' : takeTexts(r)
  const suite = SUITE_CODES[r.u8()]
  const codec = CODECS[r.u8()]
  const forwarding = FORWARDINGS[r.u8()]
  const maximumMembers = r.u16()
  const gateways = r.u8()
  const minimumKeyProtection = KEY_PROTECTIONS[r.u8()]
  const [lobby, standing, journal] = [r.u8(), r.u8(), r.u8()]
  const recovery = r.vec16()
  if (r.failed || version !== VERSION || [listed, gateways, lobby, standing, journal].some((flag) => flag > 1) || minimumKeyProtection === undefined) return undefined
  if (recovery.length !== 0 && recovery.length !== KEY_ID) return undefined
  if (room === undefined || realm === undefined || admit === undefined || suite === undefined || codec === undefined || forwarding === undefined) return undefined
  return {
    room: room as BasePolicy['room'], realm, version: policyVersion, owners, hosts, admit, suite, codec, forwarding, maximumMembers, gatewaysAllowed: gateways === 1,
    minimumKeyProtection, lobby: lobby === 1, standing: standing === 1, journal: journal === 1, ...(recovery.length === 0 ? {} : { recovery: toHex(recovery) }),
  }
}

/** What must hold of a base policy besides its signature; undefined when it does. */
export function policyMistake(p: BasePolicy): string | undefined {
  if (!ROOM.test(p.room)) return 'the name of the room is not one'
  if (p.realm === '' || p.realm.length > 255) return 'no realm'
  if (p.owners.length === 0) return 'no owner'
  if (![...p.owners, ...p.hosts, ...(p.recovery === undefined ? [] : [p.recovery])].every((id) => /^[0-9a-f]{64}$/.test(id))) return 'an owner, host or recovery key that is not a key'
  if (new Set(p.owners).size !== p.owners.length) return 'an owner twice'
  if (Math.max(p.owners.length, p.hosts.length, p.admit.length) > LIST_LIMIT) return `a list of more than ${LIST_LIMIT} entries`
  if (!Number.isInteger(p.version) || p.version < 1 || p.version > 0xffffffff) return 'no version'
  if (!Number.isInteger(p.maximumMembers) || p.maximumMembers < 1 || p.maximumMembers > LEAVES_LIMIT) return `a size that is not between 1 and ${LEAVES_LIMIT}`
  if (p.forwarding === 'all' && p.maximumMembers > ALL_FORWARDED_LIMIT) return `everything is forwarded in rooms of up to ${ALL_FORWARDED_LIMIT} only`
  return undefined
}

export function signBase(crypto: CryptoPort, policy: BasePolicy, owner: Signer): Result<SignedBase> {
  const mistake = policyMistake(policy)
  if (mistake !== undefined) return err('MLS_POLICY', mistake)
  const bytes = signEnvelope(BASE_LABEL, encodeBase(policy), owner)
  return bytes.length > POLICY_LIMIT ? err('MLS_TOO_LARGE', 'policy of the room') : ok({ policy, bytes, hash: crypto.hash('sha256', bytes), by: keyIdOf(crypto, owner.spki) })
}

export function verifyBase(crypto: CryptoPort, bytes: Uint8Array): Result<SignedBase> {
  if (bytes.length > POLICY_LIMIT) return err('MLS_TOO_LARGE', 'policy of the room')
  const r = new ByteReader(bytes)
  const policy = decodeBase(r)
  if (policy === undefined) return err('MLS_POLICY', 'malformed')
  const mistake = policyMistake(policy)
  if (mistake !== undefined) return err('MLS_POLICY', mistake)
  const by = openEnvelope(crypto, BASE_LABEL, r, 'MLS_POLICY')
  if (!by.ok) return by
  if (!mayOwn(policy, by.value)) return err('MLS_POLICY', 'signed by somebody who is no owner')
  return ok({ policy, bytes, hash: crypto.hash('sha256', bytes), by: by.value })
}

export function signState(crypto: CryptoPort, base: SignedBase, policy: StatePolicy, previous: SignedState | undefined, host: Signer): Result<SignedState> {
  const before = previous?.hash ?? NO_PREDECESSOR
  const w = new ByteWriter().u8(VERSION).vec16(utf8(base.policy.room)).u32(policy.version).put(base.hash).put(before).u8(policy.locked ? 1 : 0)
  putTexts(w, policy.admitted)
  putKeyIds(w, policy.banned)
  const bytes = signEnvelope(STATE_LABEL, w.finish(), host)
  return bytes.length > POLICY_LIMIT ? err('MLS_TOO_LARGE', 'state of the room') : ok({ policy, bytes, hash: crypto.hash('sha256', bytes), previous: before, by: keyIdOf(crypto, host.spki) })
}

export function verifyState(crypto: CryptoPort, bytes: Uint8Array, base: SignedBase): Result<SignedState> {
  if (bytes.length > POLICY_LIMIT) return err('MLS_TOO_LARGE', 'state of the room')
  const r = new ByteReader(bytes)
  const version = r.u8()
  const room = fromUtf8(r.vec16())
  const stateVersion = r.u32()
  const baseHash = r.take(32)
  const previous = r.take(32).slice()
  const locked = r.u8()
  const admitted = takeTexts(r)
  const banned = takeKeyIds(r)
  if (r.failed || version !== VERSION || locked > 1 || admitted === undefined) return err('MLS_POLICY', 'malformed state')
  if (room !== base.policy.room || toHex(baseHash) !== toHex(base.hash)) return err('MLS_POLICY', 'the state belongs to another policy')
  const by = openEnvelope(crypto, STATE_LABEL, r, 'MLS_POLICY')
  if (!by.ok) return by
  if (!isHost(base.policy, by.value)) return err('MLS_POLICY', 'the state is signed by somebody who is no host')
  return ok({ policy: { version: stateVersion, locked: locked === 1, admitted, banned }, bytes, hash: crypto.hash('sha256', bytes), previous, by: by.value })
}

/** Both, verified by themselves: whether they are the room's own is up to the caller. */
export function readPolicies(crypto: CryptoPort, signed: SignedRoom): Result<Policies> {
  const base = verifyBase(crypto, signed.base)
  if (!base.ok) return base
  const state = verifyState(crypto, signed.state, base.value)
  return state.ok ? ok({ base: base.value, state: state.value }) : state
}

/** Whose signature a base policy takes. */
const mayOwn = (p: BasePolicy, keyId: string): boolean => p.owners.includes(keyId) || p.recovery === keyId

/** True where `next` is the state that comes right after `now`. */
export const succeeds = (next: SignedState, now: SignedState): boolean =>
  next.policy.version === now.policy.version + 1 && toHex(next.previous) === toHex(now.hash)

/** What a room keeps for life, whoever owns it. */
const FOR_LIFE = ['room', 'realm', 'suite', 'codec', 'forwarding', 'standing'] as const

/** Why `next` is no later version of `now`, made by one who may; undefined where it is one. */
export function notFollowing(next: SignedBase, now: SignedBase): string | undefined {
  if (next.policy.version <= now.policy.version) return `version ${next.policy.version} after ${now.policy.version}`
  const other = FOR_LIFE.find((k) => next.policy[k] !== now.policy[k])
  if (other !== undefined) return `another ${other}`
  return mayOwn(now.policy, next.by) ? undefined : 'signed by nobody whom the version before names as owner'
}
