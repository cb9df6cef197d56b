/**
 * Where the two ends of a sealed call meet, so that their agreement on keys goes over the server (docs/protocol/sealed-calls.md §1). Only towards a side
 * that named the capability `calls`. Part of the list in `messages.ts`.
 */
import { z } from './zod.ts'

export const CALLS_CAPABILITY = 'calls'
/** What both ends know and nobody else: octets. */
export const MEETING_TOKEN = 16
/** A message of the agreement, certificates among it. */
export const CALL_MESSAGE_LIMIT = 16 * 1024

/** Client → server. */
export interface CallClientWire {
  /** I am one of two who know this. */
  'call-meet': { token: Uint8Array }
  /** For the other. */
  'call-message': { token: Uint8Array; message: Uint8Array }
  /** I am done. */
  'call-part': { token: Uint8Array }
}

/** Server → client. */
export interface CallServerWire {
  /** The other is there. */
  'call-met': { token: Uint8Array }
  'call-message': { token: Uint8Array; message: Uint8Array }
}

const token = z.instanceof(Uint8Array).refine((b) => b.length === MEETING_TOKEN, `must have ${MEETING_TOKEN} octets`)
const message = z.instanceof(Uint8Array).refine((b) => b.length >= 1 && b.length <= CALL_MESSAGE_LIMIT, `must have 1 to ${CALL_MESSAGE_LIMIT} octets`)

export const callClientSchemas: { [K in keyof CallClientWire]: z.ZodType<CallClientWire[K]> } = {
  'call-meet': z.object({ token }), 'call-message': z.object({ token, message }), 'call-part': z.object({ token }),
}
export const callServerSchemas: { [K in keyof CallServerWire]: z.ZodType<CallServerWire[K]> } = {
  'call-met': z.object({ token }), 'call-message': z.object({ token, message }),
}
