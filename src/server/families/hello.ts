/** hello → welcome, ping → pong. */
import type { ClientWire } from '../../protocol/wire/messages.ts'
import { WIRE_VERSION } from '../../protocol/wire/messages.ts'
import type { ServerCore } from '../core.ts'
import type { Session } from '../session.ts'

const OLDEST_VERSION = 1
export const CAPABILITIES = ['media-tls']

export function hello(server: ServerCore, session: Session, m: ClientWire['hello']): void {
  if (session.greeted) return session.link.fail('CHANNEL_ORDER', 'a second hello')
  const version = Math.min(m.maxVersion, WIRE_VERSION)
  if (version < Math.max(m.minVersion, OLDEST_VERSION)) return session.link.fail('CHANNEL_VERSION', `theirs ${m.minVersion} to ${m.maxVersion}, ours ${OLDEST_VERSION} to ${WIRE_VERSION}`)
  session.greeted = true
  const { realm, agent, advertise, plane, scheduler } = server.options
  const udp = advertise.length > 0 ? advertise : [{ address: session.peer.local.address, port: plane.local.port }]
  session.send({ k: 'welcome', version, capabilities: CAPABILITIES, agent, realm, session: session.id, unixTime: scheduler.unix(), udp: [...udp] })
}

export function ping(_: ServerCore, session: Session, m: ClientWire['ping']): void {
  session.send({ k: 'pong', n: m.n })
}
