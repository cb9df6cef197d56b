/** What a member types during a call: `/lock`, `/admit 1`, `/remove 3` … Members are named by the number that the roster shows. */
import { inSentence } from '../model/identity.ts'
import type { Roster } from '../model/roster.ts'
import type { PbxAct } from '../protocol/wire/pbx-messages.ts'
import type { RoomCommand } from './call.ts'

export type Typed =
  | { readonly kind: 'command'; readonly command: RoomCommand }
  /** In a conference of the PBX: to the presence of this number, or to all. */
  | { readonly kind: 'act'; readonly act: PbxAct; readonly leaf?: number }
  /** The pairwise code with somebody, or with everybody. */
  | { readonly kind: 'code'; readonly keyId?: string }
  | { readonly kind: 'compared'; readonly keyId: string }
  /** `words`: those of a call through a provider were compared. */
  | { readonly kind: 'who' | 'mute' | 'help' | 'words' }
  | { readonly kind: 'wrong'; readonly text: string }

export const COMMANDS_HELP: readonly string[] = [
  '/who                 the roster, with numbers', '/code [N]            the pairwise code with member N, or with everybody', '/compared N          the code was compared with member N: its key is remembered as theirs',
  '/compared            the words of a call through a provider were compared: its key is remembered as the number\'s',
  '/mute                mute or unmute yourself', '/flag [TEXT]         raise a red flag: everybody is told that something is wrong',
  'hosts in a conference of the telephone system:   /lock  /unlock  /mute N  /unmute N  /remove N',
  'hosts:   /lock  /unlock  /admit N (who waits)  /withdraw ENTRY  /remove N  /ban N  /unban KEY', 'owners:  /hand-over N  /block N [REASON] (a stolen key: out of all your rooms)',
]

const ALONE: Readonly<Record<string, Typed>> = {
  '/who': { kind: 'who' }, '/mute': { kind: 'mute' }, '/help': { kind: 'help' }, '/code': { kind: 'code' },
  '/lock': { kind: 'command', command: { do: 'decide', decision: { act: 'lock' } } },
  '/unlock': { kind: 'command', command: { do: 'decide', decision: { act: 'unlock' } } },
}

export function parseTyped(line: string, roster: Roster): Typed | undefined {
  const text = line.trim()
  if (text === '') return undefined
  const [word = '', ...rest] = text.split(/\s+/u)
  const argument = text.slice(word.length).trim()
  if (!word.startsWith('/')) return { kind: 'wrong', text: 'commands begin with /; /help lists them' }
  if (roster.kind === 'bridged' && Object.hasOwn(PBX_WORDS, word)) return actOf(roster, PBX_WORDS[word]!, argument)
  if (argument === '' && Object.hasOwn(ALONE, word)) return ALONE[word]
  const command = (c: RoomCommand): Typed => ({ kind: 'command', command: c })
  switch (word) {
    case '/flag': return command({ do: 'flag', text: argument })
    case '/withdraw': return command({ do: 'decide', decision: { act: 'withdraw', entry: argument } })
    case '/unban': return /^[0-9a-f]{64}$/.test(argument) ? command({ do: 'decide', decision: { act: 'unban', keyId: argument } }) : { kind: 'wrong', text: 'give the whole key, as "stc room show" lists it' }
    case '/admit': return admit(roster, argument)
    case '/remove': return withMember(roster, rest[0], (keyId) => command({ do: 'remove', keyId, ban: false }))
    case '/ban': return withMember(roster, rest[0], (keyId) => command({ do: 'remove', keyId, ban: true }))
    case '/hand-over': return withMember(roster, rest[0], (keyId) => command({ do: 'hand-over', keyId }))
    case '/block': return withMember(roster, rest[0], (keyId) => command({ do: 'block', keyId, reason: argument.slice((rest[0] ?? '').length).trim() }))
    case '/code': return withMember(roster, rest[0], (keyId) => ({ kind: 'code', keyId }))
    case '/compared': return roster.sealedCall !== undefined && argument === '' ? { kind: 'words' } : withMember(roster, rest[0], (keyId) => ({ kind: 'compared', keyId }))
    default: return { kind: 'wrong', text: `${word} is no command; /help lists them` }
  }
}

const PBX_WORDS: Readonly<Record<string, PbxAct>> = { '/lock': 'lock', '/unlock': 'unlock', '/mute': 'mute', '/unmute': 'unmute', '/remove': 'kick' }

/** There whoever no certificate names has a number too. */
function actOf(roster: Roster, act: PbxAct, number: string): Typed {
  if (act === 'lock' || act === 'unlock') return number === '' ? { kind: 'act', act } : { kind: 'wrong', text: 'it is for everybody' }
  if (number === '' && act === 'mute') return { kind: 'mute' }
  const leaf = [...roster.members, ...roster.callers].find((m) => String(m.leaf) === number)?.leaf
  if (leaf !== undefined) return { kind: 'act', act, leaf }
  return { kind: 'wrong', text: number === '' ? 'which one? Give the number that /who shows' : `nobody has the number ${number}; /who shows them` }
}

function withMember(roster: Roster, number: string | undefined, then: (keyId: string) => Typed): Typed {
  const m = roster.members.find((x) => String(x.leaf) === number)
  if (m === undefined) return { kind: 'wrong', text: number === undefined ? 'which member? Give the number that /who shows' : `nobody has the number ${number}; /who shows them` }
  return m.self ? { kind: 'wrong', text: `${inSentence(m.identity)} is yourself` } : then(m.identity.keyId)
}

/** Who waits, by number; or any entry of an admission list. */
function admit(roster: Roster, argument: string): Typed {
  const knocking = roster.knocking.find((k) => String(k.request) === argument)
  const entry = knocking?.identity.keyId ?? (/^([0-9a-f]{64}|(o|cn|domain):.+)$/.test(argument) ? argument : undefined)
  if (entry === undefined) return { kind: 'wrong', text: 'nobody waits under this number; give one that /who shows, a whole key, or an entry such as cn:Name' }
  return { kind: 'command', command: { do: 'decide', decision: { act: 'admit', entry } } }
}
