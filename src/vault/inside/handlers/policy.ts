/** What is remembered of rooms, and what owners and hosts change while nobody is in them. */
import { sameBytes } from '../../../base/bytes.ts'
import { type Result, err, ok } from '../../../base/result.ts'
import type { Signer } from '../../../crypto/port.ts'
import type { PolicyChange } from '../../../model/policy.ts'
import { type Policies, amend, decideNext, draftRoom, handOver } from '../../../protocol/policy/index.ts'
import type { KnownRoom } from '../../api/calls.ts'
import { knownRoom, readRoom } from '../room-policy.ts'
import type { Handlers, VaultState } from '../state.ts'

type PolicyCall = 'policy.learn' | 'policy.known' | 'policy.draft' | 'policy.amend' | 'policy.decide' | 'policy.forget'

export const policyHandlers: Handlers<PolicyCall> = {
  async 'policy.learn'(vault, { signed }) {
    const read = readRoom(vault, signed)
    if (!read.ok) return read
    const { realm, room } = read.value.base.policy
    const before = vault.world.policies.standingOf(realm, room)
    // Of rooms that are nobody's for good nothing is believed outside their groups.
    if (!read.value.base.policy.standing) return err('MLS_POLICY', 'not of a standing room')
    const news = before === undefined || !sameBytes(before.base.hash, read.value.base.hash) || !sameBytes(before.state.hash, read.value.state.hash)
    const kept = remember(vault, read.value)
    return kept.ok ? ok({ known: kept.value, news }) : kept
  },

  async 'policy.known'(vault, { room }) {
    const { policies } = vault.world
    const { realm } = vault.identity.trust
    const found = room === undefined ? policies.all : [policies.newestOf(realm, room)].filter((p) => p !== undefined)
    return ok({ rooms: found.filter((p) => p.base.policy.realm === realm).map(knownRoom) })
  },

  async 'policy.draft'(vault, { room }) {
    if (room.realm !== vault.identity.trust.realm) return err('MLS_POLICY', `realm ${room.realm} instead of ${vault.identity.trust.realm}`)
    if (vault.world.policies.standingOf(room.realm, room.room) !== undefined) return err('MLS_ROOM_EXISTS', room.room)
    const drafted = draftRoom(vault.crypto, { ...room, standing: true }, vault.clock.unix(), vault.identity.signer)
    if (!drafted.ok) return drafted
    const kept = remember(vault, drafted.value)
    return kept.ok ? ok({ known: kept.value }) : kept
  },

  async 'policy.amend'(vault, { room, change, handTo, recoveryKey }) {
    const now = standing(vault, room)
    if (!now.ok) return now
    const recovery = recoveryKey === undefined ? undefined : recoverySigner(vault, recoveryKey)
    if (recovery?.ok === false) return recovery
    const next = amend(vault.crypto, now.value, changeWith(now.value, change, handTo), vault.identity.signer, recovery?.value)
    recovery?.value[Symbol.dispose]()
    return keep(vault, next)
  },

  async 'policy.decide'(vault, { room, decision }) {
    const now = standing(vault, room)
    return now.ok ? keep(vault, decideNext(vault.crypto, now.value, decision, vault.identity.signer)) : now
  },

  async 'policy.forget'(vault, { room }) {
    vault.world.policies.forget(vault.identity.trust.realm, room)
    return ok({})
  },
}

/** Handing over is a change of owners. */
export const changeWith = (now: Policies, change: PolicyChange, handTo: string | undefined): PolicyChange => (handTo === undefined ? change : { ...handOver(now, handTo), ...change })

function standing(vault: VaultState, room: string): Result<Policies> {
  const known = vault.world.policies.standingOf(vault.identity.trust.realm, room)
  return known === undefined ? err('MLS_ROOM_UNKNOWN', room) : ok(known)
}

/** The key file is one of ours (`stc room recovery-key`): P-256. */
function recoverySigner(vault: VaultState, pkcs8: Uint8Array): Result<Signer> {
  try {
    return ok(vault.crypto.signer('ecdsa-p256-sha256', pkcs8))
  } catch {
    return err('MLS_NOT_OWNER', 'this is no recovery key')
  } finally {
    pkcs8.fill(0)
  }
}

function keep(vault: VaultState, made: Result<Policies>): Result<{ readonly known: KnownRoom }> {
  if (!made.ok) return made
  const kept = remember(vault, made.value)
  return kept.ok ? ok({ known: kept.value }) : kept
}

function remember(vault: VaultState, p: Policies): Result<KnownRoom> {
  const remembered = vault.world.policies.admit(p)
  return remembered.ok ? ok(knownRoom(p)) : remembered
}
