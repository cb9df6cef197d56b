/** The policy that a room starts with: the one it had, or a new one signed by us as its owner. */
import { toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { BasePolicy } from '../../model/policy.ts'
import { signBase, signState } from '../../protocol/mls/policy-extension.ts'
import type { Policies } from '../../protocol/mls/rules/context.ts'
import type { VaultState } from './state.ts'

export function policiesFor(vault: VaultState, wanted: Omit<BasePolicy, 'owners' | 'version'>, generation: number): Result<Policies> {
  const { crypto, clock, identity, world } = vault
  if (wanted.realm !== identity.trust.realm) return err('MLS_POLICY', `realm ${wanted.realm} instead of ${identity.trust.realm}`)
  const known = world.policies.newestOf(wanted.realm, wanted.room)
  // A new generation of a room that we were in goes on under its policy, whoever starts it.
  if (known !== undefined && generation > 1) return ok(known)
  const owner = toHex(crypto.hash('sha256', identity.signer.spki))
  const ownBefore = known?.base.policy.owners[0] === owner ? known.base.policy.version : 0
  // The time as version: it grows across restarts, which forget the versions before.
  const version = Math.max(ownBefore + 1, clock.unix())
  const base = signBase(crypto, { ...wanted, owners: [owner], version }, identity.signer)
  if (!base.ok) return base
  const state = signState(crypto, base.value, { version: 1, locked: false, admitted: [], banned: [] }, undefined, identity.signer)
  return state.ok ? ok({ base: base.value, state: state.value }) : state
}
