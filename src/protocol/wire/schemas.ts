/** What a message of each kind must look like, and its limits. Unknown fields are dropped. */
import {
  BATCH_LIMIT, CODE_LIMIT, COMMIT_LIMIT, EVIDENCE_LIMIT, GROUP_ID_LIMIT, HOP_MESSAGE_LIMIT, KEY_PACKAGE_LIMIT,
  COLLATERAL_LIMIT, LEAF_LIMIT, NOTICE_LIMIT, POLICY_LIMIT, PROOF_LIMIT, ROOM_MESSAGE_LIMIT, TEXT_LIMIT, WELCOME_LIMIT,
} from './limits.ts'
import { callClientSchemas, callServerSchemas } from './call-messages.ts'
import type { ClientWire, ServerWire } from './messages.ts'
import { pbxClientSchemas, pbxServerSchemas } from './pbx-schemas.ts'
import { ringClientSchemas, ringServerSchemas } from './ring-schemas.ts'
import { sipClientSchemas, sipServerSchemas } from './sip-schemas.ts'
import { z } from './zod.ts'

const U32 = 0xffff_ffff
const octets = (most: number, least = 1) => z.instanceof(Uint8Array).refine((b) => b.length >= least && b.length <= most, `must have ${least} to ${most} octets`)
const integer = (most: number, least = 0) => z.int().min(least).max(most)
const text = z.string().max(TEXT_LIMIT)
const code = z.string().min(1).max(CODE_LIMIT)
const word = z.string().min(1).max(CODE_LIMIT).regex(/^[a-z0-9._-]+$/, 'must be of a-z 0-9 . _ -')
const room = word
const generation = integer(U32, 1)
const seq = integer(Number.MAX_SAFE_INTEGER)
const ssrc = integer(U32)
const leaf = integer(LEAF_LIMIT - 1)
const id = integer(Number.MAX_SAFE_INTEGER)
const hash = octets(64)
const port = integer(65_535, 1)
const capabilities = z.array(word).max(BATCH_LIMIT)
/** CBOR gives small integers as numbers. */
const epoch = z.union([z.int().min(0), z.bigint().min(0n).max(0xffff_ffff_ffff_ffffn)]).transform((n) => BigInt(n))
const removal = z.object({ leaf, reason: z.enum(['leave', 'host', 'unreachable', 'rejoin', 'blocked']), evidence: octets(EVIDENCE_LIMIT).exactOptional() })
const policy = { base: octets(POLICY_LIMIT), state: octets(POLICY_LIMIT) }
const notice = z.object({ notice: octets(NOTICE_LIMIT) })
const removes = z.array(removal).max(BATCH_LIMIT)
const ids = z.array(id).max(BATCH_LIMIT)
const refusals = z.array(z.object({ id, code, message: text })).max(BATCH_LIMIT)
const count = integer(LEAF_LIMIT)

export const clientSchemas: { [K in keyof ClientWire]: z.ZodType<ClientWire[K]> } = {
  hello: z.object({ minVersion: integer(1000, 1), maxVersion: integer(1000, 1), capabilities, agent: text }),
  'hop-offer': z.object({ generation, message: octets(HOP_MESSAGE_LIMIT) }),
  'room-open': z.object({ room }),
  'room-create': z.object({ room, generation, groupId: octets(GROUP_ID_LIMIT), suite: word, forwarding: word, maximumMembers: integer(LEAF_LIMIT, 1) }),
  'room-join': z.object({ room, generation, keyPackage: octets(KEY_PACKAGE_LIMIT) }),
  'room-commit': z.object({ room, generation, epoch, commit: octets(COMMIT_LIMIT), welcome: octets(WELCOME_LIMIT).exactOptional(), adds: ids, removes, refused: refusals }),
  'room-applied': z.object({ room, seq }),
  'room-rejected': z.object({ room, seq, hash, code }),
  'room-message': z.object({ room, epoch, message: octets(ROOM_MESSAGE_LIMIT) }),
  'room-policy': z.object({ room, ...policy }),
  notice,
  'room-leave': z.object({ room, evidence: octets(EVIDENCE_LIMIT).exactOptional() }),
  'room-cancel': z.object({ room }),
  ping: z.object({ n: integer(U32) }),
  ...pbxClientSchemas,
  ...ringClientSchemas,
  ...sipClientSchemas,
  ...callClientSchemas,
}

export const serverSchemas: { [K in keyof ServerWire]: z.ZodType<ServerWire[K]> } = {
  welcome: z.object({
    version: integer(1000, 1), capabilities, agent: text, realm: text, session: word, unixTime: integer(Number.MAX_SAFE_INTEGER),
    udp: z.array(z.object({ address: z.string().min(1).max(255), port })).max(16),
  }),
  revocation: z.object({ proofs: z.array(z.object({ kind: z.enum(['crl', 'ocsp']), der: octets(PROOF_LIMIT) })).max(BATCH_LIMIT) }),
  attestation: z.object({ collateral: z.array(octets(COLLATERAL_LIMIT)).max(BATCH_LIMIT) }),
  'hop-answer': z.object({ generation, message: octets(HOP_MESSAGE_LIMIT), probe: ssrc }),
  'room-info': z.object({ room, exists: z.boolean(), generation, suite: word.exactOptional(), forwarding: word.exactOptional(), members: count, policy: z.object(policy).exactOptional() }),
  'room-waiting': z.object({ room, request: id }),
  'room-knock': z.object({ room, request: id, keyPackage: octets(KEY_PACKAGE_LIMIT) }),
  'room-knock-over': z.object({ room, request: id }),
  notice,
  'room-created': z.object({ room, generation, ssrc }),
  'room-queued': z.object({ room, request: id, ssrc }),
  'room-welcome': z.object({ room, generation, seq, welcome: octets(WELCOME_LIMIT) }),
  'room-nominate': z.object({ room, generation, epoch, adds: z.array(z.object({ id, keyPackage: octets(KEY_PACKAGE_LIMIT) })).max(BATCH_LIMIT), removes, deadlineMs: integer(60_000, 1) }),
  'room-passed': z.object({ room, epoch, reason: text }),
  'room-ordered': z.object({ room, generation, seq, epoch, commit: octets(COMMIT_LIMIT), removes }),
  'room-stands': z.object({ room, seq }),
  'room-settled': z.object({ room, seq }),
  'room-void': z.object({ room, seq }),
  'room-message': z.object({ room, epoch, message: octets(ROOM_MESSAGE_LIMIT) }),
  'room-reset': z.object({ room, generation, reason: text }),
  'room-refused': z.object({ room, code, message: text }),
  'room-closed': z.object({ room, reason: text }),
  fault: z.object({ code, message: text, room: room.exactOptional() }),
  pong: z.object({ n: integer(U32) }),
  ...pbxServerSchemas,
  ...ringServerSchemas,
  ...sipServerSchemas,
  ...callServerSchemas,
}
