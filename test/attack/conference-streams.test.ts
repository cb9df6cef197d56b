/** The server changes streams between real vaults: relabelled, swapped, rewound, held back, mixed with its own. */
import assert from 'node:assert/strict'
import type { Frame } from '../../src/vault/api/frames.ts'
import { agree, hearEachOther, listen, longestGap, TONES, worldFor } from '../kit/conference-checks.ts'
import type { ConferenceWorld, WorldMember } from '../kit/conference-world.ts'
import { Injector, tap } from '../kit/hostile-media.ts'
import { heardShare } from '../kit/room-tones.ts'
import { seededTest } from '../kit/seeded-random.ts'

interface Scene {
  readonly w: ConferenceWorld
  readonly ann: WorldMember
  readonly ben: WorldMember
  readonly cas: WorldMember
  readonly injector: Injector
  /** What Ben and Cas sealed so far, going on. */
  readonly bens: Frame[]
  readonly cass: Frame[]
}

async function scene(t: { after(run: () => void): void }, seed: number): Promise<Scene> {
  const w = await worldFor(t, { seed })
  const [ann, ben, cas] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] }), await w.join('Cas', { hz: TONES[2] })]
  await agree(w, [ann, ben, cas])
  await w.run(3000)
  const scene = { w, ann, ben, cas, injector: await Injector.open(w), bens: tap(ben), cass: tap(cas) }
  await w.run(1000)
  return scene
}

const streamOf = (m: WorldMember, of: WorldMember): number => m.roster.members.find((x) => x.identity.subject === of.name)!.ssrc!

/** Sends one frame a tick for a second in place of Ben's stream to Ann; gives what she heard of each. */
async function inPlaceOfBen(s: Scene, next: () => Frame, held = 0): Promise<{ ben: number; cas: number; code: string | undefined }> {
  const { w, ann, ben, cas, injector } = s
  const stream = streamOf(ann, ben)
  injector.take(stream, [ann])
  await w.run(400 + held)
  const from = w.clock.now()
  for (let i = 0; i < 50; i++) {
    const f = next()
    injector.send(stream, f.timestamp, f.data)
    await w.run(20)
  }
  await w.run(500)
  const code = ann.roster.members.find((m) => m.identity.subject === 'Ben')!.unheard
  await listen(w, 0)
  const pcm = ann.heardBetween(from, from + 1400)
  const result = { ben: heardShare(pcm, ben.hz, 2000), cas: longestGap(ann, cas, from, from + 1000), code }
  assert.equal(result.cas, 0, 'Cas is heard all the time')
  return result
}

seededTest('passed on as it is: heard', async (seed, t) => {
  const s = await scene(t, seed)
  const { ben } = await inPlaceOfBen(s, () => s.bens.at(-1)!)
  assert.ok(ben > 0.5, `control: ${ben}`)
})

seededTest('another member\'s frames under this one\'s stream: not heard, named', async (seed, t) => {
  const s = await scene(t, seed)
  const r = await inPlaceOfBen(s, () => s.cass.at(-1)!)
  assert.equal(r.ben, 0)
  assert.equal(r.code, 'VAULT_FRAME_WRONG_STREAM')
})

seededTest('what was said before, again: not heard, named', async (seed, t) => {
  const s = await scene(t, seed)
  let i = 0
  const r = await inPlaceOfBen(s, () => s.bens[i++ % 40]!)
  assert.equal(r.ben, 0)
  assert.equal(r.code, 'SFRAME_REPLAYED')
})

seededTest('what was said before, as if it were said now: not heard, named', async (seed, t) => {
  const s = await scene(t, seed)
  let i = 0
  const r = await inPlaceOfBen(s, () => ({ ...s.bens[i++]!, timestamp: s.bens.at(-1)!.timestamp }))
  assert.equal(r.ben, 0)
  assert.match(r.code ?? '', /^SFRAME_(REPLAYED|FORGED)$/)
})

seededTest('held back, then in a new order: each frame at most once, in its own place or not at all', async (seed, t) => {
  const s = await scene(t, seed)
  const start = s.bens.length
  let i = 0
  const r = await inPlaceOfBen(s, () => {
    const pair = start + 2 * (i >> 1)
    return s.bens[i++ % 2 === 0 ? pair + 1 : pair]!
  }, 1500)
  // Delay is the server's to make: old audio, but Ben's own.
  assert.notEqual(r.code, 'SFRAME_FORGED')
  const stats = s.ann.mediaEvents.findLast((e) => e.op === 'conference.stats')!.senders.find((x) => x.ssrc === streamOf(s.ann, s.ben))!
  assert.ok(stats.played <= s.bens.length + 250, 'no frame is played twice')
})

seededTest('a member\'s own frames come back to it: not heard', async (seed, t) => {
  const { w, ann, ben, cas, injector } = await scene(t, seed)
  const own = tap(ann)
  const stream = streamOf(ann, ben)
  injector.take(stream, [ann])
  await w.run(200)
  const from = w.clock.now()
  for (let i = 0; i < 50; i++) {
    injector.send(stream, own.at(-1)!.timestamp, own.at(-1)!.data)
    await w.run(20)
  }
  await listen(w, 0)
  assert.equal(heardShare(ann.heardBetween(from, from + 1000), ann.hz, 1000), 0)
  assert.equal(longestGap(ann, cas, from, from + 1000), 0)
})

seededTest('the streams of two members are exchanged for a third: neither is heard as the other; put right, both are back', async (seed, t) => {
  const { w, ann, ben, cas, injector, bens, cass } = await scene(t, seed)
  const second = await Injector.open(w)
  const [benStream, casStream] = [streamOf(ann, ben), streamOf(ann, cas)]
  injector.take(benStream, [ann])
  second.take(casStream, [ann])
  await w.run(400)
  const from = w.clock.now()
  for (let i = 0; i < 50; i++) {
    injector.send(benStream, cass.at(-1)!.timestamp, cass.at(-1)!.data)
    second.send(casStream, bens.at(-1)!.timestamp, bens.at(-1)!.data)
    await w.run(20)
  }
  await listen(w, 0)
  for (const hz of [ben.hz, cas.hz]) assert.equal(heardShare(ann.heardBetween(from + 200, from + 1000), hz, 1000), 0)
  injector.release()
  second.release()
  w.flow = (s) => s
  w.reroute()
  await agree(w, [ann, ben, cas], 60_000)
  await w.run(1500)
  await hearEachOther(w, [ann, ben, cas])
})
