import { ok } from '../../../base/result.ts'
import type { Handlers } from '../state.ts'

export const identityHandlers: Handlers<'identity.show'> = {
  'identity.show': async (vault) => {
    const identity = vault.identity.show(vault.clock.unix())
    return identity.ok ? ok({ identity: identity.value, chain: vault.identity.chain }) : identity
  },
}
