/** Sealed calls: one agreement each, its keys used where the frames are. */
import type { Instant } from '../../../base/brand.ts'
import { utf8 } from '../../../base/bytes.ts'
import { err, ok, type Result } from '../../../base/result.ts'
import type { CallSession } from '../call-session.ts'
import type { Handlers, VaultState } from '../state.ts'

export const callHandlers: Handlers<'call.begin' | 'call.step' | 'call.state' | 'call.end'> = {
  async 'call.begin'(vault, { codec, carriers, anonymous, password, profile }) {
    const { crypto, identity } = vault
    const pay = (now: Instant) => vault.rates.agreement(now)
    const paid = anonymous || profile === 'chained' ? ok(undefined) : pay(vault.clock.now())
    if (!paid.ok) return paid
    const session = vault.newCall({
      crypto, codec, carriers, chained: profile === 'chained',
      ...(password === undefined ? {} : { password: utf8(password.normalize('NFC')) }),
      ...(anonymous ? {} : { identity: { chain: identity.chain, signer: identity.signer }, pay }),
      judge: (chain) => {
        const judged = identity.known.verifyOther(chain, vault.clock.unix())
        // Nobody whom we know vouches for it: it names nobody, and the words have to be compared.
        return !judged.ok && judged.fault.code === 'IDENTITY_UNKNOWN_ISSUER' ? ok(undefined) : judged
      },
    })
    return session.ok ? ok({ session: session.value.id }) : session
  },
  async 'call.step'(vault, { session, input, carrier = 'in-band', message, sealed }) {
    const call = found(vault, session)
    if (!call.ok) return call
    const now = vault.clock.now()
    if (input === 'start') return ok(call.value.start(carrier, now))
    if (input === 'rekey') return ok(call.value.rekey(now))
    if (input === 'tick') return ok(call.value.tick(now))
    return message === undefined ? err('VAULT_CALL', 'a message without one') : ok(call.value.message(message, sealed === true, carrier, now))
  },
  async 'call.state'(vault, { session, hold, mute }) {
    const call = found(vault, session)
    if (call.ok) call.value.say(hold, mute)
    return call.ok ? ok({}) : call
  },
  async 'call.end'(vault, { session }) {
    vault.endCall(session)
    return ok({})
  },
}

function found(vault: VaultState, id: number): Result<CallSession> {
  const call = vault.calls.get(id)
  return call === undefined ? err('VAULT_SESSION_UNKNOWN', `${id}`) : ok(call)
}
