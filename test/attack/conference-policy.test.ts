/** A server that wants into a room by way of its policy: old, missing, foreign and forged ones, hidden decisions, a stranger in the owner's place. */
import assert from 'node:assert/strict'
import { must } from '../../src/base/result.ts'
import type { SignedRoom } from '../../src/model/policy.ts'
import { decideNext, draftRoom, readPolicies } from '../../src/protocol/policy/index.ts'
import { agree, worldFor } from '../kit/conference-checks.ts'
import { type ConferenceWorld, ROOM, type WorldMember } from '../kit/conference-world.ts'
import { People } from '../kit/people.ts'
import { seededTest } from '../kit/seeded-random.ts'

const quiet = { media: false } as const

/** Ann's standing room, herself in it. */
async function annsRoom(w: ConferenceWorld, policy: object = {}): Promise<WorldMember> {
  const ann = await w.arrive('Ann')
  const { known } = must(await ann.vault.call('policy.draft', { room: { ...w.policy, ...policy } }))
  must(w.shelf.keepPolicy(ROOM, known.signed))
  ann.dial()
  await w.until(() => ann.inRoom, 10_000, 'Ann in her room')
  return ann
}

/** Everybody goes, and the server forgets the room but for what the test lets it hand out. */
async function allGone(w: ConferenceWorld, ...members: WorldMember[]): Promise<void> {
  for (const m of members) m.leave()
  await w.until(() => members.every((m) => m.over !== undefined), 10_000, 'everybody gone')
  await w.run(1000)
}

function handingOut(w: ConferenceWorld, signed: SignedRoom | undefined): void {
  w.toMember = (_, m) => {
    if (m.k !== 'room-info') return [m]
    const { policy: _policy, ...rest } = m
    return [signed === undefined ? rest : { ...rest, policy: { ...signed } }]
  }
}

seededTest('an old policy is handed out again: refused by whoever knows a newer one, and said', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const ann = await annsRoom(w)
  const ben = await w.join('Ben')
  await agree(w, [ann, ben])
  const old = w.shelf.policyOf(ROOM)!
  ann.command({ do: 'remove', keyId: ben.keyId, ban: true })
  await w.until(() => ben.over !== undefined, 10_000, 'the ban')
  await w.run(500)
  assert.notDeepEqual(w.shelf.policyOf(ROOM), old)
  await allGone(w, ann)
  handingOut(w, old)
  ann.dial()
  await w.until(() => ann.inRoom, 10_000, 'Ann again')
  assert.ok(ann.roster.notes.some((n) => n.code === 'MLS_POLICY_OLD' && n.prominent === true), ann.noteCodes.join())
  assert.deepEqual(ann.roster.policy?.state.banned, [ben.keyId])
  // Ben, who was put out, opens the room first with what the server gives him: nobody who knows better follows.
  await allGone(w, ann)
  const again = await w.arrive('Ann', { as: ann, memory: await ann.memory() })
  const bens = await w.arrive('Ben', { as: ben })
  bens.dial()
  await w.until(() => bens.inRoom, 10_000, 'Ben in a room of the old policy')
  again.dial()
  await w.run(10_000)
  assert.equal(again.inRoom, false)
  assert.ok(again.noteCodes.includes('MLS_POLICY_OLD') || /MLS_POLICY_OLD|NOT_ADMITTED/.test(again.over?.reason ?? ''), `${again.noteCodes.join()} ${again.over?.reason}`)
})

seededTest('the policy is kept back, so that somebody else opens the room as its owner: refused by whoever knew it, after a restart too', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const ann = await annsRoom(w)
  const ben = await w.join('Ben')
  await agree(w, [ann, ben])
  const memory = await ben.memory()
  await allGone(w, ann, ben)
  handingOut(w, undefined)
  const mallory = await w.arrive('Mallory')
  mallory.dial()
  await w.until(() => mallory.inRoom, 10_000, 'Mallory in a room of her own')
  const restarted = await w.arrive('Ben', { as: ben, memory })
  restarted.dial()
  await w.run(15_000)
  assert.equal(restarted.inRoom, false)
  assert.ok(restarted.noteCodes.includes('MLS_POLICY_OWNER'), restarted.noteCodes.join())
  // Alone he opens the room under its own policy, whatever the server hands out.
  await allGone(w, mallory)
  restarted.leave()
  await w.run(2000)
  const third = await w.arrive('Ben', { as: ben, memory })
  third.dial()
  await w.until(() => third.inRoom, 15_000, 'Ben in Ann\'s room')
  assert.equal(third.roster.policy?.base.owners[0], ann.keyId)
})

seededTest('a stranger\'s policy of the same room, with a higher version: refused', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const ann = await annsRoom(w)
  const ben = await w.join('Ben')
  await agree(w, [ann, ben])
  await allGone(w, ann, ben)
  const mallory = w.people.person('Mallory')
  const forged = must(draftRoom(w.crypto, { ...w.policy, standing: true }, 4_000_000_000, mallory.signer))
  handingOut(w, { base: forged.base.bytes, state: forged.state.bytes })
  ben.dial()
  await w.until(() => ben.inRoom, 10_000, 'Ben')
  assert.ok(ben.roster.notes.some((n) => n.code === 'MLS_POLICY_OWNER' && n.prominent === true), ben.noteCodes.join())
  assert.equal(ben.roster.policy?.base.owners[0], ann.keyId)
  assert.equal(w.shelf.keepPolicy(ROOM, { base: forged.base.bytes, state: forged.state.bytes }).ok, false)
})

seededTest('a host\'s decision is kept from the room: nothing changes, and the host is told', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const [ann, ben] = [await w.join('Ann'), await w.join('Ben')]
  await agree(w, [ann, ben])
  w.toServer = (m, x) => (m === ann && x.k === 'room-commit' ? [] : [x])
  ann.command({ do: 'decide', decision: { act: 'lock' } })
  await w.run(15_000)
  assert.equal(ann.roster.policy?.state.locked, false)
  assert.ok(ann.noteCodes.includes('CLIENT_COMMIT_REFUSED'), ann.noteCodes.join())
})

seededTest('unlocking and admitting without a host: whoever commits it, with whatever signature, all others refuse it', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const ann = await annsRoom(w, { lobby: true })
  const evil = await w.arrive('Evil')
  evil.dial()
  await w.until(() => ann.roster.knocking.length === 1, 10_000, 'the knock')
  ann.command({ do: 'decide', decision: { act: 'admit', entry: evil.keyId } })
  await agree(w, [ann, evil])
  const ghost = await w.arrive('Ghost')
  ghost.dial()
  await w.until(() => ann.roster.knocking.length === 1, 10_000, 'another knock')
  // Evil signs the admission itself; its own vault would not, so the test does with its key, in a state that names itself a host.
  const now = must(readPolicies(w.crypto, must(await ann.vault.call('policy.known', { room: ROOM })).rooms[0]!.signed))
  assert.equal(decideNext(w.crypto, now, { act: 'admit', entry: ghost.keyId }, evil.identity.signer).ok, false)
  const usurped = must(draftRoom(w.crypto, { ...w.policy, standing: true, lobby: true }, now.base.policy.version + 1, evil.identity.signer))
  const proposed = await evil.vault.call('room.propose', { session: evil.view!.session, adds: [], removes: [], signed: { base: usurped.base.bytes, state: usurped.state.bytes } })
  assert.equal(proposed.ok ? 'proposed' : proposed.fault.code, 'MLS_CONTEXT_CHANGED')
  // A decision of Ann's for another room, or of before.
  const other = must(draftRoom(w.crypto, { ...w.policy, room: 'other' as typeof ROOM, standing: true }, 1, (await person(w, ann)).signer))
  const opened = must(decideNext(w.crypto, other, { act: 'admit', entry: ghost.keyId }, (await person(w, ann)).signer))
  for (const signed of [{ base: now.base.bytes, state: opened.state.bytes }, { base: opened.base.bytes, state: opened.state.bytes }, { base: now.base.bytes, state: now.state.bytes }]) {
    const r = await evil.vault.call('room.propose', { session: evil.view!.session, adds: [], removes: [], signed })
    assert.equal(r.ok ? 'proposed' : r.fault.code, 'MLS_CONTEXT_CHANGED')
  }
  await w.run(2000)
  assert.equal(ghost.inRoom, false)
  assert.deepEqual(ann.names, ['Ann', 'Evil'])
})

seededTest('the server claims a weaker suite, for a room that has another', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet, policy: { suite: 'x-wing' } })
  const ann = await annsRoom(w, { suite: 'x-wing' })
  const ben = await w.join('Ben')
  await agree(w, [ann, ben])
  const memory = await ben.memory()
  ben.leave()
  await w.run(1000)
  w.toMember = (_, m) => [m.k === 'room-info' ? { ...m, suite: 'x25519' } : m]
  const again = await w.arrive('Ben', { as: ben, memory })
  again.dial()
  await agree(w, [ann, again])
  assert.equal(again.roster.policy?.base.suite, 'x-wing')
  // Who does not know the room is refused: its request was made for the other suite.
  w.toMember = (_, m) => {
    if (m.k !== 'room-info') return [m]
    const { policy: _policy, ...rest } = m
    return [{ ...rest, suite: 'x25519' }]
  }
  const cas = await w.join('Cas', { limitMs: 30_000 })
  assert.equal(cas.inRoom, false)
  assert.match(cas.over?.reason ?? '', /suite/)
})

seededTest('somebody knocks under a certificate of another authority: shown to nobody as who they say', async (seed, t) => {
  const w = await worldFor(t, { seed, ...quiet })
  const ann = await annsRoom(w, { lobby: true })
  const foreign = await w.arrive('Ann', { from: new People(w.clock.unix(), w.crypto, 'Foreign CA') })
  const { keyPackage } = must(await foreign.vault.call('room.request', { room: ROOM, suite: 'x25519' }))
  w.send(ann, { k: 'room-knock', room: ROOM, request: 7, keyPackage })
  await w.run(500)
  assert.deepEqual(ann.roster.knocking, [])
  assert.ok(ann.noteCodes.includes('MLS_CREDENTIAL'))
})

async function person(_: ConferenceWorld, m: WorldMember): Promise<WorldMember['identity']> {
  return m.identity
}
