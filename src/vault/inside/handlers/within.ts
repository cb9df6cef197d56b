/** For calls that need a group. */
import type { Result } from '../../../base/result.ts'
import type { MlsGroup } from '../../../protocol/mls/group.ts'
import type { SessionId } from '../../api/calls.ts'
import type { RoomSession } from '../room-session.ts'
import type { VaultState } from '../state.ts'

export async function within<T>(vault: VaultState, id: SessionId, step: (session: RoomSession, group: MlsGroup) => Promise<Result<T>>): Promise<Result<T>> {
  const session = vault.session(id)
  if (!session.ok) return session
  const group = session.value.group()
  return group.ok ? step(session.value, group.value) : group
}
