/** What the page's phone shares between its account and its calls. */
import type { Random, Scheduler } from '../../../base/ports.ts'
import type { Fault } from '../../../base/result.ts'
import type { RtpPhoneMedia } from '../../../media/api.ts'
import type { Header, SipRequest, SipResponse } from '../../../protocol/sip/index.ts'
import type { Outgoing } from '../../../telephony/index.ts'

/**
 * calling: nothing heard yet · ringing: it rings there · early: sound before the answer · incoming: it rings here ·
 * up: answered · over
 */
export type LineState = 'calling' | 'ringing' | 'early' | 'incoming' | 'up' | 'over'

/** What happens in one call. */
export interface LineEvents {
  /** `fault`: why, where it never stood or broke. */
  state(state: LineState, fault?: Fault): void
  /** What was negotiated, now or anew. */
  media(media: RtpPhoneMedia): void
  /** We hold the call, or not any more. */
  held(held: boolean): void
  /** A transfer that did not come about. */
  failed(fault: Fault): void
}

export interface LineHost {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly contact: Header
  /** Sends what `make` gives, with a CSeq of its own, and once more with the account's password where that is asked for. */
  ask(make: () => SipRequest, done: { response(r: SipResponse, sent: SipRequest): void; failed(): void }): Outgoing
  ack(request: SipRequest): void
}
