/** Signed policies and block notices: kept, and handed on unread. */
import type { ClientWire } from '../../protocol/wire/messages.ts'
import type { ServerCore } from '../core.ts'
import type { Session } from '../session.ts'
import { makeFault } from '../../base/result.ts'

export function roomPolicy(server: ServerCore, session: Session, m: ClientWire['room-policy']): void {
  if (!session.mayAskRooms(server.options.scheduler.now())) return session.fault(makeFault('ROOM_RATE', 'room-policy'), m.room)
  const kept = server.shelf.keepPolicy(m.room, { base: m.base, state: m.state })
  if (!kept.ok) session.fault(kept.fault, m.room)
}

export function notice(server: ServerCore, session: Session, m: ClientWire['notice']): void {
  if (!session.mayAskRooms(server.options.scheduler.now())) return session.fault(makeFault('ROOM_RATE', 'notice'))
  const kept = server.shelf.keepNotice(m.notice, session.keyId)
  if (!kept.ok) return session.fault(kept.fault)
  if (kept.value !== undefined) for (const other of server.sessions.values()) if (other.greeted) other.send({ k: 'notice', notice: m.notice })
}
