/** Sessions, rooms and routes without sockets, in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unixTime } from '../../../src/base/brand.ts'
import { utf8 } from '../../../src/base/bytes.ts'
import { err, must } from '../../../src/base/result.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import { noTotals, type LegId, type PlaneHandle, type RoomStream, type RouteOptions } from '../../../src/media/plane/types.ts'
import type { Identity } from '../../../src/model/identity.ts'
import { createHopOffer } from '../../../src/protocol/hop/agreement.ts'
import { parseCommit } from '../../../src/protocol/room/framing.ts'
import { ROOM_LIMITS } from '../../../src/protocol/room/index.ts'
import { decodeServerMessage, encodeClientMessage } from '../../../src/protocol/wire/codec.ts'
import type { ClientMessage, ServerMessage } from '../../../src/protocol/wire/messages.ts'
import { encodeBatch } from '../../../src/protocol/wire/packet-batch.ts'
import { attach, mayAttach, ServerCore } from '../../../src/server/index.ts'
import { Shelf } from '../../../src/server/shelf.ts'
import { fakeCommit, fakeKeyPackage } from '../../kit/fake-mls.ts'
import { FakeTransport } from '../../kit/fake-transport.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

const crypto = createNodeCrypto()
const YEAR_S = 365 * 86_400

/** Remembers what it was told. */
class FakePlane implements PlaneHandle {
  readonly local = { address: '127.0.0.1', port: 7443 }
  readonly workers: number
  constructor(workers = 1) {
    this.workers = workers
  }
  readonly stray = 0
  readonly opened: { leg: LegId; probe: number; generation: number }[] = []
  readonly closed: LegId[] = []
  readonly routes = new Map<number, { from: LegId; to: readonly LegId[] }>()
  readonly options = new Map<number, RouteOptions>()
  /** Numbers that it was told of rooms. */
  told = 0
  path: Parameters<PlaneHandle['attach']>[1]
  open(spec: Parameters<PlaneHandle['open']>[0]): LegId {
    const leg = (this.opened.length + 1) as LegId
    this.opened.push({ leg, probe: spec.probe, generation: spec.generation })
    return leg
  }
  rekey(leg: LegId, keys: Parameters<PlaneHandle['rekey']>[1]): void {
    this.opened.push({ leg, probe: 0, generation: keys.generation })
  }
  attach(_: LegId, path: Parameters<PlaneHandle['attach']>[1]): void {
    this.path?.close()
    this.path = path
  }
  route(from: LegId, ssrc: number, to: readonly LegId[], options: RouteOptions = {}): void {
    this.routes.set(ssrc, { from, to })
    this.options.set(ssrc, options)
  }
  routeRoom(streams: readonly RoomStream[], members: readonly LegId[], options: RouteOptions = {}): void {
    this.told += streams.length + members.length
    for (const s of streams) this.route(s.from, s.ssrc, members.filter((m) => m !== s.from), options)
  }
  unroute(_: LegId, ssrc: number): void {
    this.routes.delete(ssrc)
  }
  openPlain(): ReturnType<PlaneHandle['openPlain']> {
    return Promise.resolve(err('MEDIA_PORTS'))
  }
  negotiate(): void {}
  bridge(): void {}
  unbridge(): void {}
  close(leg: LegId): void {
    this.closed.push(leg)
  }
  stats(): ReturnType<PlaneHandle['stats']> {
    return Promise.resolve({ legs: [], stray: 0, past: noTotals() })
  }
  onFault(): void {}
  stop(): Promise<void> {
    return Promise.resolve()
  }
}

class Bench {
  readonly clock = new VirtualClock()
  readonly plane: FakePlane
  readonly log: { code?: string; suppressed?: number; text: string }[] = []
  readonly core: ServerCore
  constructor(change: { maximumRooms?: number; maximumMembers?: number; workers?: number; forwarding?: ServerCore['options']['forwarding'] } = {}) {
    this.plane = new FakePlane(change.workers)
    const keep = (fields: object, text: string): void => void this.log.push({ ...fields, text })
    this.core = new ServerCore({
      shelf: new Shelf({ crypto, clock: this.clock, realm: 'test', authorities: [] }),
      crypto, scheduler: this.clock, plane: this.plane, log: { info: keep, warn: keep }, agent: 'stc', realm: 'test', advertise: [],
      roomLimits: { ...ROOM_LIMITS, ...(change.maximumMembers === undefined ? {} : { maximumMembers: change.maximumMembers }) }, maximumRooms: change.maximumRooms ?? 10,
      ...(change.forwarding && { forwarding: change.forwarding }),
    })
  }
  client(keyId: string, validForS = YEAR_S): Client {
    return new Client(this, keyId, validForS)
  }
}

class Client {
  readonly transport = new FakeTransport()
  readonly keyId: string
  constructor(bench: Bench, keyId: string, validForS: number) {
    this.keyId = keyId
    const identity = { subject: keyId, keyId } as Identity
    const address = { address: '10.0.0.1', port: 1 }
    bench.core.connect({ identity, chain: [], remote: address, local: { address: '10.0.0.2', port: 7443 }, exporter: (label, context) => crypto.hash('sha512', utf8(label), context) }, this.transport, unixTime(bench.clock.unix() + validForS))
  }
  get got(): ServerMessage[] {
    return this.transport.sent.map((b) => must(decodeServerMessage(b)))
  }
  say(m: ClientMessage): void {
    this.transport.receive(must(encodeClientMessage(m)))
  }
  last<K extends ServerMessage['k']>(k: K): Extract<ServerMessage, { k: K }> {
    const m = this.got.findLast((x): x is Extract<ServerMessage, { k: K }> => x.k === k)
    assert.ok(m !== undefined, `${this.keyId} got a ${k}; it got ${this.got.map((x) => x.k).join(' ')}`)
    return m
  }
  greet(): this {
    this.say({ k: 'hello', minVersion: 1, maxVersion: 9, capabilities: ['new'], agent: 'test' })
    return this
  }
  hop(generation = 1): this {
    const { message } = createHopOffer(crypto, { generation, suites: ['AEAD_AES_128_GCM'] })
    this.say({ k: 'hop-offer', generation, message })
    return this
  }
  create(room = 'r', forwarding = 'all'): this {
    this.say({ k: 'room-create', room, generation: 1, groupId: utf8('g'), suite: 'x-wing', forwarding, maximumMembers: 16 })
    return this
  }
  commit(change: { adds?: boolean }): void {
    const n = this.last('room-nominate')
    const adds = change.adds === false ? [] : n.adds
    const commit = fakeCommit({ groupId: utf8('g'), epoch: n.epoch, leaf: 0, adds: adds.map((a) => a.keyPackage), removes: n.removes.map((r) => r.leaf) })
    must(parseCommit(commit))
    this.say({ k: 'room-commit', room: n.room, generation: 1, epoch: n.epoch, commit, ...(adds.length > 0 ? { welcome: utf8('w') } : {}), adds: adds.map((a) => a.id), removes: n.removes, refused: [] })
  }
}

/** Two in a room, with media. */
function pair(): { b: Bench; ann: Client; ben: Client; streams: number[] } {
  const b = new Bench()
  const ann = b.client('ann').greet().hop().create()
  const ben = b.client('ben').greet().hop()
  ben.say({ k: 'room-join', room: 'r', generation: 1, keyPackage: fakeKeyPackage(1) })
  return { b, ann, ben, streams: [ann.last('room-created').ssrc, ben.last('room-queued').ssrc] }
}

test('the greeting: the highest version of both, where media is, a number that nobody guesses', () => {
  const b = new Bench()
  const w = b.client('ann').greet().last('welcome')
  assert.equal(w.version, 1)
  assert.deepEqual(w.udp, [{ address: '10.0.0.2', port: 7443 }])
  assert.match(w.session, /^[0-9a-f]{32}$/)
  assert.equal(w.unixTime, b.clock.unix())
})

test('no greeting within ten seconds is the end', () => {
  const b = new Bench()
  const c = b.client('ann')
  b.clock.advanceSync(9_900)
  assert.equal(c.transport.closedWith, undefined)
  b.clock.advanceSync(200)
  assert.equal(c.transport.closedWith, 1008)
  assert.equal(b.core.sessions.size, 0)
})

test('a session ends with its certificate', () => {
  const b = new Bench()
  const c = b.client('ann', 60).greet()
  for (let i = 0; i < 12; i++) {
    b.clock.advanceSync(5000)
    c.say({ k: 'ping', n: i })
  }
  assert.equal(c.transport.closedWith, undefined)
  b.clock.advanceSync(1500)
  assert.equal(c.last('fault').code, 'IDENTITY_EXPIRED')
  assert.equal(c.transport.closedWith, 1008)
})

test('hop keys: one leg, fresh keys by rekey, an old generation is refused', () => {
  const b = new Bench()
  const c = b.client('ann').greet().hop(1).hop(2)
  assert.deepEqual(b.plane.opened.map((o) => [o.leg, o.generation]), [[1, 1], [1, 2]])
  assert.equal(c.last('hop-answer').probe, b.plane.opened[0]!.probe)
  c.hop(2)
  assert.equal(c.last('fault').code, 'HOP_GENERATION')
  const { message } = createHopOffer(crypto, { generation: 3, suites: ['AEAD_AES_128_GCM'] })
  c.say({ k: 'hop-offer', generation: 4, message })
  assert.equal(c.last('fault').code, 'HOP_GENERATION')
  c.hop(5).hop(6)
  assert.equal(c.last('fault').code, 'CHANNEL_FLOOD')
  assert.equal(b.core.sessions.size, 1)
})

test('a joiner is heard from the moment its commit stands', () => {
  const { b, ann, ben, streams } = pair()
  assert.deepEqual(b.plane.routes.get(streams[0]!), { from: 1, to: [] })
  assert.ok(!b.plane.routes.has(streams[1]!))
  ann.commit({})
  assert.deepEqual(b.plane.routes.get(streams[0]!), { from: 1, to: [2] })
  assert.deepEqual(b.plane.routes.get(streams[1]!), { from: 2, to: [1] })
  ben.say({ k: 'room-leave', room: 'r' })
  assert.ok(!b.plane.routes.has(streams[1]!))
  assert.deepEqual(b.plane.routes.get(streams[0]!), { from: 1, to: [] })
})

test('with several media threads all streams of a room are one thread’s, and rooms are spread', () => {
  const b = new Bench({ workers: 3 })
  const ann = b.client('ann').greet().hop()
  const workers = ['r1', 'r2', 'r3'].map((room, i) => {
    const streams = [ann.create(room).last('room-created').ssrc]
    for (let k = 0; k < 4; k++) {
      const other = b.client(`other-${i}-${k}`).greet().hop()
      other.say({ k: 'room-join', room, generation: 1, keyPackage: fakeKeyPackage(10 * i + k) })
      streams.push(other.last('room-queued').ssrc)
    }
    return new Set(streams.map((s) => s % 3))
  })
  assert.deepEqual(workers.map((w) => w.size), [1, 1, 1])
  assert.equal(new Set(workers.flatMap((w) => [...w])).size, 3)
})

test('how many are passed on, and which rooms wait for others, is the administrator’s', () => {
  const b = new Bench({ forwarding: { loudest: 3, hold: new Map([['big', 5]]) } })
  const ann = b.client('ann').greet().hop()
  const of = (room: string, forwarding: string) => b.plane.options.get(ann.create(room, forwarding).last('room-created').ssrc)
  assert.deepEqual(of('big', 'loudest'), { loudest: { group: 1, count: 3 }, holdMs: 5 })
  assert.deepEqual(of('small', 'loudest'), { loudest: { group: 2, count: 3 } })
  assert.deepEqual(of('all', 'all'), {})
})

test('who gets hop keys late is routed then', () => {
  const b = new Bench()
  const ann = b.client('ann').greet().create()
  const ben = b.client('ben').greet().hop()
  ben.say({ k: 'room-join', room: 'r', generation: 1, keyPackage: fakeKeyPackage(1) })
  ann.commit({})
  const [a, c] = [ann.last('room-created').ssrc, ben.last('room-queued').ssrc]
  assert.deepEqual(b.plane.routes.get(c), { from: 1, to: [] })
  assert.ok(!b.plane.routes.has(a))
  ann.hop()
  assert.deepEqual(b.plane.routes.get(a), { from: 2, to: [1] })
  assert.deepEqual(b.plane.routes.get(c), { from: 1, to: [2] })
})

test('a lost connection: its streams and its leg go, the others remain', () => {
  const { b, ann, ben, streams } = pair()
  ann.commit({})
  ben.transport.end(1006, 'gone')
  assert.deepEqual(b.plane.closed, [2])
  assert.ok(!b.plane.routes.has(streams[1]!))
  assert.equal(b.core.sessions.size, 1)
  b.clock.advanceSync(ROOM_LIMITS.lostMs + 50)
  assert.deepEqual(ann.last('room-nominate').removes, [{ leaf: 1, reason: 'unreachable' }])
})

test('media over TLS: one path for each session, taken by its certificate alone', () => {
  const b = new Bench()
  const ann = b.client('ann').greet()
  const id = ann.last('welcome').session
  assert.ok(!mayAttach(b.core, 'ann', id).ok, 'no hop keys yet')
  ann.hop()
  assert.ok(!mayAttach(b.core, 'ben', id).ok)
  assert.ok(!mayAttach(b.core, 'ann', 'other').ok)
  const session = must(mayAttach(b.core, 'ann', id))
  const [first, second] = [new FakeTransport(), new FakeTransport()]
  attach(b.core, session, first)
  const got: Uint8Array[] = []
  b.plane.path!.onPacket((p) => got.push(p.slice()))
  first.receive(encodeBatch([utf8('packet')]))
  assert.deepEqual(got, [utf8('packet')])
  b.plane.path!.send(utf8('answer'))
  b.clock.advanceSync(5)
  assert.deepEqual(first.sent, [encodeBatch([utf8('answer')])])
  attach(b.core, session, second)
  assert.equal(first.closedWith, 1000)
  assert.ok(b.plane.path !== undefined)
  second.end(1006, '')
  assert.equal(b.plane.path, undefined)
})

test('limits of rooms: in all, and of askings', () => {
  const b = new Bench({ maximumRooms: 2 })
  const c = b.client('ann').greet().create('r1').create('r2').create('r3')
  assert.equal(c.last('room-refused').code, 'ROOM_TOO_MANY')
  for (let i = 0; i < 40; i++) c.say({ k: 'room-open', room: 'x' })
  assert.equal(c.last('fault').code, 'ROOM_RATE')
  c.create('r1')
  assert.equal(c.last('room-refused').code, 'ROOM_RATE')
  // Asking leaves nothing behind.
  assert.deepEqual(b.core.rooms.status.map((r) => r.room), ['r1', 'r2'])
})

test('when all have gone nothing is left behind', () => {
  const b = new Bench({ maximumMembers: 200 })
  const ann = b.client('ann').greet()
  ann.say({ k: 'room-create', room: 'r', generation: 1, groupId: utf8('g'), suite: 'x25519', forwarding: 'all', maximumMembers: 200 })
  const others = Array.from({ length: 15 }, (_, i) => b.client(`m${i}`).greet())
  for (const [i, o] of others.entries()) o.say({ k: 'room-join', room: 'r', generation: 1, keyPackage: fakeKeyPackage(i + 1) })
  ann.commit({})
  b.clock.advanceSync(10)
  ann.commit({})
  assert.equal(b.core.rooms.status[0]?.members, 2)
  for (const o of others) o.transport.end(1006, '')
  ann.transport.end(1006, '')
  assert.equal(b.core.rooms.status[0]?.members, 0)
  b.clock.advanceSync(ROOM_LIMITS.lingerMs + 100)
  assert.deepEqual(b.core.rooms.status, [])
  assert.equal(b.clock.pending, 0, 'nothing waits in an empty server')
})

test('the log is not filled by strangers', () => {
  const b = new Bench()
  for (let i = 0; i < 100; i++) b.client('x').say({ k: 'ping', n: 1 })
  assert.equal(b.log.filter((l) => l.code === 'CHANNEL_ORDER').length, 10)
  b.clock.advanceSync(2000)
  b.client('x').say({ k: 'ping', n: 1 })
  assert.equal(b.log.findLast((l) => l.code === 'CHANNEL_ORDER')?.suppressed, 90)
})

test('draining: open rooms go on and take people in, no new one begins, and the last one ends it', () => {
  const { b, ann, ben } = pair()
  let drained = 0
  b.core.rooms.drain(() => void drained++)
  assert.equal(b.client('eve').greet().create('other').last('room-refused').code, 'ROOM_DRAINING')
  const carl = b.client('carl').greet()
  carl.say({ k: 'room-join', room: 'r', generation: 1, keyPackage: fakeKeyPackage(2) })
  assert.ok(carl.last('room-queued'))
  assert.equal(drained, 0)
  for (const c of [carl, ben, ann]) c.transport.end(1006, '')
  b.clock.advanceSync(120_000)
  assert.ok(drained > 0)
  assert.deepEqual(b.core.rooms.status, [])
})

test('draining an empty server is done at once', () => {
  const b = new Bench()
  let drained = 0
  b.core.rooms.drain(() => void drained++)
  assert.equal(drained, 1)
})

test('the telephone system hears of a client that is gone when nobody finds it any more: its roster is told at once', () => {
  const b = new Bench()
  const ann = b.client('ann').greet()
  const found: unknown[] = []
  b.core.pbx = { dead: false, act: () => {}, gone: (session) => found.push(session.keyId, b.core.sessions.get(session.id), b.core.guest(session.id)) }
  ann.transport.end(1006, 'gone')
  assert.deepEqual(found, ['ann', undefined, undefined])
})
