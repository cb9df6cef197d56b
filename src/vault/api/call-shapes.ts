/** The arguments of every call of the vault, as they are checked at the border of its process. */
import type { Der, Ssrc } from '../../base/brand.ts'
import { FAMILIES_LIMIT, TCB_STATUSES, type TcbStatus } from '../../model/enclaves.ts'
import { REVOCATION_RULES, type RevocationProof, type RevocationRule, SHOWN_FIELDS, type ShownField } from '../../model/trust.ts'
import { COLLATERAL_LIMIT, COMMIT_LIMIT, EVIDENCE_LIMIT, HOP_MESSAGE_LIMIT, KEY_PACKAGE_LIMIT, RING_LIMIT, ROOM_MESSAGE_LIMIT, WELCOME_LIMIT } from '../../protocol/wire/limits.ts'
import type { CallCarrier, CallProfile, HopKeys, JoinerRequest, RemovalRequest, VaultCallName, VaultCalls } from './calls.ts'
import { JOURNAL_SHAPES } from './journal-shapes.ts'
import type { EnclaveOptions, VaultOptions } from './options.ts'
import { change, decision, mlsSuite, policy, POLICY_SHAPES, roomName, signedRoom, word } from './policy-shapes.ts'
import { boolean, branded, integer, list, octets, oneOf, optional, record, type Shape, text, u32, u64 } from './shapes.ts'

const LIST_LIMIT = 1024
const NAME_LIMIT = 256
const CERTIFICATE_LIMIT = 64 * 1024
const KEY_LIMIT = 16 * 1024
/** Of what is remembered of rooms. */
const MEMORY_LIMIT = 16 * 1024 * 1024
const REVOCATION_LIMIT = 4 * 1024 * 1024
const PROOFS_LIMIT = 64
/** A message of the agreement on a call's keys, certificates among it. */
const AGREEMENT_LIMIT = 16 * 1024

const generation = integer(0, 0xffff_ffff)
const leaf = integer(0, 0xffff_ffff)
const hopSuite = oneOf<HopKeys['suite']>('AEAD_AES_128_GCM', 'AEAD_AES_256_GCM', 'AES_CM_128_HMAC_SHA1_80')
const carrier = oneOf<CallCarrier>('server', 'message', 'in-band')
const removal = record<RemovalRequest>({ leaf, reason: oneOf('leave', 'host', 'unreachable', 'rejoin', 'blocked'), evidence: optional(octets(EVIDENCE_LIMIT)) })
const proof = record<RevocationProof>({ kind: oneOf('crl', 'ocsp'), der: octets(REVOCATION_LIMIT) })
const collateral = list(octets(COLLATERAL_LIMIT), FAMILIES_LIMIT)
const digest = text(96)
const enclaves = record<EnclaveOptions>({
  measurements: optional(list(digest, LIST_LIMIT)), signers: optional(list(record<NonNullable<EnclaveOptions['signers']>[number]>({ mrSigner: digest, productId: integer(0, 65_535), minimumSvn: integer(0, 65_535) }), 64)),
  statuses: list(oneOf<TcbStatus>(...TCB_STATUSES), TCB_STATUSES.length), collateral: optional(collateral),
})
const joiner = record<JoinerRequest>({ id: u32, keyPackage: octets(KEY_PACKAGE_LIMIT) })
const inSession = record<{ session: number }>({ session: u32 })

export const CALL_SHAPES: { readonly [K in VaultCallName]: Shape<VaultCalls[K]['in']> } = {
  'identity.show': record<Record<string, never>>({}),
  'identity.verify': record<VaultCalls['identity.verify']['in']>({ chain: list(octets(CERTIFICATE_LIMIT), 16) }),
  'revocation.update': record<VaultCalls['revocation.update']['in']>({ proofs: list(proof, PROOFS_LIMIT) }),
  'attestation.update': record<VaultCalls['attestation.update']['in']>({ collateral }),
  'hop.offer': record<VaultCalls['hop.offer']['in']>({ pipe: u32, generation, suites: list(hopSuite, 8) }),
  'hop.finish': record<VaultCalls['hop.finish']['in']>({ pipe: u32, answer: octets(HOP_MESSAGE_LIMIT) }),
  'room.create': record<VaultCalls['room.create']['in']>({ policy, generation }),
  'room.request': record<VaultCalls['room.request']['in']>({ room: roomName, suite: mlsSuite }),
  'room.welcome': record<VaultCalls['room.welcome']['in']>({ session: u32, welcome: octets(WELCOME_LIMIT) }),
  'room.propose': record<VaultCalls['room.propose']['in']>({ session: u32, adds: list(joiner, LIST_LIMIT), removes: list(removal, LIST_LIMIT), signed: optional(signedRoom) }),
  'room.confirm': inSession,
  'room.settle': record<VaultCalls['room.settle']['in']>({ session: u32, epoch: u64 }),
  'room.abandon': inSession,
  'room.apply': record<VaultCalls['room.apply']['in']>({ session: u32, commit: octets(COMMIT_LIMIT), removals: list(removal, LIST_LIMIT) }),
  'room.announce': record<VaultCalls['room.announce']['in']>({ session: u32, ssrc: branded<Ssrc>(u32) }),
  'room.message': record<VaultCalls['room.message']['in']>({ session: u32, message: octets(ROOM_MESSAGE_LIMIT) }),
  'room.leave': inSession,
  'room.act': record<VaultCalls['room.act']['in']>({ session: u32, leaf, ban: boolean }),
  'room.check': inSession,
  'room.end': inSession,
  'room.decide': record<VaultCalls['room.decide']['in']>({ session: u32, decision }),
  'room.amend': record<VaultCalls['room.amend']['in']>({ session: u32, change, handTo: optional(text(NAME_LIMIT)) }),
  'room.knock': record<VaultCalls['room.knock']['in']>({ session: u32, keyPackage: octets(KEY_PACKAGE_LIMIT) }),
  'room.say': record<VaultCalls['room.say']['in']>({ session: u32, word }),
  ...POLICY_SHAPES,
  ...JOURNAL_SHAPES,
  'call.begin': record<VaultCalls['call.begin']['in']>({ codec: oneOf('g722', 'pcmu', 'pcma'), carriers: list(carrier, 3), anonymous: boolean, password: optional(text(NAME_LIMIT)), profile: optional(oneOf<CallProfile>('sealed', 'chained')) }),
  'call.step': record<VaultCalls['call.step']['in']>({ session: u32, input: oneOf('start', 'tick', 'rekey', 'message'), carrier: optional(carrier), message: optional(octets(AGREEMENT_LIMIT)), sealed: optional(boolean) }),
  'call.state': record<VaultCalls['call.state']['in']>({ session: u32, hold: boolean, mute: boolean }),
  'call.end': inSession,
  'ring.sign': record<VaultCalls['ring.sign']['in']>({ room: text(NAME_LIMIT), to: text(NAME_LIMIT), id: text(32) }),
  'ring.read': record<VaultCalls['ring.read']['in']>({ ring: octets(RING_LIMIT), chain: list(octets(CERTIFICATE_LIMIT), 16) }),
}

/** A call's number on the wire is its place in the table. */
export const CALL_NAMES = Object.keys(CALL_SHAPES) as readonly VaultCallName[]

export interface PipeOpening {
  readonly serverName: string
  readonly protocols: readonly string[]
}
export const PIPE_SHAPE = record<PipeOpening>({ serverName: text(NAME_LIMIT), protocols: list(text(NAME_LIMIT), 8) })

/** What a vault process is made from. Its key comes in `pkcs8`, in the file that it got open as it was started, or as the text of that file (`keyText`). */
export interface ProcessOptions extends Omit<VaultOptions, 'pkcs8' | 'keyProtection' | 'measurement'> {
  readonly pkcs8?: Uint8Array
  readonly keyText?: Uint8Array
  /** The name of the open file, for complaints. */
  readonly keyFile?: string
  /** What its key's file is opened with. */
  readonly unlock?: { readonly passphrase?: string; readonly secret?: Uint8Array; readonly machine?: string; readonly leastGeneration?: number }
}

const unlock = record<NonNullable<ProcessOptions['unlock']>>({ passphrase: optional(text(1024)), secret: optional(octets(64)), machine: optional(text(256)), leastGeneration: optional(u32) })
const ders = (limit: number): Shape<Der[]> => list(branded<Der>(octets(CERTIFICATE_LIMIT)), limit)

export const OPTIONS_SHAPE = record<ProcessOptions>({
  chain: ders(16), anchors: ders(LIST_LIMIT), shownName: optional(list(oneOf<ShownField>(...SHOWN_FIELDS), SHOWN_FIELDS.length)),
  revocation: optional(record<NonNullable<VaultOptions['revocation']>>({ rule: optional(oneOf<RevocationRule>(...REVOCATION_RULES)), proofs: optional(list(proof, PROOFS_LIMIT)) })),
  realm: text(NAME_LIMIT), enclaves: optional(enclaves),
  memory: optional(octets(MEMORY_LIMIT)),
  kind: optional(oneOf('member', 'gateway')), firstSession: optional(u32), journalOnly: optional(boolean),
  pkcs8: optional(octets(KEY_LIMIT)), keyText: optional(octets(KEY_LIMIT)), keyFile: optional(text(4096)),
  unlock: optional(unlock),
})

/** A key's file to be sealed for the enclave. */
export interface Sealing extends Pick<ProcessOptions, 'unlock'> {
  readonly keyText: Uint8Array
  readonly keyFile: string
  readonly generation: number
}
export const SEAL_SHAPE = record<Sealing>({ keyText: octets(KEY_LIMIT), keyFile: text(4096), unlock: optional(unlock), generation: u32 })
