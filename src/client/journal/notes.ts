/** What of a call's events goes into the journal, in whose words. What the vault writes itself is not told twice. */
import { displayName } from '../../model/identity.ts'
import type { ClientNote } from '../../model/journal.ts'
import { type CallEvent, flagText, nameIn, noticeText, type Roster } from '../../model/roster.ts'

const NAME_LIMIT = 256
const TEXT_LIMIT = 1000
const NAMES_LIMIT = 256

export const cutName = (text: string): string => text.slice(0, NAME_LIMIT)
export const cutText = (text: string): string => text.slice(0, TEXT_LIMIT)

export const placeOf = (r: Roster): { readonly room: string; readonly call?: string } => ({ room: cutName(r.room), ...(r.call === undefined ? {} : { call: r.call }) })

/** Undefined: nothing of the client's own. `r`: the roster after the event. */
export function noteOf(r: Roster, e: CallEvent): ClientNote | undefined {
  const at = placeOf(r)
  switch (e.kind) {
    case 'note':
      return { what: 'note', ...at, code: cutName(e.code), text: cutText(e.text) }
    case 'act':
      return { what: 'act', ...at, act: e.act.act, by: e.by, text: cutText(e.text) }
    case 'flag':
      return { what: 'note', ...at, code: 'ROOM_FLAG', text: cutText(flagText(r, e)) }
    case 'notice':
      return { what: 'note', ...at, code: e.notice.kind === 'block' ? 'ROOM_BLOCK_NOTICE' : 'ROOM_BLOCK_LIFTED', text: cutText(noticeText(r, e)) }
    case 'knock':
      return { what: 'note', ...at, code: 'ROOM_KNOCK', text: cutText(`${displayName(e.identity)} (key ${e.identity.keyId}) asks to be let in`) }
    case 'acquainted':
      return e.acquaintance.kind === 'known' ? undefined : { what: 'note', ...at, code: `KEY_${e.acquaintance.kind.toUpperCase().replaceAll('-', '_')}`, text: cutText(nameOf(r, e.leaf)) }
    case 'unheard': {
      const m = r.members.find((x) => x.leaf === e.leaf)
      return m === undefined ? undefined : { what: 'unheard', ...at, name: cutName(displayName(m.identity)), keyId: m.identity.keyId, ...(e.code === undefined ? {} : { code: e.code }) }
    }
    case 'conference':
      return {
        what: 'present', ...at, members: e.members.slice(0, NAMES_LIMIT).map((m) => cutName(`${displayName(m.identity)} (key ${m.identity.keyId.slice(0, 16)})`)),
        callers: e.callers.slice(0, NAMES_LIMIT).map((c) => cutName(`${c.name} ${c.number}`.trim() || 'number withheld')),
      }
    case 'phase':
      return e.phase === 'healing' ? { what: 'note', ...at, code: 'CALL_HEALING', text: cutText(e.reason ?? '') } : undefined
    default:
      return undefined
  }
}

const nameOf = (r: Roster, leaf: number): string => {
  const m = r.members.find((x) => x.leaf === leaf)
  return m === undefined ? `place ${leaf}` : `${nameIn(r, m.identity.keyId)} (key ${m.identity.keyId})`
}

/** The same again is no news: who talks changes all the time, who is there does not. */
export function isRepeated(before: ClientNote | undefined, n: ClientNote): boolean {
  return n.what === 'present' && before !== undefined && JSON.stringify(before) === JSON.stringify(n)
}
