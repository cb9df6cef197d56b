/** RFC 9420 vectors (mls-implementations, test-vectors.md) for everything below groups. */
import assert from 'node:assert/strict'
import { authenticatedContentEncoder, decodeAuthenticatedContent } from 'ts-mls/authenticatedContent.js'
import { encode } from 'ts-mls/codec/tlsEncoder.js'
import { determineLength } from 'ts-mls/codec/variableLength.js'
import { decodeCommit, encodeCommit } from 'ts-mls/commit.js'
import { refhash } from 'ts-mls/crypto/hash.js'
import { decryptWithLabel, encryptWithLabel } from 'ts-mls/crypto/hpke.js'
import { deriveSecret, deriveTreeSecret, expandWithLabel } from 'ts-mls/crypto/kdf.js'
import { signWithLabel, verifyWithLabel } from 'ts-mls/crypto/signature.js'
import { verifyConfirmationTag } from 'ts-mls/framedContent.js'
import { encodeGroupContext, extractJoinerSecret } from 'ts-mls/groupContext.js'
import { verifyGroupInfoConfirmationTag, verifyGroupInfoSignature } from 'ts-mls/groupInfo.js'
import { initializeEpoch, mlsExporter } from 'ts-mls/keySchedule.js'
import { unprotectPrivateMessage } from 'ts-mls/messageProtection.js'
import { unprotectPublicMessage } from 'ts-mls/messageProtectionPublic.js'
import { decodeMlsMessage } from 'ts-mls/message.js'
import { computePskSecret } from 'ts-mls/presharedkey.js'
import { decodeProposal, encodeProposal } from 'ts-mls/proposal.js'
import { createSecretTree, ratchetToGeneration } from 'ts-mls/secretTree.js'
import { type ReuseGuard, expandSenderDataKey, expandSenderDataNonce } from 'ts-mls/sender.js'
import { createConfirmedHash, createInterimHash } from 'ts-mls/transcriptHash.js'
import { decryptGroupInfo, decryptGroupSecrets } from 'ts-mls/welcome.js'
import { toHex } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { decodeApplicationMessage, decodeCommitMessage, decodeKeyPackageMessage, decodeWelcomeMessage } from '../../src/protocol/mls/codec.ts'
import { CLIENT_CONFIG } from '../../src/protocol/mls/snapshot.ts'
import { hex, suite, vectors } from '../kit/mls-vectors.ts'

const cs = suite.impl
const { hpke, kdf, hash, signature } = cs

interface CryptoBasics {
  ref_hash: { label: string; value: string; out: string }
  expand_with_label: { secret: string; label: string; context: string; length: number; out: string }
  derive_secret: { secret: string; label: string; out: string }
  derive_tree_secret: { secret: string; label: string; generation: number; length: number; out: string }
  sign_with_label: { priv: string; pub: string; content: string; label: string; signature: string }
  encrypt_with_label: { priv: string; pub: string; label: string; context: string; plaintext: string; kem_output: string; ciphertext: string }
}
vectors<CryptoBasics>('crypto-basics', 'labels, signatures, HPKE', async (v) => {
  assert.equal(toHex(await refhash(v.ref_hash.label, hex(v.ref_hash.value), hash)), v.ref_hash.out)
  const e = v.expand_with_label
  assert.equal(toHex(await expandWithLabel(hex(e.secret), e.label, hex(e.context), e.length, kdf)), e.out)
  assert.equal(toHex(await deriveSecret(hex(v.derive_secret.secret), v.derive_secret.label, kdf)), v.derive_secret.out)
  const d = v.derive_tree_secret
  assert.equal(toHex(await deriveTreeSecret(hex(d.secret), d.label, d.generation, d.length, kdf)), d.out)
  const s = v.sign_with_label
  assert.ok(await verifyWithLabel(hex(s.pub), s.label, hex(s.content), hex(s.signature), signature))
  assert.equal(toHex(await signWithLabel(hex(s.priv), s.label, hex(s.content), signature)), s.signature)
  const c = v.encrypt_with_label
  const priv = await hpke.importPrivateKey(hex(c.priv))
  assert.equal(toHex(await decryptWithLabel(priv, c.label, hex(c.context), hex(c.kem_output), hex(c.ciphertext), hpke)), c.plaintext)
  const again = await encryptWithLabel(await hpke.importPublicKey(hex(c.pub)), c.label, hex(c.context), hex(c.plaintext), hpke)
  assert.equal(toHex(await decryptWithLabel(priv, c.label, hex(c.context), again.enc, again.ct, hpke)), c.plaintext)
})

interface KeySchedule {
  group_id: string
  initial_init_secret: string
  epochs: { group_context: string; commit_secret: string; psk_secret: string; confirmed_transcript_hash: string; tree_hash: string; joiner_secret: string; welcome_secret: string; init_secret: string; sender_data_secret: string; encryption_secret: string; exporter_secret: string; epoch_authenticator: string; external_secret: string; external_pub: string; confirmation_key: string; membership_key: string; resumption_psk: string; exporter: { label: string; context: string; length: number; secret: string } }[]
}
vectors<KeySchedule>('key-schedule', 'secrets of five epochs', async (v) => {
  let init = hex(v.initial_init_secret)
  for (const [i, e] of v.epochs.entries()) {
    const context = { version: 'mls10' as const, cipherSuite: cs.name, groupId: hex(v.group_id), epoch: BigInt(i), treeHash: hex(e.tree_hash), confirmedTranscriptHash: hex(e.confirmed_transcript_hash), extensions: [] }
    assert.equal(toHex(encodeGroupContext(context)), e.group_context)
    assert.equal(toHex(await extractJoinerSecret(context, init, hex(e.commit_secret), kdf)), e.joiner_secret)
    const made = await initializeEpoch(init, hex(e.commit_secret), context, hex(e.psk_secret), kdf)
    const ks = made.keySchedule
    assert.deepEqual(
      [made.joinerSecret, made.welcomeSecret, made.encryptionSecret, ks.initSecret, ks.senderDataSecret, ks.exporterSecret, ks.epochAuthenticator, ks.externalSecret, ks.confirmationKey, ks.membershipKey, ks.resumptionPsk].map(toHex),
      [e.joiner_secret, e.welcome_secret, e.encryption_secret, e.init_secret, e.sender_data_secret, e.exporter_secret, e.epoch_authenticator, e.external_secret, e.confirmation_key, e.membership_key, e.resumption_psk])
    assert.equal(toHex(await hpke.exportPublicKey((await hpke.deriveKeyPair(ks.externalSecret)).publicKey)), e.external_pub)
    // The label of this vector is a text of hex digits, its context is octets.
    assert.equal(toHex(await mlsExporter(ks.exporterSecret, e.exporter.label, hex(e.exporter.context), e.exporter.length, cs)), e.exporter.secret)
    init = ks.initSecret
  }
})

interface SecretTree {
  encryption_secret: string
  sender_data: { sender_data_secret: string; ciphertext: string; key: string; nonce: string }
  leaves: { generation: number; handshake_key: string; handshake_nonce: string; application_key: string; application_nonce: string }[][]
}
vectors<SecretTree>('secret-tree', 'ratchets of every leaf', async (v) => {
  const s = v.sender_data
  assert.equal(toHex(await expandSenderDataKey(cs, hex(s.sender_data_secret), hex(s.ciphertext))), s.key)
  assert.equal(toHex(await expandSenderDataNonce(cs, hex(s.sender_data_secret), hex(s.ciphertext))), s.nonce)
  const tree = await createSecretTree(v.leaves.length, hex(v.encryption_secret), kdf)
  const noGuard = new Uint8Array(4)
  for (const [leafIndex, generations] of v.leaves.entries()) for (const g of generations) {
    const at = { leafIndex, generation: g.generation, reuseGuard: noGuard as ReuseGuard }
    const app = await ratchetToGeneration(tree, at, 'application', CLIENT_CONFIG.keyRetentionConfig, cs)
    const hand = await ratchetToGeneration(tree, at, 'commit', CLIENT_CONFIG.keyRetentionConfig, cs)
    assert.deepEqual([app.key, app.nonce, hand.key, hand.nonce].map(toHex), [g.application_key, g.application_nonce, g.handshake_key, g.handshake_nonce])
  }
})

interface Transcript { confirmation_key: string; authenticated_content: string; interim_transcript_hash_before: string; confirmed_transcript_hash_after: string; interim_transcript_hash_after: string }
vectors<Transcript>('transcript-hashes', 'confirmed and interim', async (v) => {
  const decoded = decodeAuthenticatedContent(hex(v.authenticated_content), 0)
  assert.ok(decoded !== undefined)
  const [{ wireformat, content, auth }] = decoded
  assert.equal(toHex(encode(authenticatedContentEncoder)(decoded[0])), v.authenticated_content)
  assert.ok(content.contentType === 'commit' && auth.contentType === 'commit')
  const confirmed = await createConfirmedHash(hex(v.interim_transcript_hash_before), { wireformat, content, signature: auth.signature }, hash)
  assert.equal(toHex(confirmed), v.confirmed_transcript_hash_after)
  assert.ok(await verifyConfirmationTag(hex(v.confirmation_key), auth.confirmationTag, confirmed, hash))
  assert.equal(toHex(await createInterimHash(confirmed, auth.confirmationTag, hash)), v.interim_transcript_hash_after)
})

interface Protection { group_id: string; epoch: number; tree_hash: string; confirmed_transcript_hash: string; signature_pub: string; encryption_secret: string; sender_data_secret: string; membership_key: string; proposal: string; proposal_priv: string; proposal_pub: string; commit: string; commit_priv: string; commit_pub: string; application: string; application_priv: string }
vectors<Protection>('message-protection', 'public and private messages', async (v) => {
  const context = { version: 'mls10' as const, cipherSuite: cs.name, groupId: hex(v.group_id), epoch: BigInt(v.epoch), treeHash: hex(v.tree_hash), confirmedTranscriptHash: hex(v.confirmed_transcript_hash), extensions: [] }
  const open = async (bytes: string) => {
    const m = decodeMlsMessage(hex(bytes), 0)?.[0]
    if (m?.wireformat === 'mls_public_message') return (await unprotectPublicMessage(hex(v.membership_key), context, [], m.publicMessage, cs, hex(v.signature_pub))).content
    assert.ok(m?.wireformat === 'mls_private_message')
    const tree = await createSecretTree(2, hex(v.encryption_secret), kdf)
    return (await unprotectPrivateMessage(hex(v.sender_data_secret), m.privateMessage, tree, [], context, CLIENT_CONFIG.keyRetentionConfig, cs, hex(v.signature_pub))).content.content
  }
  for (const bytes of [v.proposal_priv, v.proposal_pub]) {
    const c = await open(bytes)
    assert.ok(c.contentType === 'proposal')
    assert.equal(toHex(encodeProposal(c.proposal)), v.proposal)
    assert.equal(toHex(encodeProposal(decodeProposal(hex(v.proposal), 0)![0])), v.proposal)
  }
  for (const bytes of [v.commit_priv, v.commit_pub]) {
    const c = await open(bytes)
    assert.ok(c.contentType === 'commit')
    assert.equal(toHex(encodeCommit(c.commit)), v.commit)
    assert.equal(toHex(encodeCommit(decodeCommit(hex(v.commit), 0)![0])), v.commit)
  }
  const app = await open(v.application_priv)
  assert.ok(app.contentType === 'application')
  assert.equal(toHex(app.applicationData), v.application)
  // The adapter takes commits as public and applications as private messages only.
  assert.equal(must(decodeCommitMessage(hex(v.commit_pub))).content.contentType, 'commit')
  assert.equal(must(decodeApplicationMessage(hex(v.application_priv))).contentType, 'application')
  for (const bytes of [v.commit_priv, v.proposal_priv]) assert.equal(decodeApplicationMessage(hex(bytes)).ok, false)
  assert.equal(decodeCommitMessage(hex(v.commit_priv)).ok, false)
})

interface Welcome { init_priv: string; key_package: string; signer_pub: string; welcome: string }
vectors<Welcome>('welcome', 'group secrets and group info', async (v) => {
  const keyPackage = must(decodeKeyPackageMessage(hex(v.key_package)))
  const welcome = must(decodeWelcomeMessage(hex(v.welcome)))
  const ref = await refhash('MLS 1.0 KeyPackage Reference', hex(v.key_package).subarray(4), hash)
  const secrets = await decryptGroupSecrets(await hpke.importPrivateKey(hex(v.init_priv)), ref, welcome, hpke)
  assert.ok(secrets !== undefined && keyPackage.cipherSuite === cs.name)
  const info = await decryptGroupInfo(welcome, secrets.joinerSecret, new Uint8Array(kdf.size), cs)
  assert.ok(info !== undefined)
  assert.ok(await verifyGroupInfoSignature(info, hex(v.signer_pub), signature))
  assert.ok(await verifyGroupInfoConfirmationTag(info, secrets.joinerSecret, new Uint8Array(kdf.size), cs))
})

interface Psk { psks: { psk_id: string; psk: string; psk_nonce: string }[]; psk_secret: string }
vectors<Psk>('psk_secret', 'as the library computes it, though rooms use none', async (v) => {
  const psks = v.psks.map((p): [{ psktype: 'external'; pskId: Uint8Array; pskNonce: Uint8Array }, Uint8Array] => [{ psktype: 'external', pskId: hex(p.psk_id), pskNonce: hex(p.psk_nonce) }, hex(p.psk)])
  assert.equal(toHex(await computePskSecret(psks, cs)), v.psk_secret)
})

vectors<{ vlbytes_header: string; length: number }>('deserialization', 'variable-size lengths', (v) => {
  assert.equal(determineLength(hex(v.vlbytes_header), 0).length, v.length)
})

