/**
 * Somebody copies a client's whole folder, key and all, and starts it elsewhere; or a machine goes on from an older copy. What such a
 * copy holds is a name and a memory: it is one more client of the same person, never a second hand in the same group.
 */
import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { decodeHeader } from '../../src/protocol/sframe/header.ts'
import type { FrameCommand } from '../../src/vault/inside/frame-commands.ts'
import { agree, hearEachOther, shareHeard, TONES, worldFor } from '../kit/conference-checks.ts'
import type { WorldMember } from '../kit/conference-world.ts'
import { tap } from '../kit/hostile-media.ts'
import { seededTest } from '../kit/seeded-random.ts'

const keysOnce = (m: WorldMember): void => {
  const keys = m.roster.members.map((x) => x.identity.keyId)
  assert.equal(new Set(keys).size, keys.length, `${m.name} sees a key twice`)
}

seededTest('the copy is started while the original is in the room: one takes the other\'s place, told at both ends, and no number is used twice under one key', async (seed, t) => {
  const w = await worldFor(t, { seed })
  // What the two vaults seal with: epoch to its key.
  const keys: [Map<bigint, string>, Map<bigint, string>] = [new Map(), new Map()]
  const keep = (i: 0 | 1) => (c: FrameCommand) => void (c.op === 'epoch' && keys[i].set(c.epoch & 0xffn, toHex(c.baseKey)))
  const ann = await w.join('Ann', { hz: TONES[0], hostile: { leak: keep(0) } })
  const ben = await w.join('Ben', { hz: TONES[1] })
  await agree(w, [ann, ben])
  await w.run(3000)
  const sealed = [tap(ann), [] as ReturnType<typeof tap>]
  await w.run(500)
  const copy = await w.arrive('Ann', { as: ann, memory: await ann.memory(), hz: TONES[2], hostile: { leak: keep(1) } })
  sealed[1] = tap(copy)
  copy.dial()
  await w.until(() => copy.inRoom, 15_000, 'the copy in the room')
  await w.until(() => ann.over !== undefined, 5000, 'that the original is told')
  await w.run(1500)
  keysOnce(ben)
  assert.equal(ann.over!.code, 'CLIENT_REPLACED')
  assert.ok(ben.roster.notes.some((n) => n.code === 'CLIENT_MEMBER_REJOINED' && n.text.startsWith('Ann')), `told: ${ben.noteCodes}`)
  await agree(w, [copy, ben])
  await w.run(1000)
  await hearEachOther(w, [copy, ben])
  const used = new Set<string>()
  for (const i of [0, 1] as const) {
    for (const f of sealed[i]!) {
      const { kid, ctr } = must(decodeHeader(f.data))
      const key = keys[i].get(kid & 0xffn)
      assert.ok(key !== undefined)
      const nonce = `${key} ${kid} ${ctr}`
      assert.ok(!used.has(nonce), nonce)
      used.add(nonce)
    }
  }
  assert.ok(sealed[0]!.length > 20 && sealed[1]!.length > 20)
})

seededTest('the original holds its place against the server, which brings its copy in beside it: nobody lets one key in twice', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const [ann, ben] = [await w.join('Ann', { hz: TONES[0] }), await w.join('Ben', { hz: TONES[1] })]
  await agree(w, [ann, ben])
  const copy = await w.arrive('Ann', { as: ann, memory: await ann.memory(), hz: TONES[2] })
  // Whatever the committer has to say of the old leaf, the server leaves it out; the original hears of no change.
  w.toMember = (m, x) => (m === ann && (x.k === 'room-ordered' || x.k === 'room-closed') ? [] : [x])
  copy.dial()
  await w.run(6000)
  keysOnce(ben)
  assert.equal(await shareHeard(w, ben, ann, 400), 0, 'the one that was replaced is not heard beside its copy')
  if (copy.inRoom) assert.equal(await shareHeard(w, ann, ben, 400), 0, 'nor does it hear')
})

seededTest('a machine that goes on from an older copy of its folder: it is in no group until it has asked, and learns the newer policy from the first who knows it', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const ann = await w.arrive('Ann')
  must(w.shelf.keepPolicy(w.room, must(await ann.vault.call('policy.draft', { room: w.policy })).known.signed))
  ann.dial()
  await w.until(() => ann.inRoom, 10_000, 'Ann')
  const ben = await w.join('Ben')
  const old = await ben.memory()
  ann.command({ do: 'decide', decision: { act: 'lock' } })
  await w.until(() => ben.roster.policy?.state.locked === true, 5000, 'the lock')
  const { session } = ben.view!
  ben.leave()
  await agree(w, [ann])
  const restored = await w.arrive('Ben', { as: ben, memory: old })
  // No membership came with it, whatever number is asked for.
  for (const s of [session, 1, 2, 3]) {
    const r = await restored.vault.call('room.check', { session: s })
    assert.equal(r.ok ? 'there' : r.fault.code, 'VAULT_SESSION_UNKNOWN')
  }
  assert.equal(must(await restored.vault.call('policy.known', { room: w.room })).rooms[0]?.state.locked, false, 'what it remembers is old')
  restored.dial()
  await w.until(() => ann.roster.knocking.length === 1, 10_000, 'the knock')
  assert.equal(restored.inRoom, false, 'the room is locked, whatever it remembers')
  ann.command({ do: 'decide', decision: { act: 'admit', entry: ben.keyId } })
  await agree(w, [ann, restored])
  assert.equal(restored.roster.policy?.state.locked, true)
  assert.equal(must(await restored.vault.call('policy.known', { room: w.room })).rooms[0]?.state.locked, true)
})
