/** A stolen laptop in the room, and a server that does not want it gone. */
import assert from 'node:assert/strict'
import { must } from '../../src/base/result.ts'
import { newKey } from '../../src/pki/keys.ts'
import { signNotice } from '../../src/protocol/policy/index.ts'
import { agree, shareHeard, TONES, worldFor } from '../kit/conference-checks.ts'
import { type ConferenceWorld, ROOM, type WorldMember } from '../kit/conference-world.ts'
import { REALM } from '../kit/people.ts'
import { seededTest } from '../kit/seeded-random.ts'

/** Ann's room with Ben, Cas and whoever has Thea's laptop. */
async function four(w: ConferenceWorld): Promise<[WorldMember, WorldMember, WorldMember, WorldMember]> {
  const ann = await w.join('Ann', { hz: TONES[0] })
  const all: [WorldMember, WorldMember, WorldMember, WorldMember] = [ann, await w.join('Ben', { hz: TONES[1] }), await w.join('Cas', { hz: TONES[2] }), await w.join('Thea', { hz: TONES[3] })]
  await agree(w, all)
  return all
}

const gone = (who: WorldMember, ...from: WorldMember[]): boolean => from.every((m) => !m.roster.members.some((x) => x.identity.keyId === who.keyId))

seededTest('with an honest server it is out within seconds, and does not come back', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [ann, ben, cas, thea] = await four(w)
  const from = w.clock.now()
  ann.command({ do: 'block', keyId: thea.keyId, reason: 'laptop stolen' })
  await w.until(() => gone(thea, ann, ben, cas), 10_000, 'the removal')
  assert.ok(w.clock.now() - from < 2000, `${w.clock.now() - from} ms`)
  await agree(w, [ann, ben, cas])
  assert.ok(ben.roster.notes.some((n) => n.code === 'ROOM_BLOCK_NOTICE' && n.prominent === true && n.text === 'Thea is BLOCKED, signed by Ann: laptop stolen'), ben.told.join())
  assert.equal(thea.over?.code, 'CLIENT_REMOVED')
  thea.dial()
  await w.until(() => thea.over !== undefined, 20_000, 'the refusal')
  assert.match(thea.over!.reason, /MLS_BLOCKED/)
})

seededTest('the server hides the notice and the owner\'s words from one member: it hears from the others, and the identity is out within ten seconds', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [ann, ben, cas, thea] = await four(w)
  let told = 0
  w.toMember = (m, x) => {
    if (x.k === 'notice') return []
    // Of what Ann says nothing gets to Ben; Cas is as far as the server knows of no importance.
    if (m === ben && x.k === 'room-message' && told++ === 0) return []
    return [x]
  }
  w.toServer = (m, x) => (m === ann && x.k === 'room-commit' ? [] : [x])
  const from = w.clock.now()
  ann.command({ do: 'block', keyId: thea.keyId, reason: '' })
  await w.until(() => gone(thea, ann, ben, cas), 10_000, 'the removal')
  assert.ok(w.clock.now() - from < 10_000)
  await agree(w, [ann, ben, cas])
  assert.ok(ben.roster.notes.some((n) => n.code === 'ROOM_BLOCK_NOTICE'), ben.told.join())
})

seededTest('the server orders no commit that removes it: it is not heard at once, hears nothing more after ten seconds, and everybody sees why', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const [ann, ben, cas, thea] = await four(w)
  w.toServer = (_, x) => (x.k === 'room-commit' && x.removes.some((r) => r.reason === 'blocked' || r.reason === 'host') ? [] : [x])
  await w.run(1000)
  assert.equal(await shareHeard(w, thea, ann), 1)
  ann.command({ do: 'block', keyId: thea.keyId, reason: '' })
  await w.run(1500)
  assert.equal(await shareHeard(w, ben, thea), 0, 'what the blocked one says is not opened')
  await w.run(8000)
  for (const m of [ann, ben, cas]) {
    assert.equal(await shareHeard(w, thea, m, 400), 0, `${m.name} is still heard`)
    assert.ok(m.noteCodes.includes('CLIENT_BLOCKED_STAYS'), m.noteCodes.join())
  }
})

seededTest('notices of those who may not: a member, a stranger, an owner elsewhere, another realm, from the future', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [ann, ben, cas, thea] = await four(w)
  ben.command({ do: 'block', keyId: thea.keyId, reason: 'spite' })
  const signers = [ben.identity.signer, w.people.person('Mallory').signer]
  for (const signer of signers) {
    const { bytes } = must(signNotice(w.crypto, { kind: 'block', realm: REALM, target: thea.keyId, issued: w.clock.unix(), reason: '' }, signer))
    for (const m of [ann, ben, cas]) w.send(m, { k: 'notice', notice: bytes })
  }
  for (const change of [{ realm: 'other.example' }, { issued: (w.clock.unix() + 86_400) as ReturnType<typeof w.clock.unix> }]) {
    const { bytes } = must(signNotice(w.crypto, { kind: 'block', realm: REALM, target: thea.keyId, issued: w.clock.unix(), reason: '', ...change }, ann.identity.signer))
    for (const m of [ben, cas]) w.send(m, { k: 'notice', notice: bytes })
  }
  await w.run(12_000)
  await agree(w, [ann, ben, cas, thea])
  assert.ok(cas.noteCodes.includes('MLS_BLOCK_NOTICE'))
  for (const m of [ann, cas, thea]) assert.ok(!m.noteCodes.includes('ROOM_BLOCK_NOTICE'), 'what counts nothing here is not shown as if it did')
  assert.ok(ben.noteCodes.includes('MLS_NOT_OWNER'), ben.noteCodes.join())
})

seededTest('the server keeps the notice and every word from one member: the removal brings the reason along, and that member lets the blocked one in no more', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [ann, ben, cas, thea] = await four(w)
  w.toMember = (m, x) => (m === ben && (x.k === 'notice' || x.k === 'room-message') ? [] : [x])
  ann.command({ do: 'block', keyId: thea.keyId, reason: 'laptop stolen' })
  await w.until(() => gone(thea, ann, ben, cas), 10_000, 'the removal')
  await w.run(1000)
  assert.ok(ben.roster.notes.some((n) => n.code === 'ROOM_BLOCK_NOTICE' && n.prominent === true && n.text.startsWith('Thea is BLOCKED, signed by Ann')), ben.told.join())
  // Thea asks again; the server has Ben alone commit, who heard of the notice by the removal alone.
  w.toServer = (m, x) => (m !== ben && m !== thea && x.k === 'room-commit' ? [] : [x])
  thea.dial()
  await w.run(15_000)
  assert.equal(thea.inRoom, false)
  assert.ok(gone(thea, ann, ben, cas))
})

seededTest('the server keeps from one member all that could tell it, the removal too: the others hear the blocked one no more, and that member sees that it is left behind', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const [ann, ben, cas, thea] = await four(w)
  await w.run(3000)
  const from = w.clock.now()
  w.toMember = (m, x) => (m === ben && (x.k === 'notice' || x.k === 'room-message' || x.k === 'room-ordered' || x.k === 'room-stands') && !ben.noteCodes.includes('CLIENT_DEAF') ? [] : [x])
  ann.command({ do: 'block', keyId: thea.keyId, reason: '' })
  await w.until(() => gone(thea, ann, cas), 10_000, 'the removal')
  await w.until(() => ben.noteCodes.includes('CLIENT_DEAF'), 10_000, 'that Ben notices')
  assert.ok(w.clock.now() - from < 10_000, `${w.clock.now() - from} ms`)
  assert.equal(await shareHeard(w, ann, thea, 400), 0)
  await agree(w, [ann, ben, cas], 60_000)
  assert.ok(gone(thea, ann, ben, cas))
})

seededTest('a flood of notices by keys made for it: nothing is shown, nothing is passed on, and those that count are not driven out', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [ann, ben, cas, thea] = await four(w)
  ann.command({ do: 'block', keyId: thea.keyId, reason: '' })
  await agree(w, [ann, ben, cas])
  await w.run(1000)
  let words = 0
  w.toServer = (_, x) => {
    if (x.k === 'room-message') words++
    return [x]
  }
  const noted = ben.roster.notes.length
  const forger = w.people.person('Mallory').signer
  for (let i = 0; i < 900; i++) {
    // One in three about Thea herself, as if lifted.
    const [kind, target] = i % 3 === 0 ? ['lift', thea.keyId] as const : ['block', i.toString(16).padStart(64, '0')] as const
    const signer = i % 3 === 0 ? forger : w.crypto.signer('ecdsa-p256-sha256', newKey(w.crypto))
    w.send(ben, { k: 'notice', notice: must(signNotice(w.crypto, { kind, realm: REALM, target, issued: w.clock.unix(), reason: 'spam' }, signer)).bytes })
  }
  await w.run(2000)
  assert.deepEqual([words, ben.roster.notes.length - noted], [0, 0])
  const { notices } = must(await ben.vault.call('notice.known', {}))
  assert.ok(notices.length <= 502, `${notices.length} kept`)
  assert.ok(notices.some((n) => n.target === thea.keyId && n.kind === 'block' && n.by === ann.keyId))
  thea.dial()
  await w.until(() => thea.over !== undefined, 20_000, 'the refusal')
  assert.match(thea.over!.reason, /MLS_BLOCKED/)
})

seededTest('the authority blocks: in every room, whoever owns it; lifting lets in again', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [ann, ben, cas, thea] = await four(w)
  const { bytes } = must(signNotice(w.crypto, { kind: 'block', realm: REALM, target: thea.keyId, issued: w.clock.unix(), reason: 'key compromise' }, w.people.ca.signer))
  w.handOutNotice(bytes, 'whoever brought it')
  await w.until(() => gone(thea, ann, ben, cas), 10_000, 'the removal')
  await w.run(2000)
  const lift = must(signNotice(w.crypto, { kind: 'lift', realm: REALM, target: thea.keyId, issued: w.clock.unix(), reason: '' }, w.people.ca.signer))
  w.handOutNotice(lift.bytes, 'whoever brought it')
  await w.run(500)
  thea.dial()
  await agree(w, [ann, ben, cas, thea])
})

seededTest('the owner\'s own laptop is stolen: a co-owner blocks it and takes the room over, and everybody sees it', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const ben = await w.arrive('Ben')
  const ann = await w.arrive('Ann')
  const { known } = must(await ann.vault.call('policy.draft', { room: { ...w.policy, coOwners: [ben.keyId] } }))
  must(w.shelf.keepPolicy(ROOM, known.signed))
  for (const m of [ann, ben]) {
    m.dial()
    await w.until(() => m.inRoom, 10_000, m.name)
  }
  const cas = await w.join('Cas')
  await agree(w, [ann, ben, cas])
  ben.command({ do: 'block', keyId: ann.keyId, reason: 'stolen' })
  await w.until(() => gone(ann, ben, cas), 10_000, 'the removal')
  ben.command({ do: 'amend', change: { owners: [ben.keyId] } })
  await w.until(() => cas.roster.policy?.base.owners.join() === ben.keyId, 10_000, 'the take-over')
  assert.ok(cas.roster.notes.some((n) => n.code === 'ROOM_HAND_OVER' && n.prominent === true), cas.told.join())
  await agree(w, [ben, cas])
  ann.dial()
  await w.run(10_000)
  assert.equal(ann.inRoom, false)
})
