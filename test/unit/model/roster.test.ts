/** A bridged conference as a fold: what its events leave on the roster, and the sentence that is shown for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../src/base/brand.ts'
import type { Identity } from '../../../src/model/identity.ts'
import { privacyOf, privacySentence } from '../../../src/model/privacy.ts'
import { applyEvent, type CallEvent, type ConferenceState, emptyRoster } from '../../../src/model/roster.ts'

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
