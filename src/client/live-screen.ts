/** A call on a terminal that is drawn anew all the time: label, roster with meters, code. Pure: what is shown follows from what is known. */
import type { SenderStats } from '../media/api.ts'
import { displayName, inLine, inSentence } from '../model/identity.ts'
import { privacyOf, privacySentence } from '../model/privacy.ts'
import type { Member, Roster } from '../model/roster.ts'
import { cut } from './columns.ts'
import { showCaller, type Words } from './terminal.ts'

export interface LiveState {
  readonly roster: Roster
  readonly muted: boolean
  /** dBov as in RFC 6464, by SSRC; our own apart. */
  readonly levels: ReadonlyMap<number, number>
  readonly ownLevel: number
  readonly stats: ReadonlyMap<number, SenderStats>
  readonly seconds: number
  /** How media goes, and how long it takes. */
  readonly path: string
  /** The newest things that happened. */
  readonly news: readonly string[]
  /** What is being typed. */
  readonly typed?: string
}

const SHAPE = { sealed: '●', bridged: '◐', open: '○', none: '·' } as const
const COLOUR = { sealed: 32, bridged: 33, open: 31, none: 90 } as const
const METER = 16
/** What counts as silence, and as loud. */
const FLOOR_DB = 60
const NEWS = 4
const LEAST_ROWS = 3

export interface LiveSize {
  /** Columns and lines. */
  readonly width: number
  readonly height: number
  readonly colours: boolean
  /** As of `Terminal`. */
  readonly words?: Words
}

/** Lines of at most `width` columns, and at most `height` of them. */
export function liveScreen(s: LiveState, { width, height, colours, words: w = (english) => english }: LiveSize): string[] {
  const paint = (colour: number, text: string): string => (colours ? `\x1b[${colour}m${text}\x1b[0m` : text)
  const { roster } = s
  const privacy = privacyOf(roster)
  const head = [paint(COLOUR[privacy], cut(`${SHAPE[privacy]} ${w(privacySentence(roster))}`, width)), cut(`  ${inLine(roster.room)}, ${clock(s.seconds)}${s.path === '' ? '' : `, ${s.path}`}`, width), '']
  const foot = ['', ...(roster.securityCode === '' ? [] : [cut(`  ${w(`security code ${roster.securityCode}`)}`, width)]), ...s.news.slice(-NEWS).map((n) => cut(`  ${n}`, width)), cut(s.typed === undefined ? `  ${w('m mute   w what is said here   / command   q hang up')}` : `  ${s.typed}█`, width)]
  const rows = Math.max(LEAST_ROWS, height - head.length - foot.length)
  const people = [...roster.members.map((m) => row(s, m, width, paint, w)), ...roster.callers.map((c) => cut(`  ${' '.repeat(METER)}  ${showCaller(c, w)}`, width))]
  return [...head, ...(people.length <= rows ? people : [...people.slice(0, rows - 1), cut(`  ${w(`and ${people.length - rows + 1} more`)}`, width)]), ...foot].slice(0, Math.max(height, head.length + LEAST_ROWS))
}

function row(s: LiveState, m: Member, width: number, paint: (colour: number, text: string) => string, w: Words): string {
  const level = m.self ? (s.muted ? 127 : s.ownLevel) : m.ssrc === undefined ? 127 : (s.levels.get(m.ssrc) ?? 127)
  const stats = m.ssrc === undefined ? undefined : s.stats.get(m.ssrc)
  const same = s.roster.members.filter((x) => displayName(x.identity) === displayName(m.identity)).length > 1
  const marks = [
    m.self ? w(s.muted ? 'you, MUTED' : 'you') : '', m.state === 'joining' ? w('joining') : '', m.kind === 'gateway' ? w('GATEWAY: telephone callers can hear this') : '', m.acquaintance?.kind === 'changed' ? w('ANOTHER KEY than before') : '',
    m.phoneLeg === 'plain-lan' ? w('phone leg: plain on LAN') : '', m.unheard === undefined ? '' : w(`CANNOT BE HEARD: ${m.unheard}`), lossOf(stats, w),
  ].filter((x) => x !== '')
  const name = `${inSentence(m.identity)}${m.identity.organisation === undefined ? '' : `, ${inLine(m.identity.organisation)}`}${same ? ` [${m.identity.keyId.slice(0, 8)}]` : ''}`
  const text = cut(`${name}${marks.length === 0 ? '' : `  (${marks.join('; ')})`}`, width - METER - 4)
  const bad = m.unheard !== undefined || m.kind === 'gateway' || m.acquaintance?.kind === 'changed'
  return `  ${paint(32, meter(level))}  ${bad ? paint(31, text) : text}`
}

/** Wider with the level: a shape, so that it needs no colour. */
export function meter(level: number): string {
  const full = Math.round((Math.max(0, FLOOR_DB - level) / FLOOR_DB) * METER)
  return '▮'.repeat(full) + '·'.repeat(METER - full)
}

function lossOf(stats: SenderStats | undefined, w: Words): string {
  if (stats === undefined || stats.received + stats.lost < 100) return ''
  const percent = (100 * stats.lost) / (stats.received + stats.lost)
  return percent < 1 ? '' : w(`${percent.toFixed(0)} % lost`)
}

const clock = (s: number): string => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, '0')}`
