/** What the server's core sees of the telephone system behind it. */
import type { ClientWire } from '../../protocol/wire/messages.ts'
import type { Session } from '../session.ts'

export type { ClientLegs } from './legs.ts'

export interface PbxPort {
  /** Neither its manager interface nor its SIP answers. */
  readonly dead: boolean
  act(session: Session, m: ClientWire['pbx-act']): void
  /** The client's connection is gone. */
  gone(session: Session): void
}
