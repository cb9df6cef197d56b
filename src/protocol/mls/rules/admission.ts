/** Who may be in a room: its policy against a verified identity. Every vault asks for itself. */
import { type Result, err, ok } from '../../../base/result.ts'
import { matchesEntry } from '../../../model/admit.ts'
import { KEY_PROTECTIONS } from '../../../model/identity.ts'
import { type BasePolicy, type StatePolicy, isHost } from '../../../model/policy.ts'
import type { BlockList } from '../../policy/block-notice.ts'
import type { VerifiedMember } from '../member.ts'

/** `present`: is in the room already, and only exchanges its leaf. `MLS_LOBBY` is for those whom a host may still admit. */
export function admitted(base: BasePolicy, state: StatePolicy, member: VerifiedMember, blocks: BlockList, present = false): Result<undefined> {
  const { identity } = member
  const notice = blocks.blocks(identity.keyId, base, member.issuers)
  if (notice !== undefined) return err('MLS_BLOCKED', notice.reason === '' ? undefined : notice.reason)
  if (state.banned.includes(identity.keyId)) return err('MLS_NOT_ADMITTED', 'banned')
  if (member.kind === 'gateway' && !base.gatewaysAllowed) return err('MLS_NOT_ADMITTED', 'gateways to the telephone network are not allowed')
  const { keyProtection } = member
  if (KEY_PROTECTIONS.indexOf(keyProtection) < KEY_PROTECTIONS.indexOf(base.minimumKeyProtection)) return err('MLS_NOT_ADMITTED', `keys are kept ${keyProtection}, the room asks for ${base.minimumKeyProtection}`)
  if (present || isHost(base, identity.keyId)) return ok(undefined)
  if (state.admitted.some((e) => matchesEntry(e, identity))) return ok(undefined)
  if (base.admit !== 'anchors' && !base.admit.some((e) => matchesEntry(e, identity))) return err('MLS_NOT_ADMITTED', 'not on the list')
  if (state.locked) return err('MLS_LOBBY', 'the room is locked')
  return base.lobby ? err('MLS_LOBBY') : ok(undefined)
}
