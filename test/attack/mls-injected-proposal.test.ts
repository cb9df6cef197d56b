/** Proposals slipped in by strangers or members, alone or by reference: ts-mls stores them and the next commit takes them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProposal } from 'ts-mls/createMessage.js'
import { proposeAddExternal } from 'ts-mls/externalProposal.js'
import { createGroupInfo } from 'ts-mls/createCommit.js'
import { acceptAll } from 'ts-mls/incomingMessageAction.js'
import { processPublicMessage } from 'ts-mls/processMessages.js'
import { emptyPskIndex } from 'ts-mls/pskIndex.js'
import type { Proposal } from 'ts-mls'
import { must } from '../../src/base/result.ts'
import { decodeCommitMessage, encodeApplicationMessage, encodeCommitMessage } from '../../src/protocol/mls/codec.ts'
import { assertRefused, codeOf, craft, libraryCommit, stateOf, withProposals } from '../kit/mls-attacker.ts'
import { assertAgree, Stage } from '../kit/mls-room.ts'

test('a stranger\'s own Add proposal is refused, though the library stores it', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const { suite } = ann!.group.snapshot
  const ghost = stage.player('Ghost')
  const { own } = await stage.request(ghost)
  const info = await createGroupInfo(stateOf(ann!).groupContext, stateOf(ann!).confirmationTag, stateOf(ann!), [], suite.impl)
  const message = await proposeAddExternal(info, own.publicPackage, own.privatePackage, suite.impl)
  assert.ok(message.wireformat === 'mls_public_message')
  const stored = await processPublicMessage(stateOf(ben!), message.publicMessage, emptyPskIndex, suite.impl, acceptAll)
  assert.equal(Object.keys(stored.newState.unappliedProposals).length, 1, 'the library stores it')
  await assertRefused(ben!, encodeCommitMessage(message.publicMessage), 'MLS_EXTERNAL_SENDER')
})

test('a member\'s standalone proposal is refused', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben', 'Cas')
  const { message } = await createProposal(stateOf(ann!), true, { proposalType: 'remove', remove: { removed: 2 } }, ann!.group.snapshot.suite.impl)
  assert.ok(message.wireformat === 'mls_public_message')
  await assertRefused(ben!, encodeCommitMessage(message.publicMessage), 'MLS_NOT_PUBLIC_COMMIT')
})

test('a commit that refers to a proposal is refused', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben', 'Cas')
  const { newState } = await createProposal(stateOf(ann!), true, { proposalType: 'remove', remove: { removed: 2 } }, ann!.group.snapshot.suite.impl)
  await assertRefused(ben!, await libraryCommit(ann!, [], newState), 'MLS_PROPOSAL_BY_REFERENCE')
})

const FORBIDDEN: Record<string, (groupId: Uint8Array) => Proposal> = {
  'PSK': () => ({ proposalType: 'psk', psk: { preSharedKeyId: { psktype: 'external', pskId: Uint8Array.of(1), pskNonce: new Uint8Array(32) } } }),
  'ReInit': (groupId) => ({ proposalType: 'reinit', reinit: { groupId, version: 'mls10', cipherSuite: 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519', extensions: [] } }),
  'custom': () => ({ proposalType: 0xf123, proposalData: Uint8Array.of(1) }),
}
for (const [what, make] of Object.entries(FORBIDDEN)) {
  test(`a ${what} proposal is refused`, async () => {
    const stage = new Stage()
    const [ann, ben] = await stage.room('Ann', 'Ben')
    await assertRefused(ben!, withProposals((await craft(ann!)).commit, [make(ann!.group.groupId)]), 'MLS_PROPOSAL_FORBIDDEN')
  })
}

test('a commit without a path is refused: the library makes none for a change of context or an Add', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const { extensions } = stateOf(ann!).groupContext
  await assertRefused(ben!, await libraryCommit(ann!, [{ proposalType: 'group_context_extensions', groupContextExtensions: { extensions } }]), 'MLS_PATH_MISSING')
  const { own } = await stage.request(stage.player('Cas'))
  const { commit } = await craft(ann!, { proposals: [{ proposalType: 'add', add: { keyPackage: own.publicPackage } }] })
  const decoded = must(decodeCommitMessage(commit))
  assert.ok(decoded.content.contentType === 'commit')
  await assertRefused(ben!, encodeCommitMessage({ ...decoded, content: { ...decoded.content, commit: { ...decoded.content.commit, path: undefined } } }), 'MLS_PATH_MISSING')
})

test('a handshake message sent as a private one is refused', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const { message } = await createProposal(stateOf(ann!), false, { proposalType: 'remove', remove: { removed: 1 } }, ann!.group.snapshot.suite.impl)
  assert.ok(message.wireformat === 'mls_private_message')
  assert.equal(codeOf(await ben!.group.receive(encodeApplicationMessage(message.privateMessage))), 'MLS_NOT_PUBLIC_COMMIT')
  assertAgree([ann!, ben!])
})
