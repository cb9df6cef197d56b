/** Somebody on the way copies packets and sends them from elsewhere, to draw a member's media to himself. */
import assert from 'node:assert/strict'
import { heardShare, MediaWorld, robot } from '../kit/media-world.ts'
import { seededTest } from '../kit/seeded-random.ts'

for (const first of [true, false]) {
  seededTest(`a copy that arrives ${first ? 'before' : 'after'} the packet itself moves nothing`, async (seed) => {
    const w = await MediaWorld.start(seed)
    const a = w.join('a', robot(440))
    const b = w.join('b', robot(700))
    w.converse()
    await w.clock.advance(2000)
    const thief = w.net.host('thief', '203.0.113.66')
    const socket = await thief.bind({ address: '203.0.113.66', port: 1 })
    let octets = 0
    let largest = 0
    socket.onMessage((data) => {
      octets += data.length
      largest = Math.max(largest, data.length)
    })
    if (first) b.host.up.set({ latencyMs: 30 })
    let stolen = 0
    w.net.capture((p) => {
      if (p.from.address !== b.host.address || p.to.port !== 7443) return
      stolen += p.data.length
      w.net.inject(p.data, socket.local, p.to)
    })
    await w.clock.advance(5000)
    const legs = w.plane.stats()
    assert.equal(legs.find((l) => l.leg === b.leg)!.address!.address, b.host.address)
    assert.ok(octets <= 3 * stolen)
    // Challenges only: not one packet of sound.
    assert.ok(largest < 60, `a packet of ${largest} octets`)
    a.takeHeard()
    b.takeHeard()
    await w.clock.advance(3000)
    assert.equal(heardShare(a.takeHeard(), 700), 1, 'a still hears b')
    assert.equal(heardShare(b.takeHeard(), 440), 1, 'b still gets its media')
    w.stop()
  })
}

seededTest('the thief relays challenges to the client and back: still the client proves its own address only', async (seed) => {
  const w = await MediaWorld.start(seed)
  w.join('a', robot(440))
  const b = w.join('b', robot(700))
  w.converse()
  await w.clock.advance(2000)
  const thief = w.net.host('thief', '203.0.113.66')
  const socket = await thief.bind({ address: '203.0.113.66', port: 1 })
  const home = w.plane.stats().find((l) => l.leg === b.leg)!.address!
  b.host.up.set({ latencyMs: 30 })
  // Towards the client the thief speaks as the server, so its challenges are answered; the answers go to the server by their own way.
  socket.onMessage((data) => w.net.inject(data, w.plane.local, home))
  w.net.capture((p) => {
    if (p.from.address === b.host.address && p.to.port === 7443 && p.data[1] === 96) w.net.inject(p.data, socket.local, p.to)
  })
  await w.clock.advance(5000)
  assert.deepEqual(w.plane.stats().find((l) => l.leg === b.leg)!.address, home)
  w.stop()
})
