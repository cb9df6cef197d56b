/** The server's delivery with a hundred members that come, go and break down: it converges and nothing is left. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RoomTable } from '../kit/room-players.ts'
import { SeededNumbers, seededTest } from '../kit/seeded-random.ts'

const HUNDRED = 100

function crowd(): { t: RoomTable; players: ReturnType<RoomTable['player']>[] } {
  const t = new RoomTable()
  t.newRoom = { forwarding: 'loudest', maximumMembers: 200 }
  const players = Array.from({ length: HUNDRED }, (_, i) => t.player(`p${i}`))
  return { t, players }
}

function assertOneGroup(t: RoomTable, players: ReturnType<typeof crowd>['players']): void {
  assert.equal(t.group?.members.length, players.length)
  assert.equal(t.streams.length, players.length)
  for (const p of players) {
    assert.equal(p.view?.epoch, t.group?.epoch, p.session)
    assert.equal(p.view?.leaves.size, players.length)
  }
}

test('all at once, within a second of each other', (x) => {
  const { t, players } = crowd()
  const n = new SeededNumbers(1)
  for (const p of players) {
    p.lagMs = n.int(40)
    t.clock.at((t.clock.now() + n.int(1000)) as never, () => p.enter())
  }
  t.run(5000)
  assertOneGroup(t, players)
  x.diagnostic(`${t.group?.seq} commits for ${HUNDRED} joins within a second`)
  assert.ok((t.group?.seq ?? 0) < HUNDRED, 'joins share commits')
  for (const p of players) p.leave()
  t.run(70_000)
  assert.ok(t.over)
  assert.deepEqual(t.streams, [])
})

seededTest('coming and going, some by breaking down, over a minute', (seed) => {
  const { t, players } = crowd()
  const n = new SeededNumbers(seed)
  const there = [...players]
  for (const p of players) {
    p.lagMs = n.int(40)
    t.clock.at((t.clock.now() + n.int(30_000)) as never, () => p.enter())
  }
  for (let i = 0; i < 60; i++) {
    t.run(1000)
    const at = n.int(there.length)
    const p = there[at]!
    if (p.view === undefined) continue
    if (n.chance(0.5)) {
      p.drop()
      const again = t.player(`${p.session}'`, p.keyId)
      again.enter()
      there[at] = again
    } else {
      p.leave()
      there.splice(at, 1)
    }
  }
  t.run(10_000)
  assertOneGroup(t, there)
  assert.equal(t.machine.state.generation, 1)
})
