/** Noise at every door of the media: nothing changes, nothing throws. */
import assert from 'node:assert/strict'
import { heardShare, MediaWorld, robot } from '../kit/media-world.ts'
import { seededTest, SeededNumbers, SeededRandom } from '../kit/seeded-random.ts'

seededTest('random datagrams, truncated and mutated packets at server, hop and phone', async (seed) => {
  const w = await MediaWorld.start(seed)
  const a = w.join('a', robot(440))
  const { member, phone } = await w.joinByPhone('b', { hz: 700 })
  w.converse()
  await w.clock.advance(2000)
  const numbers = new SeededNumbers(seed)
  const random = new SeededRandom(seed)
  const samples: { data: Uint8Array; from: { address: string; port: number }; to: { address: string; port: number } }[] = []
  const stop = w.net.capture((p) => samples.push(p))
  await w.clock.advance(200)
  stop()
  const before = w.plane.stats().map((l) => l.received)
  for (let i = 0; i < 3000; i++) {
    const s = numbers.pick(samples)
    const data = numbers.chance(0.3) ? random.bytes(numbers.int(1600)) : s.data.slice(0, 1 + numbers.int(s.data.length))
    for (let k = numbers.int(4); k >= 0 && data.length > 0; k--) data[numbers.int(data.length)]! ^= 1 << numbers.int(8)
    // From the right place: what a spoofer can do. Phone packets that were not changed would be genuine, so those come cut.
    w.net.inject(data, numbers.chance(0.5) ? s.from : { address: '203.0.113.9', port: 9 }, s.to)
    if (i % 50 === 0) await w.clock.advance(20)
  }
  await w.clock.advance(1000)
  assert.ok(w.plane.stats().every((l, i) => l.received - before[i]! < 150), 'nothing forged was taken for genuine')
  assert.ok(w.plane.stray > 0)
  await w.clock.advance(1500)
  a.takeHeard()
  phone.takeHeard()
  await w.clock.advance(2000)
  assert.equal(heardShare(a.takeHeard(), 700), 1)
  assert.equal(heardShare(phone.takeHeard(), 440), 1)
  assert.equal(member.events.filter((e) => e.op === 'fault').length, 0)
  w.stop()
  phone.stop()
})
