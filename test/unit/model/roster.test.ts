/** A bridged conference as a fold: what its events leave on the roster, and the sentence that is shown for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant, type Ssrc } from '../../../src/base/brand.ts'
import type { Identity } from '../../../src/model/identity.ts'
import { privacyOf, privacySentence } from '../../../src/model/privacy.ts'
import { applyEvent, type CallEvent, type CallState, type ConferenceState, emptyRoster, type PhoneLeg, type Roster } from '../../../src/model/roster.ts'

const anna = { subject: 'Anna', keyId: 'aa', emails: [], hosts: [] } as unknown as Identity
const state: ConferenceState = { current: true, locked: false, recorded: false, weAreHost: false, more: 0 }
const event = (at: number, change: Partial<Extract<CallEvent, { kind: 'conference' }>> = {}): CallEvent => ({
  kind: 'conference', at: instant(at), state, members: [{ leaf: 1, identity: anna, self: true, presence: {} }],
  callers: [{ leaf: 2, number: '+49301234', name: '', self: false, presence: { muted: true } }], ...change,
})

test('members keep the time they came at, those who went are gone', () => {
  let r = applyEvent(emptyRoster('800', 'bridged'), event(10))
  r = applyEvent(r, event(20))
  assert.equal(r.members[0]?.since, 10)
  assert.equal(r.members[0]?.state, 'member')
  assert.deepEqual(r.callers, [{ leaf: 2, number: '+49301234', name: '', self: false, presence: { muted: true }, since: 10 }])
  r = applyEvent(r, event(30, { callers: [] }))
  assert.deepEqual(r.callers, [])
  r = applyEvent(r, event(40))
  assert.equal(r.callers[0]?.since, 40)
  assert.deepEqual(applyEvent(r, { kind: 'phase', phase: 'left', at: instant(50) }).callers, [])
})

test('the sentence names the weakest: the server, unverified callers, a recorder, a list that is old', () => {
  const sentence = (change: Partial<Extract<CallEvent, { kind: 'conference' }>>): string => {
    const r = applyEvent(emptyRoster('800', 'bridged'), event(1, change))
    assert.equal(privacyOf(r), 'bridged')
    return privacySentence(r)
  }
  assert.equal(sentence({ callers: [] }), 'Our server can hear this.')
  assert.equal(sentence({}), 'Our server can hear this. So can anyone on the line of an unverified caller.')
  assert.equal(sentence({ state: { ...state, more: 2 } }), 'Our server can hear this. So can anyone on the line of 3 unverified callers.')
  assert.equal(sentence({ callers: [], members: [{ leaf: 1, identity: anna, self: false, presence: { recorded: true } }] }), 'Our server can hear this. It is being recorded.')
  assert.equal(sentence({ callers: [], state: { ...state, recorded: true } }), 'Our server can hear this. It is being recorded.')
  assert.match(sentence({ callers: [], state: { ...state, current: false } }), /^Our server can hear this\. The list of members is old/)
})

test('the leg of our own phone is kept over every change of the group, whenever it was known, and weakens the sentence while it is in clear', () => {
  const group = (epoch: bigint): CallEvent => ({ kind: 'group', at: instant(1), epoch, securityCode: '1', members: [{ leaf: 0, identity: anna, self: true, kind: 'member' }, { leaf: 1, identity: { ...anna, keyId: 'bb' }, self: false, kind: 'member' }] })
  const leg = (is: PhoneLeg): CallEvent => ({ kind: 'phone-leg', at: instant(1), leg: is })
  const room = (...events: readonly CallEvent[]): Roster => events.reduce(applyEvent, { ...emptyRoster('weekly', 'sealed'), phase: 'member' })
  const legs = (r: Roster): unknown => r.members.map((m) => m.phoneLeg)
  const before = room(leg('plain-lan'), group(1n), group(2n))
  assert.deepEqual(legs(before), ['plain-lan', undefined])
  assert.deepEqual(legs(room(group(1n), leg('plain-lan'), group(2n))), ['plain-lan', undefined])
  assert.equal(privacySentence(before), 'Only these 2 people can hear this. Phone leg: plain on LAN.')
  const after = room(leg('plain-lan'), group(1n), leg('encrypted'), group(2n))
  assert.deepEqual(legs(after), ['encrypted', undefined])
  assert.equal(privacySentence(after), 'Only these 2 people can hear this.')
})

test('another member says how its phone is connected: kept as long as its stream is, and not believed of who came in anew', () => {
  const ssrc = (n: number): Ssrc => n as Ssrc
  const group = (epoch: bigint, stream?: number): CallEvent => ({ kind: 'group', at: instant(1), epoch, securityCode: '1', members: [{ leaf: 0, identity: anna, self: true, kind: 'member' }, { leaf: 1, identity: { ...anna, keyId: 'bb' }, self: false, kind: 'member', ...(stream === undefined ? {} : { ssrc: ssrc(stream) }) }] })
  const said: CallEvent = { kind: 'phone-leg', at: instant(1), leaf: 1, leg: 'plain-lan' }
  const room = (...events: readonly CallEvent[]): Roster => events.reduce(applyEvent, { ...emptyRoster('weekly', 'sealed'), phase: 'member' })
  const r = room(group(1n, 7), said, group(2n, 7))
  assert.deepEqual([r.members.map((m) => m.phoneLeg), r.phoneLeg], [[undefined, 'plain-lan'], undefined])
  assert.equal(privacySentence(r), 'Only these 2 people can hear this. Phone leg: plain on LAN.')
  assert.equal(privacySentence(room(group(1n, 7), said, group(2n), { kind: 'confirmed', at: instant(2), leaf: 1, ssrc: ssrc(9) })), 'Only these 2 people can hear this.')
})

test('a sealed call whose phone is in clear on the local network does not say that only the two can hear it, and one that is not sealed says what is worse', () => {
  const call = (state: CallState['state'], leg: PhoneLeg, more: Partial<CallState> = {}): string => {
    const at = instant(1)
    return privacySentence([{ kind: 'phone-leg', at, leg } as const, { kind: 'sealed-call', at, number: '1', state, words: [], ...more } as const].reduce(applyEvent, emptyRoster('1', 'sealed')))
  }
  assert.equal(call('sealed', 'plain-lan'), 'Only you and the other side can hear this. Phone leg: plain on LAN.')
  assert.equal(call('sealed', 'plain-lan', { muted: true }), 'Only you and the other side can hear this. The other side is muted. Phone leg: plain on LAN.')
  for (const leg of ['local', 'encrypted'] as const) assert.equal(call('sealed', leg), 'Only you and the other side can hear this.')
  assert.equal(call('open', 'plain-lan'), 'Anyone on the line can hear this.')
  assert.doesNotMatch(call('sealed', 'plain-lan', { profile: 'chained' }), /LAN/)
})
