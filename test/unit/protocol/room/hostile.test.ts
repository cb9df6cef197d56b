/** Members that do anything at any time: the order holds throughout, and the honest ones find together again afterwards. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '../../../../src/base/bytes.ts'
import type { RoomOut, RoomRequest } from '../../../../src/protocol/room/index.ts'
import type { WireRemoval } from '../../../../src/protocol/wire/messages.ts'
import { fakeCommit, fakeKeyPackage } from '../../../kit/fake-mls.ts'
import { type Player, RoomTable } from '../../../kit/room-players.ts'
import { SeededNumbers } from '../../../kit/seeded-random.ts'

/** What must hold after every single step. */
class Referee {
  readonly #table: RoomTable
  #seq = 0
  #generation = 0
  /** Epoch of each ordered commit of this generation. */
  #ordered = new Map<number, bigint>()
  #stood = new Map<bigint, number>()

  constructor(table: RoomTable) {
    this.#table = table
  }
  check(out: readonly RoomOut[]): void {
    const { state } = this.#table.machine
    const g = state.group
    if (state.generation !== this.#generation) {
      this.#generation = state.generation
      this.#seq = 0
      this.#ordered = new Map()
      this.#stood = new Map()
    }
    for (const o of out) if (o.kind === 'send') this.#message(o.message as RoomOutMessage)
    if (g === undefined) return
    unique(g.members.map((m) => m.leaf), 'leaves')
    const there = g.members.filter((m) => m.reachable)
    unique(there.map((m) => m.keyId), 'people in the room')
    unique(there.map((m) => m.session), 'sessions in the room')
    unique(g.members.map((m) => m.id), 'numbers')
    unique([...g.queue, ...(g.flight?.adds.map((a) => a.request) ?? [])].filter((q) => !q.abandoned).map((q) => q.keyId), 'people who wait')
    assert.ok(g.nomination === undefined || g.flight === undefined, 'one commit at a time')
    assert.ok(new Set([...g.members, ...g.queue].map((p) => p.keyId)).size <= g.maximumMembers, 'not more than the room takes')
    unique(state.streams.map((s) => s.ssrc), 'streams')
    for (const s of state.streams) assert.ok(there.some((m) => m.session === s.session && m.ssrc === s.ssrc), 'a stream of somebody who is there')
    for (const r of g.flight?.removes ?? []) assert.ok(!state.streams.some((s) => g.members.find((m) => m.leaf === r.leaf)?.ssrc === s.ssrc), 'removed streams are cut at once')
  }
  #message(m: RoomOutMessage): void {
    if (m.k === 'room-ordered') {
      const known = this.#ordered.get(m.seq)
      if (known === undefined) {
        assert.equal(m.seq, this.#seq + 1, 'no gap in the order')
        this.#seq = m.seq
        this.#ordered.set(m.seq, m.epoch)
      } else assert.equal(known, m.epoch)
    } else if (m.k === 'room-stands') {
      const epoch = this.#ordered.get(m.seq)
      assert.ok(epoch !== undefined, 'what stands was ordered')
      assert.equal(this.#stood.get(epoch) ?? m.seq, m.seq, 'one commit for an epoch')
      this.#stood.set(epoch, m.seq)
    }
  }
}
type RoomOutMessage = Extract<RoomOut, { kind: 'send' }>['message']

function unique(values: readonly unknown[], what: string): void {
  assert.equal(new Set(values).size, values.length, `${what}: ${values.join(' ')}`)
}

/** Anything that a client could send, much of it nearly right. */
function anything(t: RoomTable, p: Player, n: SeededNumbers): RoomRequest {
  const g = t.group
  const room = 'r'
  const generation = n.chance(0.8) ? t.machine.state.generation : n.int(4)
  const seq = n.chance(0.7) ? (g?.seq ?? 0) : n.int(6)
  const epoch = n.chance(0.8) ? (g?.epoch ?? 0n) : BigInt(n.int(5))
  const member = g?.members.find((m) => m.session === p.session)
  switch (n.int(12)) {
    case 0: return { k: 'room-open', room }
    case 1: return { k: 'room-create', room, generation, groupId: utf8(p.session), suite: 'x25519', forwarding: 'all', maximumMembers: 1 + n.int(16) }
    case 2: case 3: return { k: 'room-join', room, generation, keyPackage: n.chance(0.9) ? fakeKeyPackage(t.nextMark++) : utf8('rubbish') }
    case 4: return { k: 'room-applied', room, seq }
    case 5: return { k: 'room-rejected', room, seq, hash: utf8('x'), code: 'X' }
    case 6: return { k: 'room-message', room, epoch, message: utf8('m') }
    case 7: return n.chance(0.3) ? { k: 'room-leave', room, ...(n.chance(0.5) ? { evidence: utf8('e') } : {}) } : { k: 'room-cancel', room }
    default: {
      const nominated = g?.nomination !== undefined && g.nomination.member === member?.id ? g.nomination : undefined
      const adds = g?.queue.filter((q) => (nominated?.adds.includes(q.id) ?? n.chance(0.3)) && n.chance(0.9)) ?? []
      const removes: WireRemoval[] = (nominated?.removes ?? []).filter(() => n.chance(0.9))
      if (n.chance(0.2) && g !== undefined && g.members.length > 0) removes.push({ leaf: n.pick(g.members).leaf, reason: 'host', evidence: utf8('act') })
      const commit = fakeCommit({
        groupId: g?.groupId ?? utf8('g'), epoch, leaf: n.chance(0.9) ? (member?.leaf ?? 0) : n.int(8), mark: t.nextMark++,
        adds: adds.map((q) => q.keyPackage), removes: removes.map((r) => r.leaf), contextExtensions: n.chance(0.1), path: n.chance(0.95),
      })
      const refused = n.chance(0.2) ? [{ id: n.int(20), code: 'X', message: 'no' }] : []
      return { k: 'room-commit', room, generation, epoch, commit, ...(adds.length > 0 || n.chance(0.1) ? { welcome: utf8('made up') } : {}), adds: adds.map((q) => q.id), removes, refused }
    }
  }
}

function play(seed: number): void {
  const n = new SeededNumbers(seed)
  const t = new RoomTable()
  const referee = new Referee(t)
  const step = t.step.bind(t)
  t.step = (input) => {
    const out = step(input)
    referee.check(out)
    return out
  }
  const honest = t.seat('a', 'b', 'c', 'd')
  const hostile = ['x', 'y', 'z'].map((name) => t.player(name))
  for (const p of hostile) {
    p.onNominate = () => (n.chance(0.3) ? 'honest' : undefined)
    p.judge = () => n.pick(['apply', 'reject', 'silent'] as const)
    p.takesWelcome = n.chance(0.7)
    p.enter()
  }
  for (let i = 0; i < 400; i++) {
    const p = n.pick(hostile)
    p.say(anything(t, p, n))
    if (n.chance(0.02)) {
      // A connection breaks; its owner comes back with a new one.
      const who = n.pick([...honest, ...hostile].filter((x) => x.connected))
      const again = t.player(`${who.session}'`, who.keyId)
      if (n.chance(0.6)) who.drop()
      // Or the old one only seems alive.
      else who.wanted = false
      if (hostile.includes(who)) hostile.push(again)
      else honest[honest.indexOf(who)] = again
      again.enter()
    }
    t.run(n.int(n.chance(0.05) ? 2000 : 30))
  }
  for (const p of hostile) p.drop()
  // Members cast out by a made-up host's act stay out, as those would who see it: they dial again.
  for (const p of honest) if (p.view === undefined) p.enter()
  t.run(40_000)
  for (const p of honest) if (p.view === undefined) p.enter()
  t.run(40_000)
  const g = t.group
  assert.ok(g !== undefined, `seed ${seed}: there is a room`)
  for (const p of honest) {
    assert.equal(p.view?.epoch, g.epoch, `seed ${seed}: ${p.session} is in the epoch of the room`)
    assert.deepEqual([...p.view.leaves.keys()].sort(), g.members.map((m) => m.leaf).sort(), `seed ${seed}: one tree`)
  }
  assert.deepEqual(t.streams.map((s) => s.session).sort(), honest.map((p) => p.session).sort(), `seed ${seed}`)
}

test('whatever some members do, the order holds and the honest ones find together', () => {
  const first = Number(process.env['STC_SEED'] ?? 1)
  const until = performance.now() + 2000
  for (let seed = first; seed < first + 200 && (seed === first || performance.now() < until); seed++) {
    try {
      play(seed)
    } catch (cause) {
      throw new Error(`seed ${seed}: repeat with STC_SEED=${seed}`, { cause })
    }
  }
})
