/** The SSRCs of one client's calls: a pair that rested serves the next call, so that a line never runs out of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import { localPlane } from '../../../src/media/plane/handle.ts'
import { portablePlane } from '../../../src/media/plane/portable.ts'
import { serverMedia, tieToHop } from '../../../src/server/sip/media.ts'
import { StreamNames } from '../../../src/server/sip/stream-names.ts'
import { SsrcAllocator } from '../../../src/server/ssrc.ts'
import { legSpec } from '../../kit/media-client.ts'
import { SimNet } from '../../kit/sim-net.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

const crypto = createNodeCrypto()

test('calls at the same time have pairs of their own; a pair rests for ten seconds', () => {
  const clock = new VirtualClock()
  const names = new StreamNames(clock, new SsrcAllocator(crypto))
  const [a, b] = [names.take(), names.take()]
  assert.equal(new Set([a.up, a.down, b.up, b.down]).size, 4)
  names.giveBack(a)
  clock.advanceSync(9_999)
  const c = names.take()
  assert.notDeepEqual(c, a)
  clock.advanceSync(1)
  assert.deepEqual(names.take(), a)
  names.giveBack(b)
  names.giveBack(c)
  clock.advanceSync(10_000)
  assert.deepEqual([names.take(), names.take()], [b, c], 'the one that rested longest first')
  assert.equal(new Set([a.up, a.down, b.up, b.down, c.up, c.down]).size, 6)
})

test('more calls one after another than a connection has room for streams: all get through', async () => {
  const clock = new VirtualClock()
  const net = new SimNet(clock)
  const host = net.host('server', '192.0.2.1')
  const plane = localPlane(portablePlane({ socket: await host.bind({ address: '192.0.2.1', port: 7443 }), udp: host, ports: { first: 47_010, last: 47_409 }, scheduler: clock, crypto }))
  const faults: string[] = []
  plane.onFault((f) => faults.push(f.code))
  const hop = plane.open(legSpec(crypto, 1))
  const media = serverMedia({ plane, streams: new StreamNames(clock, new SsrcAllocator(crypto)), tie: tieToHop(plane, () => hop, (f) => faults.push(f.code)) })
  const used = new Set<number>()
  for (let i = 0; i < 1500; i++) {
    const opened = await new Promise<{ leg: ReturnType<typeof media.open>; port: number }>((resolve) => {
      const leg = media.open('192.0.2.1', (port) => queueMicrotask(() => resolve({ leg, port: must(port) })))
    })
    used.add(opened.leg.streams!.up)
    opened.leg.close()
    await clock.advance(2_000)
  }
  assert.deepEqual(faults, [])
  assert.ok(used.size <= 7, `${used.size} pairs for calls of which none overlaps`)
  await plane.stop()
})
