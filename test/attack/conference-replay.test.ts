/** The server says again what was said before: commits, numbers, welcomes, key packages, words. Nothing changes by it. */
import assert from 'node:assert/strict'
import { must } from '../../src/base/result.ts'
import type { ServerMessage, ServerWire } from '../../src/protocol/wire/messages.ts'
import { agree, worldFor } from '../kit/conference-checks.ts'
import { type ConferenceWorld, ROOM, type WorldMember } from '../kit/conference-world.ts'
import { seededTest } from '../kit/seeded-random.ts'

async function four(t: { after(run: () => void): void }, seed: number): Promise<{ w: ConferenceWorld; all: WorldMember[] }> {
  const w = await worldFor(t, { seed, media: false })
  const all = [await w.join('Ann'), await w.join('Ben'), await w.join('Cas'), await w.join('Dan')]
  await agree(w, all)
  await w.run(4000)
  return { w, all }
}

/** What the server sent to a member, of one kind. */
const sent = <K extends ServerMessage['k']>(w: ConferenceWorld, m: WorldMember, k: K): Extract<ServerMessage, { k: K }>[] =>
  w.log.filter((x) => x.to === m.session && x.message.k === k).map((x) => x.message as Extract<ServerMessage, { k: K }>)

seededTest('ordered commits again, under their own numbers: not even looked at', async (seed, t) => {
  const { w, all } = await four(t, seed)
  const [ann] = all as [WorldMember]
  const before = ann.roster.securityCode
  const asked: string[] = []
  const { call } = ann.vault
  ann.vault.call = (name, input) => {
    asked.push(name)
    return call.call(ann.vault, name, input)
  }
  for (const m of sent(w, ann, 'room-ordered')) w.send(ann, m)
  for (const m of sent(w, ann, 'room-stands')) w.send(ann, m)
  await w.run(500)
  assert.deepEqual(asked, [])
  assert.equal(ann.roster.securityCode, before)
  await agree(w, [...all, await w.join('Eve')])
})

seededTest('an old commit under the next number: refused, the member stays, and the conference goes on', async (seed, t) => {
  const { w, all } = await four(t, seed)
  const [ann] = all as [WorldMember]
  const old = sent(w, ann, 'room-ordered')
  const next = w.machine.state.group!.seq + 1
  const before = ann.roster.securityCode
  w.send(ann, { ...old.at(-1)!, seq: next })
  await w.run(300)
  assert.equal(ann.roster.securityCode, before)
  assert.ok(ann.noteCodes.includes('MLS_WRONG_EPOCH'), `${ann.noteCodes}`)
  // Its own number is used up for the member: it takes the true commit for an old one, finds that out, and heals.
  const eve = await w.join('Eve')
  await w.join('Fay')
  await agree(w, [...all, eve, w.members.at(-1)!], 60_000)
})

seededTest('numbers that go back or jump: a hole heals by rejoining, an older number is nothing', async (seed, t) => {
  const { w, all } = await four(t, seed)
  const [, ben] = all as [WorldMember, WorldMember]
  const old = sent(w, ben, 'room-ordered')
  w.send(ben, { ...old.at(-1)!, seq: 0 })
  w.send(ben, { ...old.at(-1)!, seq: 1 })
  await w.run(300)
  assert.ok(ben.inRoom)
  w.send(ben, { ...old.at(-1)!, seq: 1000 })
  await w.run(300)
  assert.ok(ben.noteCodes.includes('CLIENT_MISSED_COMMIT'))
  await agree(w, all, 60_000)
})

seededTest('a welcome again: to the same member, to another one, and to the same person when it comes back', async (seed, t) => {
  const { w, all } = await four(t, seed)
  const [ann, ben, cas] = all as [WorldMember, WorldMember, WorldMember]
  const welcome = sent(w, ben, 'room-welcome')[0]!
  const code = ann.roster.securityCode
  for (const m of [ann, ben, cas]) w.send(m, welcome)
  await w.run(500)
  assert.ok([ann, ben, cas].every((m) => m.inRoom && m.roster.securityCode === code))
  // It comes back, and gets the welcome of its first time.
  ben.leave()
  await w.run(1000)
  let replayed = 0
  w.toMember = (m, x) => [m.name === 'Ben' && x.k === 'room-welcome' && replayed++ < 2 ? { ...x, welcome: welcome.welcome } : x]
  ben.dial()
  await w.until(() => replayed >= 2, 30_000, 'two replays')
  await w.run(300)
  assert.ok(!ben.inRoom && ben.noteCodes.includes('MLS_WELCOME'), `${ben.noteCodes}`)
  await agree(w, all, 60_000)
})

seededTest('a key package again, of somebody who has left: nobody adds it', async (seed, t) => {
  const { w, all } = await four(t, seed)
  const [ann, ben, cas, dan] = all as [WorldMember, WorldMember, WorldMember, WorldMember]
  const used = w.log.flatMap((x) => (x.message.k === 'room-nominate' ? x.message.adds : [])).at(-1)!
  dan.leave()
  await agree(w, [ann, ben, cas])
  const answers: Extract<Parameters<ConferenceWorld['toServer']>[1], { k: 'room-commit' }>[] = []
  w.toServer = (_, m) => {
    if (m.k === 'room-commit') answers.push(m)
    return m.k === 'room-commit' ? [] : [m]
  }
  for (const m of [ann, ben, cas]) {
    w.send(m, { k: 'room-nominate', room: ROOM, generation: w.machine.state.generation, epoch: m.roster.epoch, adds: [used], removes: [], deadlineMs: 1000 })
  }
  await w.run(500)
  assert.equal(answers.length, 3)
  for (const a of answers) {
    assert.deepEqual(a.adds, [])
    assert.deepEqual(a.refused.map((f) => f.code), ['MLS_KEY_PACKAGE_REUSED'])
  }
})

seededTest('a key package made for another room is not added to this one', async (seed, t) => {
  const { w, all } = await four(t, seed)
  const eve = await w.arrive('Eve')
  const { keyPackage } = must(await eve.vault.call('room.request', { room: 'other' as typeof ROOM, suite: 'x25519' }))
  w.fromMember(eve, { k: 'room-join', room: ROOM, generation: 1, keyPackage })
  await w.run(3000)
  for (const m of all) assert.deepEqual(m.names, ['Ann', 'Ben', 'Cas', 'Dan'])
  const refusal = sent(w, eve, 'room-refused')[0] as ({ k: 'room-refused' } & ServerWire['room-refused']) | undefined
  assert.match(refusal?.message ?? '', /MLS_KEY_PACKAGE/)
})

seededTest('a member\'s word again, to others or later: it ties no other stream to anybody', async (seed, t) => {
  const { w, all } = await four(t, seed)
  const [ann, ben] = all as [WorldMember, WorldMember]
  const streams = ann.roster.members.map((m) => m.ssrc)
  const words = w.log.filter((x) => x.message.k === 'room-message').map((x) => x.message)
  for (const m of words) for (const to of [ann, ben]) w.send(to, m)
  await w.run(500)
  assert.deepEqual(ann.roster.members.map((m) => m.ssrc), streams)
  await agree(w, all)
})
