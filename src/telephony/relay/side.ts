/** What is different between the phones' side and the PBX's: everything else is one relay. */
import type { Fault } from '../../base/result.ts'
import type { SipRequest, SipResponse } from '../../protocol/sip/index.ts'
import type { SipFlow } from '../transport.ts'
import type { Rewriter } from './rewrite.ts'
import type { KeyRules } from './keying.ts'
import type { ReadAudio } from './sdp.ts'

export type { KeyRules, ReadAudio }

export interface Refusal {
  readonly status: number
  readonly fault: Fault
}

export interface LocalSide {
  /** What our side hears when the other half is gone: a phone tries its second server (503), a PBX its voicemail (480). */
  readonly goneStatus: 480 | 503
  /** An INVITE that gets no answer at all for so long, not even 100, is refused; undefined: 64·T1 as anywhere. */
  readonly silentMs: number | undefined
  /** How often a call's end at our side is asked whether it is there; undefined: somebody else watches it. */
  readonly livenessMs?: number | undefined
  rewriter(flow: SipFlow): Rewriter
  /** The way to whom a request of the other half is for, by its Request-URI. `within`: where the call is that it belongs to. */
  route(request: SipRequest, within?: SipFlow): SipFlow | Refusal
  /** May this request of our side cross? `inside`: it belongs to a call or subscription that is known here; a To tag alone says nothing. */
  admit(request: SipRequest, flow: SipFlow, inside: boolean): Refusal | undefined
  /** May this request of the other half reach our side? */
  admitFar(request: SipRequest, inside: boolean): Refusal | undefined
  /** What has become of a request that was asked about, the same object: the final answer of our side; undefined: it was refused here or nobody has said anything. Again and again, the first counts. */
  settled?(request: SipRequest, response: SipResponse | undefined): void
  /** What of a request that may: a password that would only be a guess is taken off. */
  stripped?(request: SipRequest, inside: boolean): SipRequest
  /** SRTP by SDES with somebody on this flow; undefined: RTP in clear. `help`: a call for help. */
  keys?(flow: SipFlow, help: boolean): KeyRules | undefined
  /** Where media goes as somebody on this flow asks; undefined: not there. */
  placed(described: ReadAudio, flow: SipFlow): ReadAudio | undefined
  /** Our address in descriptions for this flow. */
  mediaAddress(flow: SipFlow): string
  /** What the media ports for this flow are bound to, where that is another address. */
  mediaBind?(flow: SipFlow): string
  /** The connection in place of one that its phone has given up. */
  current?(flow: SipFlow): SipFlow
  /** A call of our side for help. */
  isEmergency?(request: SipRequest): boolean
  /** A message of our side passes: its sender can be reached this way under its Contact. */
  heard(message: SipRequest | SipResponse, flow: SipFlow): void
  /** Our side answered a request of the other half, finally. */
  answered(request: SipRequest, response: SipResponse): void
  /** The other half answered a request of our side, finally. */
  answeredFar(request: SipRequest, response: SipResponse, flow: SipFlow): void
}

export const isRefusal = (r: SipFlow | Refusal): r is Refusal => 'fault' in r
