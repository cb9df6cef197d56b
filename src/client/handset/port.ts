/** What every phone is to the client: SIP phone, browser, robot, terminal and gateway are all one `Handset`. */
import type { Brand } from '../../base/brand.ts'
import type { HandsetMedia } from '../../media/api.ts'

/** One call between a handset and the client; unique while the client runs. */
export type CallRef = Brand<string, 'CallRef'>

export type HandsetEvent =
  /** Somebody dialled. `media` is what was negotiated; the client opens a leg for it, then answers. `answers`: takes the call that rings on its line. */
  | { readonly kind: 'dial'; readonly call: CallRef; readonly line: string; readonly target: string; readonly contact: string; readonly media: HandsetMedia; readonly answers?: string }
  /** Codec, address or direction changed (re-INVITE, UPDATE); `media.hold` says whether the user holds. */
  | { readonly kind: 'media'; readonly call: CallRef; readonly media: HandsetMedia }
  | { readonly kind: 'dtmf'; readonly call: CallRef; readonly digit: string }
  /** The call is over from the handset's side, whoever began; nothing more comes for this call. */
  | { readonly kind: 'ended'; readonly call: CallRef; readonly reason: string }
  | { readonly kind: 'registered'; readonly line: string; readonly contact: string }
  | { readonly kind: 'unregistered'; readonly line: string; readonly contact: string }

export type HandsetCommand =
  /** 180 Ringing. */
  | { readonly kind: 'ringing'; readonly call: CallRef }
  /** 200 OK with an answer that points at our RTP port. */
  | { readonly kind: 'answer'; readonly call: CallRef; readonly local: { readonly address: string; readonly port: number } }
  /** A final response other than 2xx, e.g. 403 with a reason phrase that people can read. */
  | { readonly kind: 'refuse'; readonly call: CallRef; readonly status: number; readonly reason: string }
  | { readonly kind: 'hangup'; readonly call: CallRef; readonly reason: string }

export interface Handset extends Disposable {
  readonly line: string
  command(c: HandsetCommand): void
  subscribe(listener: (e: HandsetEvent) => void): Disposable
}
