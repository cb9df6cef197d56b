/** The part of the server's configuration about phones that come by themselves (docs/operations.md). */
import { z } from 'zod'

const ip = z.union([z.ipv4(), z.ipv6()], 'must be a numeric address')
const suite = z.enum(['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM', 'AES_CM_128_HMAC_SHA1_80'])

export const phonesConfig = z.strictObject({
  /** SIP over TLS, with client certificates. */
  listen: z.strictObject({ address: ip.default('::'), port: z.number().int().min(0).max(65_535).default(5061) }).prefault({}),
  /** What phones of the internet reach us at, behind a NAT that passes the listening port and the media ports on under their own numbers. */
  advertise: ip.optional(),
  /** Whose each extension is: a key, `cn:Name`, `o:Organisation`, `domain:example.org`. A certificate may name its extensions itself (URI `sip:2001@…`). */
  extensions: z.record(z.string().min(1).max(64), z.array(z.string().min(1).max(256)).min(1).max(100)).default({}),
  /** SRTP suites, the best first. */
  suites: z.array(suite).min(1).max(3).default(['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80']),
  /** Phones with a connection at once. */
  maximum: z.number().int().min(1).max(10_000).default(1000),
})
export type PhonesConfig = z.infer<typeof phonesConfig>
