/** The roster and what happens in a call, as lines on a terminal. Only folds events; no state of its own. */
import type { Caller, CallEvent, Member, Note, Presence, Roster } from '../model/roster.ts'
import { privacyOf, privacySentence } from '../model/privacy.ts'
import { inLine, inSentence, protectionText } from '../model/identity.ts'

/** A shape beside the colour: not everybody sees colours, and logs have none. */
const SHAPE = { sealed: '●', bridged: '◐', open: '○', none: '·' } as const
const COLOUR = { sealed: 32, bridged: 33, open: 31, none: 90 } as const

const ALERT = 31
const ACQUAINTANCE = { 'first-contact': 'first contact', known: '', changed: 'ANOTHER KEY than before', reissued: 'new certificate, same key' } as const

export interface Terminal {
  write(line: string): void
  readonly colours: boolean
  /** The pieces of a roster's rows in the language of whoever reads; absent: English. */
  readonly words?: Words
}
export type Words = (english: string) => string
const ENGLISH: Words = (english) => english

const paint = (t: Terminal, colour: number, text: string): string => (t.colours ? `\x1b[${colour}m${text}\x1b[0m` : text)

export function showRoster(t: Terminal, r: Roster): void {
  const privacy = privacyOf(r)
  const w = t.words ?? ENGLISH
  t.write(paint(t, COLOUR[privacy], `${SHAPE[privacy]} ${privacySentence(r)}`))
  for (const m of r.members) t.write(`  ${String(m.leaf).padStart(3)} ${showMember(m, w)}`)
  for (const c of r.callers) t.write(`  ${String(c.leaf).padStart(3)} ${showCaller(c, w)}`)
  if ((r.conference?.more ?? 0) > 0) t.write(`    ${w(`and ${r.conference?.more} more`)}`)
  if (r.conference?.locked === true) t.write(`  ${w('locked')}`)
  if (r.policy?.base.forwarding === 'loudest') t.write(`  ${w('the server passes on who is loudest: it sees who speaks, not what is said')}`)
  for (const k of r.knocking) t.write(paint(t, 33, `  ${w(`waits, ${k.request}: ${inSentence(k.identity)}`)}  [${k.identity.keyId.slice(0, 8)}]${k.kind === 'gateway' ? `  (${w('gateway')})` : ''}`))
  const rules = r.policy === undefined ? [] : [r.policy.state.locked ? w('locked') : '', r.policy.base.lobby ? w('lobby') : '', r.policy.base.gatewaysAllowed ? w('gateways allowed') : ''].filter((x) => x !== '')
  if (rules.length > 0) t.write(`  ${w(`the room: ${rules.join(', ')}`)}`)
  if (r.securityCode !== '') t.write(`  ${r.sealedCall === undefined ? w(`security code ${r.securityCode}`) : w(`compare aloud: ${r.securityCode}`)}`)
  if (r.call !== undefined && r.phase === 'member') t.write(`  ${w(`call ${r.call}`)}`)
}

/** Two people of one name are told apart by the start of their key. */
export function showMember(m: Member, w: Words = ENGLISH): string {
  const organisation = m.identity.organisation === undefined ? '' : `, ${inLine(m.identity.organisation)}`
  const marks = [
    m.self ? w('you') : '', m.role === undefined ? '' : w(m.role), m.acquaintance === undefined ? '' : w(ACQUAINTANCE[m.acquaintance.kind]), m.acquaintance?.compared === true ? w('code compared') : '',
    m.phoneLeg === 'plain-lan' ? w('phone leg: plain on LAN') : '', m.kind === 'gateway' ? w('gateway: telephone callers can hear this') : '', m.state === 'joining' ? w('joining') : '', m.unheard === undefined ? '' : w(`cannot be heard: ${m.unheard}`),
    ...presenceMarks(m.presence, w), m.keyProtection === undefined ? '' : w(`keys: ${protectionText(m.keyProtection, m.measurement, m.enclave)}`),
  ].filter((x) => x !== '')
  return `${inSentence(m.identity)}${organisation}  [${m.identity.keyId.slice(0, 8)}]${marks.length === 0 ? '' : `  (${marks.join('; ')})`}`
}

/** The number is what the telephone network says: anybody can say any. */
export function showCaller(c: Caller, w: Words = ENGLISH): string {
  const number = c.number === '' ? w('number withheld') : c.number
  const marks = [c.self ? w('you') : '', c.refused === undefined ? '' : w(`certificate refused: ${c.refused}`), ...presenceMarks(c.presence, w)].filter((x) => x !== '')
  return `${w(`unverified: ${number}`)}${c.name === '' || c.name === c.number ? '' : ` "${inLine(c.name)}"`}${marks.length === 0 ? '' : `  (${marks.join('; ')})`}`
}

const presenceMarks = (p: Presence | undefined, w: Words): string[] =>
  [p?.host === true ? w('host') : '', p?.muted === true ? w('muted') : '', p?.recorded === true ? w('being recorded') : '']

/** One line for what just happened, or nothing where the roster itself says it. */
export function showEvent(t: Terminal, room: string, e: CallEvent): void {
  if (e.kind === 'note') t.write(paint(t, e.prominent === true ? ALERT : 90, `  ${room}: ${e.prominent === true ? '!! ' : ''}${noteText(e)}`))
  else if (e.kind === 'act') t.write(paint(t, e.prominent ? ALERT : 90, `  ${room}: ${e.prominent ? '!! ' : ''}${e.text}`))
  else if (e.kind === 'knock') t.write(paint(t, 33, `  ${room}: ${inSentence(e.identity)} waits to be let in: /admit ${e.request}`))
  else if (e.kind === 'phase' && e.reason !== undefined) t.write(paint(t, 90, `  ${room}: ${e.phase}: ${e.reason}`))
}

const noteText = (n: Pick<Note, 'code' | 'text'>): string => `${n.text}  ${n.code}`

/** What a roster's notes say of an event that needs more than itself: flags and block notices. */
export function showNote(t: Terminal, room: string, n: Note): void {
  t.write(paint(t, n.prominent === true ? ALERT : 90, `  ${room}: ${n.prominent === true ? '!! ' : ''}${n.text}`))
}
