/** ring, ring-end: calling people. */
import type { ClientWire } from '../../protocol/wire/messages.ts'
import type { ServerCore } from '../core.ts'
import type { Session } from '../session.ts'

export const ring = (server: ServerCore, session: Session, m: ClientWire['ring']): void => server.rings.begin(session, m)
export const ringEnd = (server: ServerCore, session: Session, m: ClientWire['ring-end']): void => server.rings.end(session, m)
