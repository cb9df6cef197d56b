import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant, type Ssrc, type UnixTime } from '../../../src/base/brand.ts'
import type { Identity } from '../../../src/model/identity.ts'
import type { PageMessage, PageSender, PageSnapshot } from '../../../src/model/page.ts'
import { type CallEvent, emptyRoster, type GroupMember } from '../../../src/model/roster.ts'
import { namesakes, presenceOf } from '../../../src/web/state/presence.ts'
import { fold, qualityOf, START, type State } from '../../../src/web/state/state.ts'
import { isVoiceless, troubleOf } from '../../../src/web/state/trouble.ts'

const identity = (subject: string): Identity => ({ subject, emails: [], hosts: [], issuer: 'CA', serial: '1', notBefore: 0 as UnixTime, notAfter: 1 as UnixTime, keyId: subject.padEnd(64, '0'), fingerprint: '0'.repeat(64) })
const member = (leaf: number, subject: string, self = false): GroupMember => ({ leaf, identity: identity(subject), self, kind: 'member', ssrc: leaf as Ssrc })
const group = (at: number, ...members: GroupMember[]): CallEvent => ({ kind: 'group', at: instant(at), epoch: 1n, securityCode: '11111 22222', members })
const sender = (o: Partial<PageSender>): PageSender => ({ ssrc: 2 as Ssrc, received: 0, lost: 0, late: 0, unopened: 0, concealed: 0, played: 0, level: 127, bufferMs: 40, jitterMs: 2, ...o })
const snapshot: PageSnapshot = {
  k: 'snapshot', version: '0', clock: { instant: instant(0), unixMs: 0 }, server: { name: 's', state: 'up', path: 'udp' }, phones: [], calls: [], past: [], rings: [], calling: [], people: [], rooms: [], roomPrefix: '8', echoDial: '83246', echoRoom: 'echo-1', browser: { state: 'idle', sound: 'nowhere' }, warnings: [],
}
const all = (...messages: PageMessage[]): State => messages.reduce(fold, { ...START, link: 'open' } as State)
const call = { id: 1, room: '100', startedAt: instant(0), line: 'browser', muted: false, roster: emptyRoster('100', 'sealed'), volumes: {} }
const event = (e: CallEvent): PageMessage => ({ k: 'event', call: 1, event: e })

test('the history says who came, who went, who cannot be heard and who can again', () => {
  const s = all(snapshot, { k: 'call', call }, event(group(1, member(1, 'me', true))), event(group(2, member(1, 'me', true), member(2, 'anna'))),
    event({ kind: 'unheard', at: instant(3), leaf: 2, code: 'CLIENT_NOT_ARRIVING' }), event({ kind: 'unheard', at: instant(4), leaf: 2, code: 'CLIENT_NOT_ARRIVING' }), event({ kind: 'unheard', at: instant(5), leaf: 2 }),
    event({ kind: 'note', at: instant(6), code: 'CLIENT_MEMBER_LEFT', text: 'anna left' }), event(group(7, member(1, 'me', true))))
  assert.deepEqual(s.calls[0]!.history.map((h) => `${h.at} ${h.kind} ${h.name}`), ['2 joined anna', '3 unheard anna', '5 heard anna', '7 left anna'])
})

test('a snapshot after a lost connection keeps what the page knew of its calls', () => {
  const s = all(snapshot, { k: 'call', call }, event(group(2, member(1, 'me', true), member(2, 'anna'))))
  const again = fold(s, { ...snapshot, calls: [{ ...call, roster: s.calls[0]!.roster, muted: true }] })
  assert.equal(again.calls[0]!.history.length, 1)
  assert.equal(again.calls[0]!.muted, true)
})

test('a client that was started again counts its calls anew: nothing of the old call stands above the new one', () => {
  const before = all(snapshot, { k: 'call', call }, event(group(2, member(1, 'me', true), member(2, 'anna'))))
  const compared = { ...before, calls: before.calls.map((c) => ({ ...c, compared: '11111 22222', seen: 9 })) }
  const other = { ...call, room: '200', startedAt: instant(7) }
  for (const m of [{ ...snapshot, calls: [other] }, { k: 'call', call: other } as const]) {
    const [now] = fold(compared, m).calls
    assert.deepEqual([now!.room, now!.history, now!.compared, now!.seen, now!.lines.size], ['200', [], undefined, 0, 0], m.k)
  }
  assert.equal(fold(compared, { ...snapshot, calls: [{ ...call, roster: before.calls[0]!.roster }] }).calls[0]!.compared, '11111 22222')
})

test('somebody with two phones in a conference of the PBX has two lines, each told apart, and each comes and goes', () => {
  const conference = (at: number, ...leaves: number[]): CallEvent => ({
    kind: 'conference', at: instant(at), state: { current: true, locked: false, recorded: false, weAreHost: true, more: 0 }, callers: [],
    members: leaves.map((leaf) => ({ leaf, identity: identity('anna'), self: false, presence: {} })),
  })
  const bridged = { ...call, roster: emptyRoster('800', 'bridged') }
  const both = all(snapshot, { k: 'call', call: bridged }, event(conference(1, 4)), event(conference(2, 4, 9)))
  const { roster } = both.calls[0]!
  const [first, second] = roster.members.map((m) => presenceOf(roster.kind, m))
  assert.notEqual(first, second)
  assert.deepEqual([first, second].map((p) => namesakes(roster).get(p!)), ['1/2', '2/2'])
  assert.deepEqual(fold(both, event(conference(3, 9))).calls[0]!.history.map((h) => `${h.at} ${h.kind} ${h.name}`), ['1 joined anna', '2 joined anna', '3 left anna'])
})

test('in a group whoever comes back at another leaf is the same line', () => {
  const s = all(snapshot, { k: 'call', call }, event(group(1, member(1, 'me', true), member(2, 'anna'))), event(group(2, member(1, 'me', true), member(5, 'anna'))))
  assert.deepEqual(s.calls[0]!.history.map((h) => h.kind), ['joined'])
  assert.equal(presenceOf('sealed', member(2, 'anna')), presenceOf('sealed', member(5, 'anna')))
  assert.deepEqual([...namesakes({ kind: 'sealed', members: s.calls[0]!.roster.members })], [])
})

test('of a call through a provider the page knows whether its key is remembered', () => {
  const sealed = (memory?: 'new' | 'remembered'): PageMessage => event({ kind: 'sealed-call', at: instant(1), number: '555', state: 'sealed', words: ['harbour'], keyId: 'a'.repeat(64), ...(memory === undefined ? {} : { memory }) })
  const said = [sealed('new'), sealed('remembered'), sealed()].map((m) => all(snapshot, { k: 'call', call }, sealed('new'), m).calls[0]!.roster.sealedCall?.memory)
  assert.deepEqual(said, ['new', 'remembered', undefined])
})

test('quality follows the loss of the last seconds, not of the whole call', () => {
  const stats = (n: number, lost: number): PageMessage => ({ k: 'stats', call: 1, sent: 0, lateTicks: 0, senders: [sender({ received: 50 * n, lost })] })
  let s = all(snapshot, { k: 'call', call }, stats(1, 0))
  assert.equal(qualityOf(s.calls[0]!.lines.get(2)), 'good')
  for (let i = 2; i < 8; i++) s = fold(s, stats(i, 10 * (i - 1)))
  assert.equal(qualityOf(s.calls[0]!.lines.get(2)), 'poor')
  for (let i = 8; i < 14; i++) s = fold(s, stats(i, 60))
  assert.equal(qualityOf(s.calls[0]!.lines.get(2)), 'good')
  assert.equal(qualityOf(undefined), 'none')
})

test('each trouble is told as what it is', () => {
  const down = (code: string, message = '', clockAheadS = 0): State => all(snapshot, { k: 'server', server: { name: 's', state: 'down', path: 'none', fault: { code, message }, clockAheadS } })
  assert.equal(troubleOf({ ...all(snapshot), link: 'lost' })?.cause, 'client-gone')
  assert.equal(troubleOf({ ...all(snapshot), link: 'locked' })?.cause, 'locked')
  assert.equal(troubleOf(all(snapshot)), undefined)
  assert.equal(troubleOf(down('CHANNEL_UNREACHABLE'))?.cause, 'server-gone')
  assert.equal(troubleOf(all(snapshot, { k: 'server', server: { name: 's', state: 'up', path: 'udp', silent: true } }))?.cause, 'server-silent')
  assert.equal(troubleOf(down('CHANNEL_REFUSED', 'IDENTITY_REVOKED'))?.cause, 'certificate-revoked')
  assert.equal(troubleOf(down('IDENTITY_EXPIRED'))?.cause, 'certificate-expired')
  assert.equal(troubleOf(down('IDENTITY_NOT_YET_VALID'))?.cause, 'certificate-not-yet')
  assert.equal(troubleOf(down('IDENTITY_EXPIRED', '', 90_000))?.cause, 'clock')
  assert.equal(troubleOf(down('IDENTITY_UNKNOWN_ISSUER'))?.cause, 'not-trusted')
  assert.equal(troubleOf(all(snapshot, { k: 'server', server: { name: 's', state: 'up', path: 'tls' } }))?.cause, 'udp-blocked')
  assert.equal(troubleOf(all(snapshot, { k: 'server', server: { name: 's', state: 'up', path: 'udp', clockAheadS: -600 } }))?.cause, 'clock')
})

test('voice that has no way to the server is told in a call that needs one', () => {
  const none: PageMessage = { k: 'server', server: { name: 's', state: 'up', path: 'none' } }
  const inCall = all(snapshot, { k: 'call', call }, none)
  assert.equal(isVoiceless(inCall), true)
  assert.equal(troubleOf(inCall, true)?.cause, 'no-voice')
  assert.equal(troubleOf(inCall, false), undefined, 'a way is being looked for')
  assert.equal(isVoiceless(all(snapshot, none)), false, 'in no call')
  assert.equal(isVoiceless(all(snapshot, { k: 'call', call })), false, 'voice gets through')
  assert.equal(isVoiceless(all(snapshot, { k: 'call', call: { ...call, roster: emptyRoster('100', 'open') } }, none)), false, 'a call at another telephone system')
  assert.equal(troubleOf({ ...inCall, link: 'lost' }, true)?.cause, 'client-gone')
})
