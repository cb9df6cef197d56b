/** What members type. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant, unixTime } from '../../../src/base/brand.ts'
import { parseTyped } from '../../../src/client/room-commands.ts'
import type { Identity } from '../../../src/model/identity.ts'
import { type Roster, applyEvent, emptyRoster } from '../../../src/model/roster.ts'

const identity = (name: string, key: string): Identity => ({ subject: name, emails: [], hosts: [], issuer: 'CA', serial: '1', notBefore: unixTime(0), notAfter: unixTime(2e9), keyId: key.repeat(64), fingerprint: key.repeat(64) })
const at = instant(0)
const roster: Roster = [
  { kind: 'group' as const, at, epoch: 1n, securityCode: '', members: [{ leaf: 0, identity: identity('Ann', 'a'), self: true, kind: 'member' as const }, { leaf: 3, identity: identity('Ben', 'b'), self: false, kind: 'member' as const }] },
  { kind: 'knock' as const, at, request: 12, identity: identity('Cas', 'c'), member: 'member' as const },
].reduce(applyEvent, emptyRoster('r', 'sealed'))

test('commands name members by the number on the roster, and act on their key', () => {
  const b = 'b'.repeat(64)
  for (const [line, command] of [
    ['/lock', { do: 'decide', decision: { act: 'lock' } }], ['  /unlock ', { do: 'decide', decision: { act: 'unlock' } }], ['/remove 3', { do: 'remove', keyId: b, ban: false }],
    ['/ban 3', { do: 'remove', keyId: b, ban: true }], ['/hand-over 3', { do: 'hand-over', keyId: b }], ['/block 3 laptop  stolen', { do: 'block', keyId: b, reason: 'laptop  stolen' }],
    ['/flag somebody listens', { do: 'flag', text: 'somebody listens' }], ['/flag', { do: 'flag', text: '' }], ['/admit 12', { do: 'decide', decision: { act: 'admit', entry: 'c'.repeat(64) } }],
    ['/admit cn:Dan', { do: 'decide', decision: { act: 'admit', entry: 'cn:Dan' } }], [`/unban ${b}`, { do: 'decide', decision: { act: 'unban', keyId: b } }],
  ] as const) assert.deepEqual(parseTyped(line, roster), { kind: 'command', command }, line)
  assert.deepEqual(parseTyped('/compared 3', roster), { kind: 'compared', keyId: b })
  const through = applyEvent(emptyRoster('555', 'sealed'), { kind: 'sealed-call', at, number: '555', state: 'sealed', words: ['harbour'], memory: 'new' })
  assert.deepEqual(['/compared', '/compared 1'].map((line) => parseTyped(line, through)?.kind), ['words', 'wrong'])
  assert.equal(parseTyped('/compared', roster)?.kind, 'wrong')
  assert.deepEqual(parseTyped('/code', roster), { kind: 'code' })
  assert.equal(parseTyped('', roster), undefined)
})

test('in a conference of the PBX hosts act on presences, those without a certificate too', () => {
  const state = { current: true, locked: false, recorded: false, weAreHost: true, more: 0 }
  const bridged = applyEvent(emptyRoster('700', 'bridged'), { kind: 'conference', at, state, members: [{ leaf: 4, identity: identity('Ann', 'a'), self: true, presence: {} }, { leaf: 9, identity: identity('Ben', 'b'), self: false, presence: {} }], callers: [{ leaf: 11, number: '201', name: '', self: false, presence: {} }] })
  for (const [line, typed] of [
    ['/lock', { kind: 'act', act: 'lock' }], ['/unlock', { kind: 'act', act: 'unlock' }], ['/mute 9', { kind: 'act', act: 'mute', leaf: 9 }], ['/unmute 11', { kind: 'act', act: 'unmute', leaf: 11 }],
    ['/remove 11', { kind: 'act', act: 'kick', leaf: 11 }], ['/mute', { kind: 'mute' }],
  ] as const) assert.deepEqual(parseTyped(line, bridged), typed, line)
  for (const line of ['/remove', '/remove 12', '/unmute', '/lock 9']) assert.equal(parseTyped(line, bridged)?.kind, 'wrong', line)
})

test('what cannot be meant is said, and does nothing', () => {
  for (const line of ['lock', '/lock now', '/remove', '/remove 7', '/remove 0', '/admit 13', '/admit Dan', '/unban b', '/nothing', '/__proto__', '/constructor']) assert.equal(parseTyped(line, roster)?.kind, 'wrong', line)
})
