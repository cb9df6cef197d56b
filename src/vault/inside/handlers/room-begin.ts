/** Into a room: by creating it, or by a request and its welcome. */
import { unixTime } from '../../../base/brand.ts'
import { err, ok } from '../../../base/result.ts'
import { createRoom, joinRoom } from '../../../protocol/mls/begin.ts'
import { encodeKeyPackageMessage } from '../../../protocol/mls/codec.ts'
import { MlsGroup } from '../../../protocol/mls/group.ts'
import { makeKeyPackage } from '../../../protocol/mls/key-package.ts'
import { CLOCK_SKEW_S, REQUEST_LIFE_S } from '../../../protocol/mls/limits.ts'
import { guarded } from '../../../protocol/mls/snapshot.ts'
import { createSuite } from '../../../protocol/mls/suite.ts'
import { policiesFor } from '../room-policy.ts'
import { viewOf } from '../room-session.ts'
import type { Handlers } from '../state.ts'

const NONCE_OCTETS = 16

export const roomBeginHandlers: Handlers<'room.create' | 'room.request' | 'room.welcome'> = {
  async 'room.create'(vault, { policy, generation }) {
    const policies = policiesFor(vault, policy, generation)
    if (!policies.ok) return policies
    const key = vault.identity.leafKey(policies.value.base.policy.suite, vault.clock.unix())
    if (!key.ok) return key
    const created = await createRoom(vault.world, policies.value, generation, key.value)
    if (!created.ok) return created
    const session = vault.newSession()
    if (!session.ok) return session
    const group = new MlsGroup(vault.world, created.value)
    await session.value.enter(group, vault.identity.known)
    return ok({ view: viewOf(session.value.id, group, vault.clock.unix(), vault.identity.known) })
  },

  async 'room.request'(vault, { room, suite }) {
    const now = vault.clock.unix()
    const key = vault.identity.leafKey(suite, now)
    if (!key.ok) return key
    const { realm } = vault.identity.trust
    const expiry = unixTime(now + REQUEST_LIFE_S)
    const request = { room, realm, nonce: vault.crypto.bytes(NONCE_OCTETS), expiry }
    const own = await guarded(async () => ok(await makeKeyPackage(createSuite(vault.crypto, suite), key.value, request, now)))
    if (!own.ok) return own
    const session = vault.newSession({ room, realm, suite, own: own.value, expiry })
    if (!session.ok) return session
    return ok({ session: session.value.id, keyPackage: encodeKeyPackageMessage(own.value.publicPackage) })
  },

  async 'room.welcome'(vault, { session: id, welcome }) {
    const session = vault.session(id)
    if (!session.ok) return session
    const { waiting } = session.value
    if (waiting === undefined) return err('MLS_WELCOME', 'this request was answered before')
    if (waiting.expiry + CLOCK_SKEW_S < vault.clock.unix()) return err('MLS_KEY_PACKAGE_EXPIRED', 'the welcome comes too late')
    const joined = await joinRoom(vault.world, waiting, welcome)
    if (!joined.ok) return joined
    if (session.value.waiting !== waiting) return err('MLS_WELCOME', 'this request was answered before')
    const group = new MlsGroup(vault.world, joined.value)
    await session.value.enter(group, vault.identity.known)
    return ok({ view: viewOf(session.value.id, group, vault.clock.unix(), vault.identity.known) })
  },
}
