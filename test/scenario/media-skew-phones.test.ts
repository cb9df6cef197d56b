/** Clocks of phones that disagree with ours, in virtual time. `STC_LONG=1` runs the whole hour. */
import assert from 'node:assert/strict'
import { heardShare, MediaWorld, robot } from '../kit/media-world.ts'
import { plainCodecs } from '../kit/plain-codec.ts'
import { seededTest } from '../kit/seeded-random.ts'

const MINUTES = process.env['STC_LONG'] === '1' ? 60 : 2

seededTest('a phone at +300 and one at -300 ppm: the uplink has the rate of our clock, nothing piles up', async (seed) => {
  const w = await MediaWorld.start(seed)
  const a = w.join('a', robot())
  const fast = await w.joinByPhone('fast', { codec: 'pcmu', hz: 440, ppm: 300, codecs: plainCodecs })
  const slow = await w.joinByPhone('slow', { codec: 'pcmu', hz: 700, ppm: -300, codecs: plainCodecs })
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
