/** sip-*: the upstream half of the SIP relay. */
import { makeFault } from '../../base/result.ts'
import type { ServerCore } from '../core.ts'
import type { Session } from '../session.ts'
import type { SipClientMessage } from '../sip/port.ts'

export function sipMessage(server: ServerCore, session: Session, m: SipClientMessage): void {
  if (server.sip !== undefined) return server.sip.message(session, m)
  const fault = makeFault('RELAY_NO_PBX')
  // A request must have an answer that ends it.
  if (m.k === 'sip-request') session.send({ k: 'sip-refused', id: m.id, status: 503, code: fault.code, reason: fault.message })
  else session.fault(fault)
}
