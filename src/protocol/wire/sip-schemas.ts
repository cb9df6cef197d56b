/** What the messages of `sip-messages.ts` must look like. */
import { CODE_LIMIT, SIP_CONTACT_LIMIT, SIP_CONTACTS_LIMIT, SIP_MESSAGE_LIMIT, TEXT_LIMIT } from './limits.ts'
import type { SipClientWire, SipServerWire } from './sip-messages.ts'
import { z } from './zod.ts'

const id = z.int().min(1).max(Number.MAX_SAFE_INTEGER)
const message = z.instanceof(Uint8Array).refine((b) => b.length >= 1 && b.length <= SIP_MESSAGE_LIMIT, `must have 1 to ${SIP_MESSAGE_LIMIT} octets`)
const ssrc = z.int().min(0).max(0xffff_ffff)
const streams = z.object({ up: ssrc, down: ssrc }).refine((s) => s.up !== s.down, 'must be two streams').exactOptional()
/** No line break gets from here into a SIP message. */
const line = z.string().max(TEXT_LIMIT).regex(/^[^\x00-\x1f\x7f]*$/, 'must be one line')

const both: { [K in Exclude<keyof SipServerWire, 'sip-gone'>]: z.ZodType<SipServerWire[K]> } = {
  'sip-request': z.object({ id, message, streams }),
  'sip-response': z.object({ id, message, streams }),
  'sip-refused': z.object({ id, status: z.int().min(300).max(699), code: z.string().min(1).max(CODE_LIMIT), reason: line }),
  'sip-cancel': z.object({ id, reason: line.exactOptional() }),
  'sip-ack': z.object({ message }),
}

export const sipServerSchemas: { [K in keyof SipServerWire]: z.ZodType<SipServerWire[K]> } = { ...both, 'sip-gone': z.object({ reason: line }) }
export const sipClientSchemas: { [K in keyof SipClientWire]: z.ZodType<SipClientWire[K]> } = {
  ...both,
  'sip-contacts': z.object({ contacts: z.array(z.string().min(1).max(SIP_CONTACT_LIMIT)).max(SIP_CONTACTS_LIMIT) }),
}
