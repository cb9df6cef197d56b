/**
 * Joins by Welcome (RFC 9420 §12.4.3.1) from ts-mls's parts. Its own `joinGroup` ignores octets after group info,
 * secrets and tree, takes PSKs, refuses valid trees, and does not compare the path's keys with the tree.
 */
import type { ClientConfig, ClientState, GroupInfo, KeyPackage, PrivateKeyPackage, RatchetTree, Welcome } from 'ts-mls'
import { decryptWithLabel } from 'ts-mls/crypto/hpke.js'
import { decodeGroupInfo, extractWelcomeSecret, groupInfoEncoder, verifyGroupInfoConfirmationTag, verifyGroupInfoSignature } from 'ts-mls/groupInfo.js'
import { decodeRatchetTree, encodeRatchetTree, findLeafIndex } from 'ts-mls/ratchetTree.js'
import { type GroupSecrets, decodeGroupSecrets, encodeGroupSecrets } from 'ts-mls/groupSecrets.js'
import { encode } from 'ts-mls/codec/tlsEncoder.js'
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js'
import { deriveKeySchedule } from 'ts-mls/keySchedule.js'
import { pathToRoot } from 'ts-mls/pathSecrets.js'
import { mergePrivateKeyPaths, toPrivateKeyPath } from 'ts-mls/privateKeyPath.js'
import { createSecretTree } from 'ts-mls/secretTree.js'
import { leafToNodeIndex, leafWidth, toLeafIndex } from 'ts-mls/treemath.js'
import { firstCommonAncestor } from 'ts-mls/updatePath.js'
import { welcomeKey, welcomeNonce } from 'ts-mls/welcome.js'
import { sameBytes } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { decodeExactly } from './codec.ts'
import { WELCOME_LIMIT } from './limits.ts'
import { pathKeysFit } from './path-keys.ts'
import type { Suite } from './suite.ts'
import { checkTree, leafAt } from './tree-check.ts'

export interface Opened {
  readonly info: GroupInfo
  readonly tree: RatchetTree
  readonly secrets: GroupSecrets
}

/** Decrypts and decodes: nothing about the group is believed yet. May throw what the library throws. */
export async function openWelcome(suite: Suite, welcome: Welcome, keyPackage: KeyPackage, keys: PrivateKeyPackage): Promise<Result<Opened>> {
  const cs = suite.impl
  if (welcome.cipherSuite !== cs.name) return err('MLS_WELCOME', 'another suite')
  const ref = await makeKeyPackageRef(keyPackage, cs.hash)
  const mine = welcome.secrets.filter((s) => sameBytes(s.newMember, ref))
  const [sealed] = mine
  if (sealed === undefined || mine.length > 1) return err('MLS_WELCOME', 'it is not for the key package of this request')
  const { kemOutput, ciphertext } = sealed.encryptedGroupSecrets
  const initKey = await cs.hpke.importPrivateKey(keys.initPrivateKey)
  const secretBytes = await decryptWithLabel(initKey, 'Welcome', welcome.encryptedGroupInfo, kemOutput, ciphertext, cs.hpke)
  const secrets = decodeExactly('group secrets', WELCOME_LIMIT, secretBytes, decodeGroupSecrets, encodeGroupSecrets)
  if (!secrets.ok) return secrets
  if (secrets.value.psks.length > 0) return err('MLS_PROPOSAL_FORBIDDEN', 'a welcome with pre-shared keys')

  const welcomeSecret = await extractWelcomeSecret(secrets.value.joinerSecret, new Uint8Array(cs.kdf.size), cs.kdf)
  const plain = await cs.hpke.decryptAead(await welcomeKey(welcomeSecret, cs), await welcomeNonce(welcomeSecret, cs), undefined, welcome.encryptedGroupInfo)
  const info = decodeExactly('group info', WELCOME_LIMIT, plain, decodeGroupInfo, encode(groupInfoEncoder))
  if (!info.ok) return info
  const types = info.value.extensions.map((e) => e.extensionType)
  const treeBytes = info.value.extensions.find((e) => e.extensionType === 'ratchet_tree')?.extensionData
  if (treeBytes === undefined || new Set(types).size !== types.length) return err('MLS_EXTENSIONS', 'a welcome without exactly one tree')
  const tree = decodeExactly('tree of a welcome', WELCOME_LIMIT, treeBytes, decodeRatchetTree, encodeRatchetTree)
  return tree.ok ? ok({ info: info.value, tree: tree.value, secrets: secrets.value }) : tree
}

/** Verifies all that the welcome says and gives the state of a member. Who the members are is up to the caller. */
export async function enterGroup(suite: Suite, opened: Opened, keyPackage: KeyPackage, keys: PrivateKeyPackage, clientConfig: ClientConfig): Promise<Result<ClientState>> {
  const cs = suite.impl
  const { info, tree, secrets } = opened
  const { groupContext } = info
  if (groupContext.version !== 'mls10' || groupContext.cipherSuite !== cs.name) return err('MLS_WELCOME', 'the group has another suite')
  const signer = leafAt(tree, info.signer)
  if (signer === undefined) return err('MLS_WELCOME', 'signed by nobody in the tree')
  if (!(await verifyGroupInfoSignature(info, signer.signaturePublicKey, cs.signature))) return err('MLS_WELCOME', 'its signature does not verify')
  const sound = await checkTree(tree, groupContext, suite)
  if (!sound.ok) return sound

  const own = findLeafIndex(tree, keyPackage.leafNode)
  if (own === undefined || own === info.signer) return err('MLS_WELCOME', 'our own leaf is not in the tree')
  const noPsk = new Uint8Array(cs.kdf.size)
  if (!(await verifyGroupInfoConfirmationTag(info, secrets.joinerSecret, noPsk, cs))) return err('MLS_WELCOME', 'its confirmation tag does not verify')

  const ownPath = { leafIndex: own, privateKeys: { [leafToNodeIndex(own)]: keys.hpkePrivateKey } }
  // Every commit has a path, so every welcome has its secret.
  if (secrets.pathSecret === undefined) return err('MLS_PATH_MISSING', 'a welcome without the secret of the path')
  const ancestor = firstCommonAncestor(tree, own, toLeafIndex(info.signer))
  const pathSecrets = await pathToRoot(tree, ancestor, secrets.pathSecret, cs.kdf)
  const privatePath = mergePrivateKeyPaths(await toPrivateKeyPath(pathSecrets, own, cs), ownPath)
  const [keySchedule, encryptionSecret] = await deriveKeySchedule(secrets.joinerSecret, noPsk, groupContext, cs.kdf)
  const state: ClientState = {
    groupContext,
    ratchetTree: tree,
    privatePath,
    keySchedule,
    secretTree: await createSecretTree(leafWidth(tree.length), encryptionSecret, cs.kdf),
    signaturePrivateKey: keys.signaturePrivateKey,
    confirmationTag: info.confirmationTag,
    unappliedProposals: {},
    historicalReceiverData: new Map(),
    groupActiveState: { kind: 'active' },
    clientConfig,
  }
  encryptionSecret.fill(0)
  secrets.joinerSecret.fill(0)
  return pathKeysFit(suite, state, {}) ? ok(state) : err('MLS_TREE', 'the secret of the path does not fit the tree')
}
