/**
 * A hundred clients in one room. Eight of them are whole; the others have real key packages and places in the tree, and
 * answer the server as members do, but do no group work: in a hundred machines that costs each its own time, here one's.
 */
import assert from 'node:assert/strict'
import { must } from '../../src/base/result.ts'
import type { RoomRequest } from '../../src/protocol/room/index.ts'
import type { ServerMessage } from '../../src/protocol/wire/messages.ts'
import { agree, worldFor } from '../kit/conference-checks.ts'
import { type ConferenceWorld, ROOM, type WorldMember } from '../kit/conference-world.ts'
import { RoomTable } from '../kit/room-players.ts'
import { seededTest } from '../kit/seeded-random.ts'

const WHOLE = 8
const ALL = 100

/** A client that takes part in the delivery alone. Never longest present, so not asked to commit while others are there. */
class LightClient {
  readonly #w: ConferenceWorld
  readonly #session: string
  readonly #keyId: string
  readonly #keyPackage: Uint8Array
  state: 'out' | 'waiting' | 'in' = 'out'

  constructor(w: ConferenceWorld, session: string, keyId: string, keyPackage: Uint8Array) {
    this.#w = w
    this.#session = session
    this.#keyId = keyId
    this.#keyPackage = keyPackage
  }
  join(): void {
    this.#send({ k: 'room-join', room: ROOM, generation: this.#w.machine.state.generation, keyPackage: this.#keyPackage })
    this.state = 'waiting'
  }
  leave(): void {
    this.#send({ k: 'room-leave', room: ROOM })
    this.state = 'out'
  }
  take(m: ServerMessage): void {
    if (m.k === 'room-welcome') this.state = 'in'
    if (m.k === 'room-welcome' || (m.k === 'room-ordered' && this.state === 'in')) this.#send({ k: 'room-applied', room: ROOM, seq: m.seq })
  }
  #send(message: RoomRequest): void {
    this.#w.fromSession(this.#session, this.#keyId, message)
  }
}

async function lightClient(w: ConferenceWorld, n: number): Promise<LightClient> {
  const m = await w.arrive(`Light${n}`)
  const { keyPackage } = must(await m.vault.call('room.request', { room: ROOM, suite: 'x25519' }))
  await m.vault.close()
  w.members.splice(w.members.indexOf(m), 1)
  const c = new LightClient(w, m.session, m.keyId, keyPackage)
  w.light.set(m.session, (x) => c.take(x))
  return c
}

seededTest('a hundred join one room and leave again: it converges, nothing piles up', async (seed, t) => {
  const w = await worldFor(t, {
    seed, media: false, policy: { forwarding: 'loudest', maximumMembers: 200 },
  })
  const whole: WorldMember[] = []
  for (let i = 0; i < WHOLE; i++) whole.push(await w.join(`Whole${i}`))
  await agree(w, whole)
  const commits = (): number => w.machine.state.group!.seq
  const before = commits()
  const light: LightClient[] = []
  // In bursts of 23, as at the full hour.
  for (let i = 0; i < ALL - WHOLE; i++) {
    const c = await lightClient(w, i)
    light.push(c)
    c.join()
    if (i % 23 === 22) await w.run(400)
  }
  await w.until(() => light.every((c) => c.state === 'in'), 60_000, 'everybody in')
  const joined = commits() - before
  assert.ok(joined <= 24, `${joined} commits`)
  await w.run(5000)
  for (const m of whole) {
    assert.equal(m.roster.members.length, ALL)
    assert.equal(m.roster.securityCode, whole[0]!.roster.securityCode)
  }
  assertSmall(w, whole)
  const beforeLeaving = commits()
  for (const [i, c] of light.entries()) {
    c.leave()
    if (i % 23 === 22) await w.run(400)
  }
  await agree(w, whole, 60_000)
  assertSmall(w, whole)
  t.diagnostic(`commits for ${ALL - WHOLE} joins in bursts: ${joined}; for as many leaves: ${commits() - beforeLeaving}`)
})

function assertSmall(w: ConferenceWorld, whole: readonly WorldMember[]): void {
  const g = w.machine.state.group!
  assert.equal(g.queue.length, 0)
  assert.ok(g.voidSeqs.length <= 64 && g.passed.length <= g.members.length)
  assert.ok(w.streams.length <= ALL)
  assert.equal(g.members.length, whole[0]!.roster.members.length)
  for (const m of whole) assert.ok(m.roster.notes.length <= 100)
  assert.ok(w.clock.pending < 400, `${w.clock.pending} timers`)
}

for (const [how, everyMs] of [['at once', 0], ['ten a second', 100], ['one a second', 1000]] as const) {
  seededTest(`a hundred players come ${how} and go again: commits per hundred joins`, (_, t) => {
    const table = new RoomTable()
    const players = Array.from({ length: ALL }, (_, i) => table.player(`p${i}`))
    table.newRoom = { forwarding: 'loudest', maximumMembers: 200 }
    const commits = (): number => table.group?.seq ?? 0
    for (const p of players) {
      p.enter()
      table.run(everyMs)
    }
    table.run(20_000)
    assert.equal(table.group?.members.filter((m) => m.reachable).length, ALL)
    const joined = commits()
    // A commit lets in all who wait, and there are as many commits as a round trip allows.
    assert.ok(joined <= (everyMs === 0 ? 6 : ALL + 2), `${joined} commits`)
    for (const p of players.slice(1)) {
      p.leave()
      table.run(everyMs)
    }
    table.run(20_000)
    assert.equal(table.group?.members.length, 1)
    assert.equal(table.group?.queue.length, 0)
    t.diagnostic(`${joined} commits for 100 joins ${how}, ${commits() - joined} for 99 leaves`)
  })
}
