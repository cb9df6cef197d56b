import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PacketBatch, splitBatch } from '../../../src/net/packet-batch.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

function stage() {
  const clock = new VirtualClock()
  const messages: Uint8Array[] = []
  const open: (() => void)[] = []
  const batch = new PacketBatch({ scheduler: clock, write: (m, done) => void (messages.push(m), open.push(done)) })
  return { clock, messages, open, batch }
}

test('packets of one moment share a message and come out as they went in', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 40 }), (packets) => {
    const s = stage()
    for (const p of packets) s.batch.push(p)
    s.clock.advanceSync(1)
    assert.equal(s.messages.length, 1)
    assert.deepEqual(splitBatch(s.messages[0]!)!.map((p) => [...p]), packets.map((p) => [...p]))
  }))
})

test('while the transport is busy packets wait, and the oldest go after 60 ms', () => {
  const s = stage()
  s.batch.push(Uint8Array.of(1))
  s.clock.advanceSync(1)
  s.batch.push(Uint8Array.of(2))
  s.clock.advanceSync(50)
  s.batch.push(Uint8Array.of(3))
  s.clock.advanceSync(20)
  assert.equal(s.messages.length, 1)
  s.open[0]!()
  assert.deepEqual(splitBatch(s.messages[1]!)!.map((p) => [...p]), [[3]])
  assert.equal(s.batch.dropped, 1)
})

test('a transport that never takes anything costs bounded memory', () => {
  const s = stage()
  for (let i = 0; i < 5000; i++) s.batch.push(Uint8Array.of(i & 255))
  s.clock.advanceSync(1)
  s.open[0]!()
  assert.ok(s.batch.dropped >= 5000 - 2 * 1024)
})

test('lengths that do not add up are refused', () => {
  for (const bad of [[0], [0, 0], [0, 5, 1], [0, 1, 9, 0]]) assert.equal(splitBatch(Uint8Array.from(bad)), undefined, String(bad))
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (m) => {
    const packets = splitBatch(m)
    if (packets !== undefined) assert.equal(packets.reduce((n, p) => n + 2 + p.length, 0), m.length)
  }))
})
