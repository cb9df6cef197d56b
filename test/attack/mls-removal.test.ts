/** Removals with invented, stolen or missing reasons; bans that others try to get around. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { err, must } from '../../src/base/result.ts'
import { type Removal, signHostAct } from '../../src/protocol/mls/removal.ts'
import { targetOf } from '../../src/protocol/mls/rules/removals.ts'
import { assertRefused, craft, stateOf } from '../kit/mls-attacker.ts'
import { type Player, Stage } from '../kit/mls-room.ts'

const removing = (leaf: number, ...removals: Removal[]) => ({ proposals: [{ proposalType: 'remove' as const, remove: { removed: leaf } }], removals })

/** Ann is the host, Ben the one who bends rules, Cas looks on, Dan is to go. */
async function four(): Promise<{ stage: Stage; ann: Player; ben: Player; cas: Player; dan: Player }> {
  const stage = new Stage()
  const [ann, ben, cas, dan] = await stage.room('Ann', 'Ben', 'Cas', 'Dan')
  return { stage, ann: ann!, ben: ben!, cas: cas!, dan: dan! }
}

test('without a reason, or with the reason of another leaf', async () => {
  const { ben, cas } = await four()
  await assertRefused(cas, (await craft(ben, removing(3))).commit, 'MLS_REMOVAL')
  await assertRefused(cas, (await craft(ben, removing(3, { leaf: 0, reason: 'unreachable' }))).commit, 'MLS_REMOVAL')
  await assertRefused(cas, (await craft(ben, { ...removing(3), reasons: Uint8Array.of(1, 0, 1) })).commit, 'MLS_REMOVAL')
})

test('as if it had asked to leave', async () => {
  const { ben, cas, dan } = await four()
  await assertRefused(cas, (await craft(ben, removing(3, { leaf: 3, reason: 'leave' }))).commit, 'MLS_REMOVAL')
  const own = must(ben.group.leave())
  await assertRefused(cas, (await craft(ben, removing(3, { leaf: 3, reason: 'leave', evidence: own }))).commit, 'MLS_REMOVAL')
  must(await cas.group.apply((await craft(ben, removing(3, { leaf: 3, reason: 'leave', evidence: must(dan.group.leave()) }))).commit))
})

test('with a wish to leave from an earlier membership', async () => {
  const { stage, ann, ben, cas, dan } = await four()
  const evidence = must(dan.group.leave())
  await stage.remove(ann, [{ leaf: 3, reason: 'unreachable' }], [ben, cas])
  await stage.add(ann, [dan], [ben, cas])
  assert.equal(dan.group.ownLeaf, 3)
  await assertRefused(cas, (await craft(ben, removing(3, { leaf: 3, reason: 'leave', evidence }))).commit, 'MLS_REMOVAL')
})

test('as a host\'s act that is none, or meant somebody else', async () => {
  const { ann, ben, cas } = await four()
  await assertRefused(cas, (await craft(ben, removing(3, { leaf: 3, reason: 'host' }))).commit, 'MLS_REMOVAL')
  const forOther = must(ann.group.act(2, false, ann.own.signer))
  await assertRefused(cas, (await craft(ben, removing(3, { leaf: 3, reason: 'host', evidence: forOther }))).commit, 'MLS_REMOVAL')
  assert.equal(ben.group.act(3, false, ben.own.signer).ok, false)
  const state = stateOf(ben)
  const target = targetOf(state, 3)
  assert.ok(target)
  const own = signHostAct(ben.world.crypto, target, ben.group.ownLeaf, undefined, state.signaturePrivateKey)
  await assertRefused(cas, (await craft(ben, removing(3, { leaf: 3, reason: 'host', evidence: own }))).commit, 'MLS_REMOVAL')
  const act = must(ann.group.act(3, false, ann.own.signer))
  must(await cas.group.apply((await craft(ben, removing(3, { leaf: 3, reason: 'host', evidence: act }))).commit))
})

test('as a rejoin of somebody who does not come back', async () => {
  const { ben, cas } = await four()
  await assertRefused(cas, (await craft(ben, removing(3, { leaf: 3, reason: 'rejoin' }))).commit, 'MLS_REMOVAL')
})

test('a ban whose new state is left out', async () => {
  const { ann, ben, cas } = await four()
  const evidence = must(ann.group.act(3, true, ann.own.signer))
  await assertRefused(cas, (await craft(ben, removing(3, { leaf: 3, reason: 'host', evidence }))).commit, 'MLS_REMOVAL')
})

test('a live peer called unreachable is removed under the name of who did it, and may come back', async () => {
  const { stage, ann, ben, cas, dan } = await four()
  const made = must(await ben.group.propose([], [{ leaf: 3, reason: 'unreachable' }]))
  const change = must(await cas.group.apply(made.commit))
  assert.deepEqual([change.committer, change.removals], [ben.group.ownLeaf, [{ leaf: 3, reason: 'unreachable' }]])
  must(await ann.group.apply(made.commit))
  must(await ben.group.confirm())
  assert.equal(must(await dan.group.apply(made.commit)).ended, true)
  await stage.add(ann, [dan], [ben, cas])
})

test('what the server says of a removal may not differ from what the committer signed', async () => {
  const { ben, cas } = await four()
  const { commit } = await craft(ben, removing(3, { leaf: 3, reason: 'unreachable' }))
  const before = cas.group.snapshot

  assert.equal((await cas.group.apply(commit, () => err('MLS_REMOVAL'))).ok, false)
  assert.equal(cas.group.snapshot, before)
  must(await cas.group.apply(commit))
})
