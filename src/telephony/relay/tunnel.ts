/**
 * What the two halves of the relay say to each other. The way between them is reliable and in order: the channel between
 * client and server, or a pair in one process. Octets are whole SIP messages without the hop-by-hop parts: one
 * placeholder Via, no Route of ours, descriptions without addresses.
 */
import type { Result } from '../../base/result.ts'

/** The streams of one call on the hop between client and server, both named by the server. */
export interface HopStreams {
  /** What the phone says. */
  readonly up: number
  /** What it hears. */
  readonly down: number
}

export type TunnelMessage =
  /** `id` is the sender's, and rises. */
  | { readonly k: 'sip-request'; readonly id: number; readonly message: Uint8Array; readonly streams?: HopStreams }
  /** Answers the other half's request: any number of provisional ones, then final. A 2xx to INVITE may come again. */
  | { readonly k: 'sip-response'; readonly id: number; readonly message: Uint8Array; readonly streams?: HopStreams }
  /** No SIP response will come: the relay's own answer. */
  | { readonly k: 'sip-refused'; readonly id: number; readonly status: number; readonly code: string; readonly reason: string }
  /** Of the sender's own INVITE. `reason` is the value of the Reason header field, when it has one (RFC 3326). */
  | { readonly k: 'sip-cancel'; readonly id: number; readonly reason?: string }
  /** The ACK of a 2xx. */
  | { readonly k: 'sip-ack'; readonly message: Uint8Array }

export type TunnelSend = (m: TunnelMessage) => Result<void>

/** Requests that a half remembers at once, each way. */
export const tunnelLimits = { asked: 500, dialogs: 128 } as const
