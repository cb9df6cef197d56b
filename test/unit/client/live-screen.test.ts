import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant, type Ssrc, type UnixTime } from '../../../src/base/brand.ts'
import { columns, cut } from '../../../src/client/columns.ts'
import { liveScreen, type LiveState, meter } from '../../../src/client/live-screen.ts'
import { applyEvent, emptyRoster, type GroupMember, type Roster } from '../../../src/model/roster.ts'

const someone = (leaf: number, subject: string, self = false): GroupMember => ({
  leaf, self, kind: 'member', ssrc: (1000 + leaf) as Ssrc,
  identity: { subject, emails: [], hosts: [], issuer: 'CA', serial: '1', notBefore: 0 as UnixTime, notAfter: 1 as UnixTime, keyId: `${leaf}`.repeat(64), fingerprint: `${leaf}`.repeat(64) },
})
const rosterOf = (...members: GroupMember[]): Roster => {
  const joined = applyEvent(emptyRoster('weekly', 'sealed'), { kind: 'phase', phase: 'member', at: instant(0) })
  return applyEvent(joined, { kind: 'group', at: instant(0), epoch: 1n, securityCode: '12345 67890', members })
}
const state = (roster: Roster, change: Partial<LiveState> = {}): LiveState => ({ roster, muted: false, levels: new Map(), ownLevel: 127, stats: new Map(), seconds: 65, path: 'media over UDP', news: [], ...change })
const size = { width: 80, height: 20, colours: false }

test('label, time, members with meters and the code stand there', () => {
  const lines = liveScreen(state(rosterOf(someone(0, 'Anna', true), someone(1, 'Bob')), { levels: new Map([[1001, 20]]) }), size)
  assert.equal(lines[0], '● Only these 2 people can hear this.')
  assert.match(lines[1]!, /weekly, 1:05, media over UDP/)
  assert.ok(lines.some((l) => l.includes('Anna') && l.includes('(you)') && !l.includes('▮')))
  assert.ok(lines.some((l) => l.includes('Bob') && l.includes('▮▮▮')))
  assert.ok(lines.some((l) => l.includes('12345 67890')))
})

test('a meter grows with the level, and silence is empty', () => {
  assert.equal(meter(127), '·'.repeat(16))
  assert.equal(meter(0), '▮'.repeat(16))
  assert.ok(meter(20).split('▮').length > meter(40).split('▮').length)
})

test('what is wrong stands in the row of whom it is about; two of one name are told apart', () => {
  let roster = rosterOf(someone(0, 'Anna', true), someone(1, 'Bob'), someone(2, 'Bob'))
  roster = applyEvent(roster, { kind: 'unheard', at: instant(1), leaf: 2, code: 'CLIENT_NOT_ARRIVING' })
  const lines = liveScreen(state(roster, { muted: true }), { ...size, width: 120 })
  assert.ok(lines.some((l) => l.includes('Bob [11111111]')))
  assert.ok(lines.some((l) => l.includes('Bob [22222222]') && l.includes('CANNOT BE HEARD: CLIENT_NOT_ARRIVING')))
  assert.ok(lines.some((l) => l.includes('you, MUTED')))
})

test('it never is larger than the terminal', () => {
  const many = rosterOf(...Array.from({ length: 9 }, (_, i) => someone(i, `Member with quite a long name number ${i}`, i === 0)))
  for (const height of [10, 14, 30]) {
    const lines = liveScreen(state(many, { news: ['x'.repeat(300), 'b'] }), { width: 40, height, colours: false })
    assert.ok(lines.length <= Math.max(height, 10), `${lines.length} lines`)
    for (const l of lines) assert.ok(columns(l) <= 40, l)
  }
  assert.ok(liveScreen(state(many), { width: 40, height: 12, colours: false }).some((l) => /and \d more/.test(l)))
})

test('names with right-to-left letters are isolated, also where they are cut', () => {
  const roster = rosterOf({ ...someone(0, 'דנה לוי', true), identity: { ...someone(0, 'דנה לוי').identity, organisation: 'שלום' } }, someone(1, 'Bob'))
  const line = liveScreen(state(roster), size).find((l) => l.includes('דנה'))!
  assert.ok(line.endsWith('\u2068דנה לוי\u2069, \u2068שלום\u2069  (you)'), JSON.stringify(line))
  const short = liveScreen(state(roster), { ...size, width: 26 }).find((l) => l.includes('\u2068'))!
  assert.ok(columns(short) <= 26 && short.endsWith('\u2069…'), JSON.stringify(short))
})

test('wide characters count as two columns: no row wraps', () => {
  const roster = rosterOf(someone(0, '山田太郎'.repeat(8), true), someone(1, '👩🏽‍🚀🎧'.repeat(8)), someone(2, 'José á'.normalize('NFD').repeat(8)))
  for (const width of [30, 41, 60, 80]) for (const l of liveScreen(state(roster, { news: ['会議'.repeat(30)] }), { ...size, width })) assert.ok(columns(l) <= width, `${columns(l)} of ${width}: ${l}`)
  assert.deepEqual([columns('山田'), columns('ab'), columns('e\u0301'), columns('🎧'), columns('\u2068x\u2069'), columns('●▮·')], [4, 2, 1, 2, 1, 3])
  assert.equal(cut('山田太郎', 5), '山田…')
  assert.equal(cut('山田太郎', 4), '山…')
  assert.equal(cut('abc', 3), 'abc')
})
