/** Everything that names a room goes to that room's machine. */
import { makeFault } from '../../base/result.ts'
import type { RoomRequest } from '../../protocol/room/index.ts'
import type { ServerCore } from '../core.ts'
import type { Session } from '../session.ts'

/** What a member says in the room is limited there, by what it is. */
const INSIDE = new Set<RoomRequest['k']>(['room-commit', 'room-applied', 'room-rejected', 'room-message'])

export function roomRequest(server: ServerCore, session: Session, m: RoomRequest): void {
  if (!INSIDE.has(m.k) && !session.mayAskRooms(server.options.scheduler.now())) {
    const fault = makeFault('ROOM_RATE', m.k)
    // A request must have an answer that ends it.
    if (m.k === 'room-create' || m.k === 'room-join') return session.send({ k: 'room-refused', room: m.room, code: fault.code, message: fault.message })
    return session.fault(fault, m.room)
  }
  server.rooms.message(session, m)
}
