/** A member that commits what it should not, in a conference that goes on: visible under its name, and healed. */
import assert from 'node:assert/strict'
import type { ClientWire } from '../../src/protocol/wire/messages.ts'
import { agree, hearEachOther, TONES, worldFor } from '../kit/conference-checks.ts'
import { seededTest } from '../kit/seeded-random.ts'

seededTest('all nominees are silent: the joiner is told, the conference goes on, and later starts anew if it must', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const [ann, ben] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] })]
  await agree(w, [ann, ben])
  w.toServer = (_, m) => (m.k === 'room-commit' ? [] : [m])
  const cas = await w.join('Cas', { hz: TONES[2], limitMs: 60_000 })
  assert.notEqual(cas.over?.code ?? (cas.inRoom ? 'in' : undefined), undefined)
  w.toServer = (_, m) => [m]
  await agree(w, [ann, ben])
  await w.run(1000)
  await hearEachOther(w, [ann, ben])
})

seededTest('a member removes a live peer as unreachable, and the server lets it: everybody sees who did it, the peer comes back', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const [evil, ann, ben] = [await w.join('Evil', { hz: TONES[0] }), await w.join('Ann', { hz: TONES[1] }), await w.join('Ben', { hz: TONES[2] })]
  await agree(w, [evil, ann, ben])
  await w.run(4000)
  // The server says that Ben is gone, and asks Evil to say so in its own name.
  const leaf = evil.leafOf(ben)
  w.step({ kind: 'gone', session: ben.session })
  await w.until(() => ann.leafOf(ben) < 0, 10_000, 'the removal')
  assert.ok(leaf >= 0)
  assert.ok(ann.roster.notes.some((n) => n.code === 'CLIENT_MEMBER_REMOVED' && n.text === 'Ben was removed (unreachable) by Evil'), `${ann.roster.notes.at(-1)?.text}`)
  await agree(w, [evil, ann, ben], 60_000)
  await w.run(1000)
  await hearEachOther(w, [evil, ann, ben])
  assert.ok(ben.roster.notes.length > 0)
})

seededTest('the removed peer sees the commit: it knows who did it, and asks again by itself', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [evil, ann, ben] = [await w.join('Evil'), await w.join('Ann'), await w.join('Ben')]
  await agree(w, [evil, ann, ben])
  await w.run(4000)
  let shown = false
  w.toMember = (m, x) => {
    if (m === ann && x.k === 'room-ordered' && x.removes.some((r) => r.leaf === ann.leafOf(ben)) && !shown) {
      shown = true
      w.send(ben, x)
    }
    return [x]
  }
  w.step({ kind: 'gone', session: ben.session })
  await w.until(() => shown, 10_000, 'the removal')
  await w.run(100)
  assert.equal(ben.over, undefined)
  assert.ok(ben.noteCodes.includes('CLIENT_ROOM_CLOSED'))
  await agree(w, [evil, ann, ben])
})

seededTest('a member calls a removal a host\'s act, or the server states another reason than the committer: refused by all', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [ann, ben, cas] = [await w.join('Ann'), await w.join('Ben'), await w.join('Cas')]
  await agree(w, [ann, ben, cas])
  w.toMember = (_, m) => [m.k === 'room-ordered' && m.removes.length > 0 ? { ...m, removes: m.removes.map((r) => ({ ...r, reason: 'leave' as const })) } : m]
  ann.remove(cas)
  await w.run(300)
  assert.ok(ben.noteCodes.includes('MLS_REMOVAL'))
  assert.deepEqual(ben.names, ['Ann', 'Ben', 'Cas'])
  w.toMember = (_, m) => [m]
  await w.run(5000)
  await agree(w, [ann, ben, ...(cas.over === undefined ? [cas] : [])], 60_000)
})

seededTest('a member commits of its own accord while another is nominated, again and again: joiners get in all the same', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [ann, ben] = [await w.join('Ann'), await w.join('Ben')]
  await agree(w, [ann, ben])
  let last: ClientWire['room-commit'] | undefined
  w.toServer = (m, x) => {
    if (x.k === 'room-commit') last = x
    // Ben answers everything with an old commit as well.
    return m === ben && last !== undefined && x.k === 'room-applied' ? [{ k: 'room-commit', ...last }, x] : [x]
  }
  const cas = await w.join('Cas')
  const dan = await w.join('Dan')
  await agree(w, [ann, ben, cas, dan])
})
