/** A revoked member in a conference whose server is on its side: with lists kept back, with the removal suppressed, and with a block notice beside it. */
import assert from 'node:assert/strict'
import { must } from '../../src/base/result.ts'
import { signNotice } from '../../src/protocol/policy/index.ts'
import { agree, shareHeard, TONES, worldFor } from '../kit/conference-checks.ts'
import type { ConferenceWorld, WorldMember } from '../kit/conference-world.ts'
import { REALM } from '../kit/people.ts'
import { seededTest } from '../kit/seeded-random.ts'

async function four(t: { after(run: () => void): void }, seed: number, media: boolean): Promise<{ w: ConferenceWorld; all: [WorldMember, WorldMember, WorldMember, WorldMember] }> {
  const w = await worldFor(t, { seed, media, lists: true })
  const all: [WorldMember, WorldMember, WorldMember, WorldMember] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] }), await w.join('Cas', { hz: TONES[2] }), await w.join('Eve', { hz: TONES[3] })]
  await agree(w, all)
  await w.run(3000)
  return { w, all }
}
const gone = (who: WorldMember, ...from: WorldMember[]): boolean => from.every((m) => !m.roster.members.some((x) => x.identity.keyId === who.keyId))
const toldOf = (m: WorldMember): boolean => m.roster.notes.some((n) => n.code === 'CLIENT_MEMBER_REVOKED' && n.text.includes('Eve'))

seededTest('the server keeps a revoked member in: from the list on it is not heard, after ten seconds it hears nobody, and everybody is told why', async (seed, t) => {
  const { w, all: [ann, ben, cas, eve] } = await four(t, seed, true)
  assert.equal(await shareHeard(w, ann, eve, 400), 1, 'control')
  w.publish(eve)
  await w.run(500)
  assert.ok([ann, ben, cas].every(toldOf), ann.noteCodes.join())
  assert.equal(await shareHeard(w, ann, eve, 400), 0)
  await w.run(10_000)
  for (const m of [ann, ben, cas]) assert.equal(await shareHeard(w, eve, m, 200), 0, `${m.name} is heard by the revoked one`)
})

seededTest('an honest server has it removed, and a revoked one neither comes back nor commits', async (seed, t) => {
  const { w, all: [ann, ben, cas, eve] } = await four(t, seed, false)
  w.publish(eve)
  // As the server does with whoever its own list names.
  w.cut(eve)
  await agree(w, [ann, ben, cas], 30_000)
  w.mend(eve)
  await w.run(20_000)
  assert.ok(gone(eve, ann, ben, cas))
  assert.match(`${eve.over?.reason} ${eve.roster.notes.map((n) => n.text).join()}`, /IDENTITY_REVOKED/)
})

seededTest('the list is kept from one member, and a block notice comes beside it: that member hears of the notice inside the group, and nothing is left half done', async (seed, t) => {
  const { w, all: [ann, ben, cas, eve] } = await four(t, seed, false)
  w.toMember = (m, x) => (m === ben && (x.k === 'revocation' || x.k === 'notice') ? [] : [x])
  const from = w.clock.now()
  w.publish(eve)
  ann.command({ do: 'block', keyId: eve.keyId, reason: 'laptop stolen' })
  await w.until(() => gone(eve, ann, ben, cas), 10_000, 'the removal')
  assert.ok(w.clock.now() - from < 10_000)
  await agree(w, [ann, ben, cas])
  assert.ok(ben.roster.notes.some((n) => n.code === 'ROOM_BLOCK_NOTICE'), ben.noteCodes.join())
  await w.run(10_000)
  for (const m of [ann, ben, cas]) {
    assert.ok(!m.noteCodes.includes('CLIENT_BLOCKED_STAYS') && !m.noteCodes.includes('CLIENT_COMMIT_REFUSED'), `${m.name}: ${m.noteCodes}`)
    assert.equal(m.roster.notes.filter((n) => n.code === 'CLIENT_MEMBER_REMOVED' && n.text.startsWith('Eve')).length, 1, `${m.name}: removed once`)
  }
  // The notice is lifted; the revocation is not.
  const lift = must(signNotice(w.crypto, { kind: 'lift', realm: REALM, target: eve.keyId, issued: w.clock.unix(), reason: '' }, ann.identity.signer)).bytes
  for (const m of [ann, ben, cas]) w.send(m, { k: 'notice', notice: lift })
  await w.run(1000)
  eve.dial()
  await w.run(15_000)
  assert.ok(gone(eve, ann, cas))
  assert.equal(eve.inRoom, false)
  await agree(w, [ann, ben, cas], 60_000)
})

seededTest('lists are kept from all: the authority\'s notice, brought by one member, does it', async (seed, t) => {
  const { w, all: [ann, ben, cas, eve] } = await four(t, seed, false)
  w.toMember = (_, x) => (x.k === 'revocation' || x.k === 'notice' ? [] : [x])
  w.publish(eve)
  const { bytes } = must(signNotice(w.crypto, { kind: 'block', realm: REALM, target: eve.keyId, issued: w.clock.unix(), reason: 'key compromise' }, w.people.ca.signer))
  // Carried by hand: `stc block --in`. What Cas would do about it itself is kept from the room.
  w.toServer = (m, x) => (m === cas && x.k === 'room-commit' ? [] : [x])
  cas.call.onWire({ k: 'notice', notice: bytes })
  await w.until(() => gone(eve, ann, ben, cas), 10_000, 'the removal')
  await agree(w, [ann, ben, cas])
  for (const m of [ann, ben]) assert.ok(m.noteCodes.includes('ROOM_BLOCK_NOTICE'), m.name)
})

seededTest('a certificate that ends in mid-call: said, not heard any more, and its owner is told too', async (seed, t) => {
  const w = await worldFor(t, { seed, lists: true })
  const [ann, ben] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] })]
  const short = await w.join('Eve', { hz: TONES[2], lifetimeDays: 20 / 86_400 })
  await agree(w, [ann, ben, short])
  assert.equal(await shareHeard(w, ann, short, 400), 1, 'control')
  await w.run(22_000)
  assert.equal(await shareHeard(w, ann, short, 400), 0)
  for (const m of [ann, ben]) {
    assert.ok(m.roster.notes.some((n) => n.code === 'CLIENT_MEMBER_EXPIRED' && n.text.includes('Eve')), m.noteCodes.join())
    assert.ok(m.roster.members.find((x) => x.identity.subject === 'Eve')?.unheard !== undefined || m.leafOf(short) < 0, 'on the roster')
  }
})
