/** hello → welcome, ping → pong. */
import { CALLS_CAPABILITY } from '../../protocol/wire/call-messages.ts'
import type { ClientWire } from '../../protocol/wire/messages.ts'
import { WIRE_VERSION } from '../../protocol/wire/messages.ts'
import { RING_CAPABILITY } from '../../protocol/wire/ring-messages.ts'
import type { ServerCore } from '../core.ts'
import type { Session } from '../session.ts'

const OLDEST_VERSION = 1
export const CAPABILITIES = ['media-tls', 'revocation', 'attestation', CALLS_CAPABILITY, RING_CAPABILITY]
/** SIP to and from a PBX: of servers that have one, and of clients that want it. */
export const SIP_CAPABILITY = 'sip'

export function hello(server: ServerCore, session: Session, m: ClientWire['hello']): void {
  if (session.greeted) return session.link.fail('CHANNEL_ORDER', 'a second hello')
  const version = Math.min(m.maxVersion, WIRE_VERSION)
  if (version < Math.max(m.minVersion, OLDEST_VERSION)) return session.link.fail('CHANNEL_VERSION', `theirs ${m.minVersion} to ${m.maxVersion}, ours ${OLDEST_VERSION} to ${WIRE_VERSION}`)
  session.greeted = true
  session.capabilities = new Set(m.capabilities)
  const { realm, agent, advertise, plane, scheduler } = server.options
  const udp = advertise.length > 0 ? advertise : [{ address: session.peer.local.address, port: plane.local.port }]
  session.send({ k: 'welcome', version, capabilities: server.sip === undefined ? CAPABILITIES : [...CAPABILITIES, SIP_CAPABILITY], agent, realm, session: session.id, unixTime: scheduler.unix(), udp: [...udp] })
  if (session.wantsRevocation) for (const u of server.revocation.updates()) session.send(u)
  if (session.wantsAttestation) for (const u of server.attestation.updates()) session.send(u)
  if (session.capabilities.has(SIP_CAPABILITY)) server.sip?.open(session)
  for (const n of server.shelf.notices) session.send({ k: 'notice', notice: n.bytes })
}

export function ping(_: ServerCore, session: Session, m: ClientWire['ping']): void {
  session.send({ k: 'pong', n: m.n })
}
