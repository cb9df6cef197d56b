/** What the server's core sees of the SIP relay. */
import type { Instant } from '../../base/brand.ts'
import type { ClientMessage } from '../../protocol/wire/messages.ts'
import type { Session } from '../session.ts'

export type { Guest, PhonesPort } from '../phones/port.ts'

export type SipClientMessage = Extract<ClientMessage, { k: `sip-${string}` }>

export interface SipPort {
  /** A client that takes SIP has greeted. */
  open(session: Session): void
  message(session: Session, m: SipClientMessage): void
  /** Its connection is gone: its calls end at the PBX. */
  gone(session: Session): void
  /** Calls that stand, or are being made. */
  readonly busy: boolean
  /** There is an extension in whose name the PBX can be asked. */
  readonly known: boolean
  /** When the oldest call that stands began. */
  readonly since: Instant | undefined
  /** Whether the PBX answers SIP. */
  answers(withinMs: number): Promise<boolean>
  /** The PBX knows none of the calls any more. */
  pbxGone(reason: string): void
  close(): void
}
