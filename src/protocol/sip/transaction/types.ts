/** What goes into and comes out of transactions (RFC 3261 §17, RFC 6026). They know of no user agent: a proxy uses them too. */
import type { Machine } from '../../../base/machine.ts'
import type { SipRequest, SipResponse } from '../message.ts'

export type ClientIn =
  | { readonly kind: 'start' }
  | { readonly kind: 'response'; readonly response: SipResponse }
  /** The transport could not send. */
  | { readonly kind: 'unreachable' }
  /** Waiting for a final response makes no sense any more (§9.1); after one this changes nothing. */
  | { readonly kind: 'abandon' }
  | { readonly kind: 'tick' }

export type ClientOut =
  | { readonly kind: 'send'; readonly request: SipRequest }
  | { readonly kind: 'response'; readonly response: SipResponse }
  /** To be treated as 408 or 503 (§8.1.3.1). */
  | { readonly kind: 'failed'; readonly why: 'timeout' | 'unreachable' }
  | { readonly kind: 'ended' }

export type ClientTransaction = Machine<ClientIn, ClientOut>

export type ServerIn =
  /** The first request when it arrives, its retransmissions, and the ACK of an INVITE. */
  | { readonly kind: 'request'; readonly request: SipRequest }
  | { readonly kind: 'respond'; readonly response: SipResponse }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'tick' }

export type ServerOut =
  | { readonly kind: 'send'; readonly response: SipResponse }
  /** A new request for the transaction user. */
  | { readonly kind: 'request'; readonly request: SipRequest }
  /** The final response could not be sent, or nobody acknowledged the refusal of an INVITE. */
  | { readonly kind: 'failed'; readonly why: 'timeout' | 'unreachable' }
  | { readonly kind: 'ended' }

export type ServerTransaction = Machine<ServerIn, ServerOut>
