/** What the messages of `pbx-messages.ts` must look like. */
import { CERTIFICATE_LIMIT, CHAIN_LIMIT, CODE_LIMIT, CONFERENCE_MEMBERS_LIMIT, TEXT_LIMIT } from './limits.ts'
import { PBX_ACTS, type PbxClientWire, type PbxServerWire } from './pbx-messages.ts'
import { z } from './zod.ts'

/** An Asterisk conference is called as its dialplan likes. */
const conference = z.string().min(1).max(CODE_LIMIT).regex(/^[!-~]+$/, 'must be printable ASCII without blanks')
const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER)
const caller = z.string().max(CODE_LIMIT)
const key = z.string().regex(/^[0-9a-f]{64}$/)
const flag = z.literal(true).exactOptional()
const member = z.object({
  id: count, key: key.exactOptional(), number: caller.exactOptional(), name: caller.exactOptional(),
  call: z.string().min(1).max(TEXT_LIMIT).exactOptional(), muted: flag, talking: flag, recorded: flag, host: flag,
})
const certificate = z.instanceof(Uint8Array).refine((b) => b.length > 0 && b.length <= CERTIFICATE_LIMIT, `must have 1 to ${CERTIFICATE_LIMIT} octets`)

export const pbxClientSchemas: { [K in keyof PbxClientWire]: z.ZodType<PbxClientWire[K]> } = {
  'pbx-act': z.object({ conference, act: z.enum(PBX_ACTS), member: count.exactOptional() }),
}

export const pbxServerSchemas: { [K in keyof PbxServerWire]: z.ZodType<PbxServerWire[K]> } = {
  'pbx-certificate': z.object({ conference, key, chain: z.array(certificate).min(1).max(CHAIN_LIMIT) }),
  'pbx-roster': z.object({ conference, current: z.boolean(), locked: z.boolean(), recorded: z.boolean(), host: z.boolean(), members: z.array(member).max(CONFERENCE_MEMBERS_LIMIT), more: count }),
  'pbx-left': z.object({ conference }),
}
