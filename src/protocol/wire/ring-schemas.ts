/** What the messages of `ring-messages.ts` must look like. */
import { RING_ENDS, RING_TO } from '../../model/ring.ts'
import { CERTIFICATE_LIMIT, CHAIN_LIMIT, RING_LIMIT } from './limits.ts'
import type { RingClientWire, RingServerWire } from './ring-messages.ts'
import { z } from './zod.ts'

const octets = (most: number) => z.instanceof(Uint8Array).refine((b) => b.length > 0 && b.length <= most, `must have 1 to ${most} octets`)
const id = z.string().regex(/^[0-9a-f]{32}$/)
const ring = octets(RING_LIMIT)
const chain = z.array(octets(CERTIFICATE_LIMIT)).min(1).max(CHAIN_LIMIT)
const end = z.object({ id, reason: z.enum(RING_ENDS) })

export const ringClientSchemas: { [K in keyof RingClientWire]: z.ZodType<RingClientWire[K]> } = {
  ring: z.object({ id, to: z.string().regex(RING_TO, 'must be a key or a mail address'), ring, chain }),
  'ring-end': end,
}

export const ringServerSchemas: { [K in keyof RingServerWire]: z.ZodType<RingServerWire[K]> } = {
  ring: z.object({ id, ring, chain }),
  'ring-rings': z.object({ id }),
  'ring-end': end,
}
