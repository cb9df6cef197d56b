/** hop-offer → hop-answer: keys for the media between this client and us. */
import { err, makeFault } from '../../base/result.ts'
import { answerHopOffer, HOP_EXPORTER_LABEL, HOP_EXPORTER_LENGTH, HOP_SUITES } from '../../protocol/hop/agreement.ts'
import type { ClientWire } from '../../protocol/wire/messages.ts'
import { ssrc } from '../../base/brand.ts'
import type { ServerCore } from '../core.ts'
import type { Session } from '../session.ts'

export function hopOffer(server: ServerCore, session: Session, m: ClientWire['hop-offer']): void {
  const { crypto, plane, scheduler } = server.options
  if (!session.mayOfferHop(scheduler.now())) return session.fault(makeFault('CHANNEL_FLOOD', 'hop offers'))
  const exporter = (context: Uint8Array): Uint8Array => session.peer.exporter(HOP_EXPORTER_LABEL, context, HOP_EXPORTER_LENGTH)
  const answered = answerHopOffer(crypto, m.message, exporter, { after: session.hopGeneration, suites: HOP_SUITES })
  if (!answered.ok) return session.fault(answered.fault)
  const { generation, receive, send, message } = answered.value
  if (generation !== m.generation) return session.fault(err('HOP_GENERATION', `${m.generation} outside, ${generation} inside`).fault)
  session.hopGeneration = generation
  const keys = { generation, receive, send }
  if (session.leg !== undefined) plane.rekey(session.leg, keys)
  else {
    session.probe = server.ssrcs.next()
    session.leg = plane.open({ ...keys, probe: ssrc(session.probe) })
    server.routes.refresh(session.id)
  }
  session.send({ k: 'hop-answer', generation, message, probe: session.probe })
}
