/** Who may be in a room: its policy against a verified identity. Every vault asks for itself. */
import { type Result, err, ok } from '../../../base/result.ts'
import { matchesEntry } from '../../../model/admit.ts'
import type { BasePolicy, StatePolicy } from '../../../model/policy.ts'
import type { VerifiedMember } from '../member.ts'
import { isHost } from '../policy-extension.ts'

/** `present`: is in the room already, and only exchanges its leaf. */
export function admitted(base: BasePolicy, state: StatePolicy, member: VerifiedMember, present = false): Result<undefined> {
  const { identity } = member
  if (state.banned.includes(identity.keyId)) return err('MLS_NOT_ADMITTED', 'banned')
  if (member.kind === 'gateway' && !base.gatewaysAllowed) return err('MLS_NOT_ADMITTED', 'gateways to the telephone network are not allowed')
  if (present || isHost(base, identity.keyId)) return ok(undefined)
  if (state.admitted.some((e) => matchesEntry(e, identity))) return ok(undefined)
  if (state.locked) return err('MLS_NOT_ADMITTED', 'the room is locked')
  if (base.admit === 'anchors' || base.admit.some((e) => matchesEntry(e, identity))) return ok(undefined)
  return err('MLS_NOT_ADMITTED', 'not on the list')
}
