/** The second way for a session's media: another TLS connection by the same certificate. */
import type { MessageTransport } from '../base/message-transport.ts'
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import { packetLane } from '../protocol/wire/packet-lane.ts'
import type { ServerCore } from './core.ts'
import type { Session } from './session.ts'

export function mayAttach(server: ServerCore, keyId: string, id: string): Result<Session> {
  const session = server.sessions.get(id)
  return session !== undefined && session.keyId === keyId && session.leg !== undefined ? ok(session) : err('CHANNEL_UNKNOWN_SESSION')
}

/** A newer one replaces the one before. */
export function attach(server: ServerCore, session: Session, transport: MessageTransport): void {
  const { plane, scheduler } = server.options
  if (session.leg === undefined || !session.link.open) return transport.close()
  const lane = packetLane(transport, scheduler)
  session.mediaPath?.close()
  session.mediaPath = lane
  plane.attach(session.leg, { send: (p) => lane.send(p), onPacket: (listener) => lane.onPacket(listener), close: () => lane.close() })
  lane.onClose(() => {
    if (session.mediaPath !== lane) return
    session.mediaPath = undefined
    if (session.leg !== undefined) plane.attach(session.leg, undefined)
  })
}
