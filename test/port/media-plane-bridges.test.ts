/** Bridged calls: what every media plane must do between plain legs and hops, run over each provider. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ssrc } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { LegId, PlainOpened, PlainPeer } from '../../src/media/plane/types.ts'
import { type RtcpPacket, cname } from '../../src/protocol/rtp/rtcp.ts'
import { createSrtpReceiver } from '../../src/protocol/srtp/receiver.ts'
import { createSrtpSender } from '../../src/protocol/srtp/sender.ts'
import { legSpec, MediaClient } from '../kit/media-client.ts'
import { PlainParty, rtpPacket } from '../kit/plain-peer.ts'
import { PORTS, type PlaneWorld, planeWorlds } from '../kit/plane-worlds.ts'

const crypto = createNodeCrypto()
const sound = (n: number): Uint8Array => new Uint8Array(160).fill(n)
const statsOf = (w: PlaneWorld, leg: LegId) => w.plane.stats().find((s) => s.leg === leg)!

/** A client that has proved where it is. */
async function settled(w: PlaneWorld, probe: number): Promise<{ client: MediaClient; leg: LegId }> {
  const spec = legSpec(crypto, probe)
  const client = new MediaClient(crypto, await w.socket(), w.plane.local, spec)
  const leg = must(w.plane.open(spec))
  client.probe()
  await w.until(() => statsOf(w, leg).path === 'udp')
  return { client, leg }
}

/** A plain leg and its peer. */
async function plain(w: PlaneWorld, more: Partial<PlainPeer> = {}): Promise<{ party: PlainParty; leg: LegId; opened: PlainOpened }> {
  const party = new PlainParty(await w.pair())
  const opened = must(await w.plane.openPlain({ bind: w.here, peer: { ...party.peer, ...more } }))
  party.to = opened
  return { party, leg: opened.leg, opened }
}

/** A call of one client: up is stream 100, down is stream 200. */
async function call(w: PlaneWorld, up = 100, down = 200, more: Partial<PlainPeer> = {}) {
  const { client, leg } = await settled(w, up + 1000)
  const p = await plain(w, more)
  must(w.plane.bridge(p.leg, { kind: 'hop', leg, receive: ssrc(up), send: ssrc(down) }))
  return { client, hop: leg, ...p }
}

const steps = (numbers: readonly number[]): number[] => numbers.slice(1).map((n, i) => (n - numbers[i]!) | 0)

function suite(name: string, make: () => Promise<PlaneWorld>): void {
  const it = (what: string, run: (w: PlaneWorld, skip: (why: string) => void) => Promise<void>): void => {
    test(`${name}: ${what}`, async (t) => {
      const w = await make()
      try {
        await run(w, (why) => t.skip(why))
      } finally {
        w.end()
      }
    })
  }

  it('a plain leg has an even port and the odd one above, of the range', async (w) => {
    const legs = await Promise.all([1, 2, 3].map(() => w.plane.openPlain({ bind: w.here })))
    const ports = legs.map((l) => must(l).rtp.port)
    assert.equal(new Set(ports).size, 3)
    for (const l of legs) {
      const { rtp, rtcp } = must(l)
      assert.equal(rtp.port % 2, 0)
      assert.equal(rtcp.port, rtp.port + 1)
      assert.ok(rtp.port >= PORTS.first && rtcp.port <= PORTS.last)
    }
  })

  it('payload, its type and the marker pass both ways, under other SSRCs', async (w) => {
    const c = await call(w)
    c.party.send({ ssrc: 7, sequence: 65_535, timestamp: 0xffff_ffb0, payload: sound(1), payloadType: 8, marker: true })
    c.party.send({ ssrc: 7, sequence: 0, timestamp: 80, payload: sound(2), payloadType: 101 })
    await w.until(() => c.client.heard.length === 2)
    assert.deepEqual(c.client.heard.map((h) => [h.ssrc, h.payloadType, h.marker, h.payload[0], h.payload.length]), [[200, 8, true, 1, 160], [200, 101, false, 2, 160]])
    assert.deepEqual(steps(c.client.heard.map((h) => h.sequence)), [1])
    assert.deepEqual(steps(c.client.heard.map((h) => h.timestamp)), [160])
    assert.ok(c.client.heard[0]!.sequence < 0x8000, 'starts below 2^15')
    c.client.send(100, 0, sound(3))
    c.client.send(100, 160, sound(4))
    await w.until(() => c.party.heard.length === 2)
    assert.deepEqual(c.party.heard.map((h) => h.payload[0]), [3, 4])
    assert.deepEqual(c.party.heard.map((h) => h.payloadType), [96, 96])
    assert.deepEqual(steps(c.party.heard.map((h) => h.timestamp)), [160])
    assert.notEqual(c.party.heard[0]!.ssrc, 100)
    assert.equal(c.party.from[0]!.port, c.opened.rtp.port, 'sent from where it receives')
  })

  it('contributing sources, extensions and padding stay behind', async (w) => {
    const c = await call(w)
    const header = Uint8Array.of(0xb1, 0, 0, 9, 0, 0, 0, 160, 0, 0, 0, 7, 1, 2, 3, 4, 0xbe, 0xde, 0, 1, 0x10, 0x55, 0, 0)
    c.party.pair.rtp.send(Uint8Array.from([...header, 42, 43, 0, 0, 0, 4]), c.opened.rtp)
    await w.until(() => c.client.heard.length === 1)
    assert.deepEqual([...c.client.heard[0]!.payload], [42, 43])
    assert.equal(c.client.heard[0]!.octets, 14)
  })

  it('a peer that restarts under other SSRCs is one stream that goes on', async (w) => {
    const c = await call(w)
    let ts = 1000
    for (const [source, first] of [[7, 100], [8, 40_000], [9, 3], [7, 30_000]] as const) {
      for (let i = 0; i < 5; i++) {
        c.party.send({ ssrc: source, sequence: first + i, timestamp: (ts += 160), payload: sound(source) })
        await w.pass?.(20)
      }
      ts = (ts * 7919) >>> 0
    }
    await w.until(() => c.client.heard.length === 20)
    assert.deepEqual(new Set(c.client.heard.map((h) => h.ssrc)), new Set([200]))
    assert.ok(steps(c.client.heard.map((h) => h.sequence)).every((d) => d === 1))
    assert.ok(steps(c.client.heard.map((h) => h.timestamp)).every((d) => d >= 160 && d <= 8000), 'time goes on')
    assert.deepEqual(c.client.heard.map((h) => h.marker), Array.from({ length: 20 }, (_, i) => i > 0 && i % 5 === 0))
  })

  it('gaps stay gaps, what was overtaken keeps its place, and nothing goes out twice', async (w) => {
    const c = await call(w)
    const order = [0, 1, 5, 3, 3, 6, 2, 1]
    for (const i of order) c.party.send({ ssrc: 7, sequence: 500 + i, timestamp: i * 160, payload: sound(i) })
    c.party.send({ ssrc: 7, sequence: 507, timestamp: 7 * 160, payload: sound(7) })
    await w.until(() => c.client.heard.at(-1)?.payload[0] === 7)
    const first = c.client.heard[0]!.sequence
    assert.deepEqual(c.client.heard.map((h) => [h.sequence - first, h.payload[0]]), [0, 1, 5, 3, 6, 2, 7].map((i) => [i, i]))
  })

  it('new keys in mid-call: no gap and no break in either direction', async (w) => {
    const c = await call(w)
    const next = legSpec(crypto, 1100, 2)
    for (let i = 0; i < 5; i++) {
      c.client.send(100, i * 160, sound(i))
      c.party.send({ ssrc: 7, sequence: 10 + i, timestamp: i * 160, payload: sound(i) })
    }
    await w.until(() => c.party.heard.length === 5 && c.client.heard.length === 5)
    must(w.plane.rekey(c.hop, { ...next }))
    // Still under way when the keys changed.
    const late = c.client.rtp(100, 5 * 160, sound(5))
    const again = new MediaClient(crypto, c.client.socket, w.plane.local, { ...next, probe: c.client.spec.probe })
    again.probe()
    await w.until(() => again.messages.length > 0)
    again.socket.send(again.rtp(100, 6 * 160, sound(6), 3), w.plane.local)
    await w.until(() => c.party.heard.length === 6)
    c.client.socket.send(late, w.plane.local)
    again.socket.send(again.rtp(100, 7 * 160, sound(7), 4), w.plane.local)
    c.party.send({ ssrc: 7, sequence: 15, timestamp: 5 * 160, payload: sound(5) })
    c.party.send({ ssrc: 7, sequence: 16, timestamp: 6 * 160, payload: sound(6) })
    await w.until(() => c.party.heard.length === 8 && again.heard.length === 2)
    const toPeer = c.party.heard.toSorted((a, b) => a.sequence - b.sequence)
    assert.deepEqual(toPeer.map((h) => h.payload[0]), [0, 1, 2, 3, 4, 5, 6, 7])
    assert.ok(steps(toPeer.map((h) => h.sequence)).every((d) => d === 1))
    assert.ok(steps(toPeer.map((h) => h.timestamp)).every((d) => d === 160))
    assert.deepEqual(again.heard.map((h) => h.payload[0]), [5, 6])
    assert.ok(again.heard[0]!.sequence < 0x8000, 'new keys begin below 2^15 again')
    assert.deepEqual(steps([...c.client.heard, ...again.heard].map((h) => h.timestamp)), [160, 160, 160, 160, 160, 160])
  })

  it('reports are translated, and say nothing of who is behind', async (w) => {
    const c = await call(w)
    // A source before this one, so that there is something to translate.
    c.party.send({ ssrc: 6, sequence: 9, timestamp: 77, payload: sound(0) })
    await w.until(() => c.client.heard.length === 1)
    c.client.heard.length = 0
    for (let i = 0; i < 3; i++) {
      c.party.send({ ssrc: 7, sequence: 300 + i, timestamp: 5000 + i * 160, payload: sound(i) })
      c.client.send(100, i * 160, sound(i))
    }
    await w.until(() => c.client.heard.length === 3 && c.party.heard.length === 3)
    const block = { fractionLost: 3, lost: -2, jitter: 11, lastReport: 0x11223344, delaySinceLastReport: 77 }
    const ours = c.party.heard[2]!
    c.party.report([
      { kind: 'sr', ssrc: ssrc(7), ntp: 0x0102_0304_0506_0708n, timestamp: 5320, packets: 1000, octets: 160_000, reports: [
        { ...block, ssrc: ssrc(ours.ssrc), highestSequence: 0x2_0000 + ours.sequence },
        { ...block, ssrc: ssrc(4711), highestSequence: 1 },
      ] },
      cname(ssrc(7), 'alice@10.1.2.3'),
      { kind: 'sdes', chunks: [{ ssrc: ssrc(7), items: [{ type: 2, text: new TextEncoder().encode('Alice') }] }] },
      { kind: 'app', subtype: 0, ssrc: ssrc(7), name: new TextEncoder().encode('stcp'), data: new Uint8Array(12) },
      { kind: 'bye', ssrcs: [ssrc(7)], reason: new TextEncoder().encode('alice left') },
    ])
    await w.until(() => c.client.reports.length === 1)
    const down = c.client.heard[2]!
    assert.deepEqual(c.client.reports[0], [
      { kind: 'sr', ssrc: 200, ntp: 0x0102_0304_0506_0708n, timestamp: down.timestamp, packets: 4, octets: 640, reports: [{ ...block, ssrc: 100, highestSequence: 2 }] },
      cname(ssrc(200), '000000c8'),
    ] as unknown as RtcpPacket[])
    // And the other way: a receiver's report about what it was sent.
    c.client.socket.send(c.client.rtcp([{ kind: 'rr', ssrc: ssrc(100), reports: [{ ...block, ssrc: ssrc(200), highestSequence: down.sequence - 1 }] }, cname(ssrc(100), 'bob')]), w.plane.local)
    await w.until(() => c.party.reports.length === 1)
    const peersStream = ours.ssrc
    assert.deepEqual(c.party.reports[0], [
      { kind: 'rr', ssrc: peersStream, reports: [{ ...block, ssrc: 7, highestSequence: 301 }] },
      cname(ssrc(peersStream), peersStream.toString(16).padStart(8, '0')),
    ] as unknown as RtcpPacket[])
    // The client still lives, and so does its path.
    c.client.probe()
    await w.until(() => c.client.messages.length > 1)
  })

  it('RTCP on the RTP port where that was negotiated', async (w) => {
    const c = await call(w, 100, 200, { rtcpMux: true })
    c.party.send({ ssrc: 7, sequence: 1, timestamp: 160, payload: sound(1) })
    await w.until(() => c.client.heard.length === 1)
    c.party.to = { rtp: c.opened.rtp, rtcp: c.opened.rtp }
    const muxed = new PlainParty({ rtp: c.party.pair.rtp, rtcp: c.party.pair.rtp })
    muxed.to = { rtp: c.opened.rtp, rtcp: c.opened.rtp }
    muxed.report([{ kind: 'sr', ssrc: ssrc(7), ntp: 1n, timestamp: 160, packets: 1, octets: 160, reports: [] }])
    await w.until(() => c.client.reports.length === 1)
    c.client.send(100, 0, sound(1))
    await w.until(() => muxed.heard.length === 1)
    c.client.socket.send(c.client.rtcp([{ kind: 'sr', ssrc: ssrc(100), ntp: 2n, timestamp: 0, packets: 1, octets: 160, reports: [] }]), w.plane.local)
    await w.until(() => muxed.reports.length === 1)
    assert.equal(muxed.from.at(-1)!.port, c.opened.rtp.port)
  })

  it('strangers at a plain port are refused, counted, and sent nothing', async (w) => {
    const c = await call(w)
    const thief = new PlainParty(await w.pair())
    thief.to = c.opened
    c.party.send({ ssrc: 7, sequence: 1, timestamp: 0, payload: sound(1) })
    await w.until(() => c.client.heard.length === 1)
    const { refused } = statsOf(w, c.leg)
    // As the peer's own stream, numbered ahead of it, and with a goodbye in its name.
    for (let i = 0; i < 20; i++) thief.send({ ssrc: 7, sequence: 2 + i, timestamp: 160 * i, payload: sound(66) })
    thief.report([{ kind: 'rr', ssrc: ssrc(7), reports: [] }, { kind: 'bye', ssrcs: [ssrc(7)], reason: new Uint8Array(0) }])
    await w.until(() => statsOf(w, c.leg).refused >= refused + (w.here === '127.0.0.1' ? 20 : 21))
    c.party.send({ ssrc: 7, sequence: 2, timestamp: 160, payload: sound(2) })
    c.client.send(100, 0, sound(3))
    await w.until(() => c.client.heard.length === 2 && c.party.heard.length === 1)
    assert.deepEqual(c.client.heard.map((h) => h.payload[0]), [1, 2])
    assert.equal(thief.heard.length, 0)
    assert.equal(thief.reports.length, 0)
  })

  it('the peer that the SDP names wins over who was first, and moves only by signalling', async (w) => {
    const c = await call(w)
    const moved = new PlainParty(await w.pair())
    moved.to = c.opened
    // Another port of the same host was first, where hosts are one: on loopback.
    moved.send({ ssrc: 8, sequence: 1, timestamp: 0, payload: sound(8) })
    await w.until(() => statsOf(w, c.leg).refused + statsOf(w, c.leg).received === 1)
    c.party.send({ ssrc: 7, sequence: 1, timestamp: 0, payload: sound(7) })
    await w.until(() => c.client.heard.at(-1)?.payload[0] === 7)
    const { refused } = statsOf(w, c.leg)
    moved.send({ ssrc: 8, sequence: 2, timestamp: 160, payload: sound(8) })
    await w.until(() => statsOf(w, c.leg).refused === refused + 1)
    must(w.plane.negotiate(c.leg, moved.peer))
    moved.send({ ssrc: 8, sequence: 3, timestamp: 320, payload: sound(9) })
    await w.until(() => c.client.heard.at(-1)?.payload[0] === 9)
    c.client.send(100, 0, sound(1))
    await w.until(() => moved.heard.length === 1)
    assert.equal(c.party.heard.length, 0)
  })

  it('two of our legs that are each other’s peers: the calls meet here (direct media)', async (w) => {
    const a = await call(w, 100, 200)
    const b = await call(w, 104, 204)
    must(w.plane.negotiate(a.leg, { rtp: b.opened.rtp, rtcp: b.opened.rtcp }))
    must(w.plane.negotiate(b.leg, { rtp: a.opened.rtp, rtcp: a.opened.rtcp }))
    for (let i = 0; i < 3; i++) {
      a.client.send(100, i * 160, sound(i))
      b.client.send(104, i * 160, sound(10 + i))
    }
    await w.until(() => a.client.heard.length === 3 && b.client.heard.length === 3)
    assert.deepEqual(b.client.heard.map((h) => [h.ssrc, h.payload[0]]), [[204, 0], [204, 1], [204, 2]])
    assert.deepEqual(a.client.heard.map((h) => [h.ssrc, h.payload[0]]), [[200, 10], [200, 11], [200, 12]])
    a.client.socket.send(a.client.rtcp([{ kind: 'sr', ssrc: ssrc(100), ntp: 9n, timestamp: 320, packets: 3, octets: 480, reports: [{ ssrc: ssrc(200), fractionLost: 0, lost: 0, highestSequence: a.client.heard[2]!.sequence, jitter: 0, lastReport: 0, delaySinceLastReport: 0 }] }]), w.plane.local)
    await w.until(() => b.client.reports.length === 1)
    const [report] = b.client.reports[0]!
    assert.ok(report?.kind === 'sr' && report.ssrc === 204 && report.timestamp === b.client.heard[2]!.timestamp)
    assert.deepEqual(report.reports.map((r) => [r.ssrc, r.highestSequence]), [[104, 2]])
    assert.equal(a.party.heard.length + b.party.heard.length, 0)
  })

  it('a circle of our own legs ends', async (w) => {
    const a = await plain(w)
    const b = await plain(w)
    must(w.plane.bridge(a.leg, { kind: 'plain', leg: b.leg }))
    a.party.send({ ssrc: 7, sequence: 1, timestamp: 0, payload: sound(1) })
    await w.until(() => b.party.heard.length === 1)
    must(w.plane.negotiate(a.leg, { rtp: b.opened.rtp }))
    must(w.plane.negotiate(b.leg, { rtp: a.opened.rtp }))
    const stranger = await call(w, 104, 204)
    must(w.plane.negotiate(stranger.leg, { rtp: a.opened.rtp }))
    stranger.client.send(104, 0, sound(1))
    await w.until(() => statsOf(w, a.leg).received > 1)
    stranger.client.probe()
    await w.until(() => stranger.client.messages.length > 2)
    assert.ok(statsOf(w, a.leg).received < 10 && statsOf(w, b.leg).received < 10)
    assert.equal(w.plane.negotiate(a.leg, { rtp: a.opened.rtp }).ok, false, 'nor is a leg its own peer')
  })

  it('two plain legs, one of them with SRTP by SDES', async (w) => {
    const keys = legSpec(crypto, 1, 1, 'AES_CM_128_HMAC_SHA1_80')
    const a = await plain(w, { srtp: { receive: keys.receive, send: keys.send } })
    const b = await plain(w)
    must(w.plane.bridge(a.leg, { kind: 'plain', leg: b.leg }))
    const sender = must(createSrtpSender(crypto, keys.receive))
    const receiver = must(createSrtpReceiver(crypto, keys.send))
    a.party.open = (data, rtcp) => (rtcp ? receiver.unprotectRtcp(data, data.length) : receiver.unprotect(data, data.length))
    const send = (sequence: number): Uint8Array => {
      const buf = new Uint8Array(200)
      buf.set(rtpPacket({ ssrc: 7, sequence, timestamp: sequence * 160, payload: sound(sequence) }))
      return buf.subarray(0, sender.protect(buf, 172))
    }
    const first = send(1)
    const forged = send(2)
    forged[30]! ^= 1
    for (const packet of [first, first, forged, send(3)]) a.party.pair.rtp.send(packet, a.opened.rtp)
    await w.until(() => b.party.heard.length === 2)
    assert.deepEqual(b.party.heard.map((h) => h.payload[0]), [1, 3])
    b.party.send({ ssrc: 9, sequence: 1, timestamp: 0, payload: sound(5) })
    await w.until(() => a.party.heard.length === 1)
    assert.deepEqual(a.party.heard[0]!.payload, sound(5))
    const [stream] = statsOf(w, a.leg).streams
    assert.deepEqual([stream!.ssrc, stream!.packets, stream!.forged, stream!.replayed, stream!.lost], [7, 2, 1, 1, 1])
    // The same keys in a re-INVITE go on; other ones begin anew.
    must(w.plane.negotiate(a.leg, { ...a.party.peer, srtp: { receive: keys.receive, send: keys.send } }))
    a.party.pair.rtp.send(send(4), a.opened.rtp)
    await w.until(() => b.party.heard.length === 3)
    b.party.send({ ssrc: 9, sequence: 2, timestamp: 160, payload: sound(6) })
    await w.until(() => a.party.heard.length === 2)
  })

  it('a peer that must hear something all the time does, in one stream with what comes later', async (w) => {
    const filling = { payloadType: 8, payload: new Uint8Array(160).fill(0xd5), ptimeMs: 20, afterMs: 60 }
    const c = await call(w, 100, 200, { filling })
    const until = async (condition: () => boolean): Promise<void> => {
      while (!condition()) await (w.pass?.(20) ?? w.until(condition))
    }
    await until(() => c.party.heard.length >= 3)
    c.client.send(100, 77_777, sound(1))
    await w.until(() => c.party.heard.some((h) => h.payload[0] === 1))
    const before = c.party.heard.length
    await until(() => c.party.heard.length >= before + 3)
    c.client.send(100, 77_777 + 160, sound(2))
    await w.until(() => c.party.heard.at(-1)!.payload[0] === 2)
    const { heard } = c.party
    assert.equal(new Set(heard.map((h) => h.ssrc)).size, 1)
    assert.ok(steps(heard.map((h) => h.sequence)).every((d) => d === 1 || d === -65_535))
    assert.ok(steps(heard.map((h) => h.timestamp)).every((d) => d > 0 && d < 16_000), 'time goes on, and not by leaps')
    assert.ok(heard.some((h) => h.marker && h.payload[0] === 1), 'speech after silence is marked')
    assert.ok(statsOf(w, c.leg).sent >= 8)
    // Nothing towards the client: it was not asked for.
    assert.equal(c.client.heard.length, 0)
    // No more of it when the signalling says so (hold).
    must(w.plane.negotiate(c.leg, c.party.peer))
    const then = c.party.heard.length
    await w.pass?.(500)
    if (w.pass !== undefined) assert.equal(c.party.heard.length, then)
  })

  it('counts streams: packets, octets, losses, jitter, forgeries, replays', async (w) => {
    const c = await call(w)
    for (const i of [0, 1, 2, 5]) c.party.send({ ssrc: 7, sequence: i, timestamp: i * 160, payload: sound(i) })
    const good = c.client.rtp(100, 0, sound(0))
    const forged = c.client.rtp(100, 160, sound(1))
    forged[forged.length - 1]! ^= 1
    for (const p of [good, good, forged]) c.client.socket.send(p, w.plane.local)
    c.client.send(100, 320, sound(2))
    await w.until(() => c.client.heard.length === 4 && c.party.heard.length === 2)
    const [peers] = statsOf(w, c.leg).streams
    assert.deepEqual([peers!.ssrc, peers!.packets, peers!.octets, peers!.lost], [7, 4, 4 * 172, 2])
    assert.ok(peers!.jitterMs >= 0 && peers!.jitterMs < 1000)
    const [clients] = statsOf(w, c.hop).streams
    assert.deepEqual([clients!.ssrc, clients!.packets, clients!.lost, clients!.forged, clients!.replayed], [100, 2, 1, 1, 1])
    assert.equal(statsOf(w, c.leg).kind, 'plain')
    assert.equal(statsOf(w, c.leg).sent, 2)
    const past = (): number[] => [w.plane.past.forged, w.plane.past.replayed, w.plane.past.lost]
    assert.deepEqual(past(), [0, 0, 0])
    w.plane.close(c.hop)
    assert.deepEqual(past(), [1, 1, 1], 'once')
    w.plane.close(c.leg)
    assert.deepEqual(past(), [1, 1, 3])
  })

  it('takes garbage of every size', async (w) => {
    const c = await call(w)
    const sizes = [0, 1, 7, 8, 11, 12, 13, 100, 1499, 1500, 1501, 8000]
    for (const size of sizes) {
      for (const first of [0x00, 0x80, 0xbf]) {
        const data = crypto.bytes(size)
        if (size > 1) data.set([first, 200], 0)
        c.party.pair.rtp.send(data, c.opened.rtp)
        c.party.pair.rtcp.send(data, c.opened.rtcp)
      }
      await w.pass?.(100)
    }
    c.party.send({ ssrc: 7, sequence: 1, timestamp: 0, payload: sound(1) })
    await w.until(() => c.client.heard.some((h) => h.payload.length === 160))
  })

  it('a call moves to another leg and back without repeating a number', async (w) => {
    const c = await call(w)
    c.party.send({ ssrc: 7, sequence: 1, timestamp: 0, payload: sound(1) })
    await w.until(() => c.client.heard.length === 1)
    const other = await plain(w)
    must(w.plane.bridge(other.leg, { kind: 'hop', leg: c.hop, receive: ssrc(100), send: ssrc(200) }))
    other.party.send({ ssrc: 9, sequence: 77, timestamp: 0, payload: sound(2) })
    c.party.send({ ssrc: 7, sequence: 2, timestamp: 160, payload: sound(66) })
    await w.until(() => c.client.heard.length === 2 && statsOf(w, c.leg).received === 2)
    must(w.plane.bridge(c.leg, { kind: 'hop', leg: c.hop, receive: ssrc(100), send: ssrc(200) }))
    c.party.send({ ssrc: 7, sequence: 3, timestamp: 320, payload: sound(3) })
    await w.until(() => c.client.heard.length === 3)
    assert.deepEqual(c.client.heard.map((h) => h.payload[0]), [1, 2, 3])
    assert.deepEqual(steps(c.client.heard.map((h) => h.sequence)), [1, 1])
    // Closed and opened again, e.g. after a transfer.
    w.plane.close(other.leg)
    w.plane.close(c.leg)
    assert.equal(w.plane.stats().length, 1)
    const third = await plain(w)
    must(w.plane.bridge(third.leg, { kind: 'hop', leg: c.hop, receive: ssrc(100), send: ssrc(200) }))
    third.party.send({ ssrc: 3, sequence: 0, timestamp: 0, payload: sound(4) })
    await w.until(() => c.client.heard.length === 4)
    assert.ok(c.client.heard[3]!.sequence > c.client.heard[2]!.sequence)
    c.client.send(100, 0, sound(1))
    await w.until(() => third.party.heard.length === 1)
  })

  it('says goodbye when a leg that was heard closes', async (w) => {
    const c = await call(w)
    c.client.send(100, 0, sound(1))
    await w.until(() => c.party.heard.length === 1)
    w.plane.close(c.leg)
    await w.until(() => c.party.reports.length === 1)
    assert.deepEqual(c.party.reports[0]!.map((p) => p.kind), ['rr', 'sdes', 'bye'])
  })

  it('refuses what cannot be, by name', async (w) => {
    const c = await call(w)
    const code = (r: { ok: boolean; fault?: { code: string } }): string | undefined => (r as { fault?: { code: string } }).fault?.code
    const hop = { kind: 'hop', leg: c.hop } as const
    assert.equal(code(w.plane.bridge(99 as LegId, { ...hop, receive: ssrc(5), send: ssrc(6) })), 'MEDIA_LEG_UNKNOWN')
    assert.equal(code(w.plane.bridge(c.leg, { ...hop, leg: 99 as LegId, receive: ssrc(5), send: ssrc(6) })), 'MEDIA_LEG_UNKNOWN')
    assert.equal(code(w.plane.bridge(c.leg, { kind: 'plain', leg: c.leg })), 'MEDIA_LEG_UNKNOWN')
    assert.equal(code(w.plane.bridge(c.leg, { ...hop, receive: ssrc(5), send: ssrc(5) })), 'MEDIA_STREAM_TAKEN')
    assert.equal(code(w.plane.bridge(c.leg, { ...hop, receive: ssrc(1100), send: ssrc(6) })), 'MEDIA_STREAM_TAKEN', 'a probe is no stream')
    must(w.plane.route(c.hop, ssrc(300), []))
    assert.equal(code(w.plane.bridge(c.leg, { ...hop, receive: ssrc(300), send: ssrc(6) })), 'MEDIA_STREAM_TAKEN', 'a room’s stream is no call’s')
    assert.equal(code(w.plane.route(c.hop, ssrc(100), [])), 'MEDIA_STREAM_TAKEN', 'nor the other way')
    assert.equal(code(w.plane.unroute(c.hop, ssrc(100))), 'MEDIA_LEG_UNKNOWN')
    for (const address of ['0.0.0.0', '255.255.255.255', '224.0.0.1', '::', 'ff02::1', 'localhost', '']) {
      assert.equal(code(w.plane.negotiate(c.leg, { rtp: { address, port: 4000 } })), 'MEDIA_REMOTE', address)
    }
    assert.equal(code(w.plane.negotiate(c.leg, { rtp: { address: '192.0.2.9', port: 0 } })), 'MEDIA_REMOTE')
    assert.equal(code(w.plane.negotiate(c.leg, { ...c.party.peer, srtp: { receive: legSpec(crypto, 1).receive, send: { ...legSpec(crypto, 1).send, masterKey: new Uint8Array(3) } } })), 'SRTP_KEYS')
    assert.equal(code(w.plane.unbridge(c.hop)), 'MEDIA_LEG_UNKNOWN')
    // After all that the call goes on.
    c.client.send(100, 0, sound(1))
    await w.until(() => c.party.heard.length === 1)
    w.plane.close(c.hop)
    c.party.send({ ssrc: 7, sequence: 1, timestamp: 0, payload: sound(1) })
    await w.until(() => statsOf(w, c.leg).received === 1)
  })
}

for (const [name, make] of planeWorlds) suite(name, make)
