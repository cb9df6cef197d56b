/** An entry as a person reads it. What others said in it is made safe to show. */
import { safeText } from '../../model/identity.ts'
import type { JournalEntry, JournalMember } from '../../model/journal.ts'

const LINE_LIMIT = 2000

export function journalLine(number: number, e: JournalEntry): string {
  const at = `${String(number).padStart(6)}  ${new Date(e.time * 1000).toISOString().replace('.000Z', 'Z')}`
  const place = 'room' in e && e.room !== undefined ? `  ${e.room}${'call' in e && e.call !== undefined ? ` ${e.call}` : ''}:` : ' '
  return safeText(`${at}${place} ${e.source === 'client' ? '' : '✓ '}${sentence(e)}`, LINE_LIMIT)
}

const person = (m: JournalMember): string => `${m.name}${m.self === true ? ' (you)' : ''}${m.kind === 'gateway' ? ' (GATEWAY)' : ''} [${m.keyId.slice(0, 16)}]`
const people = (all: readonly JournalMember[]): string => all.map(person).join(', ')

function sentence(e: JournalEntry): string {
  switch (e.what) {
    case 'entered': return `entered in epoch ${e.epoch}, code ${e.code}: ${people(e.members)}`
    case 'epoch': return `epoch ${e.epoch}, code ${e.code}${e.came.length === 0 ? '' : `; came: ${people(e.came)}`}${e.went.length === 0 ? '' : `; went: ${e.went.map((m) => `${person(m)} (${m.reason}${m.by === undefined ? '' : `, by ${m.by}`})`).join(', ')}`}`
    case 'policy': return `policy ${e.version}.${e.stateVersion}, signed by ${e.by.slice(0, 16)}, state by ${e.stateBy.slice(0, 16)}`
    case 'left': return `left in epoch ${e.epoch}`
    case 'refused': return `REFUSED at ${e.step}: ${e.text} [${e.code}]${e.digest === undefined ? '' : ` sha256 ${e.digest.slice(0, 16)}`}`
    case 'lost': return `${e.facts} more that were not kept`
    case 'started': return `started: ${e.text}`
    case 'ended': return `ended: ${e.text}`
    case 'note': return `${e.text} [${e.code}]`
    case 'act': return `${e.text} [signed by ${e.by.slice(0, 16)}]`
    case 'unheard': return e.code === undefined ? `${e.name} is heard again` : `${e.name} cannot be heard [${e.code}]`
    case 'present': return `the server says: ${[...e.members, ...e.callers.map((c) => `${c} (unverified)`)].join(', ') || 'nobody'}`
    case 'over': return `over: ${e.text}${e.code === undefined ? '' : ` [${e.code}]`}`
    case 'deleted': return `records up to ${e.upTo} deleted: ${e.text}`
    case 'set-aside': return `A JOURNAL THAT DID NOT VERIFY was set aside: ${e.text} [${e.code}]`
  }
}
