/** The arguments of calls about policies and block notices. */
import type { RoomName } from '../../base/brand.ts'
import { KEY_PROTECTIONS } from '../../model/identity.ts'
import type { BasePolicy, Decision, NewRoom, PolicyChange, SignedRoom } from '../../model/policy.ts'
import { LEAF_LIMIT, NOTICE_LIMIT, POLICY_LIMIT } from '../../protocol/wire/limits.ts'
import type { VaultCalls } from './calls.ts'
import { anyOf, BAD, boolean, branded, either, integer, list, octets, oneOf, optional, record, type Shape, text } from './shapes.ts'

const LIST_LIMIT = 1024
const NAME_LIMIT = 256
const TEXT_LIMIT = 1024
const KEY_LIMIT = 16 * 1024

export const roomName = branded<RoomName>(text(NAME_LIMIT))
export const mlsSuite = oneOf<BasePolicy['suite']>('x-wing', 'x25519')
export const signedRoom = record<SignedRoom>({ base: octets(POLICY_LIMIT), state: octets(POLICY_LIMIT) })
export const notice = octets(NOTICE_LIMIT)

const keys = list(text(NAME_LIMIT), LIST_LIMIT)
const admit = either(oneOf('anchors'), keys)
const protection = oneOf(...KEY_PROTECTIONS)
const newRoom = {
  room: roomName, realm: text(NAME_LIMIT), hosts: keys, admit, suite: mlsSuite, codec: oneOf('g722', 'opus'), forwarding: oneOf('all', 'loudest'),
  maximumMembers: integer(1, LEAF_LIMIT), gatewaysAllowed: boolean, recovery: optional(text(NAME_LIMIT)), minimumKeyProtection: optional(protection),
  lobby: optional(boolean), standing: optional(boolean), journal: optional(boolean),
} as const

export const policy = record<NewRoom>(newRoom)

const nobody: Shape<null> = (v) => (v === null ? null : BAD)
export const change = record<PolicyChange>({
  owners: optional(keys), hosts: optional(keys), admit: optional(admit), maximumMembers: optional(integer(1, LEAF_LIMIT)), gatewaysAllowed: optional(boolean),
  minimumKeyProtection: optional(protection), lobby: optional(boolean), journal: optional(boolean), recovery: optional(either(nobody, text(NAME_LIMIT))),
})

type Act<A extends Decision['act']> = Extract<Decision, { readonly act: A }>
export const decision = anyOf<Decision>(
  record<Act<'lock'>>({ act: oneOf('lock') }), record<Act<'unlock'>>({ act: oneOf('unlock') }),
  record<Act<'admit'>>({ act: oneOf('admit'), entry: text(NAME_LIMIT) }), record<Act<'withdraw'>>({ act: oneOf('withdraw'), entry: text(NAME_LIMIT) }),
  record<Act<'ban'>>({ act: oneOf('ban'), keyId: text(NAME_LIMIT) }), record<Act<'unban'>>({ act: oneOf('unban'), keyId: text(NAME_LIMIT) }),
)

type Word = VaultCalls['room.say']['in']['word']
export const word = anyOf<Word>(
  record<Extract<Word, { kind: 'flag' }>>({ kind: oneOf('flag'), text: text(TEXT_LIMIT) }),
  record<Extract<Word, { kind: 'notice' }>>({ kind: oneOf('notice'), notice }),
  record<Extract<Word, { kind: 'leg' }>>({ kind: oneOf('leg'), leg: oneOf('local', 'encrypted', 'plain-lan') }),
)

type PolicyCall = Extract<keyof VaultCalls, `policy.${string}` | `notice.${string}`>

export const POLICY_SHAPES: { readonly [K in PolicyCall]: Shape<VaultCalls[K]['in']> } = {
  'policy.learn': record<VaultCalls['policy.learn']['in']>({ signed: signedRoom }),
  'policy.known': record<VaultCalls['policy.known']['in']>({ room: optional(text(NAME_LIMIT)) }),
  'policy.draft': record<VaultCalls['policy.draft']['in']>({ room: record<VaultCalls['policy.draft']['in']['room']>({ ...newRoom, coOwners: optional(keys) }) }),
  'policy.amend': record<VaultCalls['policy.amend']['in']>({ room: text(NAME_LIMIT), change, handTo: optional(text(NAME_LIMIT)), recoveryKey: optional(octets(KEY_LIMIT)) }),
  'policy.decide': record<VaultCalls['policy.decide']['in']>({ room: text(NAME_LIMIT), decision }),
  'policy.forget': record<VaultCalls['policy.forget']['in']>({ room: text(NAME_LIMIT) }),
  'notice.sign': record<VaultCalls['notice.sign']['in']>({ kind: oneOf('block', 'lift'), target: text(NAME_LIMIT), reason: text(TEXT_LIMIT) }),
  'notice.learn': record<VaultCalls['notice.learn']['in']>({ notice }),
  'notice.known': record<Record<string, never>>({}),
}
