/** A removed member that kept all keys, helped by the server: it neither hears nor speaks, in its own name or another's. */
import assert from 'node:assert/strict'
import { agree, hearEachOther, listen, longestGap, TONES, worldFor } from '../kit/conference-checks.ts'
import type { ConferenceWorld, WorldMember } from '../kit/conference-world.ts'
import { Injector, KeptKeys, tap, toneFrames } from '../kit/hostile-media.ts'
import { heardShare } from '../kit/room-tones.ts'
import { seededTest } from '../kit/seeded-random.ts'

const FORGED = TONES[3]

interface Scene {
  readonly w: ConferenceWorld
  readonly ann: WorldMember
  readonly ben: WorldMember
  readonly out: WorldMember
  readonly keys: KeptKeys
}

async function scene(t: { after(run: () => void): void }, seed: number): Promise<Scene> {
  const w = await worldFor(t, { seed })
  const keys = new KeptKeys(w)
  const [ann, ben] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] })]
  const out = await w.join('Out', { hz: TONES[2], hostile: { leak: keys.leak } })
  await agree(w, [ann, ben, out])
  await w.run(4000)
  return { w, ann, ben, out, keys }
}

/** The server tells the removed one nothing, so that it goes on with all that it has. */
const protect = (w: ConferenceWorld, out: WorldMember): void => {
  w.toMember = (m, x) => (m === out && (x.k === 'room-ordered' || x.k === 'room-closed') ? [] : [x])
}

seededTest('it forges another member under the old epoch: as a member it could, after the removal for half a second at most', async (seed, t) => {
  const { w, ann, ben, out, keys } = await scene(t, seed)
  const injector = await Injector.open(w)
  const stream = ann.roster.members.find((m) => m.identity.subject === 'Ben')!.ssrc!
  const leaf = ann.leafOf(ben)
  const epoch = ann.roster.epoch
  protect(w, out)
  const sealed = tap(ben)
  await w.run(100)
  let timestamp = sealed.at(-1)!.timestamp + 160
  injector.take(stream, [ann])
  const frames = toneFrames(FORGED)
  const speak = async (ms: number): Promise<void> => {
    for (let i = 0; i < ms / 20; i++, timestamp += 160) {
      injector.send(stream, timestamp, keys.seal(epoch, leaf, stream, timestamp, frames.next().value))
      await w.run(20)
    }
  }
  // Positive control, and the stated limit of symmetric media keys: a present member, colluding with the server, can.
  const from = w.clock.now()
  await speak(1000)
  ann.remove(out)
  const removedAt = w.clock.now()
  await speak(3000)
  await listen(w, 0)
  assert.ok(heardShare(ann.heardBetween(from + 400, from + 1000), FORGED, 2000) > 0.5, 'the forgery is well made')
  // 500 ms, the way of the commit, and what the jitter buffer held.
  assert.equal(heardShare(ann.heardBetween(removedAt + 800, removedAt + 3000), FORGED, 2000), 0)
  const shown = ann.roster.members.find((m) => m.identity.subject === 'Ben')!
  assert.equal(shown.unheard, 'SFRAME_EPOCH_GONE')
})

seededTest('it speaks in its own name, and plays what others said before: nothing is heard', async (seed, t) => {
  const { w, ann, ben, out } = await scene(t, seed)
  const injector = await Injector.open(w)
  const stream = ann.roster.members.find((m) => m.identity.subject === 'Out')!.ssrc!
  const benStream = ann.roster.members.find((m) => m.identity.subject === 'Ben')!.ssrc!
  const own = tap(out)
  const bens = tap(ben)
  await w.run(1000)
  protect(w, out)
  ann.remove(out)
  await agree(w, [ann, ben])
  await w.run(700)
  const from = w.clock.now()
  injector.take(stream, [ann, ben])
  for (let i = 0; i < 100; i++) {
    const f = own.at(-1)!
    injector.send(stream, f.timestamp, f.data)
    const old = bens[i % 40]!
    injector.send(benStream, old.timestamp, old.data)
    await w.run(20)
  }
  await listen(w, 0)
  for (const m of [ann, ben]) assert.equal(heardShare(m.heardBetween(from, from + 2000), out.hz, 2000), 0, `${m.name} hears the removed one`)
  assert.equal(longestGap(ann, ben, from, from + 2000), 0, 'and Ben is heard as before')
})

seededTest('the server withholds the removal from one member: it sees that it is left behind, stops, and comes back', async (seed, t) => {
  const { w, ann, ben, out } = await scene(t, seed)
  const cas = await w.join('Cas', { hz: FORGED })
  await agree(w, [ann, ben, out, cas])
  await w.run(3000)
  let withheld = false
  w.toMember = (m, x) => {
    if (m === out && (x.k === 'room-ordered' || x.k === 'room-closed')) return []
    if (m === ben && x.k === 'room-ordered' && x.removes.length > 0) withheld = true
    return m === ben && withheld && (x.k === 'room-ordered' || x.k === 'room-stands') && !ben.noteCodes.includes('CLIENT_DEAF') ? [] : [x]
  }
  const sealed = tap(ben)
  ann.remove(out)
  await w.run(200)
  assert.ok(withheld)
  const began = w.clock.now()
  await w.until(() => ben.noteCodes.includes('CLIENT_DEAF'), 10_000, 'that it notices')
  assert.ok(sealed.length < 50 * 2, `it sealed ${sealed.length} frames under the old epoch`)
  // The vault stops sealing after a second, the client says so with its next look at the numbers.
  assert.ok(w.clock.now() - began < 3500, `${w.clock.now() - began} ms`)
  w.toMember = (m, x) => (m === out ? [] : [x])
  await agree(w, [ann, ben, cas], 60_000)
  await w.run(1000)
  await hearEachOther(w, [ann, ben, cas])
})
