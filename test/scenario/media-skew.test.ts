/** Clocks that disagree, in virtual time. `STC_LONG=1` runs the whole hour. */
import assert from 'node:assert/strict'
import { heardShare, MediaWorld, robot } from '../kit/media-world.ts'
import { plainCodecs } from '../kit/plain-codec.ts'
import { seededTest } from '../kit/seeded-random.ts'
import { SkewedClock } from '../kit/skewed-clock.ts'

/** Without a correction, 600 ppm use up a frame in 33 s and every buffer in two minutes. */
const MINUTES = process.env['STC_LONG'] === '1' ? 60 : 2

seededTest(`members at +300 and -300 ppm for ${MINUTES} minutes: delay is bounded, nothing is lost, next to nothing made up`, async (seed) => {
  const w = await MediaWorld.start(seed)
  const a = w.join('a', robot(440), { clock: new SkewedClock(w.clock, 300), codecs: plainCodecs })
  const b = w.join('b', robot(700), { clock: new SkewedClock(w.clock, -300), codecs: plainCodecs })
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
