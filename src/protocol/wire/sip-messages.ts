/**
 * SIP between the two halves of the relay (docs/protocol/sip-tunnel.md), the same in both directions. Only towards a side
 * that named the capability `sip`. Part of the list in `messages.ts`.
 */

interface SipWire {
  /** `id` is the sender's and rises on a connection. `message` is a whole SIP message; `streams` only from the server. */
  'sip-request': { id: number; message: Uint8Array; streams?: SipStreams }
  /** Answers the other side's request: provisional ones, then a final one; a 2xx to INVITE may come again. */
  'sip-response': { id: number; message: Uint8Array; streams?: SipStreams }
  /** Answers it without a SIP response of the far end. */
  'sip-refused': { id: number; status: number; code: string; reason: string }
  /** Takes back an own INVITE; `reason` is the value of its Reason header field. */
  'sip-cancel': { id: number; reason?: string }
  /** The ACK of a 2xx. */
  'sip-ack': { message: Uint8Array }
}

/** Client → server. */
export interface SipClientWire extends SipWire {
  /** Addresses of phones that the PBX knows from an earlier connection. */
  'sip-contacts': { contacts: string[] }
}

/** Server → client. */
export interface SipServerWire extends SipWire {
  /** The PBX was started anew, or is not there: it knows none of this connection's calls any more. Requests go on. */
  'sip-gone': { reason: string }
}

/** SSRCs of one call on the hop: from the phone, to the phone. Of this call alone. */
export interface SipStreams {
  up: number
  down: number
}
