/** A server that forges, replays, swaps or rewinds streams: silence and a name, never sound. */
import assert from 'node:assert/strict'
import { ssrc } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { MediaClient, legSpec } from '../kit/media-client.ts'
import { heardShare, MediaWorld, robot, toneIn } from '../kit/media-world.ts'
import { seededTest } from '../kit/seeded-random.ts'

/** A room of a and b, and a leg of the server's own by which it can send anything to a. */
async function room(seed: number) {
  const w = await MediaWorld.start(seed)
  const a = w.join('a', robot())
  const b = w.join('b', robot(700))
  const c = w.join('c', robot(440))
  w.converse()
  await w.clock.advance(2000)
  const spec = legSpec(w.crypto, 500)
  const leg = must(w.plane.open(spec))
  const evil = new MediaClient(w.crypto, await w.net.host('evil', '203.0.113.1').bind({ address: '203.0.113.1', port: 1 }), w.plane.local, spec)
  /** What b sends, as the server sees it: SFrame payloads. */
  const tap = legSpec(w.crypto, 501)
  const tapLeg = must(w.plane.open(tap))
  const seen = new MediaClient(w.crypto, await w.net.host('tap', '203.0.113.2').bind({ address: '203.0.113.2', port: 1 }), w.plane.local, tap)
  seen.probe()
  await w.clock.advance(100)
  must(w.plane.route(b.leg, b.ssrc, [a.leg, tapLeg]))
  await w.clock.advance(2000)
  /** From now on the server makes b's stream itself. */
  const takeOver = (): void => {
    must(w.plane.unroute(b.leg, b.ssrc))
    must(w.plane.route(leg, b.ssrc, [a.leg]))
  }
  return { w, a, b, c, evil, seen: seen.heard, takeOver }
}

const attacks: Record<string, (h: { timestamp: number; payload: Uint8Array }, i: number) => { timestamp: number; payload: Uint8Array }> = {
  'replayed': (h) => h,
  'with one bit flipped': (h) => ({ timestamp: h.timestamp, payload: h.payload.map((v, j) => (j === 20 ? v ^ 1 : v)) }),
  'moved in time': (h) => ({ timestamp: (h.timestamp + 160 * 400) >>> 0, payload: h.payload }),
  'cut short': (h) => ({ timestamp: (h.timestamp + 160 * 400) >>> 0, payload: h.payload.subarray(0, 5) }),
  'empty': (h) => ({ timestamp: (h.timestamp + 160 * 400) >>> 0, payload: new Uint8Array(0) }),
  'random': (h, i) => ({ timestamp: (h.timestamp + 160 * 400) >>> 0, payload: h.payload.map((_, j) => (i * 31 + j * 7) & 0xff) }),
}

for (const [name, forge] of Object.entries(attacks)) {
  seededTest(`frames ${name} are refused, counted under their sender's name, and not heard`, async (seed) => {
    const { w, a, b, c, evil, seen, takeOver } = await room(seed)
    takeOver()
    await w.clock.advance(1500)
    a.takeHeard()
    const before = a.sender(b)!
    for (const [i, h] of seen.slice(0, 100).entries()) {
      const f = forge(h, i)
      evil.send(b.ssrc, f.timestamp, f.payload)
      await w.clock.advance(20)
    }
    await w.clock.advance(1000)
    const after = a.sender(b)!
    assert.ok(after.unopened - before.unopened >= 90, `${after.unopened - before.unopened} refused`)
    assert.equal(after.played, before.played)
    assert.ok(after.lastFault !== undefined)
    const pcm = a.takeHeard()
    assert.ok(toneIn(pcm, 700) < 30)
    assert.equal(heardShare(pcm, 440), 1, 'c is untouched')
    assert.equal(a.sender(c)!.unopened, 0)
    w.stop()
  })
}

seededTest('a stream given out as another member, or as nobody on the roster, is not heard', async (seed) => {
  const { w, a, c, b, evil, seen } = await room(seed)
  const played = a.sender(c)!.played
  must(w.plane.unroute(c.leg, c.ssrc))
  const leg = w.plane.stats().find((l) => l.received === 0 && l.address === undefined)!.leg
  for (const stream of [c.ssrc, ssrc(4242)]) {
    must(w.plane.route(leg, stream, [a.leg]))
    for (const h of seen.slice(0, 50)) {
      evil.send(stream, h.timestamp, h.payload)
      await w.clock.advance(20)
    }
  }
  await w.clock.advance(1000)
  assert.ok(a.sender(c)!.unopened >= 45)
  assert.ok(a.sender(c)!.played <= played + 60)
  assert.deepEqual(a.last('conference.stats')!.senders.map((s) => s.ssrc), [b.ssrc, c.ssrc])
  w.stop()
})
