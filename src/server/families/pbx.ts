/** pbx-act: what a host does in a conference of the PBX. */
import { makeFault } from '../../base/result.ts'
import type { ClientWire } from '../../protocol/wire/messages.ts'
import type { ServerCore } from '../core.ts'
import type { Session } from '../session.ts'

export function pbxAct(server: ServerCore, session: Session, m: ClientWire['pbx-act']): void {
  if (server.pbx === undefined) return session.fault(makeFault('PBX_NONE'))
  if (!session.mayAskRooms(server.options.scheduler.now())) return session.fault(makeFault('ROOM_RATE', m.act))
  server.pbx.act(session, m)
}
