/** Between a handset and its calls. */
import type { RtpPhoneMedia } from '../../../media/api.ts'
import type { Dialog, Header } from '../../../protocol/sip/index.ts'
import type { Incoming, SipEndpoint, SipFlow } from '../../../telephony/index.ts'
import type { CallRef, HandsetEvent } from '../port.ts'
import type { CallMedia } from './call-media.ts'
import type { ResolvedSettings } from './options.ts'

/** What a call needs of its handset. */
export interface CallHost {
  readonly settings: ResolvedSettings
  readonly endpoint: SipEndpoint
  contact(flow: SipFlow): Header
  emit(e: HandsetEvent): void
  /** The call is over; `ended` has not been emitted yet. */
  forget(call: { readonly ref: CallRef; readonly key: string }): void
}

export interface CallStart {
  readonly ref: CallRef
  readonly invite: Incoming
  readonly dialog: Dialog
  readonly media: CallMedia
  /** Undefined: the INVITE had no offer, ours goes into the 200. */
  readonly offered: RtpPhoneMedia | undefined
  readonly target: string
  readonly contact: string
}
