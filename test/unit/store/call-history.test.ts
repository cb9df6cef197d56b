import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { must } from '../../../src/base/result.ts'
import type { PastCall } from '../../../src/model/page.ts'
import { CallHistory, HISTORY_LIMIT } from '../../../src/store/call-history.ts'

function fileFor(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-history-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return path.join(folder, 'calls.json')
}
const text = fc.string({ maxLength: 40 })
const call: fc.Arbitrary<PastCall> = fc.record({
  room: text, startedAt: fc.nat(), endedAt: fc.nat(), people: fc.array(text, { maxLength: 5 }), person: fc.record({ name: text, to: text }, { noNullPrototype: true }), direction: fc.constantFrom('in', 'out', 'missed'), fault: fc.record({ code: text, message: text }, { noNullPrototype: true }),
}, { requiredKeys: ['room', 'startedAt', 'endedAt', 'people'], noNullPrototype: true })

test('what was added is there after a new start, the newest first, for its owner alone', (t) => {
  const file = fileFor(t)
  fc.assert(fc.property(fc.array(call, { maxLength: 6 }), (calls) => {
    rmSync(file, { force: true })
    const history = must(CallHistory.open(file))
    for (const c of calls) history.add(c)
    assert.deepEqual(must(CallHistory.open(file)).all, calls.toReversed())
    if (calls.length > 0) assert.equal(statSync(file).mode & 0o077, 0)
  }), { numRuns: 30 })
})

test('it is bounded, and gone when the user says so', (t) => {
  const file = fileFor(t)
  const history = must(CallHistory.open(file))
  const faults: string[] = []
  history.onFault = (f) => void faults.push(f)
  for (let i = 0; i < HISTORY_LIMIT + 3; i++) history.add({ room: `r${i}`, startedAt: i, endedAt: i, people: [] })
  assert.equal(must(CallHistory.open(file)).all.length, HISTORY_LIMIT)
  assert.equal(history.all[0]!.room, `r${HISTORY_LIMIT + 2}`)
  history.clear()
  assert.deepEqual(must(CallHistory.open(file)).all, [])
  assert.doesNotMatch(readFileSync(file, 'utf8'), /r1/)
  assert.deepEqual(faults, [])
})

test('what others made too long is cut, so that it can be read again', (t) => {
  const file = fileFor(t)
  const long = 'x'.repeat(5000)
  must(CallHistory.open(file)).add({ room: long, startedAt: 1, endedAt: 2, people: Array.from({ length: 300 }, () => long), person: { name: long, to: long }, fault: { code: 'CLIENT_ROOM_REFUSED', message: long } })
  const [kept] = must(CallHistory.open(file)).all
  assert.deepEqual([kept!.room.length, kept!.people.length, kept!.fault!.message.length], [1024, 200, 1024])
})

test('damage is a fault, not an empty list; what cannot be written is told', (t) => {
  const file = fileFor(t)
  for (const bad of ['{', '{}', '{"version":2,"calls":[]}', '{"version":1,"calls":[{"room":1}]}']) {
    writeFileSync(file, bad)
    const opened = CallHistory.open(file)
    assert.equal(opened.ok ? 'ok' : opened.fault.code, 'STORE_DAMAGED', bad)
  }
  rmSync(file)
  const nowhere = must(CallHistory.open(file))
  mkdirSync(file)
  const faults: string[] = []
  nowhere.onFault = (f) => void faults.push(f)
  nowhere.add({ room: 'a', startedAt: 1, endedAt: 2, people: [] })
  assert.equal(faults.length, 1)
})
