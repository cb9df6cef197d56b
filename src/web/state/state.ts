/** All that the page knows, and how each message changes it. Pure: no DOM, no clock. */
import type { PageCall, PageFault, PageMessage, PageSender, PageSnapshot } from '../../model/page.ts'
import { displayName } from '../../model/identity.ts'
import { type CallEvent, applyEvent, type Member, type Roster } from '../../model/roster.ts'
import { presenceOf } from './presence.ts'

/** To the client on this computer. `locked`: it is there, and does not know this window. */
export type Link = 'connecting' | 'open' | 'lost' | 'locked'

/** One instant of the client's clock, and the wall time of it. */
export interface Clock {
  readonly instant: number
  readonly unixMs: number
}

export type HappeningKind = 'joined' | 'left' | 'unheard' | 'heard' | 'knock' | 'changed' | 'flag' | 'phase' | 'note'

/** One line of the history. */
export interface Happening {
  /** Client's clock, ms. */
  readonly at: number
  readonly kind: HappeningKind
  readonly name: string
  readonly code: string
  readonly text: string
  /** Nobody may miss it. */
  readonly prominent: boolean
}

export interface StatsPoint {
  readonly lossShare: number
  readonly jitterMs: number
  readonly bufferMs: number
  readonly concealedShare: number
}

/** Of one member, by stream. */
export interface Line {
  readonly last: PageSender
  readonly points: readonly StatsPoint[]
}

export interface CallView extends PageCall {
  readonly history: readonly Happening[]
  readonly lines: ReadonlyMap<number, Line>
  readonly lateTicks: number
  /** The security code that the user compared with somebody. */
  readonly compared?: string
  /** Prominent happenings up to this instant were seen. */
  readonly seen: number
}

export interface Tapped {
  readonly octets: string
  readonly members?: Int16Array
  readonly server?: Int16Array
}

export interface State {
  readonly link: Link
  /** The page's clock, ms, when the link was lost. */
  readonly snapshot?: PageSnapshot
  readonly calls: readonly CallView[]
  readonly notice?: PageFault
  readonly tapped?: Tapped
  /** Codes to be compared with single people, by key. */
  readonly pairwise?: Readonly<Record<string, string>>
}

export const START: State = { link: 'connecting', calls: [] }

const HISTORY_KEPT = 300
const POINTS_KEPT = 60
/** Said by the difference of two rosters, or by the controls themselves. */
const SAID_OTHERWISE = /^CLIENT_(MEMBER_JOINED|MEMBER_LEFT|MUTED|UNMUTED)$/

export function fold(s: State, m: PageMessage): State {
  switch (m.k) {
    case 'snapshot':
      return { ...s, snapshot: m, calls: m.calls.map((c) => keepView(s, c)) }
    case 'server':
      return withSnapshot(s, { server: m.server })
    case 'phones':
      return withSnapshot(s, { phones: m.phones })
    case 'browser':
      return withSnapshot(s, { browser: m.browser })
    case 'line':
      return withSnapshot(s, { line: m.line })
    case 'setup': {
      if (s.snapshot === undefined) return s
      const { setup: _, ...rest } = s.snapshot
      return { ...s, snapshot: m.setup === undefined ? rest : { ...rest, setup: m.setup } }
    }
    case 'call':
      return { ...s, calls: s.calls.some((c) => c.id === m.call.id) ? s.calls.map((c) => (c.id === m.call.id ? keepView(s, m.call) : c)) : [...s.calls, keepView(s, m.call)] }
    case 'event':
      return withCall(s, m.call, (c) => happened(c, m.event))
    case 'over':
      return withSnapshot({ ...s, calls: s.calls.filter((c) => c.id !== m.call) }, m.past === undefined ? {} : { past: [m.past, ...(s.snapshot?.past ?? [])].slice(0, 100) })
    case 'rings':
      return withSnapshot(s, { rings: m.rings, calling: m.calling })
    case 'people':
      return withSnapshot(s, { people: m.people })
    case 'past':
      return withSnapshot(s, { past: m.past })
    case 'pairwise':
      return { ...s, pairwise: { ...s.pairwise, [m.keyId]: m.code } }
    case 'stats':
      return withCall(s, m.call, (c) => ({ ...c, lateTicks: m.lateTicks, lines: linesOf(c, m.senders) }))
    case 'notice':
      return { ...s, notice: m.fault }
    case 'tapped':
      return { ...s, tapped: { octets: m.octets } }
    case 'levels':
    case 'done':
      return s
  }
}

const withSnapshot = (s: State, change: Partial<PageSnapshot>): State => (s.snapshot === undefined ? s : { ...s, snapshot: { ...s.snapshot, ...change } })
const withCall = (s: State, id: number, change: (c: CallView) => CallView): State => ({ ...s, calls: s.calls.map((c) => (c.id === id ? change(c) : c)) })

/** What the page itself knows of a call outlives what the client tells anew. A client that was started again counts its calls anew. */
function keepView(s: State, call: PageCall): CallView {
  const before = s.calls.find((c) => c.id === call.id && c.startedAt === call.startedAt)
  const { history, lines, lateTicks, compared, seen } = before ?? { history: earlier(call.roster), lines: new Map<number, Line>(), lateTicks: 0, compared: undefined, seen: 0 }
  return { ...call, history, lines, lateTicks, seen, ...(compared === undefined ? {} : { compared }) }
}

/** A window that was opened later has the notes that the client kept. */
const earlier = (r: Roster): Happening[] => r.notes.filter((n) => !SAID_OTHERWISE.test(n.code)).map((n) => ({ at: n.at, kind: 'note', name: '', code: n.code, text: n.text, prominent: n.prominent === true }))

function happened(c: CallView, e: CallEvent): CallView {
  const roster = applyEvent(c.roster, e)
  return { ...c, roster, history: [...c.history, ...happenings(c.roster, roster, e)].slice(-HISTORY_KEPT) }
}

function happenings(before: Roster, now: Roster, e: CallEvent): Happening[] {
  const line = (kind: HappeningKind, name = '', code = '', text = ''): Happening => ({ at: e.at, kind, name, code, text, prominent: false })
  if (e.kind === 'group' || e.kind === 'conference') return [...others(now, before).map((m) => line('joined', displayName(m.identity))), ...others(before, now).map((m) => line('left', displayName(m.identity)))]
  if (e.kind === 'flag') {
    const by = now.members.find((m) => m.leaf === e.leaf)
    return [{ ...line('flag', by === undefined ? '?' : displayName(by.identity), '', e.text), prominent: true }]
  }
  if (e.kind === 'note' || e.kind === 'act' || e.kind === 'notice') {
    const note = now.notes.at(-1)
    return note === undefined || SAID_OTHERWISE.test(note.code) ? [] : [{ ...line('note', '', note.code, note.text), prominent: note.prominent === true }]
  }
  if (e.kind === 'knock') return [line('knock', displayName(e.identity))]
  if (e.kind === 'acquainted') {
    const m = now.members.find((x) => x.leaf === e.leaf)
    return e.acquaintance.kind === 'changed' && m !== undefined ? [{ ...line('changed', displayName(m.identity)), prominent: true }] : []
  }
  if (e.kind === 'phase') return e.phase === before.phase && e.reason === undefined ? [] : [line('phase', '', e.phase, e.reason ?? '')]
  if (e.kind !== 'unheard') return []
  const m = now.members.find((x) => x.leaf === e.leaf)
  const was = before.members.find((x) => x.leaf === e.leaf)?.unheard
  if (m === undefined || was === e.code) return []
  return [line(e.code === undefined ? 'heard' : 'unheard', displayName(m.identity), e.code ?? '')]
}

/** Who is in `a` and not in `b`. */
const others = (a: Roster, b: Roster): Member[] => {
  const there = new Set(b.members.map((m) => presenceOf(b.kind, m)))
  return a.members.filter((m) => !m.self && !there.has(presenceOf(a.kind, m)))
}

function linesOf(c: CallView, senders: readonly PageSender[]): Map<number, Line> {
  return new Map(senders.map((s) => {
    const before = c.lines.get(s.ssrc)
    return [s.ssrc, { last: s, points: [...(before?.points ?? []), pointOf(s, before?.last)].slice(-POINTS_KEPT) }]
  }))
}

function pointOf(now: PageSender, before: PageSender | undefined): StatsPoint {
  const grown = (of: 'received' | 'lost' | 'late' | 'unopened' | 'concealed' | 'played'): number => Math.max(0, now[of] - (before?.[of] ?? 0))
  const missing = grown('lost') + grown('late') + grown('unopened')
  return {
    lossShare: missing / Math.max(1, grown('received') + grown('lost') + grown('unopened')), jitterMs: now.jitterMs, bufferMs: now.bufferMs,
    concealedShare: grown('concealed') / Math.max(1, grown('concealed') + grown('played')),
  }
}

export type Quality = 'none' | 'good' | 'fair' | 'poor'

/** How well a member comes through, over the last seconds. */
export function qualityOf(line: Line | undefined): Quality {
  const recent = line?.points.slice(-5) ?? []
  if (line === undefined || recent.length === 0 || line.last.received === 0) return 'none'
  const loss = recent.reduce((n, p) => n + p.lossShare, 0) / recent.length
  if (loss > 0.08 || line.last.bufferMs > 400) return 'poor'
  return loss > 0.02 || line.last.jitterMs > 40 ? 'fair' : 'good'
}
