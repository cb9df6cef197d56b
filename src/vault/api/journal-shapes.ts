/** The arguments of the journal's calls. */
import type { ClientNote } from '../../model/journal.ts'
import type { VaultCalls } from './calls.ts'
import { anyOf, integer, list, octets, oneOf, optional, record, type Shape, text } from './shapes.ts'

/** Of one part; the client begins a new one long before. */
export const PART_LIMIT = 3 * 1024 * 1024
const HEAD_LIMIT = 256
const NOTES_LIMIT = 256
const NAMES_LIMIT = 256
const NAME_LIMIT = 256
const TEXT_LIMIT = 1000

const name = text(NAME_LIMIT)
const words = text(TEXT_LIMIT)
const names = list(name, NAMES_LIMIT)
const number = integer(0, Number.MAX_SAFE_INTEGER)
const place = { room: optional(name), call: optional(name) }
type Note<W extends ClientNote['what']> = Extract<ClientNote, { readonly what: W }>

const note = anyOf<ClientNote>(
  record<Note<'note'>>({ what: oneOf('note'), ...place, code: name, text: words }),
  record<Note<'act'>>({ what: oneOf('act'), ...place, act: name, by: name, text: words }),
  record<Note<'unheard'>>({ what: oneOf('unheard'), ...place, name, keyId: name, code: optional(name) }),
  record<Note<'present'>>({ what: oneOf('present'), ...place, members: names, callers: names }),
  record<Note<'over'>>({ what: oneOf('over'), ...place, text: words, code: optional(name) }),
  record<Note<'started'>>({ what: oneOf('started'), text: words }), record<Note<'ended'>>({ what: oneOf('ended'), text: words }),
  record<Note<'deleted'>>({ what: oneOf('deleted'), upTo: number, text: words }), record<Note<'set-aside'>>({ what: oneOf('set-aside'), code: name, text: words }),
)

type JournalCall = Extract<keyof VaultCalls, `journal.${string}`>

export const JOURNAL_SHAPES: { readonly [K in JournalCall]: Shape<VaultCalls[K]['in']> } = {
  'journal.open': record<VaultCalls['journal.open']['in']>({ parts: list(octets(PART_LIMIT), 2), head: optional(octets(HEAD_LIMIT)) }),
  'journal.append': record<VaultCalls['journal.append']['in']>({ notes: list(note, NOTES_LIMIT) }),
  'journal.checkpoint': record<Record<string, never>>({}),
  'journal.read': record<VaultCalls['journal.read']['in']>({
    part: octets(PART_LIMIT), head: optional(octets(HEAD_LIMIT)), from: optional(record<NonNullable<VaultCalls['journal.read']['in']['from']>>({ number, hash: name })),
  }),
}
