/** The SIP relay of a server with its real transport. */
import { readFileSync } from 'node:fs'
import { utf8 } from '../../base/bytes.ts'
import { err, ok, type Result } from '../../base/result.ts'
import { resolveAddresses } from '../../net/resolve.ts'
import { routeTo } from '../../net/route.ts'
import { localHostFor, openPbxTransport } from '../../telephony/index.ts'
import type { ServerCore } from '../core.ts'
import { emergencyOf, type SipConfig } from './config.ts'
import { serverMedia, tieToHop } from './media.ts'
import { SipRelay } from './relay.ts'
import { StreamNames } from './stream-names.ts'

export { emergencyOf, type SipConfig, sipConfig } from './config.ts'
export type { SipRelay } from './relay.ts'

/** A PBX that is not there yet is waited for; a port of ours that cannot be opened is an error. `serverKey`: PEM. */
export async function startSip(config: SipConfig, core: ServerCore, serverKey: string): Promise<Result<SipRelay>> {
  const { crypto, scheduler, plane } = core.options
  const port = config.port ?? (config.transport === 'tls' ? 5061 : 5060)
  let unresolved = ''
  const [remote] = await resolveAddresses([{ address: config.host, port }], (host, reason) => (unresolved = `${host}: ${reason}`))
  if (remote === undefined) return err('CONFIG_LISTEN', `sip.host ${unresolved}`)
  const transport = config.transport.toUpperCase() as 'UDP' | 'TCP' | 'TLS'
  // An address of its own, not a wildcard: media ports are bound to it as well.
  const any = remote.address.includes(':') ? '::' : '0.0.0.0'
  const own = config.listen.address ?? (await routeTo(remote)) ?? localHostFor({ transport, local: { address: any, port: 0 }, remote }).replace(/^\[|\]$/g, '')
  const anchors = readAll(config.anchors)
  if (!anchors.ok) return anchors
  const opened = await openPbxTransport({
    transport, remotes: [remote], bind: { address: own, port: config.listen.port }, fixed: transport === 'TLS', scheduler,
    // As a stranger it would be taken for one who guesses names: where nobody ever registered there is nobody who could be called either.
    alive: async (withinMs) => !relay.known || relay.answers(withinMs),
    report: (fault) => core.refusals.warn(fault.code, {}, fault.message),
    ...(transport === 'TLS' ? { tls: { anchors: anchors.value, name: config.name ?? config.host } } : {}),
  })
  if (!opened.ok) return opened
  const relay: SipRelay = new SipRelay({
    transport: opened.value, hostFor: localHostFor, port: config.listen.port, scheduler, crypto, emergency: emergencyOf(config), refusals: core.refusals,
    dead: () => core.pbx?.dead === true,
    tokenKey: crypto.hmac('sha256', utf8(serverKey), utf8('stc sip contact tokens v1')),
    media: (session) => serverMedia({
      plane, streams: new StreamNames(scheduler, core.ssrcs),
      tie: tieToHop(plane, () => session.leg, (fault) => core.refusals.warn(fault.code, { session: session.id.slice(0, 8) }, fault.message)),
    }),
  })
  core.sip = relay
  core.legs = relay
  return ok(relay)
}

function readAll(files: readonly string[]): Result<string[]> {
  const all: string[] = []
  for (const f of files) {
    try {
      all.push(readFileSync(f, 'utf8'))
    } catch (e) {
      return err('CONFIG_CREDENTIALS', `sip.anchors ${f} (${(e as NodeJS.ErrnoException).code ?? 'unreadable'})`)
    }
  }
  return ok(all)
}
