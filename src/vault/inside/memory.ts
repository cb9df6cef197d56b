/** What the vault is told at its start that it knew before. */
import { type Result, err, ok } from '../../base/result.ts'
import { decodeRooms, readNotice } from '../../protocol/policy/index.ts'
import type { VaultOptions } from '../api/options.ts'
import { readRoom } from './room-policy.ts'
import type { VaultState } from './state.ts'

/** Verified again: a changed file is a fault, never believed and never dropped in silence. */
export function loadMemory(state: VaultState, { memory }: Pick<VaultOptions, 'memory'>): Result<undefined> {
  if (memory === undefined) return ok(undefined)
  const content = decodeRooms(memory)
  if (!content.ok) return err('VAULT_MEMORY', undefined, content.fault)
  const { policies, notices } = content.value
  for (const signed of policies) {
    const read = readRoom(state, signed)
    const kept = read.ok ? state.world.policies.admit(read.value) : read
    if (!kept.ok) return err('VAULT_MEMORY', 'a room', kept.fault)
  }
  // It was believed when it came; a clock that was set back since does not make it a forgery.
  for (const bytes of notices) {
    const notice = readNotice(state.crypto, bytes, state.identity.trust.realm)
    if (!notice.ok) return err('VAULT_MEMORY', 'a block notice', notice.fault)
    state.learnNotice(notice.value)
  }
  return ok(undefined)
}
