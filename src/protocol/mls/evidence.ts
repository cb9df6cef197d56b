/** What we sign about membership: our own wish to leave, or, as a host, that somebody has to. */
import { type Result, err, ok } from '../../base/result.ts'
import type { Signer } from '../../crypto/port.ts'
import { isHost } from '../../model/policy.ts'
import { banNext } from '../policy/drafting.ts'
import { signHostAct, signLeave } from './removal.ts'
import { targetOf } from './rules/removals.ts'
import type { GroupWorld, Snapshot } from './snapshot.ts'

export function leaveEvidence(world: GroupWorld, s: Snapshot): Result<Uint8Array> {
  const own = targetOf(s.state, s.state.privatePath.leafIndex)
  return own === undefined ? err('MLS_REMOVED') : ok(signLeave(world.crypto, own, s.state.signaturePrivateKey))
}

/** With `ban`, the state of the room that keeps the key out is signed along, by the host's end-entity key. */
export function hostEvidence(world: GroupWorld, s: Snapshot, leaf: number, ban: boolean, host: Signer): Result<Uint8Array> {
  const { state, policies, members } = s
  const own = state.privatePath.leafIndex
  const target = targetOf(state, leaf)
  const self = members.get(own)
  const removed = members.get(leaf)
  if (target === undefined || removed === undefined || self === undefined) return err('MLS_REMOVAL', `nobody is at leaf ${leaf}`)
  if (!isHost(policies.base.policy, self.identity.keyId)) return err('MLS_NOT_HOST')
  if (!ban) return ok(signHostAct(world.crypto, target, own, undefined, state.signaturePrivateKey))
  const next = banNext(world.crypto, policies, removed.identity.keyId, host)
  return next.ok ? ok(signHostAct(world.crypto, target, own, next.value.state.bytes, state.signaturePrivateKey)) : next
}
