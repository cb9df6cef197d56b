/** The server keeps one member waiting: it learns nothing, or late, while the others go on. Nobody waits for it, and it finds out. */
import assert from 'node:assert/strict'
import { agree, hearEachOther, TONES, worldFor } from '../kit/conference-checks.ts'
import type { ConferenceWorld, WorldMember } from '../kit/conference-world.ts'
import { tap } from '../kit/hostile-media.ts'
import { seededTest } from '../kit/seeded-random.ts'

async function three(t: { after(run: () => void): void }, seed: number): Promise<{ w: ConferenceWorld; all: [WorldMember, WorldMember, WorldMember] }> {
  const w = await worldFor(t, { seed })
  const all: [WorldMember, WorldMember, WorldMember] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] }), await w.join('Cas', { hz: TONES[2] })]
  await agree(w, all)
  await w.run(3000)
  return { w, all }
}

for (const [which, at] of [['the one who is nominated first', 0], ['another', 1]] as const) {
  seededTest(`signalling to and from ${which} stops, media goes on: a joiner gets in, the stalled one stops sealing, says so, is shown as not heard, and comes back`, async (seed, t) => {
    const { w, all } = await three(t, seed)
    const stalled = all[at]!
    const others = all.filter((m) => m !== stalled)
    let free = false
    w.toMember = (m, x) => (m === stalled && !free ? [] : [x])
    w.toServer = (m, x) => (m === stalled && !free ? [] : [x])
    const dan = await w.join('Dan', { hz: TONES[3], limitMs: 15_000 })
    assert.ok(dan.inRoom)
    const sealed = tap(stalled)
    await w.until(() => stalled.noteCodes.includes('CLIENT_DEAF'), 10_000, 'that it notices')
    const before = sealed.length
    await w.run(2500)
    assert.equal(sealed.length, before, 'it goes on sealing for an epoch that is over')
    for (const m of others) assert.ok(m.roster.members.find((x) => x.identity.keyId === stalled.keyId)?.unheard !== undefined || m.leafOf(stalled) < 0, `${m.name} is shown nothing`)
    free = true
    await agree(w, [...all, dan], 60_000)
    await w.run(1000)
    await hearEachOther(w, [...all, dan])
  })
}

seededTest('everything reaches one member three seconds late: it is never in a group of its own, and a removed one cannot use it for longer than that', async (seed, t) => {
  const { w, all: [ann, ben, cas] } = await three(t, seed)
  const dan = await w.join('Dan', { hz: TONES[3] })
  await agree(w, [ann, ben, cas, dan])
  await w.run(3000)
  ben.lagMs = 3000
  const sealed = tap(ben)
  ann.remove(cas)
  const from = w.clock.now()
  await w.until(() => ann.leafOf(cas) < 0, 5000, 'the removal')
  await w.until(() => ben.leafOf(cas) < 0 || ben.noteCodes.includes('CLIENT_DEAF'), 10_000, 'that Ben learns it, or stops')
  assert.ok(w.clock.now() - from < 5000, `${w.clock.now() - from} ms`)
  assert.ok(sealed.length < 50 * 3, `${sealed.length} frames for whom is out`)
  ben.lagMs = 0
  await agree(w, [ann, ben, dan], 60_000)
  await w.run(1500)
  await hearEachOther(w, [ann, ben, dan])
})
