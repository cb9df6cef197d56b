/** Clocks that disagree, in virtual time. `STC_LONG=1` runs the whole hour. */
import assert from 'node:assert/strict'
import type { CodecFactory } from '../../src/audio/codecs.ts'
import { heardShare, MediaWorld, robot } from '../kit/media-world.ts'
import { seededTest } from '../kit/seeded-random.ts'
import { SkewedClock } from '../kit/skewed-clock.ts'

/** Without a correction, 600 ppm use up a frame in 33 s and every buffer in two minutes. */
const MINUTES = process.env['STC_LONG'] === '1' ? 60 : 2

/** Every second sample in eight bits: as large as G.722, at a tenth of its cost. */
const plain: CodecFactory = {
  names: ['g722'],
  create: () => ({
    name: 'g722',
    clockRate: 8000,
    encode: (pcm) => Uint8Array.from({ length: pcm.length / 2 }, (_, i) => (pcm[2 * i]! >> 8) & 0xff),
    decode: (payload) => Int16Array.from({ length: payload.length * 2 }, (_, i) => (payload[i >> 1]! << 24) >> 16),
    [Symbol.dispose]() {},
  }),
}

seededTest(`members at +300 and -300 ppm for ${MINUTES} minutes: delay is bounded, nothing is lost, next to nothing made up`, async (seed) => {
  const w = await MediaWorld.start(seed)
  const a = w.join('a', robot(440), { clock: new SkewedClock(w.clock, 300), codecs: plain })
  const b = w.join('b', robot(700), { clock: new SkewedClock(w.clock, -300), codecs: plain })
  w.converse()
  for (let minute = 0; minute < MINUTES; minute++) {
    await w.clock.advance(2000)
    a.takeHeard()
    b.takeHeard()
    await w.clock.advance(58_000)
    assert.ok(heardShare(a.takeHeard(), 700) > 0.99, `a hears b in minute ${minute}`)
    assert.ok(heardShare(b.takeHeard(), 440) > 0.99, `b hears a in minute ${minute}`)
    for (const [m, other] of [[a, b], [b, a]] as const) {
      const s = m.sender(other)!
      assert.ok(s.bufferMs <= 60, `${m.name} buffers ${s.bufferMs} ms in minute ${minute}`)
      assert.equal(s.lost + s.late, 0)
      assert.ok(s.concealed <= 3 * (minute + 1), `${s.concealed} made up`)
    }
  }
  w.stop()
})

seededTest('a phone at +300 and one at -300 ppm: the uplink has the rate of our clock, nothing piles up', async (seed) => {
  const w = await MediaWorld.start(seed)
  const a = w.join('a', robot())
  const fast = await w.joinByPhone('fast', { codec: 'pcmu', hz: 440, ppm: 300, codecs: plain })
  const slow = await w.joinByPhone('slow', { codec: 'pcmu', hz: 700, ppm: -300, codecs: plain })
  w.converse()
  await w.clock.advance(2000)
  const sent = new Map<string, number>()
  w.net.capture((p) => p.data[1] === 96 && sent.set(p.from.address, (sent.get(p.from.address) ?? 0) + 1))
  a.takeHeard()
  await w.clock.advance(MINUTES * 30_000)
  for (const m of w.members) if (m !== a) assert.equal(sent.get(m.host.address), MINUTES * 1500)
  const pcm = a.takeHeard().subarray(16_000)
  assert.ok(heardShare(pcm, 440) > 0.98 && heardShare(pcm, 700) > 0.98, `${heardShare(pcm, 440)} and ${heardShare(pcm, 700)}`)
  w.stop()
  fast.phone.stop()
  slow.phone.stop()
})
