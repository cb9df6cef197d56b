/** A host removes a member: how soon it is deaf, what the others hear of it, and what a ban means. */
import assert from 'node:assert/strict'
import { agree, hearEachOther, listen, longestGap, shareHeard, TONES, worldFor } from '../kit/conference-checks.ts'
import type { ConferenceWorld, WorldMember } from '../kit/conference-world.ts'
import { seededTest } from '../kit/seeded-random.ts'

/** PROTOCOL §3: from the server's ordering of the removal, at one-way latencies up to `lagMs` + 10. */
const DEAF_MS = 250

async function four(t: { after(run: () => void): void }, seed: number): Promise<{ w: ConferenceWorld; host: WorldMember; ben: WorldMember; cas: WorldMember; out: WorldMember }> {
  const w = await worldFor(t, { seed })
  const [host, ben, cas, out] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] }), await w.join('Cas', { hz: TONES[2] }), await w.join('Out', { hz: TONES[3] })]
  for (const [m, ms] of [[host, 20], [ben, 40], [cas, 60], [out, 20]] as const) m.lagMs = ms
  await agree(w, [host, ben, cas, out])
  await w.run(3000)
  return { w, host, ben, cas, out }
}

/**
 * What the removed one can still open of what the others send: its vault still has the keys of the epoch before, and
 * a server that helps it forwards all it wants. Gives the instant of the last such frame.
 */
function eavesdrop(w: ConferenceWorld, out: WorldMember, others: readonly WorldMember[]): { lastOpened(): number; opened(): number } {
  const session = out.commands.findLast((c) => c.op === 'conference.open')!.session
  let last = 0
  let count = 0
  for (const m of others) {
    const { frames } = m.vault
    m.vault.frames = async (batch) => {
      const answer = await frames.call(m.vault, batch)
      if (batch.op === 'seal') {
        const heard = await out.vault.frames({ op: 'open', session, frames: answer.frames.filter((f) => f.fault === undefined) })
        if (heard.frames.some((f) => f.fault === undefined)) {
          last = w.clock.now()
          count++
        }
      }
      return answer
    }
  }
  return { lastOpened: () => last, opened: () => count }
}

seededTest('whoever is removed is deaf within 250 ms of the ordering, even when the server helps it', async (seed, t) => {
  const { w, host, ben, cas, out } = await four(t, seed)
  // It does not go by itself: it is told nothing, so its session and keys stay.
  let orderedAt = 0
  w.toMember = (m, x) => {
    if (x.k === 'room-ordered' && x.removes.some((r) => r.reason === 'host')) orderedAt ||= w.clock.now()
    return m === out && (x.k === 'room-ordered' || x.k === 'room-closed') ? [] : [x]
  }
  const spy = eavesdrop(w, out, [host, ben, cas])
  await w.run(500)
  assert.ok(spy.opened() > 0, 'before, it opens everything')
  const clickedAt = w.clock.now()
  host.remove(out)
  await w.until(() => orderedAt > 0, 1000, 'the order')
  await w.run(3000)
  assert.ok(spy.lastOpened() > orderedAt)
  assert.ok(spy.lastOpened() - orderedAt <= DEAF_MS, `opened a frame ${spy.lastOpened() - orderedAt} ms after the ordering`)
  t.diagnostic(`deaf ${Math.round(spy.lastOpened() - orderedAt)} ms after the ordering, ${Math.round(spy.lastOpened() - clickedAt)} ms after the click`)
  await agree(w, [host, ben, cas])
  await hearEachOther(w, [host, ben, cas])
})

seededTest('the others lose nothing by it, and are told who did it', async (seed, t) => {
  const { w, host, ben, cas, out } = await four(t, seed)
  const rest = [host, ben, cas]
  const from = w.clock.now()
  host.remove(out)
  await listen(w, 1500)
  assert.equal(out.over?.code, 'CLIENT_REMOVED')
  for (const m of rest) {
    assert.deepEqual(m.names, ['Ann', 'Ben', 'Cas'])
    assert.ok(m.roster.notes.some((n) => n.code === 'CLIENT_MEMBER_REMOVED' && /^Out was removed \(host\) by Ann$/.test(n.text)), `${m.name}: ${m.roster.notes.at(-1)?.text}`)
    for (const other of rest) if (other !== m) assert.equal(longestGap(m, other, from, from + 1500), 0, `${m.name} lost some of ${other.name}`)
  }
})

seededTest('the removed may come again; the banned may not, on no connection', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [host, ben, out] = [await w.join('Ann'), await w.join('Ben'), await w.join('Out')]
  await agree(w, [host, ben, out])
  host.remove(out)
  await agree(w, [host, ben])
  const again = await w.join('Out', { as: out })
  await agree(w, [host, ben, again])
  host.remove(again, true)
  await agree(w, [host, ben])
  // The removal of before was not done a second time in place of the ban.
  assert.deepEqual(host.view?.state.banned, [again.keyId])
  const third = await w.join('Out', { as: out })
  assert.equal(third.over?.code, 'CLIENT_ROOM_REFUSED')
  const other = await w.join('Eve')
  await agree(w, [host, ben, other])
})

seededTest('only a host removes', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [host, ben, cas] = [await w.join('Ann'), await w.join('Ben'), await w.join('Cas')]
  await agree(w, [host, ben, cas])
  ben.remove(cas)
  await w.run(5000)
  await agree(w, [host, ben, cas])
  assert.ok(ben.noteCodes.some((c) => c.startsWith('MLS_')), `${ben.noteCodes}`)
})

seededTest('two removals at once, and one while somebody joins', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [host, ben, cas, dan] = [await w.join('Ann'), await w.join('Ben'), await w.join('Cas'), await w.join('Dan')]
  await agree(w, [host, ben, cas, dan])
  const eve = await w.arrive('Eve')
  eve.dial()
  host.remove(cas)
  host.remove(dan)
  await w.until(() => cas.over !== undefined && dan.over !== undefined && eve.inRoom, 20_000, 'both out, one in')
  await agree(w, [host, ben, eve])
})

seededTest('in a conference of two the one who stays hears nothing more of the removed', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const [host, out] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Out', { hz: TONES[1] })]
  await agree(w, [host, out])
  await w.run(2000)
  assert.equal(await shareHeard(w, host, out), 1)
  host.remove(out)
  await agree(w, [host])
  await w.run(600)
  assert.equal(await shareHeard(w, host, out), 0)
})
