/** Members in one room over bad networks, in virtual time. */
import assert from 'node:assert/strict'
import { heardShare, MediaWorld, robot, toneIn } from '../kit/media-world.ts'
import { seededTest } from '../kit/seeded-random.ts'

const A = 440
const B = 700
const C = 1250

async function three(seed: number) {
  const w = await MediaWorld.start(seed)
  const [a, b, c] = [w.join('a', robot(A)), w.join('b', robot(B)), w.join('c', robot(C))]
  w.converse()
  await w.clock.advance(3000)
  for (const m of w.members) m.takeHeard()
  return { w, a, b, c }
}

seededTest('everybody hears the others and not themselves', async (seed) => {
  const { w, a, b, c } = await three(seed)
  await w.clock.advance(5000)
  for (const [m, own, others] of [[a, A, [B, C]], [b, B, [A, C]], [c, C, [A, B]]] as const) {
    const pcm = m.takeHeard()
    assert.equal(pcm.length, 5 * 16_000)
    for (const hz of others) assert.equal(heardShare(pcm, hz), 1, `${m.name} hears ${hz}`)
    assert.ok(toneIn(pcm, own) < 80, `${m.name} does not hear itself`)
    assert.equal(m.last('hop.path')!.path, 'udp')
  }
  const s = a.sender(b)!
  assert.equal(s.lost + s.late + s.unopened, 0)
  assert.ok(s.bufferMs < 45, `${s.bufferMs} ms of buffer`)
  w.stop()
  await w.clock.advance(100)
  assert.equal(w.clock.pending, 0, 'nothing goes on after the end')
})

const faults = {
  '10 % loss': { loss: 0.1 },
  'bursts of 5 lost': { burst: 0.01, burstLength: 5 },
  'reordering': { reorder: 0.1, reorderMs: 45 },
  'duplication': { duplicate: 0.2 },
  '200 ms jitter': { jitterMs: 200 },
} as const

for (const [name, conditions] of Object.entries(faults)) {
  seededTest(`${name} on one member's way up: that one is still understood, the others are untouched`, async (seed) => {
    const { w, a, b, c } = await three(seed)
    b.host.up.set(conditions)
    // The buffers learn what the network does.
    await w.clock.advance(4000)
    for (const m of w.members) m.takeHeard()
    const before = a.sender(c)!
    await w.clock.advance(10_000)
    for (const [m, other] of [[a, C], [c, A]] as const) {
      const pcm = m.takeHeard()
      assert.equal(pcm.length, 10 * 16_000, 'no downlink frame is missing')
      assert.ok(heardShare(pcm, B) >= 0.9, `${m.name} hears b in ${heardShare(pcm, B)} of the time`)
      assert.equal(heardShare(pcm, other), 1, `${m.name} hears the other one always`)
    }
    const after = a.sender(c)!
    assert.equal(after.concealed, before.concealed, 'nothing of c was concealed')
    assert.equal(after.played - before.played, after.received - before.received)
    const s = a.sender(b)!
    assert.equal(s.unopened, 0)
    assert.ok(s.bufferMs < 300, `delay is bounded: ${s.bufferMs} ms`)
    w.stop()
  })
}

seededTest('an outage of three seconds: everything comes back by itself, and without the delay of it', async (seed) => {
  const { w, a, b, c } = await three(seed)
  b.host.set({ down: true })
  await w.clock.advance(1000)
  for (const m of w.members) m.takeHeard()
  await w.clock.advance(2000)
  assert.ok(heardShare(a.takeHeard(), B) === 0 && heardShare(b.takeHeard(), A) === 0)
  assert.equal(heardShare(c.takeHeard(), A), 1)
  b.host.set({ down: false })
  await w.clock.advance(1500)
  for (const m of w.members) m.takeHeard()
  await w.clock.advance(5000)
  assert.ok(heardShare(a.takeHeard(), B) >= 0.95)
  assert.ok(heardShare(b.takeHeard(), A) >= 0.95)
  assert.ok(a.sender(b)!.bufferMs < 60, `${a.sender(b)!.bufferMs} ms`)
  assert.equal(b.last('hop.path')!.path, 'udp')
  w.stop()
})

for (const how of ['another address', 'another NAT binding'] as const) {
  seededTest(`${how}: media follows within a second`, async (seed) => {
    const w = await MediaWorld.start(seed)
    const a = w.join('a', robot(A))
    const b = w.join('b', robot(B), how === 'another address' ? {} : { nat: '203.0.113.7' })
    w.converse()
    await w.clock.advance(3000)
    const before = w.plane.stats().find((s) => s.leg === b.leg)!.address
    if (how === 'another address') b.host.move('198.51.100.99')
    else b.host.rebind()
    await w.clock.advance(1000)
    const after = w.plane.stats().find((s) => s.leg === b.leg)!.address
    assert.notDeepEqual(after, before)
    for (const m of w.members) m.takeHeard()
    await w.clock.advance(3000)
    assert.equal(heardShare(a.takeHeard(), B), 1)
    assert.equal(heardShare(b.takeHeard(), A), 1)
    w.stop()
  })
}

seededTest('where UDP does not pass, media goes by TLS; when UDP comes, by UDP', async (seed) => {
  const w = await MediaWorld.start(seed)
  const a = w.join('a', robot(A))
  const b = w.join('b', robot(B), { udp: true })
  w.converse()
  // UDP of b only: its pipe is a path of its own.
  const relay = w.net.host('relay', '203.0.113.50')
  w.net.block(b.host, w.server)
  const pipe = w.tls(b, relay)
  await w.clock.advance(3000)
  assert.equal(b.last('hop.path')!.path, 'tls')
  assert.equal(a.last('hop.path')!.path, 'udp')
  for (const m of w.members) m.takeHeard()
  await w.clock.advance(3000)
  assert.equal(heardShare(a.takeHeard(), B), 1)
  assert.equal(heardShare(b.takeHeard(), A), 1)
  w.net.block(b.host, w.server, false)
  await w.clock.advance(4000)
  assert.equal(b.last('hop.path')!.path, 'udp')
  pipe.cut()
  for (const m of w.members) m.takeHeard()
  await w.clock.advance(3000)
  assert.equal(heardShare(a.takeHeard(), B), 1)
  assert.equal(heardShare(b.takeHeard(), A), 1)
  w.stop()
})

seededTest('UDP that dies in mid-call, in one direction even, is replaced by TLS', async (seed) => {
  for (const cut of ['up', 'down', 'both'] as const) {
    const w = await MediaWorld.start(seed)
    const a = w.join('a', robot(A))
    const b = w.join('b', robot(B))
    w.converse()
    w.tls(b, w.net.host('relay', '203.0.113.50'))
    await w.clock.advance(3000)
    assert.equal(b.last('hop.path')!.path, 'udp')
    if (cut !== 'down') w.net.block(b.host, w.server)
    if (cut !== 'up') w.net.block(w.server, b.host)
    // What still comes down hides for a while that nothing goes up.
    await w.clock.advance(cut === 'up' ? 9500 : 5500)
    assert.equal(b.last('hop.path')!.path, 'tls', cut)
    for (const m of w.members) m.takeHeard()
    await w.clock.advance(3000)
    assert.equal(heardShare(a.takeHeard(), B), 1, `${cut}: a hears b`)
    assert.equal(heardShare(b.takeHeard(), A), 1, `${cut}: b hears a`)
    w.stop()
  }
})
