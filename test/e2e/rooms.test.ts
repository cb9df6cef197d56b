/** Rooms of two robots over loopback, with everything that a configuration may choose. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Firewall } from '../kit/firewall.ts'
import { conversation, RealWorld } from '../kit/real-room.ts'

describe('two robots hear each other, and not themselves', { concurrency: 2 }, () => {
  for (const [codec, suite] of [['opus', 'x-wing'], ['g722', 'x25519']] as const) {
    test(`in ${codec} with ${suite}`, async (t) => {
      const wall = await Firewall.start(t)
      const w = await RealWorld.start(t, wall.advertised)
      wall.server = w.server.media.port
      wall.open = true
      const rooms = { default: { codec, suite } }
      const [a, b] = await Promise.all([w.member('Ann', { hz: 500, rooms }), w.member('Ben', { hz: 800, rooms })])
      await conversation(a, b, w)
      // 20 ms of G.722 are 160 octets without anything around them.
      assert.deepEqual(wall.longest.map((n) => n > 160), codec === 'g722' ? [true, true] : [false, false], wall.longest.join())
    })
  }
})
