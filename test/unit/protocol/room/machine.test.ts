import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../../src/base/brand.ts'
import { utf8 } from '../../../../src/base/bytes.ts'
import { RoomMachine } from '../../../../src/protocol/room/index.ts'
import { fakeKeyPackage } from '../../../kit/fake-mls.ts'
import { type Player, RoomTable } from '../../../kit/room-players.ts'

/** Everybody there has the tree that the server has. */
function assertAgreed(t: RoomTable, ...players: Player[]): void {
  const g = t.group
  assert.ok(g !== undefined)
  assert.deepEqual(g.members.map((m) => m.session).sort(), players.map((p) => p.session).sort())
  for (const p of players) {
    assert.equal(p.view?.epoch, g.epoch, p.session)
    assert.deepEqual([...p.view.leaves.keys()].sort(), g.members.map((m) => m.leaf).sort(), p.session)
    assert.equal(p.leaf, g.members.find((m) => m.session === p.session)?.leaf)
  }
  assert.deepEqual(new Set(t.streams.map((s) => s.ssrc)), new Set(players.map((p) => p.ssrc)))
}

test('the first makes the room and is alone at once', () => {
  const t = new RoomTable()
  const [a] = t.seat('a')
  assertAgreed(t, a!)
  assert.deepEqual(a!.got.map((m) => m.k), ['room-info', 'room-created'])
  assert.equal(a!.last('room-info')?.generation, 1)
})

test('two at once: one makes it, the other joins it', () => {
  const t = new RoomTable()
  const a = t.player('a')
  const b = t.player('b')
  a.enter()
  b.enter()
  t.run(200)
  assertAgreed(t, a, b)
  assert.equal(b.count('room-info'), 2)
})

test('a joiner gets in through the member longest present', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  assertAgreed(t, a!, b!, c!)
  assert.equal(a!.count('room-nominate'), 2)
  assert.equal(b!.count('room-nominate'), 0)
  assert.deepEqual(b!.got.map((m) => m.k), ['room-info', 'room-queued', 'room-welcome', 'room-settled', 'room-ordered', 'room-stands', 'room-settled'])
  assert.equal(b!.last('room-welcome')?.seq, 1)
  assert.equal(b!.last('room-ordered')?.seq, 2)
})

test('a commit is settled when everybody who can be reached has answered it, its committer included', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  const settled = (): number | undefined => a!.last('room-settled')?.seq
  assert.equal(settled(), 2)
  b!.lagMs = 500
  const d = t.player('d')
  d.enter()
  t.run(400)
  assert.deepEqual([a!.last('room-stands')?.seq, settled()], [3, 2], 'one has not answered')
  t.run(800)
  assert.equal(settled(), 3)
  assert.equal(a!.count('room-settled'), 3)
  b!.judge = () => 'silent'
  t.player('e').enter()
  t.run(400)
  assert.equal(settled(), 3)
  b!.drop()
  t.run(10)
  assert.equal(settled(), 4, 'who is gone is not waited for')
  c!.judge = () => 'reject'
  t.player('f').enter()
  t.run(400)
  assert.ok(settled()! > 4, 'who refused is not waited for')
})

test('those who come while a commit is in flight go together into the next one', () => {
  const t = new RoomTable()
  const [a] = t.seat('a')
  const more = ['b', 'c', 'd', 'e'].map((n) => t.player(n))
  for (const p of more) p.enter()
  t.run(300)
  assertAgreed(t, a!, ...more)
  assert.equal(t.group?.seq, 2)
})

test('after joins the newest member updates its key, once', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  t.run(t.limits.freshenMs + 200)
  assert.equal(c!.count('room-nominate'), 1)
  assert.deepEqual(c!.last('room-nominate')?.adds, [])
  t.run(20_000)
  assert.equal(c!.count('room-nominate'), 1)
  assertAgreed(t, a!, b!, c!)
})

test('a silent nominee is passed over after a second, the next one commits', () => {
  const t = new RoomTable()
  const [a, b] = t.seat('a', 'b')
  a!.onNominate = () => undefined
  const c = t.player('c')
  c.enter()
  t.run(900)
  assert.equal(c.view, undefined)
  t.run(300)
  assert.equal(a!.count('room-passed'), 1)
  assertAgreed(t, a!, b!, c)
  // It has lost its turn for the next time as well.
  const d = t.player('d')
  d.enter()
  t.run(100)
  assertAgreed(t, a!, b!, c, d)
})

test('nobody applies: the epoch opens again and another member commits', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  b!.judge = c!.judge = (m) => (m.seq === 3 ? 'silent' : 'apply')
  const d = t.player('d')
  d.enter()
  t.run(400)
  assert.equal(a!.count('room-void'), 0)
  t.run(800)
  assert.equal(a!.count('room-void'), 1)
  assertAgreed(t, a!, b!, c!, d)
  assert.equal(b!.count('room-nominate'), 1)
})

test('rejected by all is void at once', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  b!.judge = c!.judge = (m) => (m.seq === 3 ? 'reject' : 'apply')
  const d = t.player('d')
  d.enter()
  t.run(150)
  assertAgreed(t, a!, b!, c!, d)
})

test('applied by some: it stands, the others rejoin with a new leaf and stream', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  c!.judge = (m) => (m.seq === 3 ? 'reject' : 'apply')
  const before = c!.ssrc
  const d = t.player('d')
  d.enter()
  t.run(300)
  assertAgreed(t, a!, b!, c!, d)
  assert.notEqual(c!.ssrc, before)
  assert.deepEqual(b!.last('room-ordered')?.removes, [{ leaf: 2, reason: 'rejoin' }])
})

test('a leave is committed by a nominee, with the evidence', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  b!.leave(utf8('signed by b'))
  t.run(100)
  assert.equal(b!.last('room-closed')?.reason, 'left')
  assert.deepEqual(c!.last('room-ordered')?.removes, [{ leaf: 1, reason: 'leave', evidence: utf8('signed by b') }])
  assertAgreed(t, a!, c!)
  // The blank leaf is taken by the next one.
  const d = t.player('d')
  d.enter()
  t.run(100)
  assert.equal(d.leaf, 1)
  assertAgreed(t, a!, c!, d)
})

test('a leave whose evidence a member leaves out becomes unreachable', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  a!.onNominate = (m) => a!.commitFor({ ...m, removes: m.removes.filter((r) => r.reason !== 'leave') })
  b!.leave(utf8('garbage'))
  t.run(200)
  assert.deepEqual(c!.last('room-ordered')?.removes, [{ leaf: 1, reason: 'unreachable' }])
  assertAgreed(t, a!, c!)
})

test('who loses the connection is removed after a grace; back in time it is a rejoin', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  b!.drop()
  t.run(t.limits.lostMs - 100)
  assert.equal(t.group?.members.length, 3)
  t.run(300)
  assertAgreed(t, a!, c!)
  assert.deepEqual(c!.last('room-ordered')?.removes, [{ leaf: 1, reason: 'unreachable' }])
  c!.drop()
  const again = t.player('c2', 'c')
  again.enter()
  t.run(100)
  assertAgreed(t, a!, again)
  assert.deepEqual(t.notes.filter((n) => n.includes('passed')), [])
})

test('another connection of the same key takes the place; nobody is in twice', () => {
  const t = new RoomTable()
  const [a, b] = t.seat('a', 'b')
  const again = t.player('b2', 'b')
  again.enter()
  t.run(100)
  assert.equal(b!.last('room-closed')?.reason, 'replaced')
  assertAgreed(t, a!, again)
})

test('the only member on another connection begins a new generation', () => {
  const t = new RoomTable()
  const [a] = t.seat('a')
  const again = t.player('a2', 'a')
  again.enter()
  t.run(100)
  assert.equal(a!.last('room-closed')?.reason, 'replaced')
  assertAgreed(t, again)
  assert.equal(again.generation, 2)
})

test('a host removes somebody without nomination; streams are cut when it is ordered', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  t.run(3000)
  c!.judge = a!.judge = () => 'silent'
  b!.act([{ leaf: 2, reason: 'host', evidence: utf8('act') }])
  t.run(10)
  assert.deepEqual(t.streams.map((s) => s.session), ['a', 'b'])
  // Void: the removed one is heard again.
  t.run(600)
  assert.deepEqual(t.streams.map((s) => s.session), ['a', 'b', 'c'])
  a!.judge = () => 'apply'
  b!.act([{ leaf: 2, reason: 'host', evidence: utf8('act') }])
  t.run(50)
  assert.match(b!.last('room-passed')?.reason ?? '', /your own accord/)
  t.run(t.limits.ownCommitPauseMs)
  b!.act([{ leaf: 2, reason: 'host', evidence: utf8('act') }])
  t.run(50)
  assert.equal(c!.last('room-closed')?.reason, 'removed')
  assertAgreed(t, a!, b!)
})

test('a host\'s commit takes the nomination away', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  a!.onNominate = () => undefined
  const d = t.player('d')
  d.enter()
  t.run(50)
  b!.act([{ leaf: 2, reason: 'host', evidence: utf8('act') }])
  a!.onNominate = () => 'honest'
  t.run(200)
  assert.match(a!.last('room-passed')?.reason ?? '', /host/)
  assertAgreed(t, a!, b!, d)
  assert.equal(c!.view, undefined)
  assert.equal(d.leaf, 2)
})

test('the seventeenth is refused where everything is forwarded', () => {
  const t = new RoomTable()
  const players = t.seat(...Array.from({ length: 16 }, (_, i) => `p${i}`))
  assertAgreed(t, ...players)
  const more = t.player('x')
  more.enter()
  t.run(100)
  assert.equal(more.last('room-refused')?.code, 'ROOM_FULL')
  // A rejoin is not a seventeenth.
  players[3]!.view = undefined
  players[3]!.enter()
  t.run(100)
  assertAgreed(t, ...players)
})

test('forwarding that the server does not offer is refused', () => {
  const t = new RoomTable({ forwarding: ['all'] })
  const a = t.player('a')
  a.say({ k: 'room-create', room: 'r', generation: 1, groupId: utf8('g'), suite: 'x25519', forwarding: 'loudest', maximumMembers: 40 })
  t.run(50)
  assert.equal(a.last('room-refused')?.code, 'ROOM_FORWARDING')
  assert.ok(t.over)
})

test('a joiner that gives up while it waits is forgotten', () => {
  const t = new RoomTable()
  const [a, b] = t.seat('a', 'b')
  a!.onNominate = () => undefined
  const c = t.player('c')
  c.enter()
  t.run(50)
  c.wanted = false
  c.say({ k: 'room-cancel', room: 'r' })
  t.run(50)
  assert.match(a!.last('room-passed')?.reason ?? '', /gave up/)
  a!.onNominate = () => 'honest'
  t.run(5000)
  assertAgreed(t, a!, b!)
})

test('a joiner that gives up while its commit is in flight is removed again', () => {
  const t = new RoomTable()
  const [a, b] = t.seat('a', 'b')
  b!.lagMs = 100
  const c = t.player('c')
  c.enter()
  t.run(100)
  assert.equal(t.group?.flight?.adds.length, 1)
  c.drop()
  t.run(600)
  assertAgreed(t, a!, b!)
})

test('a joiner that does not answer its welcome is removed', () => {
  const t = new RoomTable()
  const [a, b] = t.seat('a', 'b')
  const c = t.player('c')
  c.takesWelcome = false
  c.enter()
  t.run(t.limits.welcomeMs - 500)
  assert.equal(t.group?.members.length, 3)
  c.wanted = false
  t.run(1000)
  assert.equal(c.last('room-closed')?.reason, 'unreachable')
  assertAgreed(t, a!, b!)
})

test('who rejects what stands and does not rejoin is removed', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  c!.wanted = false
  c!.judge = () => 'reject'
  const d = t.player('d')
  d.enter()
  t.run(t.limits.healMs + 500)
  assert.equal(c!.last('room-closed')?.reason, 'unreachable')
  assertAgreed(t, a!, b!, d)
})

test('who applied what became void rejoins', () => {
  const t = new RoomTable()
  const [a, b] = t.seat('a', 'b')
  b!.lagMs = 400
  const c = t.player('c')
  c.enter()
  t.run(6000)
  b!.lagMs = 0
  t.run(6000)
  assertAgreed(t, a!, b!, c)
})

test('an outage of three seconds loses nobody', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  b!.lagMs = 3000
  c!.lagMs = 3000
  const d = t.player('d')
  d.enter()
  t.run(3000)
  b!.lagMs = c!.lagMs = 0
  t.run(10_000)
  assertAgreed(t, a!, b!, c!, d)
})

test('one member refuses a joiner: a second one is asked; two refusals are final', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  a!.judgeAdd = () => false
  const d = t.player('d')
  d.enter()
  t.run(200)
  assertAgreed(t, a!, b!, c!, d)
  b!.judgeAdd = () => false
  const e = t.player('e')
  e.enter()
  t.run(300)
  assert.equal(e.last('room-refused')?.code, 'ROOM_NOT_ADMITTED')
  assert.match(e.last('room-refused')?.message ?? '', /not welcome/)
  assertAgreed(t, a!, b!, c!, d)
})

test('the only member\'s refusal is final', () => {
  const t = new RoomTable()
  const [a] = t.seat('a')
  a!.judgeAdd = () => false
  const b = t.player('b')
  b.enter()
  t.run(100)
  assert.equal(b.last('room-refused')?.code, 'ROOM_NOT_ADMITTED')
})

test('a request on which every nominee fails does not keep the others out, and ends', () => {
  const t = new RoomTable()
  const [a, b] = t.seat('a', 'b')
  const poison = t.player('poison')
  for (const p of [a!, b!]) p.onNominate = (m) => (m.adds.some((x) => x.id === t.group?.queue.find((q) => q.session === 'poison')?.id) ? undefined : 'honest')
  poison.enter()
  t.run(50)
  const c = t.player('c')
  c.onNominate = a!.onNominate
  c.enter()
  t.run(6000)
  assert.ok(c.view !== undefined)
  t.run(6000)
  assert.equal(poison.last('room-refused')?.code, 'ROOM_NOBODY_COMMITS')
  assertAgreed(t, a!, b!, c)
  assert.equal(a!.count('room-reset'), 0)
})

test('a joiner whom nobody commits: a key update tells whether it is the joiner or the group', () => {
  for (const silent of ['on the joiner', 'on everything'] as const) {
    const t = new RoomTable()
    const [a, b] = t.seat('a', 'b')
    t.run(5000)
    const epoch = t.group!.epoch
    for (const p of [a!, b!]) p.onNominate = (m) => (silent === 'on everything' || m.adds.length > 0 ? undefined : 'honest')
    const poison = t.player('poison')
    poison.enter()
    t.run(12_000)
    assert.equal(poison.last('room-refused')?.code, 'ROOM_NOBODY_COMMITS')
    poison.leave()
    t.run(t.limits.stuckMs + 2000)
    assert.equal(a!.count('room-reset'), silent === 'on everything' ? 1 : 0, silent)
    if (silent === 'on the joiner') assert.equal(t.group!.epoch, epoch + 1n)
  }
})

test('nobody commits for long: a new generation', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  a!.onNominate = b!.onNominate = () => undefined
  c!.leave()
  t.run(t.limits.stuckMs + 500)
  assert.equal(a!.count('room-reset'), 1)
  assert.equal(a!.last('room-reset')?.generation, 2)
  a!.onNominate = b!.onNominate = () => 'honest'
  t.run(3000)
  assertAgreed(t, a!, b!)
  assert.equal(a!.generation, 2)
})

test('most are out of step and cannot rejoin: a new generation', () => {
  const t = new RoomTable()
  const players = t.seat('a', 'b', 'c', 'd', 'e')
  const [a, b, c, d, e] = players
  t.run(3000)
  // B says that it applied what nobody else can, and neither lets the others back in.
  c!.judge = d!.judge = e!.judge = () => 'reject'
  a!.onNominate = b!.onNominate = () => undefined
  a!.act([], { contextExtensions: true })
  t.run(t.limits.healMs)
  assert.equal(a!.count('room-reset'), 0)
  for (const p of players) p.judge = () => 'apply'
  a!.onNominate = b!.onNominate = () => 'honest'
  t.run(1000)
  assert.ok(t.notes.includes('reset: most members are out of step'))
  t.run(3000)
  assertAgreed(t, ...players)
})

test('room messages go from members to all others, for the present epoch or the one before', () => {
  const t = new RoomTable()
  const [a, b, c] = t.seat('a', 'b', 'c')
  const message = utf8('word')
  a!.say({ k: 'room-message', room: 'r', epoch: 2n, message })
  b!.say({ k: 'room-message', room: 'r', epoch: 1n, message })
  t.run(50)
  assert.equal(a!.count('room-message'), 1)
  assert.equal(b!.count('room-message'), 1)
  assert.equal(c!.count('room-message'), 2)
  c!.say({ k: 'room-message', room: 'r', epoch: 0n, message })
  const x = t.player('x')
  x.say({ k: 'room-message', room: 'r', epoch: 2n, message })
  t.run(50)
  assert.equal(c!.last('fault')?.code, 'ROOM_EPOCH')
  assert.equal(x.last('fault')?.code, 'ROOM_STATE')
  assert.equal(a!.count('room-message'), 1)
  for (let i = 0; i < 100; i++) a!.say({ k: 'room-message', room: 'r', epoch: 2n, message })
  t.run(50)
  assert.equal(a!.last('fault')?.code, 'ROOM_RATE')
  assert.ok(b!.count('room-message') <= 52)
})

test('the last one leaves: the number is remembered for a while, then the room is forgotten', () => {
  const t = new RoomTable()
  const [a, b] = t.seat('a', 'b')
  a!.leave()
  b!.leave()
  t.run(100)
  assert.equal(t.group, undefined)
  assert.equal(t.machine.state.generation, 2)
  assert.ok(!t.over)
  t.run(t.limits.lingerMs + 10)
  assert.ok(t.over)
  assert.deepEqual(t.streams, [])
})

test('the last member goes while somebody waits: the joiner makes the next group', () => {
  const t = new RoomTable()
  const [a] = t.seat('a')
  a!.onNominate = () => undefined
  const b = t.player('b')
  b.enter()
  t.run(50)
  a!.drop()
  t.run(100)
  assertAgreed(t, b)
})

test('asking about a room that is not there leaves nothing behind', () => {
  const m = new RoomMachine('r')
  const { out, wakeAt } = m.step({ kind: 'message', session: 's', keyId: 'k', message: { k: 'room-open', room: 'r' }, ssrc: 1 }, instant(0))
  assert.deepEqual(out.map((o) => o.kind), ['send', 'over'])
  assert.equal(wakeAt, undefined)
})

test('a full room at rest sets no timer', () => {
  const t = new RoomTable()
  t.seat('a', 'b', 'c')
  t.run(10_000)
  assert.equal(t.machine.step({ kind: 'tick' }, t.clock.now()).wakeAt, undefined)
})

test('key packages that cannot be read are refused, and too many that wait', () => {
  const t = new RoomTable({ queueLimit: 1 })
  const [a] = t.seat('a')
  a!.onNominate = () => undefined
  const x = t.player('x')
  x.say({ k: 'room-join', room: 'r', generation: 1, keyPackage: utf8('rubbish') })
  t.run(20)
  assert.equal(x.last('room-refused')?.code, 'ROOM_BAD_FRAMING')
  for (const n of ['b', 'c']) t.player(n).say({ k: 'room-join', room: 'r', generation: 1, keyPackage: fakeKeyPackage(90) })
  t.run(20)
  assert.equal(t.players.get('c')!.last('room-refused')?.code, 'ROOM_QUEUE_FULL')
})

test('a copy of the state goes on where the machine was', () => {
  const t = new RoomTable()
  const [a, b] = t.seat('a', 'b')
  const c = t.player('c')
  c.enter()
  for (let i = 0; i < 200; i++) {
    t.run(1)
    t.machine = new RoomMachine('r', t.limits, structuredClone(t.machine.state))
  }
  t.run(200)
  assertAgreed(t, a!, b!, c)
})
