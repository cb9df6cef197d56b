import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../src/base/brand.ts'
import type { ServerMessage } from '../../../src/protocol/wire/messages.ts'
import { Meetings } from '../../../src/server/meetings.ts'

const at = instant
const token = (n: number): Uint8Array => new Uint8Array(16).fill(n)
function world() {
  const got: string[] = []
  const meetings = new Meetings((session, m: ServerMessage) => got.push(`${session} ${m.k} ${'message' in m ? String(m.message) : ''}`.trim()))
  return { got, meetings }
}
const m = Uint8Array.of(7)

test('two who name the same meet, and hear each other; nobody else does', () => {
  const { got, meetings } = world()
  meetings.meet('a', token(1), at(0))
  assert.equal(meetings.message('a', token(1), m, at(0)), 'CALL_MEETING_UNKNOWN')
  meetings.meet('a', token(1), at(0))
  assert.deepEqual(got, [])
  meetings.meet('b', token(1), at(1000))
  assert.deepEqual(got.splice(0), ['a call-met', 'b call-met'])
  meetings.message('a', token(1), m, at(1000))
  meetings.message('b', token(1), m, at(1000))
  assert.deepEqual(got.splice(0), ['b call-message 7', 'a call-message 7'])
  assert.equal(meetings.meet('c', token(1), at(1000)), 'CALL_MEETING_TAKEN')
  assert.equal(meetings.message('c', token(1), m, at(1000)), 'CALL_MEETING_UNKNOWN')
  assert.equal(meetings.message('a', token(2), m, at(1000)), 'CALL_MEETING_UNKNOWN')
  meetings.part('c', token(1))
  assert.equal(meetings.size, 1)
  meetings.part('b', token(1))
  assert.equal(meetings.size, 0)
  assert.deepEqual(got, [])
})

test('who leaves takes its meetings along; who waits too long has none; limits hold for each', () => {
  const { meetings } = world()
  for (let n = 0; n < 32; n++) assert.equal(meetings.meet('a', token(n), at(0)), undefined)
  assert.equal(meetings.meet('a', token(99), at(0)), 'CALL_MEETINGS_FULL')
  assert.equal(meetings.meet('b', token(99), at(0)), undefined, 'others are not kept out')
  meetings.gone('a')
  assert.equal(meetings.size, 1)
  assert.equal(meetings.meet('a', token(1), at(61_000)), undefined)
  assert.equal(meetings.size, 1)
})

test('a meeting is for one agreement: no more messages than that', () => {
  const { meetings } = world()
  meetings.meet('a', token(1), at(0))
  meetings.meet('b', token(1), at(0))
  const answers = Array.from({ length: 200 }, () => meetings.message('a', token(1), m, at(0)))
  assert.ok(answers.filter((a) => a === undefined).length < 150)
  assert.equal(answers.at(-1), 'CALL_MEETINGS_FULL')
})
