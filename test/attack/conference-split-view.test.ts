/** The server shows different members different groups: refused, healed, or visible by code and by who is heard. */
import assert from 'node:assert/strict'
import type { ServerMessage } from '../../src/protocol/wire/messages.ts'
import { agree, hearEachOther, shareHeard, TONES, worldFor } from '../kit/conference-checks.ts'
import type { ConferenceWorld, WorldMember } from '../kit/conference-world.ts'
import { seededTest } from '../kit/seeded-random.ts'

const spoil = (m: ServerMessage): ServerMessage => {
  if (m.k !== 'room-ordered') return m
  const commit = m.commit.slice()
  commit[commit.length >> 1]! ^= 1
  return { ...m, commit }
}

async function four(t: { after(run: () => void): void }, seed: number, media: boolean): Promise<{ w: ConferenceWorld; all: [WorldMember, WorldMember, WorldMember, WorldMember] }> {
  const w = await worldFor(t, { seed, media })
  const all = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] }), await w.join('Cas', { hz: TONES[2] }), await w.join('Dan', { hz: TONES[3] })] as [WorldMember, WorldMember, WorldMember, WorldMember]
  await agree(w, all)
  await w.run(4000)
  return { w, all }
}

seededTest('a commit that is spoilt for one member only: that one refuses it, says so, and rejoins', async (seed, t) => {
  const { w, all: [ann, ben, cas, dan] } = await four(t, seed, false)
  let spoilt = 0
  w.toMember = (m, x) => [m === cas && x.k === 'room-ordered' && spoilt++ === 0 ? spoil(x) : x]
  const eve = await w.join('Eve')
  await agree(w, [ann, ben, cas, dan, eve])
  assert.ok(cas.noteCodes.some((c) => c.startsWith('MLS_')) && cas.noteCodes.includes('CLIENT_OTHER_BRANCH'), `${cas.noteCodes}`)
})

seededTest('a commit that is spoilt for all is void; the group stays as it was', async (seed, t) => {
  const { w, all } = await four(t, seed, false)
  let spoilt = 0
  w.toMember = (_, x) => [x.k === 'room-ordered' && spoilt++ < 4 ? spoil(x) : x]
  const eve = await w.join('Eve')
  assert.ok(w.notes.some((n) => n.endsWith('is void: rejected by all')))
  await agree(w, [...all, eve])
  for (const m of all) assert.ok(!m.noteCodes.includes('CLIENT_OTHER_BRANCH'), `${m.name} had to rejoin`)
})

seededTest('the server ends the order for one member: it heals, and is on no branch of its own', async (seed, t) => {
  const { w, all: [ann, ben, cas, dan] } = await four(t, seed, false)
  let withheld = 0
  w.toMember = (m, x) => (m === cas && x.k === 'room-ordered' && withheld++ === 0 ? [] : [x])
  const eve = await w.join('Eve')
  await w.join('Fay')
  await agree(w, [ann, ben, cas, dan, eve, w.members.at(-1)!])
  assert.ok(cas.noteCodes.includes('CLIENT_MISSED_COMMIT') || cas.noteCodes.includes('CLIENT_ROOM_CLOSED'), `${cas.noteCodes}`)
})

seededTest('a fork: the two halves show different codes and do not hear each other', async (seed, t) => {
  const { w, all: [ann, ben, cas, dan] } = await four(t, seed, true)
  await hearEachOther(w, [ann, ben, cas, dan])
  assert.equal(ann.roster.securityCode, cas.roster.securityCode)
  const other = w.fork([cas, dan])
  // One more in each half, so that both go on: the server tells neither half of the other's.
  const [eve, fay] = [await w.arrive('Eve'), await w.arrive('Fay')]
  w.assign(fay, other)
  eve.dial()
  fay.dial()
  await w.until(() => eve.inRoom && fay.inRoom, 10_000, 'one more in each half')
  await w.run(1500)
  assert.notEqual(ann.roster.securityCode, cas.roster.securityCode)
  assert.equal(ann.roster.securityCode, ben.roster.securityCode)
  assert.equal(cas.roster.securityCode, dan.roster.securityCode)
  assert.equal(await shareHeard(w, ann, cas), 0)
  assert.equal(await shareHeard(w, cas, ann), 0)
  const unheard = (m: WorldMember, of: WorldMember): string | undefined => m.roster.members.find((x) => x.identity.subject === of.name)?.unheard
  assert.ok(unheard(ann, cas) !== undefined || !ann.inRoom, 'Ann sees that Cas is not heard')
  assert.ok(unheard(cas, ann) !== undefined || !cas.inRoom, 'Cas sees that Ann is not heard')
})
