/** Block notices: signed by us, or learnt from whoever. */
import { ok } from '../../../base/result.ts'
import { readNotice, signNotice } from '../../../protocol/policy/index.ts'
import type { Handlers } from '../state.ts'

export const noticeHandlers: Handlers<'notice.sign' | 'notice.learn' | 'notice.known'> = {
  async 'notice.sign'(vault, { kind, target, reason }) {
    const signed = signNotice(vault.crypto, { kind, target, reason, realm: vault.identity.trust.realm, issued: vault.clock.unix() }, vault.identity.signer)
    return signed.ok ? ok({ notice: signed.value }) : signed
  },

  async 'notice.learn'(vault, { notice: bytes }) {
    const read = readNotice(vault.crypto, bytes, vault.identity.trust.realm, vault.clock.unix())
    if (!read.ok) return read
    const notice = read.value
    const { news, heeded } = vault.learnNotice(notice)
    return ok({ notice, news, heeded, hits: vault.blockedPlaces(notice.target) })
  },

  async 'notice.known'(vault) {
    return ok({ notices: vault.world.blocks.all })
  },
}
