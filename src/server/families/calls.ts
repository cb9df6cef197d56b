/** call-*: two clients agree on the keys of a call that runs somewhere else. */
import type { FaultCode } from '../../base/faults/index.ts'
import { makeFault } from '../../base/result.ts'
import type { CallClientWire } from '../../protocol/wire/call-messages.ts'
import type { ServerCore } from '../core.ts'
import type { Session } from '../session.ts'

const refuse = (session: Session, code: FaultCode | undefined): void => {
  if (code !== undefined) session.fault(makeFault(code))
}

export const callMeet = (server: ServerCore, session: Session, { token }: CallClientWire['call-meet']): void => refuse(session, server.meetings.meet(session.id, token, server.options.scheduler.now()))
export const callMessage = (server: ServerCore, session: Session, { token, message }: CallClientWire['call-message']): void => refuse(session, server.meetings.message(session.id, token, message, server.options.scheduler.now()))
export const callPart = (server: ServerCore, session: Session, { token }: CallClientWire['call-part']): void => server.meetings.part(session.id, token)
