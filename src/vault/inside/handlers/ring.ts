/** Calling people: who asks into which room is signed by their certificate's key, and verified here. */
import type { Der } from '../../../base/brand.ts'
import { err, ok } from '../../../base/result.ts'
import { isMail } from '../../../model/ring.ts'
import { readRing, signRing } from '../../../protocol/policy/index.ts'
import type { Handlers } from '../state.ts'

/** Beyond these the oldest are forgotten; what is older than five minutes is refused anyway. */
const RINGS_KEPT = 4096

export const ringHandlers: Handlers<'ring.sign' | 'ring.read'> = {
  async 'ring.sign'(vault, { room, to, id }) {
    const { identity, clock } = vault
    const signed = signRing({ id, room, to, realm: identity.trust.realm }, clock.unix(), identity.signer)
    return signed.ok ? ok({ ring: signed.value, chain: identity.chain }) : signed
  },

  async 'ring.read'(vault, { ring: bytes, chain }) {
    const { identity, clock, crypto } = vault
    const now = clock.unix()
    const ring = readRing(crypto, bytes, identity.trust.realm, now)
    if (!ring.ok) return ring
    const { id, room, to, by } = ring.value
    const caller = identity.known.verifyOther(chain.map((der) => der.slice() as Der), now)
    if (!caller.ok) return caller
    if (caller.value.keyId !== by) return err('RING_MALFORMED', 'signed by another key than that of the certificate shown')
    const own = identity.show(now)
    if (!own.ok) return own
    const ours = isMail(to) ? own.value.emails.some((m) => m.toLowerCase() === to) : own.value.keyId === to
    if (!ours) return err('RING_NOT_OURS')
    const seen = `${by} ${id}`
    if (vault.rings.has(seen)) return err('RING_REPEATED')
    vault.rings.add(seen)
    if (vault.rings.size > RINGS_KEPT) vault.rings.delete(vault.rings.values().next().value!)
    return ok({ id, room, identity: caller.value })
  },
}
