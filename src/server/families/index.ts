/** One handler for every kind of message, one file per family. */
import type { ClientMessage, ClientWire } from '../../protocol/wire/messages.ts'
import type { ServerCore } from '../core.ts'
import type { Session } from '../session.ts'
import { callMeet, callMessage, callPart } from './calls.ts'
import { hello, ping } from './hello.ts'
import { hopOffer } from './hop.ts'
import { pbxAct } from './pbx.ts'
import { notice, roomPolicy } from './policies.ts'
import { ring, ringEnd } from './rings.ts'
import { roomRequest } from './rooms.ts'
import { sipMessage } from './sip.ts'

type Handlers = { readonly [K in keyof ClientWire]: (server: ServerCore, session: Session, m: { k: K } & ClientWire[K]) => void }

const HANDLERS: Handlers = {
  hello, ping, 'hop-offer': hopOffer,
  'room-open': roomRequest, 'room-create': roomRequest, 'room-join': roomRequest, 'room-cancel': roomRequest, 'room-leave': roomRequest,
  'room-commit': roomRequest, 'room-applied': roomRequest, 'room-rejected': roomRequest, 'room-message': roomRequest,
  'pbx-act': pbxAct,
  'sip-request': sipMessage, 'sip-response': sipMessage, 'sip-refused': sipMessage, 'sip-cancel': sipMessage, 'sip-ack': sipMessage, 'sip-contacts': sipMessage,
  'room-policy': roomPolicy, notice, ring, 'ring-end': ringEnd,
  'call-meet': callMeet, 'call-message': callMessage, 'call-part': callPart,
}

export function handle(server: ServerCore, session: Session, m: ClientMessage): void {
  if (!session.greeted && m.k !== 'hello') return session.link.fail('CHANNEL_ORDER', `${m.k} before hello`)
  // The table gives each kind its own handler, which the compiler cannot see through an index.
  const run = HANDLERS[m.k] as (server: ServerCore, session: Session, m: ClientMessage) => void
  run(server, session, m)
}
