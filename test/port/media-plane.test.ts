/** What every media plane must do, run over each provider. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ssrc } from '../../src/base/brand.ts'
import { must, type Result } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { SrtpKeys } from '../../src/media/api.ts'
import { CHALLENGE, ECHO } from '../../src/media/hop/path-message.ts'
import type { PacketPath } from '../../src/media/packet-path.ts'
import type { LegId } from '../../src/media/plane/types.ts'
import { legSpec, MediaClient } from '../kit/media-client.ts'
import { type PlaneWorld, planeWorlds } from '../kit/plane-worlds.ts'

const crypto = createNodeCrypto()

async function join(w: PlaneWorld, probe: number, suite?: SrtpKeys['suite']): Promise<{ client: MediaClient; leg: LegId }> {
  const spec = legSpec(crypto, probe, 1, suite)
  const client = new MediaClient(crypto, await w.socket(), w.plane.local, spec)
  return { client, leg: must(w.plane.open(spec)) }
}

/** A client that has proved where it is. */
async function settled(w: PlaneWorld, probe: number, suite?: SrtpKeys['suite']): Promise<{ client: MediaClient; leg: LegId }> {
  const j = await join(w, probe, suite)
  j.client.probe()
  await w.until(() => statsOf(w, j.leg).path === 'udp')
  return j
}

/** Two clients that hear each other, the second of which has been given new keys and has not used them yet. */
async function rekeyed(w: PlaneWorld) {
  const a = await settled(w, 1)
  const b = await settled(w, 2)
  must(w.plane.route(a.leg, ssrc(100), [b.leg]))
  must(w.plane.route(b.leg, ssrc(200), [a.leg]))
  const next = legSpec(crypto, 2, 2)
  must(w.plane.rekey(b.leg, next))
  return { a, b, next }
}

const statsOf = (w: PlaneWorld, leg: LegId) => w.plane.stats().find((s) => s.leg === leg)!
const payload = (n: number): Uint8Array => new Uint8Array(180).fill(n)

/** A pair of connected paths. */
function pathPair(): { near: PacketPath; far: PacketPath } {
  const make = () => ({ listener: (_: Uint8Array): void => {}, closed: false })
  const a = make()
  const b = make()
  const end = (mine: typeof a, other: typeof a): PacketPath => ({
    send: (data) => other.closed || other.listener(data.slice()),
    onPacket: (listener) => void (mine.listener = listener),
    close: () => void (mine.closed = true),
  })
  return { near: end(a, b), far: end(b, a) }
}

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

  for (const suiteName of ['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM', 'AES_CM_128_HMAC_SHA1_80'] as const) {
    it(`forwards with SSRC, timestamp and payload as they were (${suiteName})`, async (w) => {
      const a = await settled(w, 1, suiteName)
      const b = await settled(w, 2, suiteName)
      const c = await settled(w, 3)
      must(w.plane.route(a.leg, ssrc(100), [b.leg, c.leg]))
      a.client.send(100, 0xfffffff0, payload(1))
      a.client.send(100, 144, payload(2))
      await w.until(() => b.client.heard.length === 2 && c.client.heard.length === 2)
      for (const { client } of [b, c]) {
        const [first, second] = client.heard
        assert.equal(first!.ssrc, 100)
        assert.equal(first!.timestamp, 0xfffffff0)
        assert.deepEqual(first!.payload, payload(1))
        assert.equal(second!.timestamp, 144)
        assert.ok(first!.sequence < 0x8000, 'starts below 2^15')
        assert.equal(second!.sequence, first!.sequence + 1)
      }
      assert.equal(a.client.heard.length, 0)
      const s = statsOf(w, b.leg)
      assert.equal(s.sent, 2)
      assert.equal(statsOf(w, a.leg).received, 2)
    })
  }

  it('packets of a stream that may wait arrive all, in their order, beside those of one that may not', async (w) => {
    const a = await settled(w, 1)
    const b = await settled(w, 2)
    must(w.plane.route(a.leg, ssrc(100), [b.leg], { holdMs: 5 }))
    must(w.plane.route(a.leg, ssrc(200), [b.leg]))
    for (let i = 0; i < 12; i++) a.client.send(i % 3 === 2 ? 200 : 100, i * 160, payload(i))
    await w.until(() => b.client.heard.length === 12)
    const of = (stream: number) => b.client.heard.filter((h) => h.ssrc === stream).map((h) => h.payload[0])
    assert.deepEqual(of(100), [0, 1, 3, 4, 6, 7, 9, 10])
    assert.deepEqual(of(200), [2, 5, 8, 11])
  })

  it('numbers packets for each receiver by itself: a rewinding sender repeats nothing', async (w) => {
    const a = await settled(w, 1)
    const b = await settled(w, 2)
    must(w.plane.route(a.leg, ssrc(100), [b.leg]))
    a.client.socket.send(a.client.rtp(100, 0, payload(0), 40_000), w.plane.local)
    // A second sender under the same keys that begins far below.
    const rewound = new MediaClient(crypto, await w.socket(), w.plane.local, a.client.spec)
    a.client.socket.send(rewound.rtp(100, 160, payload(1), 39_950), w.plane.local)
    a.client.socket.send(rewound.rtp(100, 320, payload(2), 39_960), w.plane.local)
    await w.until(() => b.client.heard.length === 3)
    const numbers = b.client.heard.map((h) => h.sequence)
    assert.deepEqual(numbers, [numbers[0]!, numbers[0]! + 1, numbers[0]! + 2])
  })

  it('counts on when a stream comes back after its route was gone', async (w) => {
    const a = await settled(w, 1)
    const b = await settled(w, 2)
    must(w.plane.route(a.leg, ssrc(100), [b.leg]))
    a.client.send(100, 0, payload(0))
    await w.until(() => b.client.heard.length === 1)
    must(w.plane.route(a.leg, ssrc(100), []))
    a.client.send(100, 160, payload(1))
    await w.until(() => statsOf(w, a.leg).received === 2)
    must(w.plane.unroute(a.leg, ssrc(100)))
    must(w.plane.route(a.leg, ssrc(100), [b.leg]))
    a.client.send(100, 320, payload(2))
    await w.until(() => b.client.heard.length === 2)
    assert.equal(b.client.heard[1]!.sequence, b.client.heard[0]!.sequence + 1)
    assert.equal(b.client.heard[1]!.timestamp, 320)
  })

  it('routes a room at once: everybody hears all but himself, who is unknown is left out, who leaves is gone', async (w) => {
    const all = [await settled(w, 1), await settled(w, 2), await settled(w, 3)]
    const streams = all.map((m, i) => ({ from: m.leg, ssrc: ssrc(101 + i) }))
    const legs = all.map((m) => m.leg)
    const [a, b, c] = all
    const heardBy = (m: typeof a): number[] => [...new Set(m!.client.heard.map((h) => h.ssrc))].sort()
    const say = (): void => {
      for (const [i, m] of all.entries()) m.client.send(101 + i, 160, payload(i))
    }
    const code = (r: Result<unknown>): string => (r.ok ? '' : r.fault.code)
    assert.equal(code(w.plane.routeRoom(streams, [...legs, 99 as LegId])), 'MEDIA_LEG_UNKNOWN')
    say()
    await w.until(() => all.every((m) => m.client.heard.length === 2))
    assert.deepEqual(all.map(heardBy), [[102, 103], [101, 103], [101, 102]])
    w.plane.close(c!.leg)
    // The others' go on to each other, before anybody says who is in the room now.
    say()
    await w.until(() => a!.client.heard.length === 3 && b!.client.heard.length === 3)
    must(w.plane.routeRoom(streams.slice(0, 2), legs.slice(0, 2)))
    // And by itself one stream may go to anybody, its own sender too.
    must(w.plane.route(a!.leg, ssrc(101), [a!.leg]))
    a!.client.send(101, 320, payload(1))
    await w.until(() => a!.client.heard.length === 4)
    assert.equal(a!.client.heard.at(-1)!.ssrc, 101)
    assert.equal(b!.client.heard.length, 3)
    assert.equal(code(w.plane.routeRoom([{ from: b!.leg, ssrc: ssrc(101) }], legs.slice(0, 2))), 'MEDIA_STREAM_TAKEN', 'another’s')
    assert.equal(code(w.plane.routeRoom([{ from: b!.leg, ssrc: ssrc(1) }], legs.slice(0, 2))), 'MEDIA_STREAM_TAKEN', 'a probe’s')
    assert.equal(code(w.plane.routeRoom(streams, Array.from({ length: 2000 }, (_, i) => i as LegId))), 'MEDIA_LIMIT')
  })

  it('drops strangers, garbage, forgeries and replays, and counts them', async (w) => {
    const a = await settled(w, 1)
    const b = await settled(w, 2)
    must(w.plane.route(a.leg, ssrc(100), [b.leg]))
    const good = a.client.rtp(100, 0, payload(1))
    const forged = good.slice()
    forged[forged.length - 1]! ^= 1
    const stray = w.plane.stray
    a.client.socket.send(forged, w.plane.local)
    a.client.socket.send(good, w.plane.local)
    a.client.socket.send(good, w.plane.local)
    a.client.socket.send(new Uint8Array(3), w.plane.local)
    a.client.socket.send(new Uint8Array(200), w.plane.local)
    a.client.send(999, 0, payload(9))
    // B has keys, but not for A's stream.
    b.client.send(100, 0, payload(8))
    await w.until(() => w.plane.stray === stray + 3 && statsOf(w, a.leg).refused === 3 && b.client.heard.length > 0)
    assert.equal(statsOf(w, a.leg).received, 1)
    assert.deepEqual(b.client.heard.map((h) => h.payload[0]), [1])
    // What a stream that ended was refused is not forgotten: sums never shrink.
    must(w.plane.unroute(a.leg, ssrc(100)))
    assert.deepEqual([w.plane.past.forged, w.plane.past.replayed], [1, 2])
    w.plane.close(a.leg)
    assert.deepEqual([w.plane.past.forged, w.plane.past.replayed, w.plane.past.received], [1, 2, 1])
  })

  it('sends nothing to an address that has not echoed a challenge, and at most three times what came', async (w) => {
    const a = await settled(w, 1)
    const b = await join(w, 2)
    b.client.honest = false
    must(w.plane.route(a.leg, ssrc(100), [b.leg]))
    must(w.plane.route(b.leg, ssrc(200), [a.leg]))
    let sent = 0
    for (let i = 0; i < 5; i++) {
      const m = b.client.message({ subtype: 0, token: new Uint8Array(8), use: true })
      sent += m.length
      b.client.socket.send(m, w.plane.local)
      a.client.send(100, i * 160, payload(1))
      await w.pass?.(30)
    }
    await w.until(() => statsOf(w, b.leg).unsent === 5 && b.client.messages.some((m) => m.subtype === ECHO))
    assert.equal(statsOf(w, b.leg).path, 'none')
    assert.equal(b.client.heard.length, 0)
    assert.ok(b.client.octetsIn <= 3 * sent, `${b.client.octetsIn} octets for ${sent}`)
    assert.ok(b.client.messages.some((m) => m.subtype === CHALLENGE))
    // What it says is heard all the same: it has the keys.
    b.client.send(200, 0, payload(5))
    await w.until(() => a.client.heard.length === 1)
  })

  it('follows a client to another address only after it echoed from there', async (w) => {
    const a = await settled(w, 1)
    const b = await settled(w, 2)
    must(w.plane.route(a.leg, ssrc(100), [b.leg]))
    must(w.plane.route(b.leg, ssrc(200), [a.leg]))
    const old = statsOf(w, b.leg).address
    const elsewhere = await w.socket()
    b.client.honest = false
    elsewhere.onMessage((data, from) => b.client.take(data, from))
    elsewhere.send(b.client.rtp(200, 0, payload(1)), w.plane.local)
    await w.until(() => b.client.messages.filter((m) => m.subtype === CHALLENGE).length === 2)
    assert.deepEqual(statsOf(w, b.leg).address, old)
    const { token } = b.client.messages.at(-1)!
    // From the wrong place, then with the wrong token, then right.
    b.client.socket.send(b.client.message({ subtype: 3, token, use: true }), w.plane.local)
    elsewhere.send(b.client.message({ subtype: 3, token: new Uint8Array(8), use: true }), w.plane.local)
    a.client.send(100, 0, payload(1))
    await w.until(() => b.client.heard.length === 1)
    assert.deepEqual(statsOf(w, b.leg).address, old)
    elsewhere.send(b.client.rtp(200, 160, payload(1)), w.plane.local)
    elsewhere.send(b.client.message({ subtype: 3, token, use: true }), w.plane.local)
    await w.until(() => statsOf(w, b.leg).address!.port === elsewhere.local.port && statsOf(w, b.leg).address !== old)
    elsewhere.close()
  })

  it('an older packet from elsewhere challenges nobody', async (w) => {
    const a = await settled(w, 1)
    must(w.plane.route(a.leg, ssrc(100), []))
    const older = a.client.rtp(100, 0, payload(1))
    a.client.send(100, 160, payload(2))
    await w.until(() => statsOf(w, a.leg).received === 1)
    const thief = await w.socket()
    let got = 0
    thief.onMessage(() => got++)
    thief.send(older, w.plane.local)
    await w.until(() => statsOf(w, a.leg).received === 2)
    a.client.send(100, 320, payload(3))
    await w.until(() => statsOf(w, a.leg).received === 3)
    assert.equal(got, 0)
    thief.close()
  })

  it('uses a path that is not UDP, the newest one, and goes back', async (w) => {
    const a = await settled(w, 1)
    const b = await join(w, 2)
    must(w.plane.route(a.leg, ssrc(100), [b.leg]))
    must(w.plane.route(b.leg, ssrc(200), [a.leg]))
    const { near, far } = pathPair()
    must(w.plane.attach(b.leg, near))
    far.onPacket((data) => b.client.take(data, w.plane.local))
    far.send(b.client.message({ subtype: 0, token: new Uint8Array(8), use: true }))
    assert.equal(statsOf(w, b.leg).path, 'path')
    assert.equal(b.client.messages.at(-1)!.subtype, ECHO)
    a.client.send(100, 0, payload(1))
    await w.until(() => b.client.heard.length === 1)
    // UDP lives, but the client stays on its path until it says otherwise.
    b.client.use = false
    b.client.probe(false)
    await w.until(() => statsOf(w, b.leg).address !== undefined)
    assert.equal(statsOf(w, b.leg).path, 'path')
    b.client.send(200, 0, payload(2))
    await w.until(() => statsOf(w, b.leg).path === 'udp' && a.client.heard.length === 1)
    far.send(b.client.rtp(200, 160, payload(3)))
    await w.until(() => statsOf(w, b.leg).path === 'path')
    must(w.plane.attach(b.leg, undefined))
    assert.equal(statsOf(w, b.leg).path, 'udp')
    // A path carries its own leg's packets only.
    const stray = w.plane.stray
    far.send(a.client.rtp(100, 160, payload(4)))
    assert.equal(w.plane.stray, stray)
  })

  it('takes old keys for two seconds after the new ones are heard, and sends under them until then', async (w, skip) => {
    if (w.pass === undefined) return skip('needs virtual time')
    const { a, b, next } = await rekeyed(w)
    assert.equal(w.plane.rekey(b.leg, next).ok, false, 'a generation is used once')
    a.client.send(100, 0, payload(1))
    b.client.send(200, 0, payload(1))
    await w.until(() => b.client.heard.length === 1 && a.client.heard.length === 1)
    const again = new MediaClient(crypto, b.client.socket, w.plane.local, next)
    again.probe()
    await w.until(() => again.messages.length > 0)
    // Still under way when the keys changed.
    b.client.send(200, 160, payload(2))
    a.client.send(100, 160, payload(2))
    await w.until(() => again.heard.length === 1 && a.client.heard.length === 2)
    assert.ok(again.heard[0]!.sequence < 0x8000)
    await w.pass(2000)
    const refused = statsOf(w, b.leg).refused
    b.client.send(200, 320, payload(3))
    await w.until(() => statsOf(w, b.leg).refused === refused + 1)
  })

  it('waits ten seconds for a client that is slow to take its new keys: until then nothing is lost either way, and then the old ones are gone', async (w, skip) => {
    if (w.pass === undefined) return skip('needs virtual time')
    const { a, b, next } = await rekeyed(w)
    // Streams that begin in this time too, whichever plane they are at.
    for (let n = 101; n <= 108; n++) {
      must(w.plane.route(a.leg, ssrc(n), [b.leg]))
      a.client.send(n, 0, payload(n))
    }
    await w.until(() => b.client.heard.length === 8)
    b.client.heard.length = 0
    for (let n = 1; n <= 3; n++) {
      a.client.send(100, 160 * n, payload(n))
      b.client.send(200, 160 * n, payload(n))
      await w.until(() => b.client.heard.length === n && a.client.heard.length === n)
      await w.pass(3000)
    }
    await w.pass(1500)
    const refused = statsOf(w, b.leg).refused
    b.client.send(200, 640, payload(4))
    await w.until(() => statsOf(w, b.leg).refused === refused + 1)
    const again = new MediaClient(crypto, b.client.socket, w.plane.local, next)
    a.client.send(100, 640, payload(4))
    await w.until(() => again.heard.length === 1)
  })

  it('limits what one leg may send, and strangers do not use up its share', async (w) => {
    const a = await settled(w, 1)
    const b = await settled(w, 2)
    must(w.plane.route(a.leg, ssrc(100), [b.leg]))
    const stranger = await w.socket()
    const forged = a.client.rtp(100, 0, payload(1))
    forged[20]! ^= 1
    // On a busy machine a burst takes so long that more of it is within the limit: then it goes on.
    const until = (limited: number, send: () => void): Promise<void> => w.until(() => {
      if (statsOf(w, a.leg).limited > limited) return true
      send()
      return false
    })
    for (let i = 0; i < 300; i++) stranger.send(forged, w.plane.local)
    await until(200, () => stranger.send(forged, w.plane.local))
    a.client.send(100, 160, payload(2))
    await w.until(() => b.client.heard.length === 1)
    for (let i = 0; i < 300; i++) a.client.send(100, i * 160, payload(3))
    await until(350, () => a.client.send(100, 0, payload(3)))
    stranger.close()
  })

  it('refuses what cannot be, by name', async (w) => {
    const a = await settled(w, 1)
    const code = (r: { ok: boolean; fault?: { code: string } }): string | undefined => (r as { fault?: { code: string } }).fault?.code
    assert.equal(code(w.plane.open(legSpec(crypto, 1))), 'MEDIA_STREAM_TAKEN')
    const bad = legSpec(crypto, 7)
    assert.equal(code(w.plane.open({ ...bad, receive: { ...bad.receive, masterKey: new Uint8Array(3) } })), 'SRTP_KEYS')
    assert.equal(code(w.plane.route(99 as LegId, ssrc(5), [])), 'MEDIA_LEG_UNKNOWN')
    assert.equal(code(w.plane.route(a.leg, ssrc(5), [99 as LegId])), 'MEDIA_LEG_UNKNOWN')
    const b = await settled(w, 2)
    must(w.plane.route(a.leg, ssrc(5), []))
    assert.equal(code(w.plane.route(b.leg, ssrc(5), [])), 'MEDIA_STREAM_TAKEN')
    // All of them one worker's, where there are four.
    for (let i = 0; i < 127; i++) must(w.plane.route(a.leg, ssrc(9 + 4 * i), []))
    assert.equal(code(w.plane.route(a.leg, ssrc(1001), [])), 'MEDIA_LIMIT')
    w.plane.close(a.leg)
    w.plane.close(a.leg)
    assert.equal(w.plane.stats().length, 1)
    must(w.plane.route(b.leg, ssrc(5), []))
  })
}

for (const [name, make] of planeWorlds) suite(name, make)
