import type { Der } from '../../../base/brand.ts'
import { ok } from '../../../base/result.ts'
import { FAMILIES_LIMIT } from '../../../model/enclaves.ts'
import type { Handlers } from '../state.ts'

const PROOFS_LIMIT = 64

export const identityHandlers: Handlers<'identity.show' | 'identity.verify' | 'revocation.update' | 'attestation.update'> = {
  async 'revocation.update'(vault, { proofs }) {
    const learnt = vault.identity.known.learn(proofs.slice(0, PROOFS_LIMIT).map(({ kind, der }) => ({ kind, der: der.slice() })), vault.clock.unix())
    // By itself: whoever is revoked is not heard from now on, whether anybody looks at the rooms or not.
    if (learnt.changed) vault.checkSessions()
    return ok(learnt)
  },
  async 'attestation.update'(vault, { collateral }) {
    const learnt = vault.identity.known.endorse(collateral.slice(0, FAMILIES_LIMIT), vault.clock.unix())
    if (learnt.changed) vault.checkSessions()
    return ok(learnt)
  },
  async 'identity.verify'(vault, { chain }) {
    const identity = vault.identity.known.verifyOther(chain.map((der) => der.slice() as Der), vault.clock.unix())
    return identity.ok ? ok({ identity: identity.value }) : identity
  },
  'identity.show': async (vault) => {
    const identity = vault.identity.show(vault.clock.unix())
    return identity.ok ? ok({ identity: identity.value, chain: vault.identity.chain }) : identity
  },
}
