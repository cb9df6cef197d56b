/** A stranger enters by an external commit: ts-mls takes it, and lets it remove a member. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGroupInfoWithExternalPubAndRatchetTree, joinGroupExternal } from 'ts-mls/createCommit.js'
import { getCiphersuiteFromName } from 'ts-mls/crypto/ciphersuite.js'
import { defaultCryptoProvider } from 'ts-mls/crypto/implementation/default/provider.js'
import { acceptAll } from 'ts-mls/incomingMessageAction.js'
import { processPublicMessage } from 'ts-mls/processMessages.js'
import { emptyPskIndex } from 'ts-mls/pskIndex.js'
import { encodeCommitMessage } from '../../src/protocol/mls/codec.ts'
import { encodeRemovals } from '../../src/protocol/mls/removal.ts'
import { CLIENT_CONFIG } from '../../src/protocol/mls/snapshot.ts'
import { assertRefused, craft, stateOf, withProposals } from '../kit/mls-attacker.ts'
import { Stage } from '../kit/mls-room.ts'

test('an external commit is refused, though the library would take it', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const { suite } = ann!.group.snapshot
  // The library's own provider can do what ours leaves out.
  const cs = await defaultCryptoProvider.getCiphersuiteImpl(getCiphersuiteFromName(suite.impl.name))
  const info = await createGroupInfoWithExternalPubAndRatchetTree(stateOf(ann!), [], cs)
  const ghost = stage.player('Ghost')
  const { own } = await stage.request(ghost)
  const { publicMessage } = await joinGroupExternal(info, own.publicPackage, own.privatePackage, false, cs, undefined, CLIENT_CONFIG, encodeRemovals([]))
  const taken = await processPublicMessage(stateOf(ben!), publicMessage, emptyPskIndex, cs, acceptAll)
  assert.equal(taken.newState.ratchetTree.filter((n) => n?.nodeType === 'leaf').length, 3, 'the library lets the ghost in')
  await assertRefused(ben!, encodeCommitMessage(publicMessage), 'MLS_EXTERNAL_SENDER')
})

test('an external_init proposal in a member\'s commit is refused', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const { commit } = await craft(ann!)
  await assertRefused(ben!, withProposals(commit, [{ proposalType: 'external_init', externalInit: { kemOutput: new Uint8Array(32) } }]), 'MLS_PROPOSAL_FORBIDDEN')
  assert.equal((await ben!.group.apply(commit)).ok, true)
})
