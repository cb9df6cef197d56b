import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dial, emergencyNumbers, type DialPlan } from '../../../src/client/switch.ts'

const plan: DialPlan = { roomPrefix: '8', roomNames: { support: 'help-desk', '112room': 'x' }, emergencyNumbers: emergencyNumbers('DE') }

test('the prefix leads to a room', () => {
  assert.deepEqual(dial(plan, '8123'), { kind: 'target', target: { kind: 'room', room: '123' } })
  assert.deepEqual(dial(plan, '8Board-Meeting'), { kind: 'target', target: { kind: 'room', room: 'board-meeting' } })
})

test('names lead to their rooms, whatever their case', () => {
  assert.deepEqual(dial(plan, 'Support'), { kind: 'target', target: { kind: 'room', room: 'help-desk' } })
})

test('emergency numbers come before prefix and names, with separators as phones add them', () => {
  const greedy: DialPlan = { roomPrefix: '1', roomNames: { '110': 'trap' }, emergencyNumbers: emergencyNumbers('DE') }
  for (const number of ['112', '110', '1-1-0', '(112)', '+112']) assert.deepEqual(dial(greedy, number), { kind: 'emergency' }, number)
})

test('an unknown country has the numbers that work everywhere', () => {
  assert.deepEqual(emergencyNumbers('XX'), ['112', '911'])
  assert.deepEqual(emergencyNumbers(), ['112', '911'])
})

test('anything else is unknown: no prefix, no room after it, letters that no room has, inherited properties', () => {
  for (const number of ['', '8', '9123', '8../etc', '8_x', `8${'a'.repeat(65)}`, 'constructor', '__proto__']) assert.deepEqual(dial(plan, number), { kind: 'unknown' }, number)
})
