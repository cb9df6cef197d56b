/** `loudest` rooms: what every media plane must do when only some streams are passed on, run over each provider. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ssrc } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { LegId } from '../../src/media/plane/types.ts'
import { writeAudioLevel } from '../../src/protocol/rtp/extension.ts'
import { LEVEL_EXTENSION } from '../../src/protocol/rtp/level-steps.ts'
import { legSpec, MediaClient } from '../kit/media-client.ts'
import { type PlaneWorld, planeWorlds } from '../kit/plane-worlds.ts'

const crypto = createNodeCrypto()
/** Of SSRCs of one room: they are equal modulo any number of workers that the worlds have. */
const SAME = 4
const SILENT = 127
const SOFT = 48
const LOUD = 24

class Member {
  readonly client: MediaClient
  readonly leg: LegId
  readonly stream: number
  #w: PlaneWorld
  #timestamp = 0
  #n = 0
  constructor(w: PlaneWorld, client: MediaClient, leg: LegId, stream: number) {
    this.#w = w
    this.client = client
    this.leg = leg
    this.stream = stream
  }
  /** A packet with this level; its number is in the payload. */
  say(level: number): void {
    const n = this.#n++
    const packet = this.client.rtpWith(this.stream, (this.#timestamp += 160), (buf, at) => {
      const from = writeAudioLevel(buf, at, LEVEL_EXTENSION, level, false)
      buf.set([n >> 8, n & 255, ...new Uint8Array(40)], from)
      return from + 42
    })
    this.client.socket.send(packet, this.#w.plane.local)
  }
  /** Numbers of another's packets that came here. */
  got(of: Member): number[] {
    return this.client.heard.filter((h) => h.ssrc === of.stream).map((h) => h.payload[0]! * 256 + h.payload[1]!)
  }
}

async function room(w: PlaneWorld, size: number, count: number): Promise<Member[]> {
  const members: Member[] = []
  for (let i = 0; i < size; i++) {
    const spec = legSpec(crypto, 1 + i)
    const client = new MediaClient(crypto, await w.socket(), w.plane.local, spec)
    const leg = must(w.plane.open(spec))
    client.probe()
    await w.until(() => w.plane.stats().find((s) => s.leg === leg)!.path === 'udp')
    members.push(new Member(w, client, leg, 100 + SAME * i))
  }
  must(w.plane.routeRoom(members.map((m) => ({ from: m.leg, ssrc: ssrc(m.stream) })), members.map((m) => m.leg), { loudest: { group: 7, count } }))
  return members
}

const received = (w: PlaneWorld): number => w.plane.stats().reduce((n, s) => n + s.received, 0)

/** Everybody sends one packet of 20 ms. */
async function tick(w: PlaneWorld, members: readonly Member[], level: (m: Member) => number): Promise<void> {
  const before = w.pass === undefined ? received(w) : 0
  for (const m of members) m.say(level(m))
  if (w.pass === undefined) await w.until(() => received(w) === before + members.length)
  else await w.pass(20)
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

  it('so many streams are passed on and no more, without their level; who begins to speak brings what came before', async (w) => {
    const [a, b, c, d] = await room(w, 4, 2) as [Member, Member, Member, Member]
    for (let i = 0; i < 10; i++) await tick(w, [a, b, c], (m) => (m === b ? SILENT : LOUD))
    // a was first and b filled the second place; c speaks, b has always been silent.
    await w.until(() => d.got(c).length === 10)
    assert.deepEqual(d.got(a), Array.from({ length: 10 }, (_, i) => i))
    assert.ok(d.got(b).length <= 1)
    assert.deepEqual(d.got(c), Array.from({ length: 10 }, (_, i) => i))
    assert.ok(d.client.heard.every((h) => h.octets === 12 + 42), 'the level stays with the server')
    assert.deepEqual(a.got(a), [])
  })

  it('a stream that returns brings at most its last moments, and its numbers go on', async (w, skip) => {
    if (w.pass === undefined) return skip('needs virtual time')
    const [a, b, c] = await room(w, 3, 1) as [Member, Member, Member]
    for (let i = 0; i < 50; i++) await tick(w, [a, b], (m) => (m === a ? LOUD : SILENT))
    for (let i = 0; i < 100; i++) await tick(w, [a, b], () => SILENT)
    assert.equal(c.got(b).length, 0)
    await tick(w, [a, b], (m) => (m === b ? LOUD : SILENT))
    const first = c.got(b)
    assert.deepEqual(first, Array.from({ length: 16 }, (_, i) => 135 + i))
    for (let i = 0; i < 49; i++) await tick(w, [a, b], (m) => (m === b ? LOUD : SILENT))
    for (let i = 0; i < 60; i++) await tick(w, [a, b], () => SILENT)
    await tick(w, [a, b], (m) => (m === a ? LOUD : SILENT))
    const numbers = c.client.heard.filter((h) => h.ssrc === a.stream).map((h) => h.sequence)
    assert.ok(numbers.every((n, i) => i === 0 || n === numbers[i - 1]! + 1))
  })

  it('a stream that returns after fifteen minutes can be opened at once', async (w, skip) => {
    if (w.pass === undefined) return skip('needs virtual time')
    const [a, b, c] = await room(w, 3, 1) as [Member, Member, Member]
    for (let i = 0; i < 20; i++) await tick(w, [a, b], (m) => (m === a ? LOUD : SILENT))
    await tick(w, [a, b], () => SILENT)
    const before = c.got(a).length
    // b speaks for more than fifteen minutes, a is silent: 45,000 of its packets are not passed on.
    for (let i = 0; i < 45_000; i++) await tick(w, i % 10 === 0 ? [a, b] : [a], (m) => (m === b ? LOUD : SILENT))
    assert.ok(c.got(a).length <= before + 30)
    c.client.heard.length = 0
    for (let i = 0; i < 30; i++) await tick(w, [a, b], () => SILENT)
    await tick(w, [a, b], (m) => (m === a ? LOUD : SILENT))
    assert.equal(c.got(a).length, 16)
    assert.equal(c.client.unopened, 0)
  })

  it('a pause in a sentence gives nothing away; a longer one does, to somebody who speaks', async (w, skip) => {
    if (w.pass === undefined) return skip('needs virtual time')
    const [a, b, c] = await room(w, 3, 1) as [Member, Member, Member]
    for (let i = 0; i < 20; i++) await tick(w, [a, b], (m) => (m === a ? SOFT : SILENT))
    for (let i = 0; i < 15; i++) await tick(w, [a, b], (m) => (m === b ? SOFT : SILENT))
    assert.equal(c.got(b).length, 0, '300 ms are a pause')
    for (let i = 0; i < 10; i++) await tick(w, [a, b], (m) => (m === b ? SOFT : SILENT))
    assert.ok(c.got(b).length > 0)
    // Now b speaks; a is as loud: b keeps the word. Louder for long enough: a gets it.
    const had = c.got(a).length
    for (let i = 0; i < 150; i++) await tick(w, [a, b], () => SOFT)
    assert.equal(c.got(a).length, had)
    for (let i = 0; i < 25; i++) await tick(w, [a, b], (m) => (m === a ? LOUD : SOFT))
    assert.equal(c.got(a).length, had, 'louder for half a second is a laugh')
    for (let i = 0; i < 10; i++) await tick(w, [a, b], (m) => (m === a ? LOUD : SOFT))
    assert.ok(c.got(a).length > had)
  })

  it('the place of a stream that ends or falls silent altogether is given on', async (w, skip) => {
    if (w.pass === undefined) return skip('needs virtual time')
    const [a, b, c] = await room(w, 3, 1) as [Member, Member, Member]
    for (let i = 0; i < 5; i++) await tick(w, [a, b], (m) => (m === a ? LOUD : SILENT))
    for (let i = 0; i < 120; i++) await tick(w, [b], () => SILENT)
    assert.ok(c.got(b).length > 0, 'a is gone')
    for (let i = 0; i < 5; i++) await tick(w, [a, b], (m) => (m === a ? LOUD : SILENT))
    const had = c.got(b).length
    must(w.plane.unroute(a.leg, ssrc(a.stream)))
    for (let i = 0; i < 5; i++) await tick(w, [b], () => SILENT)
    assert.ok(c.got(b).length > had, 'a was taken out')
    w.plane.close(b.leg)
    must(w.plane.route(c.leg, ssrc(c.stream), [a.leg], { loudest: { group: 7, count: 1 } }))
    await tick(w, [c], () => SILENT)
    assert.equal(a.got(c).length, 1)
    must(w.plane.route(c.leg, ssrc(c.stream), [a.leg]))
    await tick(w, [c], () => SILENT)
    assert.equal(a.got(c).length, 2, 'a route without a choice')
  })
}

for (const [name, make] of planeWorlds) suite(name, make)
