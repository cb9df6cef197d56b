/** The server keeps members from each other: whoever holds keys is on the roster, and whoever is not heard is shown so. */
import assert from 'node:assert/strict'
import { agree, hearEachOther, shareHeard, TONES, worldFor } from '../kit/conference-checks.ts'
import type { WorldMember } from '../kit/conference-world.ts'
import { seededTest } from '../kit/seeded-random.ts'

const member = (m: WorldMember, of: WorldMember) => m.roster.members.find((x) => x.identity.subject === of.name)

seededTest('a member\'s word is withheld: it stays "joining", is seen, and is not heard until it has spoken', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const [ann, ben] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] })]
  await agree(w, [ann, ben])
  w.toServer = (m, x) => (m.name === 'Cas' && x.k === 'room-message' ? [] : [x])
  const cas = await w.join('Cas', { hz: TONES[2] })
  await w.run(5000)
  for (const m of [ann, ben]) {
    assert.deepEqual(m.names, ['Ann', 'Ben', 'Cas?'])
    assert.equal(await shareHeard(w, m, cas), 0)
  }
  w.toServer = (_, x) => [x]
  // What an honest server says to a word that came too late.
  w.send(cas, { k: 'fault', room: 'r', code: 'ROOM_EPOCH', message: '' })
  await agree(w, [ann, ben, cas])
  await w.run(500)
  await hearEachOther(w, [ann, ben, cas])
})

seededTest('the server hides from a member that another was let in: the one it does not see cannot hear it', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const [ann, ben] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] })]
  await agree(w, [ann, ben])
  await w.run(3000)
  w.toMember = (m, x) => (m === ben && (x.k === 'room-message' || x.k === 'room-ordered') ? [] : [x])
  const cas = await w.arrive('Cas', { hz: TONES[2] })
  const { frames } = ben.vault
  let sealed = 0
  let heardUnseen = 0
  let heardSeen = 0
  ben.vault.frames = async (batch) => {
    const answer = await frames.call(ben.vault, batch)
    const session = cas.commands.findLast((c) => c.op === 'conference.open')?.session
    if (batch.op !== 'seal' || session === undefined) return answer
    sealed++
    const got = await cas.vault.frames({ op: 'open', session, frames: answer.frames.filter((f) => f.fault === undefined) })
    if (got.frames.some((f) => f.fault === undefined)) {
      if (member(ben, cas) === undefined) heardUnseen++
      else heardSeen++
    }
    return answer
  }
  cas.dial()
  await w.run(8000)
  w.toMember = (_, x) => [x]
  await agree(w, [ann, ben, cas], 60_000)
  await w.run(1000)
  assert.ok(sealed > 0)
  assert.equal(heardUnseen, 0)
  assert.ok(heardSeen > 0, 'control: once Ben sees Cas, Cas opens what Ben says')
})

seededTest('one member\'s stream is not forwarded, or not to one: they see that they do not hear it', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const [ann, ben, cas] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] }), await w.join('Cas', { hz: TONES[2] })]
  await agree(w, [ann, ben, cas])
  await w.run(1500)
  assert.equal(member(ann, cas)!.unheard, undefined)
  w.flow = (s) => s.filter((x) => x.session !== cas.session)
  w.reroute()
  await w.run(4500)
  for (const m of [ann, ben]) assert.equal(member(m, cas)!.unheard, 'CLIENT_NOT_ARRIVING')
  assert.equal(member(ann, ben)!.unheard, undefined)
  w.flow = (s) => s
  w.reroute()
  await w.run(2000)
  for (const m of [ann, ben]) assert.equal(member(m, cas)!.unheard, undefined)
  await hearEachOther(w, [ann, ben, cas])
})

seededTest('one member is cut off from all media while its path looks well: it stops sending, says so, and comes back', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const [ann, ben, cas] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] }), await w.join('Cas', { hz: TONES[2] })]
  await agree(w, [ann, ben, cas])
  await w.run(1500)
  const { session } = cas
  // Streams end at Cas's leg: nothing goes in, its own is not taken out.
  w.flow = (s) => s.filter((x) => x.session !== session)
  w.reroute()
  const cut = w.plane.stats().length
  assert.ok(cut > 0)
  w.step({ kind: 'gone', session })
  await w.until(() => cas.noteCodes.includes('CLIENT_DEAF'), 15_000, 'that it notices')
  w.flow = (s) => s
  await agree(w, [ann, ben, cas], 60_000)
  await w.run(1000)
  await hearEachOther(w, [ann, ben, cas])
})
