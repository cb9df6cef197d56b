/** The server, or somebody with a certificate, wants one person taken for another: requests, streams and names exchanged. */
import assert from 'node:assert/strict'
import { type KnownPeer, meet } from '../../src/model/acquaintance.ts'
import type { Identity } from '../../src/model/identity.ts'
import { showMember } from '../../src/client/terminal.ts'
import { agree, hearEachOther, shareHeard, TONES, worldFor } from '../kit/conference-checks.ts'
import type { WorldMember } from '../kit/conference-world.ts'
import { seededTest } from '../kit/seeded-random.ts'

const rowsOf = (m: WorldMember): string[] => m.roster.members.map((x) => `${x.identity.subject} ${x.identity.keyId}`).sort()

seededTest('the key packages of two joiners exchanged: each is let in under its own name and heard under it, or not at all', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const ann = await w.join('Ann', { hz: TONES[0] })
  const [cas, dan] = [await w.arrive('Cas', { hz: TONES[1] }), await w.arrive('Dan', { hz: TONES[2] })]
  let swapped = 0
  w.toMember = (_, x) => {
    // Both wait by the time of the second nomination.
    if (x.k === 'room-nominate' && x.adds.length === 1) return []
    if (x.k !== 'room-nominate' || x.adds.length !== 2) return [x]
    swapped++
    const [a, b] = x.adds as [(typeof x.adds)[0], (typeof x.adds)[0]]
    return [{ ...x, adds: [{ id: a.id, keyPackage: b.keyPackage }, { id: b.id, keyPackage: a.keyPackage }] }]
  }
  cas.dial()
  dan.dial()
  await w.until(() => swapped > 0, 10_000, 'the exchange')
  await w.run(3000)
  const truth = (of: WorldMember): string => `${of.name} ${of.keyId}`
  for (const row of rowsOf(ann)) assert.ok([ann, cas, dan].map(truth).includes(row), row)
  w.toMember = (_, x) => [x]
  await agree(w, [ann, cas, dan], 60_000)
  await w.run(1000)
  await hearEachOther(w, [ann, cas, dan])
})

seededTest('the server gives a joiner the stream number of another: nobody takes its word for it, and it is heard as nobody', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const [ann, ben] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] })]
  await agree(w, [ann, ben])
  const ofBen = ann.roster.members.find((m) => m.identity.subject === 'Ben')!.ssrc!
  w.toMember = (_, x) => [x.k === 'room-queued' ? { ...x, ssrc: ofBen } : x]
  const cas = await w.join('Cas', { hz: TONES[2] })
  await w.run(2000)
  assert.deepEqual(ann.names, ['Ann', 'Ben', 'Cas?'])
  assert.ok([ann, ben, cas].some((m) => m.noteCodes.includes('MLS_STREAM_TAKEN')), cas.noteCodes.join())
  assert.equal(ann.roster.members.find((m) => m.ssrc === ofBen)?.identity.keyId, ben.keyId)
  assert.equal(await shareHeard(w, ann, cas), 0)
})

seededTest('another certificate for a known name: told prominently, and told apart by its key on every line', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const peers = new Map<string, KnownPeer>()
  const met = (i: Identity) => {
    const { acquaintance, peer } = meet(peers, i, w.clock.unix())
    peers.set(i.keyId, peer)
    return acquaintance
  }
  const ben = await w.join('Ben', { meet: met })
  const ann = await w.join('Ann')
  await agree(w, [ann, ben])
  assert.equal(ben.roster.members.find((m) => m.identity.keyId === ann.keyId)?.acquaintance?.kind, 'first-contact')
  ann.leave()
  await agree(w, [ben])
  ann.dial()
  await agree(w, [ann, ben])
  assert.equal(ben.roster.members.find((m) => m.identity.keyId === ann.keyId)?.acquaintance?.kind, 'known')
  // The authority was talked into a second Ann, who comes, goes and comes.
  const other = await w.join('Ann')
  await w.run(1000)
  other.leave()
  await agree(w, [ann, ben])
  other.dial()
  await w.until(() => other.inRoom, 10_000, 'the second Ann again')
  await w.run(1000)
  assert.notEqual(other.keyId, ann.keyId)
  const rows = ben.roster.members.filter((m) => m.identity.subject === 'Ann')
  assert.equal(rows.length, 2)
  assert.equal(rows.find((m) => m.identity.keyId === other.keyId)?.acquaintance?.kind, 'changed')
  assert.ok(ben.roster.notes.some((n) => n.code === 'CLIENT_KEY_CHANGED' && n.prominent === true && n.text.startsWith('Ann has ANOTHER KEY')), ben.noteCodes.join())
  const lines = rows.map((m) => showMember(m))
  assert.notEqual(lines[0], lines[1])
  assert.ok(lines.some((l) => l.includes(`[${other.keyId.slice(0, 8)}]`) && l.includes('ANOTHER KEY')), lines.join('\n'))
})
