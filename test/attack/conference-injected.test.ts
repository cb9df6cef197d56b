/** The server puts what it likes where commits, welcomes and words belong: each is refused by its code, and the conference goes on. */
import assert from 'node:assert/strict'
import { must } from '../../src/base/result.ts'
import type { ServerMessage } from '../../src/protocol/wire/messages.ts'
import { agree, worldFor } from '../kit/conference-checks.ts'
import { type ConferenceWorld, ROOM, type WorldMember } from '../kit/conference-world.ts'
import { SeededNumbers, seededTest } from '../kit/seeded-random.ts'

async function three(t: { after(run: () => void): void }, seed: number): Promise<{ w: ConferenceWorld; all: [WorldMember, WorldMember, WorldMember] }> {
  const w = await worldFor(t, { seed, media: false })
  const all = [await w.join('Ann'), await w.join('Ben'), await w.join('Cas')] as [WorldMember, WorldMember, WorldMember]
  await agree(w, all)
  await w.run(4000)
  return { w, all }
}

/** All MLS messages that went by, of every kind, and things that are none. */
async function arsenal(w: ConferenceWorld, seed: number): Promise<Map<string, Uint8Array>> {
  const first = <K extends ServerMessage['k']>(k: K) => w.log.find((x) => x.message.k === k)!.message as Extract<ServerMessage, { k: K }>
  const stranger = await w.arrive('Stranger')
  const made = must(await stranger.vault.call('room.create', { policy: { ...w.policy, room: ROOM }, generation: 1 }))
  const foreign = must(await stranger.vault.call('room.propose', { session: made.view.session, adds: [], removes: [] }))
  const request = must(await stranger.vault.call('room.request', { room: ROOM, suite: 'x25519' }))
  const n = new SeededNumbers(seed)
  return new Map([
    ['a word', first('room-message').message], ['a welcome', first('room-welcome').welcome], ['a key package', request.keyPackage],
    ['an old commit', first('room-ordered').commit], ['a commit of another group', foreign.commit],
    ['nothing', new Uint8Array(0)], ['noise', Uint8Array.from({ length: 900 }, () => n.int(256))],
  ])
}

seededTest('in place of a commit', async (seed, t) => {
  const { w, all: [ann, ben, cas] } = await three(t, seed)
  for (const [what, bytes] of await arsenal(w, seed)) {
    const { epoch, securityCode } = ben.roster
    const noted = ben.roster.notes.length
    const { generation, group } = w.machine.state
    w.send(ben, { k: 'room-ordered', room: ROOM, generation, seq: group!.seq + 1, epoch, commit: bytes, removes: [] })
    await w.run(100)
    assert.equal(ben.roster.epoch, epoch, what)
    assert.equal(ben.roster.securityCode, securityCode, what)
    assert.match(ben.roster.notes[noted]?.code ?? 'nothing said', /^MLS_/, what)
    // Its own order is behind now; a hole shows it, and it comes back.
    w.send(ben, { k: 'room-ordered', room: ROOM, generation, seq: group!.seq + 9, epoch, commit: bytes, removes: [] })
    await w.run(100)
    await agree(w, [ann, ben, cas], 60_000)
  }
  await agree(w, [ann, ben, cas, await w.join('Dan')])
})

seededTest('in place of a word', async (seed, t) => {
  const { w, all } = await three(t, seed)
  const before = all[1].roster
  for (const [what, bytes] of await arsenal(w, seed)) {
    w.send(all[1], { k: 'room-message', room: ROOM, epoch: before.epoch, message: bytes })
    await w.run(50)
    assert.deepEqual(all[1].roster.members, before.members, what)
    assert.equal(all[1].roster.epoch, before.epoch, what)
  }
  await agree(w, [...all, await w.join('Dan')])
})

seededTest('in place of a welcome', async (seed, t) => {
  const { w, all } = await three(t, seed)
  const weapons = [...(await arsenal(w, seed)).values()]
  let n = 0
  w.toMember = (m, x) => [m.name === 'Dan' && x.k === 'room-welcome' && n < 3 ? { ...x, welcome: weapons[n++ % weapons.length]! } : x]
  const dan = await w.join('Dan', { limitMs: 60_000 })
  assert.equal(n, 3)
  assert.equal(dan.over, undefined)
  await agree(w, [...all, dan], 60_000)
})

seededTest('in place of a key package: the nominee refuses it and lets the others in', async (seed, t) => {
  const { w, all: [ann, ben, cas] } = await three(t, seed)
  const weapons = await arsenal(w, seed)
  weapons.delete('a key package')
  const answers: Extract<Parameters<ConferenceWorld['toServer']>[1], { k: 'room-commit' }>[] = []
  w.toServer = (_, m) => {
    if (m.k === 'room-commit') answers.push(m)
    return m.k === 'room-commit' ? [] : [m]
  }
  const good = must(await w.members.at(-1)!.vault.call('room.request', { room: ROOM, suite: 'x25519' })).keyPackage
  const adds = [...weapons.values(), good].map((keyPackage, id) => ({ id, keyPackage }))
  w.send(ann, { k: 'room-nominate', room: ROOM, generation: w.machine.state.generation, epoch: ann.roster.epoch, adds, removes: [], deadlineMs: 1000 })
  await w.run(200)
  assert.deepEqual(answers[0]?.adds, [weapons.size])
  assert.equal(answers[0]?.refused.length, weapons.size)
  w.toServer = (_, m) => [m]
  w.send(ann, { k: 'room-passed', room: ROOM, epoch: ann.roster.epoch, reason: 'test' })
  await w.run(100)
  await agree(w, [ann, ben, cas, await w.join('Dan')])
})

seededTest('a flood of rubbish pushes nothing away that nobody may miss', async (seed, t) => {
  const { w, all: [ann, ben] } = await three(t, seed)
  ann.command({ do: 'decide', decision: { act: 'lock' } })
  await w.until(() => ben.roster.policy?.state.locked === true, 5000, 'the lock')
  ann.command({ do: 'decide', decision: { act: 'unlock' } })
  await w.until(() => ben.roster.policy?.state.locked === false, 5000, 'the unlocking')
  const n = new SeededNumbers(seed)
  for (let i = 0; i < 300; i++) w.send(ben, { k: 'room-message', room: ROOM, epoch: ben.roster.epoch, message: Uint8Array.from({ length: 60 }, () => n.int(256)) })
  await w.run(1000)
  assert.ok(ben.roster.notes.filter((x) => x.code.startsWith('MLS_')).length > 50, ben.noteCodes.join())
  assert.ok(ben.roster.notes.length <= 100)
  assert.ok(ben.roster.notes.some((x) => x.code === 'ROOM_UNLOCK' && x.prominent === true), 'the unlocking is still there')
})
