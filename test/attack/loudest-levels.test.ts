/** The level of a `loudest` room stands outside the seal: who changes it, and who lies with it. */
import assert from 'node:assert/strict'
import { MediaWorld, type Member, robot } from '../kit/media-world.ts'
import { seededTest } from '../kit/seeded-random.ts'

const COUNT = 2

async function room(seed: number, hz: readonly (number | undefined)[]): Promise<{ w: MediaWorld; m: Member[] }> {
  const w = await MediaWorld.start(seed)
  const m = hz.map((f, i) => w.join(`m${i}`, robot(f), { forwarding: 'loudest' }))
  for (const x of m) x.command({ op: 'conference.mute', conference: 1, muted: true })
  w.converse(m, { loudest: { group: 1, count: COUNT } })
  await w.clock.advance(1500)
  return { w, m }
}

const speak = (m: Member, on: boolean): void => m.command({ op: 'conference.mute', conference: 1, muted: !on })

/** How many of `of`'s frames `by` gets in a second. */
async function passed(w: MediaWorld, by: Member, of: Member): Promise<number> {
  await w.clock.advance(1000)
  const before = by.sender(of)?.received ?? 0
  await w.clock.advance(1000)
  return (by.sender(of)?.received ?? 0) - before
}

seededTest('a level that is changed on the way takes its packet with it', async (seed) => {
  const { w, m } = await room(seed, [undefined, 400, 700, 1000])
  for (const x of [m[1]!, m[2]!]) speak(x, true)
  await w.clock.advance(1000)
  // The network makes the silent third one the loudest; the packets themselves are lost, so that only the changed ones arrive.
  m[3]!.host.up.set({ loss: 1 })
  const refused = (): number => w.plane.stats().find((s) => s.leg === m[3]!.leg)!.refused
  let changed = 0
  w.net.capture((p) => {
    if (p.from.address !== m[3]!.host.address || p.data[1] !== 96 || p.data[17] === 24) return
    const data = p.data.slice()
    data[17] = 24
    changed++
    w.net.inject(data, p.from, p.to)
  })
  assert.equal(await passed(w, m[0]!, m[3]!), 0)
  assert.ok(changed > 90 && refused() > 90)
  assert.ok((await passed(w, m[0]!, m[1]!)) >= 48 && (await passed(w, m[0]!, m[2]!)) >= 48)
  w.stop()
})

seededTest('a member that always says it is loud has one place, not more', async (seed) => {
  const { w, m } = await room(seed, [undefined, 400, 700, 1000])
  speak(m[1]!, true)
  await w.clock.advance(1000)
  for (const speaker of [m[2]!, m[3]!, m[2]!]) {
    speak(speaker, true)
    assert.ok((await passed(w, m[0]!, speaker)) >= 48)
    speak(speaker, false)
    await w.clock.advance(1000)
  }
  assert.ok((await passed(w, m[0]!, m[1]!)) >= 48)
  // What a host does about it.
  w.converse([m[0]!, m[2]!, m[3]!], { loudest: { group: 1, count: COUNT } })
  w.plane.unroute(m[1]!.leg, m[1]!.ssrc)
  assert.equal(w.plane.stats().find((s) => s.leg === m[1]!.leg)!.streams.length, 0)
  w.stop()
})
