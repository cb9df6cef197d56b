/** Policies outside a group: the one that a room starts with, and what is remembered of rooms. */
import { type Result, err, ok } from '../../base/result.ts'
import type { NewRoom, SignedRoom } from '../../model/policy.ts'
import { type Policies, draftRoom, readPolicies } from '../../protocol/policy/index.ts'
import type { KnownRoom } from '../api/calls.ts'
import type { VaultState } from './state.ts'

/** The policy that a room starts with: the one it has, or a new one signed by us as its owner. */
export function policiesFor(vault: VaultState, wanted: NewRoom, generation: number): Result<Policies> {
  const { crypto, clock, identity, world } = vault
  if (wanted.realm !== identity.trust.realm) return err('MLS_POLICY', `realm ${wanted.realm} instead of ${identity.trust.realm}`)
  const standing = world.policies.standingOf(wanted.realm, wanted.room)
  if (standing !== undefined) return ok(standing)
  const known = world.policies.newestOf(wanted.realm, wanted.room)
  // A new generation of a room that we were in goes on under its policy, whoever starts it.
  if (known !== undefined && generation > 1) return ok(known)
  // The time as version: it grows across restarts, which forget the versions before.
  return draftRoom(crypto, { ...wanted, standing: false }, Math.max((known?.base.policy.version ?? 0) + 1, clock.unix()), identity.signer)
}

/** Verified, of our realm, and nothing that may not follow what is remembered. */
export function readRoom(vault: VaultState, signed: SignedRoom): Result<Policies> {
  const read = readPolicies(vault.crypto, signed)
  if (!read.ok) return read
  const { realm } = read.value.base.policy
  if (realm !== vault.identity.trust.realm) return err('MLS_POLICY', `realm ${realm} instead of ${vault.identity.trust.realm}`)
  const may = vault.world.policies.check(read.value)
  return may.ok ? read : may
}

export const knownRoom = (p: Policies): KnownRoom => ({
  base: p.base.policy, state: p.state.policy, signed: signedRoom(p), policyBy: p.base.by, stateBy: p.state.by,
})

export const signedRoom = (p: Policies): SignedRoom => ({ base: p.base.bytes, state: p.state.bytes })
