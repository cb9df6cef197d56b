/**
 * A member that keeps to no rule makes commits with acts that no host signed, old acts and those of others; the server that helps it puts
 * them in order for everybody. What its own vault would refuse does not matter: each other vault refuses by itself, says so, and stays.
 */
import assert from 'node:assert/strict'
import { must } from '../../src/base/result.ts'
import { decideNext, draftRoom, type Policies, readPolicies, signBase, signNotice, signState } from '../../src/protocol/policy/index.ts'
import { type Removal, signHostAct, signLeave } from '../../src/protocol/mls/removal.ts'
import { targetOf } from '../../src/protocol/mls/rules/removals.ts'
import { agree, worldFor } from '../kit/conference-checks.ts'
import { type ConferenceWorld, ROOM, type WorldMember } from '../kit/conference-world.ts'
import { assertRefusedByAll, contextOf, type Forgery, groupOf, impose } from '../kit/hostile-commits.ts'
import { People, REALM } from '../kit/people.ts'
import { seededTest } from '../kit/seeded-random.ts'

interface Scene {
  readonly w: ConferenceWorld
  readonly ann: WorldMember
  readonly ben: WorldMember
  readonly cas: WorldMember
  readonly evil: WorldMember
  /** Refused by Ann, Ben and Cas with this code. */
  readonly refused: (what: string, code: string, f: Forgery) => Promise<void>
}

/** Ann's standing room, with Ben, Cas and Evil in it. */
async function scene(t: { after(run: () => void): void }, seed: number, policy: object = {}): Promise<Scene> {
  const w = await worldFor(t, { seed, media: false })
  const ann = await w.arrive('Ann')
  must(w.shelf.keepPolicy(ROOM, must(await ann.vault.call('policy.draft', { room: { ...w.policy, ...policy } })).known.signed))
  ann.dial()
  await w.until(() => ann.inRoom, 10_000, 'Ann in her room')
  const [ben, cas, evil] = [await w.join('Ben'), await w.join('Cas'), await w.join('Evil', { hostile: {} })]
  const all = [ann, ben, cas, evil]
  await agree(w, all)
  await w.run(4000)
  const refused = async (what: string, code: string, f: Forgery): Promise<void> => {
    await assertRefusedByAll(w, evil, f, [ann, ben, cas], code, what)
    // The number is used up for them; the next one that counts shows the hole, and they come back.
    for (const m of [ann, ben, cas]) w.send(m, { k: 'room-reset', room: ROOM, reason: 'test', generation: w.machine.state.generation })
    await agree(w, all, 60_000)
    await w.run(2500)
  }
  return { w, ann, ben, cas, evil, refused }
}

const policiesNow = async (w: ConferenceWorld, m: WorldMember): Promise<Policies> => readPoliciesOf(w, must(await m.vault.call('policy.known', { room: ROOM })).rooms[0]!.signed)
const readPoliciesOf = (w: ConferenceWorld, signed: Parameters<typeof readPolicies>[1]): Policies => must(readPolicies(w.crypto, signed))
const none = { locked: false, admitted: [], banned: [] } as const

seededTest('control: what a member may commit of its own accord, made the same way, is taken by all; an act that a host did sign stands under the host\'s name', async (seed, t) => {
  const { w, ann, ben, cas, evil } = await scene(t, seed)
  const before = ann.roster.epoch
  const act = must(await ann.vault.call('room.act', { session: ann.view!.session, leaf: ann.leafOf(cas), ban: false })).evidence
  await impose(w, evil, { removals: [{ leaf: evil.leafOf(cas), reason: 'host', evidence: act }] }, [ann, ben, cas])
  for (const m of [ann, ben]) {
    assert.equal(m.roster.epoch, before + 1n, m.name)
    assert.ok(m.roster.notes.some((n) => n.text === 'Cas was removed (host) by Ann'), m.roster.notes.map((n) => n.text).join())
  }
  assert.equal(cas.over?.code, 'CLIENT_REMOVED')
})

seededTest('a host\'s act that no host signed: in one\'s own name, in the host\'s with one\'s own key, for another target, of before', async (seed, t) => {
  const { w, ann, ben, cas, evil, refused } = await scene(t, seed)
  const act = async (change: (s: { by: number; key: Uint8Array; target: WorldMember }) => { by: number; key: Uint8Array; target: WorldMember } = (s) => s): Promise<Removal> => {
    const { state } = groupOf(evil)
    const { by, key, target } = change({ by: evil.leafOf(ann), key: state.signaturePrivateKey, target: ben })
    const leaf = evil.leafOf(target)
    return { leaf, reason: 'host', evidence: signHostAct(w.crypto, targetOf(state, leaf)!, by, undefined, key) }
  }
  await refused('the host\'s name under another\'s signature', 'MLS_REMOVAL', { removals: [await act()] })
  await refused('one\'s own name', 'MLS_REMOVAL', { removals: [await act((s) => ({ ...s, by: evil.leafOf(evil) }))] })
  await refused('no evidence', 'MLS_REMOVAL', { removals: [{ leaf: evil.leafOf(ben), reason: 'host' }] })
  // A genuine act of Ann's: for Cas. Cas comes back afterwards.
  const genuine = must(await ann.vault.call('room.act', { session: ann.view!.session, leaf: ann.leafOf(cas), ban: false })).evidence
  await refused('Ann\'s act for another', 'MLS_REMOVAL', { removals: [{ leaf: evil.leafOf(ben), reason: 'host', evidence: genuine }] })
  cas.leave()
  await agree(w, [ann, ben, evil])
  cas.dial()
  await agree(w, [ann, ben, cas, evil])
  await w.run(3000)
  await refused('Ann\'s act of before Cas came back', 'MLS_REMOVAL', { removals: [{ leaf: evil.leafOf(cas), reason: 'host', evidence: genuine }] })
})

seededTest('other reasons that do not hold: a wish to leave, a notice, a rejoin without anybody, a ban without its state', async (seed, t) => {
  const { w, ann, ben, evil, refused } = await scene(t, seed)
  const { state } = groupOf(evil)
  const leaf = (): number => evil.leafOf(ben)
  await refused('a wish signed by another', 'MLS_REMOVAL', { removals: [{ leaf: leaf(), reason: 'leave', evidence: signLeave(w.crypto, targetOf(state, leaf())!, state.signaturePrivateKey) }] })
  const notice = must(signNotice(w.crypto, { kind: 'block', realm: REALM, target: ben.keyId, issued: w.clock.unix(), reason: '' }, evil.identity.signer)).bytes
  await refused('a notice of one\'s own', 'MLS_REMOVAL', { removals: [{ leaf: leaf(), reason: 'blocked', evidence: notice }] })
  await refused('a rejoin of nobody', 'MLS_REMOVAL', { removals: [{ leaf: leaf(), reason: 'rejoin' }] })
  const ban = must(await ann.vault.call('room.act', { session: ann.view!.session, leaf: ann.leafOf(ben), ban: true })).evidence
  await refused('Ann\'s ban without the state that bans', 'MLS_REMOVAL', { removals: [{ leaf: leaf(), reason: 'host', evidence: ban }] })
})

seededTest('unlocking: signed by who is no host, an older state, a state that skips one, of another room', async (seed, t) => {
  const { w, ann, ben, evil, refused } = await scene(t, seed)
  const open = await policiesNow(w, ann)
  ann.command({ do: 'decide', decision: { act: 'lock' } })
  await w.until(() => ben.roster.policy?.state.locked === true, 5000, 'the lock')
  await w.run(2500)
  const now = await policiesNow(w, ann)
  const next = { ...none, version: now.state.policy.version + 1 }
  const state = (changes: object, by = evil, base = now.base, previous = now.state): Uint8Array => must(signState(w.crypto, base, { ...next, ...changes }, previous, by.identity.signer)).bytes
  const forged: readonly (readonly [string, Forgery])[] = [
    ['signed by Evil', { context: contextOf(now.base.bytes, state({})) }],
    ['the state of before the lock', { context: contextOf(now.base.bytes, open.state.bytes) }],
    ['Ann\'s own hand, two versions on', { context: contextOf(now.base.bytes, state({ version: next.version + 1 }, ann)) }],
    ['Ann\'s own hand, not after the lock', { context: contextOf(now.base.bytes, state({}, ann, now.base, open.state)) }],
  ]
  for (const [what, f] of forged) await refused(what, 'MLS_CONTEXT_CHANGED', f)
  const other = must(draftRoom(w.crypto, { ...w.policy, room: 'other' as typeof ROOM, standing: true }, now.base.policy.version, ann.identity.signer))
  await refused('Ann\'s state of another room', 'MLS_CONTEXT_CHANGED', { context: contextOf(now.base.bytes, state({}, ann, other.base)) })
  await refused('Ann\'s policy of another room', 'MLS_CONTEXT_CHANGED', { context: contextOf(other.base.bytes, other.state.bytes) })
  for (const m of [ann, ben]) assert.equal(m.roster.policy?.state.locked, true)
})

seededTest('the policy stripped, replaced, or with something beside it', async (seed, t) => {
  const { w, ann, evil, refused } = await scene(t, seed)
  const now = await policiesNow(w, ann)
  const [base, state] = contextOf(now.base.bytes, now.state.bytes)
  await refused('no policy', 'MLS_CONTEXT_CHANGED', { context: [] })
  await refused('no state', 'MLS_CONTEXT_CHANGED', { context: [base!] })
  const mine = must(signBase(w.crypto, { ...now.base.policy, owners: [evil.keyId], version: now.base.policy.version + 1 }, evil.identity.signer))
  const mineState = must(signState(w.crypto, mine, { ...none, version: now.state.policy.version + 1 }, now.state, evil.identity.signer))
  await refused('Evil as the owner', 'MLS_CONTEXT_CHANGED', { context: contextOf(mine.bytes, mineState.bytes) })
  const decided = must(decideNext(w.crypto, now, { act: 'lock' }, ann.identity.signer))
  await refused('senders from outside', 'MLS_CONTEXT_CHANGED', { context: [...contextOf(decided.base.bytes, decided.state.bytes), { extensionType: 5, extensionData: new Uint8Array(4) }] })
  await refused('the state twice', 'MLS_CONTEXT_CHANGED', { context: [base!, state!, state!] })
})

seededTest('letting in: somebody of a second authority, somebody from the lobby, somebody whom a host put out in the same breath', async (seed, t) => {
  const { w, ann, ben, cas, evil, refused } = await scene(t, seed)
  const request = async (m: WorldMember): Promise<Uint8Array> => must(await m.vault.call('room.request', { room: ROOM, suite: 'x25519' })).keyPackage
  const ghost = await w.arrive('Ghost', { from: new People(w.clock.unix(), w.crypto, 'Foreign CA') })
  await refused('a ghost', 'MLS_CREDENTIAL', { adds: [await request(ghost)] })
  const dan = await w.arrive('Dan')
  ann.command({ do: 'decide', decision: { act: 'lock' } })
  await w.until(() => ben.roster.policy?.state.locked === true, 5000, 'the lock')
  await w.run(2500)
  await refused('somebody whom nobody admitted', 'MLS_LOBBY', { adds: [await request(dan)] })
  const now = await policiesNow(w, ann)
  const admitted = must(signState(w.crypto, now.base, { ...now.state.policy, version: now.state.policy.version + 1, admitted: [dan.keyId] }, now.state, evil.identity.signer))
  await refused('admitted by Evil', 'MLS_CONTEXT_CHANGED', { adds: [await request(dan)], context: contextOf(now.base.bytes, admitted.bytes) })
  await refused('the ghost in the place of Cas', 'MLS_CREDENTIAL', { adds: [await request(ghost)], removals: [{ leaf: evil.leafOf(cas), reason: 'rejoin' }] })
  await refused('Dan in the place of Cas', 'MLS_LOBBY', { adds: [await request(dan)], removals: [{ leaf: evil.leafOf(cas), reason: 'rejoin' }] })
  // Ann puts Cas out of the locked room. Whoever carries that out and takes Cas in again with the same commit undoes it.
  const out = must(await ann.vault.call('room.act', { session: ann.view!.session, leaf: ann.leafOf(cas), ban: false })).evidence
  await refused('put out and back in', 'MLS_LOBBY', { adds: [await request(cas)], removals: [{ leaf: evil.leafOf(cas), reason: 'host', evidence: out }] })
})
