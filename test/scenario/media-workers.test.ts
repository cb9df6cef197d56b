/** Four planes on one port whose threads are kept waiting by others: what they tell each other comes late. */
import assert from 'node:assert/strict'
import { ssrc } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { RESPONSE } from '../../src/media/hop/path-message.ts'
import { portablePlane } from '../../src/media/plane/portable.ts'
import { sameAddress } from '../../src/net/address.ts'
import { legSpec, MediaClient } from '../kit/media-client.ts'
import { seededTest } from '../kit/seeded-random.ts'
import { severalPlanes, simulatedLinks, steered } from '../kit/several-planes.ts'
import { SimNet } from '../kit/sim-net.ts'
import { VirtualClock } from '../kit/virtual-clock.ts'

const WORKERS = 4
const LATE_MS = 200
const SERVER = { address: '192.0.2.1', port: 7443 }

seededTest('no thread sends to the old address of a client that has answered the challenge, however late threads hear of each other', async (seed) => {
  const clock = new VirtualClock()
  const net = new SimNet(clock, seed)
  const server = net.host('server', SERVER.address)
  const crypto = createNodeCrypto()
  const links = simulatedLinks(clock, WORKERS, LATE_MS)
  const sockets = steered(await server.bind(SERVER), WORKERS)
  const plane = severalPlanes(sockets.map((socket, i) => portablePlane({ socket, link: links[i]!, udp: server, scheduler: clock, crypto })))
  const join = async (n: number) => {
    const host = net.host(`client${n}`, `198.51.100.${n}`)
    const spec = legSpec(crypto, n)
    const client = new MediaClient(crypto, await host.bind({ address: '0.0.0.0', port: 4000 }), SERVER, spec)
    const leg = must(plane.open(spec))
    client.probe()
    return { client, leg, host, stream: ssrc(101 + n) }
  }
  // Homes and streams are every thread's, and nobody's stream is its home's.
  const members = await Promise.all([1, 2, 3, 4].map(join))
  const [mover, ...others] = members as [typeof members[0], ...typeof members]
  for (const m of members) must(plane.route(m.leg, m.stream, members.filter((o) => o !== m).map((o) => o.leg)))
  let now = 0
  const talk = async (ms: number): Promise<void> => {
    for (const end = now + ms; now < end; now += 20) {
      for (const m of members) m.client.send(m.stream, now * 8, new Uint8Array(60).fill(m.client.spec.probe))
      await clock.advance(20)
    }
  }
  await talk(1000)
  assert.deepEqual(new Set(mover.client.heard.slice(-3).map((h) => h.ssrc)), new Set(others.map((o) => o.stream)))

  const old = { address: mover.host.address, port: 4000 }
  let answered: number | undefined
  const late: number[] = []
  net.capture((p) => {
    if (sameAddress(p.to, old) && answered !== undefined && p.at > answered + 2) late.push(p.at - answered)
  })
  const asked = mover.client.messages.length
  net.capture((p) => {
    if (p.from.address !== '203.0.113.9' || p.data[1] !== 204 || (p.data[0]! & 31) !== RESPONSE) return
    answered ??= p.at
  })
  // The thread that hears it is not its home: that is told late, and asks late.
  mover.host.move('203.0.113.9')
  await talk(1000)
  assert.ok(answered !== undefined && mover.client.messages.length > asked, 'it was challenged')
  assert.deepEqual(late, [], 'ms after the answer')
  const heard = mover.client.heard.length
  await talk(100)
  assert.equal(mover.client.heard.length - heard, 5 * others.length, 'and it hears everybody')
  plane.stop()
})
