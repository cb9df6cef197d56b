/** Real vaults over bad networks: media and channel together. What one member's line does, the others do not hear. */
import assert from 'node:assert/strict'
import { agree, hearEachOther, listen, longestGap, TONES, worldFor } from '../kit/conference-checks.ts'
import type { ConferenceWorld, WorldMember } from '../kit/conference-world.ts'
import { heardShare } from '../kit/room-tones.ts'
import { seededTest } from '../kit/seeded-random.ts'

interface Three {
  readonly w: ConferenceWorld
  readonly ann: WorldMember
  readonly ben: WorldMember
  readonly cas: WorldMember
}

async function three(t: { after(run: () => void): void }, seed: number): Promise<Three> {
  const w = await worldFor(t, { seed })
  const [ann, ben, cas] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] }), await w.join('Cas', { hz: TONES[2] })]
  await agree(w, [ann, ben, cas])
  await w.run(2500)
  return { w, ann, ben, cas }
}

/** Media and channel of one member at once, as one line has it. */
const line = (m: WorldMember, ms: number): void => {
  m.host.set({ latencyMs: ms })
  m.lagMs = ms
}

seededTest('everything bad at once on one line, media and epochs: the others hear each other without a gap, nobody is lost', async (seed, t) => {
  const { w, ann, ben, cas } = await three(t, seed)
  ben.host.set({ loss: 0.1, burst: 0.01, burstLength: 5, duplicate: 0.1, reorder: 0.1, reorderMs: 45, jitterMs: 200 })
  ben.lagMs = 200
  await w.run(3000)
  const from = w.clock.now()
  const dan = await w.join('Dan', { hz: TONES[3] })
  await agree(w, [ann, ben, cas, dan])
  ann.remove(dan)
  await agree(w, [ann, ben, cas])
  const to = w.clock.now()
  await listen(w, 0)
  assert.equal(longestGap(ann, cas, from, to), 0)
  assert.equal(longestGap(cas, ann, from, to), 0)
  const stats = ann.mediaEvents.findLast((e) => e.op === 'conference.stats')!
  for (const s of stats.senders) assert.ok(s.bufferMs < 400, `delay is bounded: ${s.bufferMs} ms`)
  const began = await listen(w, 2000)
  for (const m of [ann, cas]) assert.ok(heardShare(m.heardBetween(began, began + 2000), ben.hz, 4000) >= 0.9, `${m.name} understands Ben`)
})

seededTest('media out for three seconds while somebody joins: everything comes back', async (seed, t) => {
  const { w, ann, ben, cas } = await three(t, seed)
  ben.host.set({ down: true })
  const from = w.clock.now()
  const dan = await w.join('Dan', { hz: TONES[3] })
  await w.run(3000 - (w.clock.now() - from))
  ben.host.set({ down: false })
  await agree(w, [ann, ben, cas, dan])
  await w.run(2000)
  await hearEachOther(w, [ann, ben, cas, dan], 1000, 0.9)
  assert.equal(longestGap(ann, cas, from, from + 3000), 0, 'nobody else noticed')
})

seededTest('another address in mid-call, while somebody leaves', async (seed, t) => {
  const { w, ann, ben, cas } = await three(t, seed)
  ben.host.move('198.51.102.9')
  cas.leave()
  await w.run(1500)
  await agree(w, [ann, ben])
  await hearEachOther(w, [ann, ben])
})

seededTest('the connection breaks and is mended: media and membership come back, the others hear no gap', async (seed, t) => {
  const { w, ann, ben, cas } = await three(t, seed)
  const from = w.clock.now()
  w.cut(ben)
  ben.host.set({ down: true })
  await w.run(1500)
  ben.host.set({ down: false })
  w.mend(ben)
  await agree(w, [ann, ben, cas])
  await w.run(1000)
  await hearEachOther(w, [ann, ben, cas])
  assert.equal(longestGap(ann, cas, from, from + 2500), 0)
})

seededTest('the server is away for five seconds, for media and channel: all come back into one room and hear each other', async (seed, t) => {
  const { w, ann, ben, cas } = await three(t, seed)
  w.server.set({ down: true })
  for (const m of [ann, ben, cas]) w.cut(m)
  await w.run(5000)
  w.server.set({ down: false })
  for (const m of [cas, ben, ann]) {
    w.mend(m)
    await w.run(200)
  }
  await agree(w, [ann, ben, cas])
  await w.run(3000)
  await hearEachOther(w, [ann, ben, cas])
  const healed = ann.noteCodes.length
  await w.run(6000)
  assert.equal(ann.noteCodes.length, healed, 'and it stays so')
})

for (const downMs of [3000, 8000]) {
  seededTest(`media alone is away for ${downMs / 1000} s for everybody: nobody is lost, all hear each other again`, async (seed, t) => {
    const { w, ann, ben, cas } = await three(t, seed)
    w.server.set({ down: true })
    await w.run(downMs)
    w.server.set({ down: false })
    await w.run(4000)
    await agree(w, [ann, ben, cas])
    await hearEachOther(w, [ann, ben, cas])
    for (const m of [ann, ben, cas]) assert.equal(m.over, undefined)
  })
}

for (const lags of [[20, 100, 60], [100, 20, 100], [20, 20, 300], [300, 20, 20]] as const) {
  seededTest(`epochs change during speech, one-way latencies ${lags.join(', ')} ms: ${Math.max(...lags) > 100 ? 'after an add ' : ''}at most one frame is missed per switch`, async (seed, t) => {
    const { w, ann, ben, cas } = await three(t, seed)
    const old = [ann, ben, cas]
    for (const [i, m] of old.entries()) line(m, lags[i]!)
    await w.run(1500)
    for (const what of ['add and update', 'remove'] as const) {
      const from = w.clock.now()
      const epoch = ann.roster.epoch + (what === 'remove' ? 1n : 2n)
      if (what === 'remove') ann.remove(w.members[3]!)
      else await w.join('Dan', { hz: TONES[3] })
      await w.until(() => old.every((m) => m.roster.epoch === epoch), 8000, what)
      await w.run(1000)
      const to = w.clock.now()
      await listen(w, 0)
      for (const m of old) for (const o of old) if (o !== m) {
        const gap = longestGap(m, o, from, to)
        // A removal waits for nobody: the committer learns that it stands after two round trips, and old keys end after 500 ms.
        const between = lags[old.indexOf(m)]! + lags[old.indexOf(o)]! + 2 * w.latencyMs
        const most = what === 'remove' ? Math.max(20, 2 * between - 500) : 20
        assert.ok(gap <= most, `${what}: ${m.name} missed ${gap} ms of ${o.name}`)
      }
    }
  })
}

seededTest('signalling and group work of one client stall for 300 ms: no downlink frame is missing', async (seed, t) => {
  const { w, ann, ben, cas } = await three(t, seed)
  const from = w.clock.now()
  const before = played(ben)
  ben.stallMs = 300
  await w.run(1000)
  ben.stallMs = 0
  await w.run(1000)
  const after = played(ben)
  await listen(w, 0)
  for (const o of [ann, cas]) assert.equal(longestGap(ben, o, from, from + 2000), 0)
  for (const [ssrc, was] of before) {
    const is = after.get(ssrc)!
    assert.equal(is.lost + is.late + is.concealed + is.unopened, was.lost + was.late + was.concealed + was.unopened)
  }
})

seededTest('the stall falls on a key update: what is sealed for the next epoch comes after its key', async (seed, t) => {
  const { w, ann, ben, cas } = await three(t, seed)
  const dan = await w.join('Dan', { hz: TONES[3] })
  const all = [ann, ben, cas, dan]
  await agree(w, all)
  ben.stallMs = 300
  const epoch = ann.roster.epoch + 1n
  await w.run(1000)
  const from = w.clock.now()
  await w.until(() => ben.roster.epoch === epoch, 8000, 'the update')
  await w.run(1000)
  const to = w.clock.now()
  await listen(w, 0)
  for (const m of all) for (const o of all) if (o !== m) assert.equal(longestGap(m, o, from, to), 0, `${m.name} hears ${o.name}`)
})

seededTest('the stall falls on a join: nobody misses anything', async (seed, t) => {
  const { w, ann, ben, cas } = await three(t, seed)
  const from = w.clock.now()
  ben.stallMs = 300
  const dan = await w.join('Dan', { hz: TONES[3] })
  await w.run(1500)
  ben.stallMs = 0
  const all = [ann, ben, cas, dan]
  await agree(w, all)
  const to = w.clock.now()
  await listen(w, 0)
  for (const m of [ann, ben, cas]) for (const o of [ann, ben, cas]) if (o !== m) assert.equal(longestGap(m, o, from, to), 0, `${m.name} hears ${o.name}`)
})

const played = (m: WorldMember) => new Map(m.mediaEvents.findLast((e) => e.op === 'conference.stats')!.senders.map((s) => [s.ssrc, s]))
