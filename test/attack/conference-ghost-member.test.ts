/** Somebody on the line whom nobody let in: refused or on everybody's roster, never a silent listener. */
import assert from 'node:assert/strict'
import { must } from '../../src/base/result.ts'
import { agree, hearEachOther, listen, shareHeard, TONES, worldFor } from '../kit/conference-checks.ts'
import { ROOM } from '../kit/conference-world.ts'
import { Injector, toneFrames } from '../kit/hostile-media.ts'
import { heardShare } from '../kit/room-tones.ts'
import { People } from '../kit/people.ts'
import { seededTest } from '../kit/seeded-random.ts'

seededTest('a joiner with a certificate of another authority is refused by the members, and told why', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [ann, ben] = [await w.join('Ann'), await w.join('Ben')]
  const mallory = await w.join('Mallory', { from: new People(w.clock.unix(), w.crypto, 'Foreign CA') })
  assert.equal(mallory.over?.code, 'CLIENT_ROOM_REFUSED')
  assert.match(mallory.over!.reason, /MLS_CREDENTIAL/)
  await agree(w, [ann, ben])
  await agree(w, [ann, ben, await w.join('Cas')])
})

seededTest('the server puts a key package of its own in the place of the joiner', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [ann, ben] = [await w.join('Ann'), await w.join('Ben')]
  const foreign = await w.arrive('Ghost', { from: new People(w.clock.unix(), w.crypto, 'Foreign CA') })
  const { keyPackage } = must(await foreign.vault.call('room.request', { room: ROOM, suite: 'x25519' }))
  w.toMember = (_, m) => [m.k === 'room-nominate' && m.adds.length > 0 ? { ...m, adds: m.adds.map((a) => ({ ...a, keyPackage })) } : m]
  const cas = await w.arrive('Cas')
  cas.dial()
  await w.run(8000)
  assert.equal(cas.inRoom, false)
  for (const m of [ann, ben]) assert.deepEqual(m.names, ['Ann', 'Ben'])
  w.toMember = (_, m) => [m]
  cas.leave()
  await agree(w, [ann, ben, await w.join('Dan')])
})

seededTest('a hostile member lets a ghost in, and the server takes its commit: all others refuse it', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const foreign = new People(w.clock.unix(), w.crypto, 'Foreign CA')
  const evil = await w.join('Evil', { hz: TONES[0], hostile: { trusts: foreign } })
  const [ann, ben] = [await w.join('Ann', { hz: TONES[1] }), await w.join('Ben', { hz: TONES[2] })]
  await agree(w, [evil, ann, ben])
  const ghost = await w.arrive('Ghost', { from: foreign, hz: TONES[3], hostile: { trusts: w.people } })
  ghost.dial()
  await w.run(6000)
  for (const m of [ann, ben]) {
    assert.ok(!m.names.some((n) => n.startsWith('Ghost')), `${m.name} sees ${m.names}`)
    assert.ok(m.noteCodes.includes('MLS_CREDENTIAL'))
  }
  const from = await listen(w, 1000)
  assert.ok(w.clock.now() > from)
  assert.equal(await shareHeard(w, ann, ghost), 0)
  await agree(w, [evil, ann, ben])
  await hearEachOther(w, [ann, ben])
})

seededTest('the server sends a stream of nobody, or of somebody who has left: not heard', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const [ann, ben, cas] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] }), await w.join('Cas', { hz: TONES[2] })]
  await agree(w, [ann, ben, cas])
  const casStream = ann.roster.members.find((m) => m.identity.subject === 'Cas')!.ssrc!
  cas.leave()
  await agree(w, [ann, ben])
  const injector = await Injector.open(w)
  const frames = toneFrames(TONES[3])
  const from = w.clock.now()
  for (const stream of [77_777, casStream]) {
    injector.take(stream, [ann])
    for (let i = 0; i < 50; i++) {
      injector.send(stream, i * 160, frames.next().value)
      await w.run(20)
    }
  }
  await listen(w, 0)
  for (const hz of [TONES[2], TONES[3]]) assert.equal(heard(ann.heardBetween(from, from + 2000), hz), 0)
  assert.deepEqual(ann.names, ['Ann', 'Ben'])
  await hearEachOther(w, [ann, ben])
})

const heard = (pcm: Int16Array, hz: number): number => heardShare(pcm, hz, 2000)
