/** Making policies: a room's first, what a host decides next, what an owner changes. */
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort, Signer } from '../../crypto/port.ts'
import { type Decision, type NewRoom, type PolicyChange, type StatePolicy, NEW_ROOM_DEFAULTS, decided, isHost } from '../../model/policy.ts'
import { keyIdOf } from './envelope.ts'
import { type Policies, type SignedBase, signBase, signState } from './signed-policy.ts'

const FIRST_STATE: StatePolicy = { version: 1, locked: false, admitted: [], banned: [] }

/** A new room of ours; further owners stand beside us. */
export function draftRoom(crypto: CryptoPort, wanted: NewRoom & { readonly coOwners?: readonly string[] }, version: number, owner: Signer): Result<Policies> {
  const { coOwners = [], ...rest } = wanted
  const self = keyIdOf(crypto, owner.spki)
  const base = signBase(crypto, { ...NEW_ROOM_DEFAULTS, ...rest, owners: [self, ...coOwners.filter((k) => k !== self)], version }, owner)
  if (!base.ok) return base
  const state = signState(crypto, base.value, FIRST_STATE, undefined, owner)
  return state.ok ? ok({ base: base.value, state: state.value }) : state
}

/** The next state, by us as a host. */
export function decideNext(crypto: CryptoPort, now: Policies, decision: Decision, host: Signer): Result<Policies> {
  if (!isHost(now.base.policy, keyIdOf(crypto, host.spki))) return err('MLS_NOT_HOST')
  if (decision.act === 'ban' && isHost(now.base.policy, decision.keyId)) return err('MLS_REMOVAL', 'owners and hosts are removed by changing the policy')
  const before = now.state.policy
  const after = decided(before, decision)
  if (after === before) return err('MLS_NOTHING_TO_DECIDE', decision.act)
  return nextState(crypto, now, now.base, after, host)
}

/** The state that bans a key, by us as a host. */
export function banNext(crypto: CryptoPort, now: Policies, keyId: string, host: Signer): Result<Policies> {
  const { state } = now
  if (isHost(now.base.policy, keyId)) return err('MLS_REMOVAL', 'owners and hosts are removed by changing the policy')
  const banned = state.policy.banned.includes(keyId) ? state.policy.banned : [...state.policy.banned, keyId]
  return nextState(crypto, now, now.base, { ...state.policy, banned, admitted: state.policy.admitted.filter((e) => e !== keyId) }, host)
}

function nextState(crypto: CryptoPort, now: Policies, base: SignedBase, wanted: StatePolicy, host: Signer): Result<Policies> {
  const state = signState(crypto, base, { ...wanted, version: now.state.policy.version + 1 }, now.state, host)
  return state.ok ? ok({ base, state: state.value }) : state
}

/**
 * The next base, and the state that names it, by us as an owner. With `recovery`, the recovery key signs the base and we
 * become its first owner.
 */
export function amend(crypto: CryptoPort, now: Policies, change: PolicyChange, owner: Signer, recovery?: Signer): Result<Policies> {
  const { recovery: nextRecovery, ...rest } = change
  const self = keyIdOf(crypto, owner.spki)
  const before = now.base.policy
  const signer = recovery ?? owner
  const by = keyIdOf(crypto, signer.spki)
  if (recovery !== undefined && before.recovery !== by) return err('MLS_NOT_OWNER', 'this is not the recovery key of the room')
  if (recovery === undefined && !before.owners.includes(by)) return err('MLS_NOT_OWNER')
  const { recovery: oldRecovery, ...kept } = before
  const owners = rest.owners ?? (recovery === undefined ? before.owners : [self, ...before.owners.filter((k) => k !== self)])
  const key = nextRecovery === null ? undefined : (nextRecovery ?? oldRecovery)
  const base = signBase(crypto, { ...kept, ...rest, owners, version: before.version + 1, ...(key === undefined ? {} : { recovery: key }) }, signer)
  if (!base.ok) return base
  if (!isHost(base.value.policy, self)) return err('MLS_POLICY', 'whoever signs stays an owner or host: hand over, and let the new owner take you off')
  return nextState(crypto, now, base.value, now.state.policy, owner)
}

/** Another first owner; we stay beside it. */
export const handOver = (now: Policies, to: string): PolicyChange => ({ owners: [to, ...now.base.policy.owners.filter((k) => k !== to)] })
