/** The telephone system behind a server: Asterisk by its manager interface (AMI) and its questions (FastAGI). */
import { err, ok, type Result } from '../../base/result.ts'
import { showAddress } from '../../net/address.ts'
import { connectTcp } from '../../net/tcp.ts'
import type { ServerCore } from '../core.ts'
import { openAgiDoor } from './agi-door.ts'
import { AmiLink } from './ami-link.ts'
import type { PbxConfig } from './config.ts'
import { Coupling } from './coupling.ts'
import type { ClientLegs } from './legs.ts'
import { readSecret } from './secret-file.ts'

export { pbxConfig, type PbxConfig } from './config.ts'
export type { ClientLeg, ClientLegs, LegQuestion } from './legs.ts'

export interface Pbx {
  /** What `stc doctor` and the log show. */
  status(): { readonly current: boolean; readonly conferences: { readonly conference: string; readonly members: number }[] }
  stop(): void
}

/** An Asterisk that is not there yet is waited for; a port of ours that cannot be opened is an error. */
export async function startPbx(config: PbxConfig, core: ServerCore, legs: () => ClientLegs): Promise<Result<Pbx>> {
  const { crypto, scheduler, log } = core.options
  const secret = readSecret(config.ami.secretFile)
  if (!secret.ok) return secret
  const link: AmiLink = new AmiLink({
    user: config.ami.user, secret: secret.value, crypto, scheduler, connect: (events) => connectTcp(config.ami, events),
    onUp: () => coupling.onUp(), onDown: (fault) => coupling.onDown(fault), onEvent: (e) => coupling.onEvent(e),
  })
  const coupling = new Coupling({
    config, crypto, scheduler, log, refusals: core.refusals, session: (id) => core.sessions.get(id), guest: (id) => core.guest(id), legs,
    relay: () => core.sip,
    action: (action, ...fields) => link.action(action, ...fields),
  })
  const door = await openAgiDoor({
    bind: config.agi, scheduler, handle: (call) => coupling.admit(call),
    onFault: (fault, remote) => core.refusals.warn(fault.code, { remote: remote.address }, fault.message),
  })
  if (!door.ok) return err('PBX_LISTEN', showAddress(config.agi), door.fault)
  core.pbx = coupling
  link.start()
  const status: Pbx['status'] = () => ({ current: coupling.picture.current, conferences: [...coupling.picture.conferences.values()].map((c) => ({ conference: c.name, members: c.members.size })) })
  const stop = (): void => {
    core.pbx = undefined
    coupling.stop()
    link.stop()
    door.value.close()
    secret.value[Symbol.dispose]()
  }
  return ok({ status, stop })
}
