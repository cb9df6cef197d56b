/** A bridged call's plain ports face a network: others send there, and the SDP of the other side may lie. */
import assert from 'node:assert/strict'
import { ssrc } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { portablePlane } from '../../src/media/plane/portable.ts'
import type { LegId, MediaPlane } from '../../src/media/plane/types.ts'
import { bindRtpPair } from '../../src/media/plain/rtp-pair.ts'
import { legSpec, MediaClient } from '../kit/media-client.ts'
import { PlainParty, rtpPacket } from '../kit/plain-peer.ts'
import { SeededNumbers, seededTest } from '../kit/seeded-random.ts'
import { SimNet } from '../kit/sim-net.ts'
import { VirtualClock } from '../kit/virtual-clock.ts'

const crypto = createNodeCrypto()
const sound = (n: number): Uint8Array => new Uint8Array(160).fill(n)

interface Call {
  readonly clock: VirtualClock
  readonly net: SimNet
  readonly plane: MediaPlane
  readonly client: MediaClient
  readonly pbx: PlainParty
  readonly leg: LegId
  readonly stop: () => void
}

/** One bridged call with a PBX at 10.0.0.5; up 100, down 200. */
async function call(seed: number): Promise<Call> {
  const clock = new VirtualClock()
  const net = new SimNet(clock, seed)
  const server = net.host('server', '192.0.2.1')
  const plane = portablePlane({ socket: await server.bind({ address: '192.0.2.1', port: 7443 }), udp: server, scheduler: clock, crypto })
  const spec = legSpec(crypto, 1)
  const client = new MediaClient(crypto, await net.host('client', '198.51.100.1').bind({ address: '0.0.0.0', port: 0 }), plane.local, spec)
  const hop = must(plane.open(spec))
  client.probe()
  const pbx = new PlainParty(must(await bindRtpPair(net.host('pbx', '10.0.0.5'), '0.0.0.0')))
  const opened = must(await plane.openPlain({ bind: '192.0.2.1', peer: pbx.peer }))
  pbx.to = opened
  must(plane.bridge(opened.leg, { kind: 'hop', leg: hop, receive: ssrc(100), send: ssrc(200) }))
  await clock.advance(500)
  return { clock, net, plane, client, pbx, leg: opened.leg, stop: () => plane.stop() }
}

seededTest('RTP from elsewhere, before the peer and during the call, with its SSRC and numbers: not passed on, nothing sent there', async (seed) => {
  const c = await call(seed)
  const random = new SeededNumbers(seed)
  const thief = new PlainParty(must(await bindRtpPair(c.net.host('thief', '10.0.0.66'), '0.0.0.0')))
  thief.to = c.pbx.to
  thief.send({ ssrc: 7, sequence: 0, timestamp: 0, payload: sound(66) })
  for (let i = 0; i < 200; i++) {
    c.pbx.send({ ssrc: 7, sequence: i, timestamp: i * 160, payload: sound(1) })
    thief.send({ ssrc: 7, sequence: i + 1 + random.int(5), timestamp: i * 160, payload: sound(66) })
    if (i % 20 === 0) thief.report([{ kind: 'rr', ssrc: ssrc(7), reports: [] }, { kind: 'bye', ssrcs: [ssrc(7)], reason: new Uint8Array(0) }])
    c.client.send(100, i * 160, sound(2))
    await c.clock.advance(20)
  }
  assert.deepEqual([...new Set(c.client.heard.map((h) => h.payload[0]))], [1])
  assert.equal(c.client.heard.length, 200)
  assert.equal(c.client.reports.length, 0)
  assert.equal(c.pbx.heard.length, 200)
  assert.equal(thief.from.length, 0)
  assert.ok(c.plane.stats().find((s) => s.leg === c.leg)!.refused >= 211)
  c.stop()
})

seededTest('a forged source address of the peer can be heard as on any plain RTP, but draws nothing and repeats no number', async (seed) => {
  const c = await call(seed)
  const random = new SeededNumbers(seed)
  const from = c.pbx.pair.rtp.local
  for (let i = 0; i < 300; i++) {
    c.pbx.send({ ssrc: 7, sequence: i, timestamp: i * 160, payload: sound(1) })
    // Other streams, rewound and far ahead, in turns with the real one.
    c.net.inject(rtpPacket({ ssrc: random.pick([7, 8, 9]), sequence: random.int(65_536), timestamp: random.u32(), payload: sound(66) }), from, c.pbx.to!.rtp)
    await c.clock.advance(20)
  }
  // What the client opened is what SRTP proved fresh: numbers grow or fill a gap, once each.
  const numbers = c.client.heard.map((h) => h.sequence)
  assert.equal(new Set(numbers).size, numbers.length)
  assert.equal(c.client.unopened, 0, 'every index could be followed')
  c.client.send(100, 0, sound(2))
  await c.clock.advance(100)
  assert.equal(c.pbx.heard.length, 1)
  c.stop()
})

seededTest('a client cannot aim at other ports: its packets reach the negotiated peer or nobody', async (seed) => {
  const c = await call(seed)
  const seen = new Set<string>()
  c.net.capture((p) => {
    if (p.from.address === '192.0.2.1' && p.from.port !== 7443) seen.add(`${p.to.address}:${p.to.port}`)
  })
  c.client.send(100, 0, sound(1))
  // Somebody else's stream, and numbers of nobody.
  c.client.send(200, 0, sound(2))
  c.client.send(101, 0, sound(3))
  c.client.socket.send(c.client.rtcp([{ kind: 'rr', ssrc: ssrc(200), reports: [] }]), c.plane.local)
  await c.clock.advance(500)
  assert.deepEqual([...seen], [`10.0.0.5:${c.pbx.pair.rtp.local.port}`])
  assert.deepEqual(c.pbx.heard.map((h) => h.payload[0]), [1])
  c.stop()
})

seededTest('a flood at a plain port is limited, and other calls do not notice', async (seed) => {
  const c = await call(seed)
  for (let i = 0; i < 500; i++) {
    for (let k = 0; k < 40; k++) c.net.inject(rtpPacket({ ssrc: 1000 + k, sequence: i, timestamp: 0, payload: sound(66) }), c.pbx.pair.rtp.local, c.pbx.to!.rtp)
    await c.clock.advance(5)
  }
  const s = c.plane.stats().find((l) => l.leg === c.leg)!
  assert.ok(s.received < 1000 && s.limited > 15_000, `${s.received} taken, ${s.limited} not`)
  assert.ok(s.streams.length <= 8, 'no memory for every SSRC')
  c.stop()
})
