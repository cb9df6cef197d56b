/** The group context is what everybody agreed on: nobody adds, doubles, changes or winds back any of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Extension } from 'ts-mls'
import { must } from '../../src/base/result.ts'
import { createRoom } from '../../src/protocol/mls/begin.ts'
import { MlsGroup } from '../../src/protocol/mls/group.ts'
import { signBase, signState } from '../../src/protocol/policy/signed-policy.ts'
import { contextExtensions } from '../../src/protocol/mls/rules/context.ts'
import { assertRefused, codeOf, craft, stateOf, withProposals } from '../kit/mls-attacker.ts'
import { policyOf, Stage } from '../kit/mls-room.ts'

const changing = (extensions: Extension[]) => ({ proposals: [{ proposalType: 'group_context_extensions' as const, groupContextExtensions: { extensions } }] })

test('external senders, doubled, missing or foreign extensions are refused in a commit', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const [base, state] = contextExtensions(ann!.group.snapshot.policies)
  const senders: Extension = { extensionType: 'external_senders', extensionData: new Uint8Array(0) }
  for (const list of [[base!], [base!, state!, state!], [base!, base!], [state!, base!], [base!, state!, { extensionType: 0xf5c9, extensionData: new Uint8Array(1) }]]) {
    // The library's own check of capabilities is not to be what refuses.
    const { commit } = await craft(ann!, changing(list))
    await assertRefused(ben!, commit, 'MLS_CONTEXT_CHANGED')
  }
  const { commit } = await craft(ann!)
  await assertRefused(ben!, withProposals(commit, changing([base!, state!, senders]).proposals), 'MLS_CONTEXT_CHANGED')
})

test('a new state is taken from a host alone, and only as the next one', async () => {
  const stage = new Stage()
  const [ann, ben, cas] = await stage.room('Ann', 'Ben', 'Cas')
  const { policies } = ann!.group.snapshot
  const [base] = contextExtensions(policies)
  const stateBy = (who: typeof ann, version: number, previous = policies.state) =>
    contextExtensions({ base: policies.base, state: must(signState(stage.crypto, policies.base, { version, locked: true, admitted: [], banned: [] }, previous, who!.own.signer)) })[1]!
  await assertRefused(cas!, (await craft(ben!, changing([base!, stateBy(ben, 2)]))).commit, 'MLS_CONTEXT_CHANGED')
  await assertRefused(cas!, (await craft(ann!, changing([base!, stateBy(ann, 3)]))).commit, 'MLS_CONTEXT_CHANGED')
  await assertRefused(cas!, (await craft(ann!, changing([base!, stateBy(ann, 1)]))).commit, 'MLS_CONTEXT_CHANGED')
  const other = must(signState(stage.crypto, policies.base, { version: 1, locked: false, admitted: ['x'], banned: [] }, undefined, ann!.own.signer))
  await assertRefused(cas!, (await craft(ann!, changing([base!, stateBy(ann, 2, other)]))).commit, 'MLS_CONTEXT_CHANGED')
  // The host's word, whoever commits it.
  must(await cas!.group.apply((await craft(ben!, changing([base!, stateBy(ann, 2)]))).commit))
  assert.equal(cas!.group.snapshot.policies.state.policy.locked, true)
})

test('another base policy is refused, even of the owner', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const { policies } = ann!.group.snapshot
  const base = must(signBase(stage.crypto, { ...policies.base.policy, version: policies.base.policy.version + 1, admit: ['cn:Nobody'] }, ann!.own.signer))
  const state = must(signState(stage.crypto, base, { version: 1, locked: false, admitted: [], banned: [] }, undefined, ann!.own.signer))
  await assertRefused(ben!, (await craft(ann!, changing(contextExtensions({ base, state })))).commit, 'MLS_CONTEXT_CHANGED')
})

test('a policy signed by a host, who is no owner, makes no room that others enter', async () => {
  const stage = new Stage()
  const [ann, mallory] = [stage.player('Ann'), stage.player('Mallory')]
  const base = must(signBase(stage.crypto, policyOf(ann.keyId, stage.clock.unix(), { hosts: [mallory.keyId] }), mallory.own.signer))
  const state = must(signState(stage.crypto, base, { version: 1, locked: false, admitted: [], banned: [] }, undefined, mallory.own.signer))
  mallory.group = new MlsGroup(mallory.world, must(await createRoom(mallory.world, { base, state }, 1, must(mallory.keeper.leafKey('x25519', stage.clock.unix())))))
  const { bytes, own } = await stage.request(ann)
  const made = must(await mallory.group.propose([{ id: 1, keyPackage: bytes }], []))
  await assert.rejects(stage.enter(ann, own, made.welcome!), /MLS_POLICY/)
})

test('an old policy does not come back: neither to those who saw a newer one nor in a new group', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const old = ann!.group.snapshot.policies
  const evidence = must(ann!.group.act(1, true, ann!.own.signer))
  const cas = stage.player('Cas')
  await stage.add(ann!, [cas], [ben!])
  const made = must(await ann!.group.propose([], [{ leaf: 1, reason: 'host', evidence }]))
  must(await cas.group.apply(made.commit))
  must(await ann!.group.confirm())
  assert.deepEqual(cas.group.snapshot.policies.state.policy.banned, [ben!.keyId])
  // Ben starts the room again as it was before the ban: Cas remembers.
  const dan = stage.player('Dan')
  dan.group = new MlsGroup(dan.world, must(await createRoom(dan.world, old, 2, must(dan.keeper.leafKey('x25519', stage.clock.unix())))))
  const { bytes, own } = await stage.request(cas)
  const again = must(await dan.group.propose([{ id: 1, keyPackage: bytes }], []))
  await assert.rejects(stage.enter(cas, own, again.welcome!), /MLS_POLICY_OLD/)
  assert.equal(codeOf(await dan.group.confirm()), 'accepted')
  assert.equal(stateOf(dan).groupContext.epoch, 1n)
})
