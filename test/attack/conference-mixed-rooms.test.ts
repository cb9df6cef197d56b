/**
 * Two rooms of one server with the same people in both, one client and one vault each; the server puts what belongs to one where the
 * other's belongs. Whatever it takes from where: what was said, decided or sealed in one room means nothing in the other.
 */
import assert from 'node:assert/strict'
import type { RoomName } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import type { ServerMessage } from '../../src/protocol/wire/messages.ts'
import { agree, hearEachOther, listen, TONES, worldFor } from '../kit/conference-checks.ts'
import type { ConferenceWorld, WorldMember } from '../kit/conference-world.ts'
import { Injector, tap } from '../kit/hostile-media.ts'
import { heardShare } from '../kit/room-tones.ts'
import { seededTest } from '../kit/seeded-random.ts'

interface Two {
  readonly r: ConferenceWorld
  readonly q: ConferenceWorld
  /** Ann and Ben in the one; Ann and Ben, with the same clients, and Cas in the other. */
  readonly inR: [WorldMember, WorldMember]
  readonly inQ: [WorldMember, WorldMember, WorldMember]
}

async function two(t: { after(run: () => void): void }, seed: number, media: boolean): Promise<Two> {
  const r = await worldFor(t, { seed, media })
  const q = await worldFor(t, { seed: seed + 1, media, beside: r, room: 'q' as RoomName })
  const [ann, ben] = [await r.join('Ann', { hz: TONES[0] }), await r.join('Ben', { hz: TONES[1] })]
  const inQ: Two['inQ'] = [await q.join('Ann', { client: ann, hz: TONES[2] }), await q.join('Ben', { client: ben, hz: TONES[3] }), await q.join('Cas', { hz: TONES[4] })]
  await agree(r, [ann, ben])
  await agree(q, inQ)
  await r.run(4000)
  return { r, q, inR: [ann, ben], inQ }
}

const as = <K extends ServerMessage['k']>(w: ConferenceWorld, k: K): Extract<ServerMessage, { k: K }>[] => w.log.filter((x) => x.message.k === k).map((x) => x.message as Extract<ServerMessage, { k: K }>)
const shown = (m: WorldMember) => ({ epoch: m.roster.epoch, code: m.roster.securityCode, names: m.names, streams: m.roster.members.map((x) => x.ssrc), policy: m.roster.policy })

seededTest('the two rooms know nothing of each other: two codes, two rosters, under one key each', async (seed, t) => {
  const { r, q, inR: [ann, ben], inQ } = await two(t, seed, false)
  assert.notEqual(ann.roster.securityCode, inQ[0].roster.securityCode)
  assert.deepEqual([ann.names, inQ[0].names], [['Ann', 'Ben'], ['Ann', 'Ben', 'Cas']])
  assert.equal(ann.keyId, inQ[0].keyId)
  await agree(r, [ann, ben])
  await agree(q, inQ)
})

seededTest('commits, words, welcomes and knocks of one room under the other\'s name: refused by their code, and said', async (seed, t) => {
  const { r, q, inR: [ann, ben], inQ } = await two(t, seed, false)
  const before = shown(ben)
  const { generation, group } = r.machine.state
  const noted = ben.roster.notes.length
  for (const m of as(q, 'room-message')) r.send(ben, { ...m, room: r.room, epoch: ben.roster.epoch })
  for (const m of as(q, 'room-welcome')) r.send(ben, { ...m, room: r.room })
  await r.run(200)
  assert.deepEqual(shown(ben), before)
  assert.ok(ben.roster.notes.slice(noted).some((n) => n.code === 'MLS_WRONG_GROUP'), ben.noteCodes.join())
  const worded = ben.roster.notes.length
  for (const [i, m] of as(q, 'room-ordered').slice(0, 3).entries()) r.send(ben, { ...m, room: r.room, generation, seq: group!.seq + 1 + i, epoch: ben.roster.epoch })
  await r.run(200)
  assert.deepEqual(shown(ben), before)
  assert.deepEqual(ben.noteCodes.slice(worded), ['MLS_WRONG_GROUP', 'MLS_WRONG_GROUP', 'MLS_WRONG_GROUP'])
  // Under its own name it is not of this call.
  const dozen = ben.roster.notes.length
  for (const m of as(q, 'room-message')) ben.call.onWire(m)
  await r.run(100)
  assert.equal(ben.roster.notes.length, dozen)
  r.send(ben, { k: 'room-reset', room: r.room, reason: 'test', generation })
  await agree(r, [ann, ben], 60_000)
  await agree(q, inQ)
})

seededTest('somebody asks for one room and is led into the other', async (seed, t) => {
  const { r, q, inR: [ann, ben], inQ } = await two(t, seed, false)
  // Dan dials the room of Ann and Ben. The server takes his request to the other room, as if he had asked for that.
  const dan = await r.arrive('Dan')
  let taken = 0
  r.toServer = (m, x) => {
    if (m !== dan || x.k !== 'room-join') return [x]
    taken++
    q.light.set('dan', (answer) => void r.send(dan, { ...answer, room: r.room } as ServerMessage))
    q.fromSession('dan', dan.keyId, { ...x, room: q.room, generation: q.machine.state.generation })
    return []
  }
  dan.dial()
  await r.run(15_000)
  assert.ok(taken > 0)
  assert.equal(dan.inRoom, false)
  assert.match(`${dan.over?.reason ?? ''} ${dan.noteCodes.join()}`, /MLS_KEY_PACKAGE|CLIENT_NOT_LET_IN|CLIENT_ROOM_REFUSED/)
  for (const m of inQ) assert.deepEqual(m.names, ['Ann', 'Ben', 'Cas'], 'nobody of the other room sees Dan')
  r.toServer = (_, x) => [x]
  if (dan.over === undefined) dan.leave()
  await agree(r, [ann, ben])
  await agree(q, inQ)
})

seededTest('a host\'s act of the one room in the other: its removal, its decision, its policy', async (seed, t) => {
  const { r, q, inR: [ann, ben], inQ: [annQ, benQ, casQ] } = await two(t, seed, false)
  const commits: Uint8Array[] = []
  q.toServer = (_, x) => {
    if (x.k === 'room-commit') commits.push(x.commit)
    return [x]
  }
  // Ann is the owner of both. In the other room she puts Ben out, and locks it.
  annQ.command({ do: 'remove', keyId: benQ.keyId, ban: true })
  await agree(q, [annQ, casQ])
  annQ.command({ do: 'decide', decision: { act: 'lock' } })
  await q.until(() => casQ.roster.policy?.state.locked === true, 5000, 'the lock')
  assert.ok(commits.length >= 2)
  const before = shown(ben)
  const { generation, group } = r.machine.state
  for (const [i, commit] of commits.entries()) r.send(ben, { k: 'room-ordered', room: r.room, generation, seq: group!.seq + 1 + i, epoch: ben.roster.epoch, commit, removes: [{ leaf: ben.leafOf(ben), reason: 'host' }] })
  await r.run(300)
  assert.deepEqual(shown(ben), before)
  assert.equal(ben.over, undefined)
  // What Ann signed there is put into a commit here, by the vault that will make any that it may.
  const [signed, evidence] = [must(await ann.vault.call('policy.known', { room: q.room })).rooms[0]!.signed, must(await annQ.vault.call('room.act', { session: annQ.view!.session, leaf: annQ.leafOf(casQ), ban: false })).evidence]
  const decided = await ben.vault.call('room.propose', { session: ben.view!.session, adds: [], removes: [], signed })
  assert.equal(decided.ok ? 'proposed' : decided.fault.code, 'MLS_CONTEXT_CHANGED')
  const removed = must(await ben.vault.call('room.propose', { session: ben.view!.session, adds: [], removes: [{ leaf: ben.leafOf(ann), reason: 'host', evidence }] }))
  assert.deepEqual(removed.refusedRemovals.map((x) => x.code), ['MLS_REMOVAL'])
  must(await ben.vault.call('room.abandon', { session: ben.view!.session }))
  r.send(ben, { k: 'room-reset', room: r.room, reason: 'test', generation })
  await agree(r, [ann, ben], 60_000)
  // The server hands out another room's policy as this one's: that of this meeting, and that of a standing room.
  const standing = must(await ann.vault.call('policy.draft', { room: { ...q.policy, room: 'board' as RoomName, lobby: true } })).known.signed
  for (const [name, policy] of [['Dan', signed], ['Eve', standing]] as const) {
    r.toMember = (m, x) => [m.name === name && x.k === 'room-info' ? { ...x, policy: { ...policy } } : x]
    const m = await r.join(name)
    assert.deepEqual([m.inRoom, m.roster.policy?.base.room, m.roster.policy?.base.lobby, m.roster.policy?.state.locked], [true, r.room, false, false])
    assert.ok(m.roster.notes.some((n) => n.prominent === true && n.code === 'MLS_POLICY'), m.noteCodes.join())
  }
})

seededTest('streams of one room sent into the other, to those who are in both: not heard, named', async (seed, t) => {
  const { r, inR: [ann, ben], inQ } = await two(t, seed, true)
  const [annQ, benQ] = inQ
  await hearEachOther(r, [ann, ben])
  const spoken = tap(benQ)
  await r.run(500)
  const stream = ann.roster.members.find((m) => m.identity.subject === 'Ben')!.ssrc!
  const injector = await Injector.open(r)
  injector.take(stream, [ann])
  await r.run(400)
  const from = r.clock.now()
  const control = annQ.heard.length
  for (let i = 0; i < 50; i++) {
    // Ben's vault seals for both rooms: what he says in the other one.
    const f = spoken.filter((x) => x.ssrc === inQ[0].roster.members.find((m) => m.identity.subject === 'Ben')!.ssrc).at(-1)!
    injector.send(stream, f.timestamp, f.data)
    await r.run(20)
  }
  await r.run(500)
  const why = ann.roster.members.find((m) => m.identity.subject === 'Ben')!.unheard
  await listen(r, 0)
  assert.equal(heardShare(ann.heardBetween(from, from + 1400), benQ.hz, 1000), 0, 'what Ben says in the other room')
  assert.ok(control > 0 && heardShare(annQ.heardBetween(from, from + 1000), benQ.hz, 4000) > 0.9, 'control: in the other room he is heard')
  assert.match(why ?? '', /^(SFRAME|VAULT)_/)
})
