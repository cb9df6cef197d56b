/** A leaf turns into somebody else in a commit's path: ts-mls lets it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptAll } from 'ts-mls/incomingMessageAction.js'
import { processPublicMessage } from 'ts-mls/processMessages.js'
import { emptyPskIndex } from 'ts-mls/pskIndex.js'
import { must } from '../../src/base/result.ts'
import { decodeCommitMessage } from '../../src/protocol/mls/codec.ts'
import { assertRefused, craft, signingLeafWith, stateOf, withOwnLeaf } from '../kit/mls-attacker.ts'
import { Stage } from '../kit/mls-room.ts'

test('to another valid certificate', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const { suite } = ann!.group.snapshot
  const other = must(stage.player('Mallory').keeper.leafKey('x25519', stage.clock.unix()))
  const state = withOwnLeaf(stateOf(ann!), (leaf) => ({ ...leaf, credential: { credentialType: 'basic', identity: other.credential }, signaturePublicKey: other.signature.publicKey }))
  const { commit } = await craft(ann!, { state, impl: { signature: signingLeafWith(suite.impl, other.signature.privateKey) } })
  const taken = await processPublicMessage(stateOf(ben!), must(decodeCommitMessage(commit)), emptyPskIndex, suite.impl, acceptAll)
  assert.equal(taken.newState.groupContext.epoch, 2n, 'the library takes it')
  await assertRefused(ben!, commit, 'MLS_IDENTITY_CHANGED')
})

test('to a certificate without its key, or with extensions of its own', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const other = must(stage.player('Mallory').keeper.leafKey('x25519', stage.clock.unix()))
  const stolen = withOwnLeaf(stateOf(ann!), (leaf) => ({ ...leaf, credential: { credentialType: 'basic', identity: other.credential } }))
  await assertRefused(ben!, (await craft(ann!, { state: stolen })).commit, 'MLS_CREDENTIAL')
  const extended = withOwnLeaf(stateOf(ann!), (leaf) => ({ ...leaf, extensions: [{ extensionType: 0xf5c1, extensionData: Uint8Array.of(1) }, { extensionType: 0xf5c1, extensionData: Uint8Array.of(1) }] }))
  await assertRefused(ben!, (await craft(ann!, { state: extended })).commit, 'MLS_EXTENSIONS')
})

test('the same person with a renewed delegation stays who it is', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const { suite } = ann!.group.snapshot
  const renewed = must(ann!.keeper.leafKey('x25519', stage.clock.unix()))
  const state = withOwnLeaf(stateOf(ann!), (leaf) => ({ ...leaf, credential: { credentialType: 'basic', identity: renewed.credential }, signaturePublicKey: renewed.signature.publicKey }))
  must(await ben!.group.apply((await craft(ann!, { state, impl: { signature: signingLeafWith(suite.impl, renewed.signature.privateKey) } })).commit))
})
