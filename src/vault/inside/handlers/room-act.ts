/** Words and acts in a room: what members say to each other, what hosts and owners decide. */
import { err, ok } from '../../../base/result.ts'
import { decodeKeyPackageMessage } from '../../../protocol/mls/codec.ts'
import { checkKeyPackage } from '../../../protocol/mls/key-package.ts'
import { memberOfLeaf } from '../../../protocol/mls/member.ts'
import { guarded } from '../../../protocol/mls/snapshot.ts'
import { amend, decideNext } from '../../../protocol/policy/index.ts'
import type { RoomWord } from '../../api/calls.ts'
import { signedRoom } from '../room-policy.ts'
import type { Handlers } from '../state.ts'
import { changeWith } from './policy.ts'
import { within } from './within.ts'

export const roomActHandlers: Handlers<'room.message' | 'room.act' | 'room.decide' | 'room.amend' | 'room.knock' | 'room.say'> = {
  'room.message': (vault, { session: id, message }) => within(vault, id, async (session, group) => {
    const said = await group.receive(message)
    if (!said.ok) return said
    const heard = said.value
    if (heard.kind !== 'stream') return ok<RoomWord>(heard)
    session.announced(heard.claim.leaf, heard.claim.ssrc)
    return ok<RoomWord>({ kind: 'announced', leaf: heard.claim.leaf, ssrc: heard.claim.ssrc })
  }),

  'room.act': (vault, { session: id, leaf, ban }) => within(vault, id, async (_, group) => {
    const evidence = group.act(leaf, ban, vault.identity.signer)
    return evidence.ok ? ok({ evidence: evidence.value }) : evidence
  }),

  'room.decide': (vault, { session: id, decision }) => within(vault, id, async (_, group) => {
    // Whoever is there is banned by the commit that removes (`room.act`).
    if (decision.act === 'ban' && [...group.snapshot.members.values()].some((m) => m.identity.keyId === decision.keyId)) return err('MLS_REMOVAL', 'a member is banned by its removal')
    const next = decideNext(vault.crypto, group.snapshot.policies, decision, vault.identity.signer)
    return next.ok ? ok({ signed: signedRoom(next.value) }) : next
  }),

  'room.amend': (vault, { session: id, change, handTo }) => within(vault, id, async (_, group) => {
    const now = group.snapshot.policies
    const next = amend(vault.crypto, now, changeWith(now, change, handTo), vault.identity.signer)
    return next.ok ? ok({ signed: signedRoom(next.value) }) : next
  }),

  'room.knock': (vault, { session: id, keyPackage }) => within(vault, id, (_, group) => guarded(async () => {
    const { suite, policies } = group.snapshot
    const decoded = decodeKeyPackageMessage(keyPackage)
    if (!decoded.ok) return decoded
    const now = vault.clock.unix()
    const request = await checkKeyPackage(suite, decoded.value, policies.base.policy, now)
    if (!request.ok) return request
    const member = memberOfLeaf(decoded.value.leafNode, suite.suite, vault.identity.verify, now)
    return member.ok ? ok({ identity: member.value.identity, kind: member.value.kind, keyProtection: member.value.keyProtection }) : member
  })),

  'room.say': (vault, { session: id, word }) => within(vault, id, async (_, group) => {
    const message = await group.say(word)
    return message.ok ? ok({ message: message.value }) : message
  }),
}
