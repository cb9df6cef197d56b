import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { must } from '../../../../src/base/result.ts'
import { BATCH_OCTETS, BATCH_PACKETS, decodeBatch, encodeBatch, PACKET_LIMIT } from '../../../../src/protocol/wire/packet-batch.ts'
import { packetLane } from '../../../../src/protocol/wire/packet-lane.ts'
import { FakeTransport } from '../../../kit/fake-transport.ts'
import { SeededNumbers, seededTest } from '../../../kit/seeded-random.ts'
import { VirtualClock } from '../../../kit/virtual-clock.ts'

const packet = (fill: number, length = 100): Uint8Array => new Uint8Array(length).fill(fill)

function lane() {
  const clock = new VirtualClock()
  const transport = new FakeTransport()
  const got: number[] = []
  const l = packetLane(transport, clock)
  l.onPacket((p) => got.push(p[0]!))
  return { clock, transport, lane: l, got }
}

test('a batch is its packets, each after its length', () => {
  assert.deepEqual(encodeBatch([new Uint8Array([1, 2]), new Uint8Array([3])]), new Uint8Array([0, 2, 1, 2, 0, 1, 3]))
  fc.assert(fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: PACKET_LIMIT }), { maxLength: 20 }), (packets) => {
    assert.deepEqual(must(decodeBatch(encodeBatch(packets))).map((p) => [...p]), packets.map((p) => [...p]))
  }), { numRuns: 100 })
})

test('wrong batches are refused', () => {
  const bad = [new Uint8Array([0]), new Uint8Array([0, 0]), new Uint8Array([0, 5, 1]), encodeBatch([packet(1, PACKET_LIMIT + 1)]), encodeBatch(Array.from({ length: BATCH_PACKETS + 1 }, () => packet(1, 1))), new Uint8Array(BATCH_OCTETS + 1)]
  for (const b of bad) assert.ok(!decodeBatch(b).ok)
})

seededTest('any octets give packets or a fault', (seed) => {
  const n = new SeededNumbers(seed)
  for (let i = 0; i < 5000; i++) {
    const r = decodeBatch(Uint8Array.from({ length: n.int(60) }, () => (n.chance(0.5) ? 0 : n.int(256))))
    if (r.ok) for (const p of r.value) assert.ok(p.length > 0 && p.length <= PACKET_LIMIT)
  }
})

test('the packets of one tick are one message', () => {
  const { clock, transport, lane: l } = lane()
  const reused = packet(1)
  l.send(reused)
  reused.fill(9)
  l.send(packet(2))
  assert.equal(transport.sent.length, 0)
  clock.advanceSync(2)
  l.send(packet(3))
  clock.advanceSync(2)
  assert.deepEqual(transport.sent.map((m) => must(decodeBatch(m)).map((p) => p[0])), [[1, 2], [3]])
  assert.equal(clock.pending, 0)
})

test('what the network does not take for 60 ms is dropped, the oldest first', () => {
  const { clock, transport, lane: l } = lane()
  transport.waiting = 1_000_000
  for (let i = 0; i < 10; i++) {
    l.send(packet(i))
    clock.advanceSync(20)
  }
  assert.equal(transport.sent.length, 0)
  transport.waiting = 0
  clock.advanceSync(2)
  assert.deepEqual(transport.sent.flatMap((m) => must(decodeBatch(m)).map((p) => p[0])), [8, 9])
  assert.equal(l.dropped, 8)
})

test('packets come out; a wrong batch ends the lane', () => {
  const { transport, lane: l, got } = lane()
  let why = 'open'
  l.onClose((reason) => {
    why = reason
  })
  transport.receive(encodeBatch([packet(5), packet(6)]))
  assert.deepEqual(got, [5, 6])
  transport.receive(new Uint8Array([0]))
  assert.equal(transport.closedWith, 1008)
  assert.notEqual(why, 'open')
  l.send(packet(1))
  assert.equal(transport.sent.length, 0)
})
