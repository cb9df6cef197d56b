/** The part of the server's configuration about the way to its PBX's extensions (docs/operations.md). */
import { z } from 'zod'
import { emergencyNumbers } from '../../model/emergency.ts'

const file = z.string().min(1)
const port = z.number().int().min(1).max(65_535)
const ip = z.union([z.ipv4(), z.ipv6()], 'must be a numeric address, e.g. 127.0.0.1')

export const sipConfig = z.strictObject({
  /** Where the PBX takes SIP. */
  host: z.string().min(1).max(255).default('127.0.0.1'),
  port: port.optional(),
  transport: z.enum(['udp', 'tcp', 'tls']).default('udp'),
  /** For TLS: whom to trust, and the name in the PBX's certificate when it is not `host`. */
  anchors: z.array(file).max(16).default([]),
  name: z.string().min(1).max(255).optional(),
  /** Our end: what the PBX sends to. The address is found when it is left out. */
  listen: z.strictObject({ address: ip.optional(), port: port.default(5080) }).prefault({}),
  /** Numbers that pass every limit and check of ours. */
  country: z.string().length(2).optional(),
  emergency: z.array(z.string().regex(/^[0-9]{2,8}$/, 'must be 2 to 8 digits')).optional(),
})
export type SipConfig = z.infer<typeof sipConfig>

export const emergencyOf = (c: SipConfig): readonly string[] => c.emergency ?? emergencyNumbers(c.country)
