/** One person with many connections, or who comes again and again: limits of calls are those of a key. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../src/base/brand.ts'
import { Meetings } from '../../src/server/meetings.ts'
import { RingWorld } from '../kit/ring-world.ts'

const token = (n: number): Uint8Array => new Uint8Array(16).fill(n)

test('one caller holds one place of somebody\'s four, however it rings; others ring beside it', async () => {
  const w = new RingWorld()
  const [bob, ann, mallory] = [await w.person('Bob'), await w.person('Ann'), await w.person('Mallory')]
  const twins = [mallory, await w.person('Mallory', { as: mallory }), await w.person('Mallory', { as: mallory })]
  for (let i = 0; i < 2; i++) for (const p of twins) await p.rings.call('bob@test.example', 'call-1')
  await w.settle()
  assert.equal(bob.rings.incoming.length, 1)
  await ann.rings.call('bob@test.example', 'call-1')
  await w.settle()
  assert.deepEqual(bob.told, ['incoming Mallory', 'incoming Ann'])
})

test('another connection, or the same one again, has no more rings than the key', async () => {
  const w = new RingWorld()
  await w.person('Bob')
  const first = await w.person('Mallory')
  let refused = 0
  for (let i = 0; i < 8; i++) {
    const again = await w.person('Mallory', { as: first })
    for (let n = 0; n < 3; n++) await again.rings.call('nobody@test.example', 'call-1')
    refused += again.faults.filter((c) => c === 'RING_RATE').length
    w.gone(again)
  }
  assert.equal(refused, 24 - 10)
})

test('meetings are counted by key, and asked for no more often than calls are', () => {
  const meetings = new Meetings(() => {}, (session) => session.split(' ')[0]!)
  const answers = (session: string, from: number, count: number): (string | undefined)[] => Array.from({ length: count }, (_, i) => meetings.meet(session, token(from + i), instant(0)))
  assert.ok(answers('mallory 1', 0, 20).every((a) => a === undefined))
  assert.equal(answers('mallory 2', 20, 20).filter((a) => a === undefined).length, 12)
  assert.equal(meetings.meet('ann 1', token(200), instant(0)), undefined)
  // What is taken back at once is asked for too often all the same.
  const often = Array.from({ length: 300 }, () => {
    const answer = meetings.meet('eve 1', token(250), instant(0))
    meetings.part('eve 1', token(250))
    return answer
  })
  assert.ok(often.filter((a) => a === undefined).length <= 64 && often.at(-1) === 'CALL_MEETINGS_FULL')
})

test('messages of one key in all its meetings have a rate', () => {
  let handed = 0
  const meetings = new Meetings(() => void handed++, (session) => session.split(' ')[0]!)
  for (let n = 0; n < 10; n++) for (const s of [`mallory ${n}`, 'ann 1']) meetings.meet(s, token(n), instant(0))
  handed = 0
  for (let i = 0; i < 1000; i++) meetings.message(`mallory ${i % 10}`, token(i % 10), Uint8Array.of(7), instant(0))
  assert.ok(handed <= 256, `${handed}`)
})
