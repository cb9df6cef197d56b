/**
 * Makes commits (RFC 9420 §12.4.1) from ts-mls's parts. Its own `createCommit` leaves the update path out when a
 * commit only adds or only changes the group context, encrypts the path under the old extensions, and, when the
 * committer ends up alone, takes zeroes for the commit secret, which the member just removed would know too.
 */
import type { ClientState, Extension, KeyPackage, Proposal, Welcome } from 'ts-mls'
import { addHistoricalReceiverData, applyProposals, nextEpochContext } from 'ts-mls/clientState.js'
import { createGroupInfoWithRatchetTree } from 'ts-mls/createCommit.js'
import { createConfirmationTag, createContentCommitSignature } from 'ts-mls/framedContent.js'
import type { GroupContext } from 'ts-mls/groupContext.js'
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js'
import { type EpochSecrets, initializeEpoch } from 'ts-mls/keySchedule.js'
import { protectPublicMessage } from 'ts-mls/messageProtectionPublic.js'
import { getCommitSecret, pathToPathSecrets } from 'ts-mls/pathSecrets.js'
import { mergePrivateKeyPaths, toPrivateKeyPath, updateLeafKey } from 'ts-mls/privateKeyPath.js'
import { emptyPskIndex } from 'ts-mls/pskIndex.js'
import { createSecretTree } from 'ts-mls/secretTree.js'
import { treeHashRoot } from 'ts-mls/treeHash.js'
import { type LeafIndex, leafToNodeIndex, leafWidth, toLeafIndex, toNodeIndex } from 'ts-mls/treemath.js'
import { type PathSecret, createUpdatePath, firstCommonAncestor } from 'ts-mls/updatePath.js'
import { encryptGroupInfo, encryptGroupSecrets } from 'ts-mls/welcome.js'
import { encodeCommitMessage, encodeWelcomeMessage } from './codec.ts'
import type { Suite } from './suite.ts'

export interface BuiltCommit {
  readonly commit: Uint8Array
  readonly welcome?: Uint8Array
  readonly next: ClientState
}

/** Throws what the library throws; the caller turns it into a fault. `state` is left as it is. */
export async function buildCommit(suite: Suite, state: ClientState, proposals: readonly Proposal[], authenticatedData: Uint8Array, welcomeExtensions: Extension[]): Promise<BuiltCommit> {
  const cs = suite.impl
  const own = toLeafIndex(state.privatePath.leafIndex)
  const byValue = proposals.map((proposal) => ({ proposalOrRefType: 'proposal' as const, proposal }))
  const applied = await applyProposals(state, byValue, own, emptyPskIndex, false, cs)
  if (applied.additionalResult.kind !== 'memberCommit') throw new Error('not a commit by a member')
  const { addedLeafNodes, extensions } = applied.additionalResult
  const context: GroupContext = { ...state.groupContext, extensions: extensions.length > 0 ? extensions : state.groupContext.extensions }

  // Added leaves get their path secret in the Welcome.
  const [tree, path, pathSecrets, leafKey] = await createUpdatePath(applied.tree, own, context, state.signaturePrivateKey, cs, addedLeafNodes.map(([leaf]) => leafToNodeIndex(leaf)))
  const privatePath = mergePrivateKeyPaths(
    updateLeafKey(state.privatePath, await cs.hpke.exportPrivateKey(leafKey)),
    await toPrivateKeyPath(pathToPathSecrets(pathSecrets), own, cs),
  )
  const commitSecret = await commitSecretOf(suite, tree, pathSecrets)

  const { signature, framedContent } = await createContentCommitSignature(
    state.groupContext, 'mls_public_message', { proposals: byValue, path }, { senderType: 'member', leafIndex: own }, authenticatedData, state.signaturePrivateKey, cs.signature)
  const treeHash = await treeHashRoot(tree, cs.hash)
  const groupContext = await nextEpochContext(context, 'mls_public_message', framedContent, signature, treeHash, state.confirmationTag, cs.hash)
  const epoch = await initializeEpoch(state.keySchedule.initSecret, commitSecret, groupContext, applied.pskSecret, cs.kdf)
  const confirmationTag = await createConfirmationTag(epoch.keySchedule.confirmationKey, groupContext.confirmedTranscriptHash, cs.hash)
  const content = { wireformat: 'mls_public_message' as const, content: framedContent, auth: { contentType: 'commit' as const, signature, confirmationTag } }
  const message = await protectPublicMessage(state.keySchedule.membershipKey, state.groupContext, content, cs)

  const next: ClientState = {
    ...state,
    groupContext,
    ratchetTree: tree,
    secretTree: await createSecretTree(leafWidth(tree.length), epoch.encryptionSecret, cs.kdf),
    keySchedule: epoch.keySchedule,
    privatePath,
    unappliedProposals: {},
    historicalReceiverData: addHistoricalReceiverData(state)[0],
    confirmationTag,
  }
  const welcome = addedLeafNodes.length === 0 ? undefined : await makeWelcome(suite, next, epoch, pathSecrets, addedLeafNodes, welcomeExtensions)
  for (const secret of [commitSecret, epoch.encryptionSecret, epoch.joinerSecret, epoch.welcomeSecret]) secret.fill(0)
  return { commit: encodeCommitMessage(message), next, ...(welcome === undefined ? {} : { welcome: encodeWelcomeMessage(welcome) }) }
}

/** §7.4: from the secret of the root; fresh randomness where there is nobody to share it with. */
function commitSecretOf(suite: Suite, tree: ClientState['ratchetTree'], pathSecrets: readonly PathSecret[]): Promise<Uint8Array> | Uint8Array {
  const last = pathSecrets.at(-1)
  if (last === undefined) return suite.impl.rng.randomBytes(suite.impl.kdf.size)
  return getCommitSecret(tree, toNodeIndex(last.nodeIndex), last.secret, suite.impl.kdf)
}

/** §12.4.3.1, with the whole tree inside. */
async function makeWelcome(suite: Suite, next: ClientState, epoch: EpochSecrets, pathSecrets: readonly PathSecret[], added: readonly [LeafIndex, KeyPackage][], extensions: Extension[]): Promise<Welcome> {
  const cs = suite.impl
  const groupInfo = await createGroupInfoWithRatchetTree(next.groupContext, next.confirmationTag, next, next.ratchetTree, extensions, cs)
  const encryptedGroupInfo = await encryptGroupInfo(groupInfo, epoch.welcomeSecret, cs)
  const own = toLeafIndex(next.privatePath.leafIndex)
  const secrets = await Promise.all(added.map(async ([leaf, keyPackage]) => {
    const ancestor = firstCommonAncestor(next.ratchetTree, leaf, own)
    const pathSecret = pathSecrets.find((p) => p.nodeIndex === ancestor)?.secret
    const initKey = await cs.hpke.importPublicKey(keyPackage.initKey)
    const sealed = await encryptGroupSecrets(initKey, encryptedGroupInfo, { joinerSecret: epoch.joinerSecret, pathSecret, psks: [] }, cs.hpke)
    return { newMember: await makeKeyPackageRef(keyPackage, cs.hash), encryptedGroupSecrets: { kemOutput: sealed.enc, ciphertext: sealed.ct } }
  }))
  return { cipherSuite: next.groupContext.cipherSuite, secrets, encryptedGroupInfo }
}
