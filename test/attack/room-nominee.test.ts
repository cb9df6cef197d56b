/** Hostile nominees and members before an honest server: each is passed over or refused, and the room goes on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteWriter, utf8 } from '../../src/base/bytes.ts'
import { type fakeCommit, fakeKeyPackage } from '../kit/fake-mls.ts'
import { type Player, RoomTable } from '../kit/room-players.ts'

/** Three members, the first of which is nominated, and somebody who wants in. */
function table(hostile: (a: Player, t: RoomTable) => void): { t: RoomTable; a: Player; b: Player; c: Player; d: Player } {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c') as [Player, Player, Player]
  hostile(a, t)
  const d = t.player('d')
  d.enter()
  return { t, a, b, c, d }
}

/** The joiner is in through the next member, the hostile one was told why, nobody else was touched. */
function assertPassedOver(w: ReturnType<typeof table>, why: RegExp): void {
  w.t.run(1500)
  assert.match(w.a.last('room-passed')?.reason ?? '', why)
  assert.deepEqual(w.t.group?.members.map((m) => m.session), ['a', 'b', 'c', 'd'])
  assert.equal(w.b.count('room-nominate'), 1)
  for (const p of [w.b, w.c, w.d]) assert.equal(p.view?.epoch, 3n)
  assert.equal(w.a.count('room-ordered') - w.a.count('room-void'), 3)
}

test('a silent nominee', () => {
  assertPassedOver(table((a) => (a.onNominate = () => undefined)), /late/)
})

test('a nominee that removes a live peer', () => {
  const w = table((a) => (a.onNominate = (m) => a.commitFor(m, { removes: [2] })))
  assertPassedOver(w, /removes somebody who is not to be removed/)
})

test('a nominee that calls the removal of a live peer a host\'s act, together with the Add', () => {
  const w = table((a) => (a.onNominate = (m) => ({ ...a.commitFor(m, { removes: [2] }), removes: [{ leaf: 2, reason: 'host', evidence: utf8('forged') }] })))
  assertPassedOver(w, /removes somebody/)
})

test('a nominee that omits a joiner', () => {
  const w = table((a) => (a.onNominate = (m) => a.commitFor({ adds: [], removes: m.removes })))
  assertPassedOver(w, /omits a joiner/)
})

test('a nominee that says it adds a joiner and does not', () => {
  const w = table((a) => (a.onNominate = (m) => ({ ...a.commitFor(m, { adds: [] }), adds: m.adds.map((x) => x.id) })))
  assertPassedOver(w, /list of joiners/)
})

test('a nominee that adds a ghost besides the joiner, or in its place', () => {
  for (const besides of [true, false]) {
    const w = table((a) => (a.onNominate = (m) => a.commitFor(m, { adds: [...(besides ? m.adds.map((x) => x.keyPackage) : []), fakeKeyPackage(666)] })))
    assertPassedOver(w, /not nominated/)
  }
})

test('a nominee that adds the joiner twice', () => {
  const w = table((a) => (a.onNominate = (m) => a.commitFor(m, { adds: [m.adds[0]!.keyPackage, m.adds[0]!.keyPackage] })))
  assertPassedOver(w, /not nominated/)
})

test('a nominee that keeps the welcome back', () => {
  const w = table((a) => (a.onNominate = (m) => {
    const { welcome: _, ...rest } = a.commitFor(m)
    return rest
  }))
  assertPassedOver(w, /welcome/)
})

test('a nominee that changes the policy on the way', () => {
  assertPassedOver(table((a) => (a.onNominate = (m) => a.commitFor(m, { contextExtensions: true }))), /policy/)
})

test('a garbage commit', () => {
  assertPassedOver(table((a) => (a.onNominate = (m) => ({ ...a.commitFor(m), commit: utf8('garbage') }))), /PublicMessage/)
})

test('a commit with an injected proposal, or by reference', () => {
  const injected = [new ByteWriter().u8(1).u16(6).u32(0).finish(), new ByteWriter().u8(2).put(new Uint8Array(33)).finish()]
  for (const proposal of injected) assertPassedOver(table((a) => (a.onNominate = (m) => a.commitFor(m, { proposal }))), /proposal/)
})

test('a commit without a path, for another group, for another epoch, in another\'s name, of oneself', () => {
  const wrong: [Partial<Parameters<typeof fakeCommit>[0]>, RegExp][] = [
    [{ path: false }, /no update path/], [{ groupId: utf8('other') }, /another group/], [{ epoch: 1n }, /epoch 1/],
    [{ leaf: 1 }, /leaf 1 sent it/], [{ removes: [0] }, /removes its own sender/],
  ]
  for (const [change, why] of wrong) assertPassedOver(table((a) => (a.onNominate = (m) => a.commitFor(m, change))), why)
})

test('a replayed commit, of oneself and of another', () => {
  const t = new RoomTable()
  const [a, b] = t.seat('a', 'b', 'c') as [Player, Player]
  const old = b.last('room-ordered')!
  t.run(3000)
  const before = t.group?.seq
  for (const p of [a, b]) p.say({ k: 'room-commit', room: 'r', generation: 1, epoch: old.epoch, commit: old.commit, adds: [], removes: [], refused: [] })
  for (const p of [a, b]) p.say({ k: 'room-commit', room: 'r', generation: 1, epoch: t.group!.epoch, commit: old.commit, adds: [], removes: [], refused: [] })
  t.run(100)
  assert.equal(t.group?.seq, before)
  assert.equal(a.count('room-passed'), 2)
  assert.equal(b.count('room-passed'), 2)
})

test('a commit that nobody asked for', () => {
  const t = new RoomTable()
  const [a, b] = t.seat('a', 'b', 'c') as [Player, Player]
  t.run(3000)
  const before = t.group?.seq
  b.say(b.commitFor({ adds: [], removes: [] }))
  b.say(b.commitFor({ adds: [], removes: [{ leaf: 2, reason: 'unreachable' }] }))
  b.say(b.commitFor({ adds: [], removes: [{ leaf: 2, reason: 'host' }] }))
  b.say({ ...b.commitFor({ adds: [], removes: [{ leaf: 2, reason: 'host', evidence: utf8('act') }] }), removes: [] })
  b.say(b.commitFor({ adds: [], removes: [{ leaf: 7, reason: 'host', evidence: utf8('act') }] }))
  t.run(100)
  assert.equal(t.group?.seq, before)
  assert.equal(b.count('room-passed'), 5)
  assert.equal(a.count('room-ordered'), before)
})

test('a suppressed removal: whoever leaves it out is passed over, the next one does it', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c') as [Player, Player, Player]
  t.run(3000)
  a.onNominate = (m) => a.commitFor({ ...m, removes: [] })
  c.drop()
  t.run(t.limits.lostMs + 500)
  assert.match(a.last('room-passed')?.reason ?? '', /omits the removal of leaf 2/)
  assert.deepEqual(t.group?.members.map((m) => m.session), ['a', 'b'])
  assert.deepEqual(b.view?.leaves.size, 2)
})

test('a member that always says that it cannot apply does not keep others from committing', () => {
  const t = new RoomTable()
  const [, b] = t.seat('a', 'b') as [Player, Player]
  b.judge = () => 'reject'
  const c = t.player('c')
  c.enter()
  t.run(2000)
  // The liar's own commit is applied by the honest one; and it cannot vote once others are there to apply.
  assert.ok(c.view !== undefined)
})

test('one who is no member says nothing in the room', () => {
  const t = new RoomTable()
  const [a] = t.seat('a', 'b') as [Player]
  const x = t.player('x')
  const before = structuredClone(t.group)
  x.say({ k: 'room-message', room: 'r', epoch: t.group!.epoch, message: utf8('m') })
  x.say({ k: 'room-applied', room: 'r', seq: 1 })
  x.say({ k: 'room-rejected', room: 'r', seq: 1, hash: utf8('h'), code: 'X' })
  x.say({ k: 'room-commit', room: 'r', generation: 1, epoch: t.group!.epoch, commit: utf8('c'), adds: [], removes: [], refused: [] })
  t.run(50)
  assert.equal(x.count('fault'), 4)
  assert.deepEqual(t.group, before)
  assert.equal(a.count('room-message'), 0)
})

test('a flood of commits and of words is cut short', () => {
  const t = new RoomTable()
  const [a, b] = t.seat('a', 'b', 'c') as [Player, Player]
  t.run(3000)
  const words = a.count('room-message')
  for (let i = 0; i < 500; i++) {
    b.say({ k: 'room-commit', room: 'r', generation: 1, epoch: 0n, commit: utf8('c'), adds: [], removes: [], refused: [] })
    b.say({ k: 'room-message', room: 'r', epoch: t.group!.epoch, message: utf8('m') })
  }
  t.run(100)
  assert.ok(b.count('room-passed') <= 21)
  assert.ok(a.count('room-message') - words <= 51)
  assert.equal(b.last('fault')?.code, 'ROOM_RATE')
})
