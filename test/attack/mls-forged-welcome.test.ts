/** Welcomes that a hostile member seals itself: everything in one is opened, bent in one place, signed and sealed again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupInfo, Welcome } from 'ts-mls'
import { encryptWithLabel } from 'ts-mls/crypto/hpke.js'
import { encodeGroupInfo, extractWelcomeSecret, signGroupInfo } from 'ts-mls/groupInfo.js'
import { encodeGroupSecrets, type GroupSecrets } from 'ts-mls/groupSecrets.js'
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js'
import { welcomeKey, welcomeNonce } from 'ts-mls/welcome.js'
import { ssrc } from '../../src/base/brand.ts'
import { concat } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { joinRoom, makeGroupId } from '../../src/protocol/mls/begin.ts'
import { decodeWelcomeMessage, encodeWelcomeMessage } from '../../src/protocol/mls/codec.ts'
import { buildCommit } from '../../src/protocol/mls/commit-builder.ts'
import { EXTENSION } from '../../src/protocol/mls/extension-types.ts'
import { openWelcome } from '../../src/protocol/mls/join.ts'
import { encodeRemovals } from '../../src/protocol/mls/removal.ts'
import { encodeStreams, signStream } from '../../src/protocol/mls/stream.ts'
import { codeOf } from '../kit/mls-attacker.ts'
import { ROOM, Stage } from '../kit/mls-room.ts'
import { REALM } from '../kit/people.ts'

const asked = { room: ROOM, realm: REALM, suite: 'x25519' as const }

interface Bend {
  readonly info?: (info: GroupInfo) => Partial<GroupInfo>
  readonly secrets?: (s: GroupSecrets) => Partial<GroupSecrets>
  readonly welcome?: Partial<Welcome>
  /** Octets behind what is sealed. */
  readonly after?: 'info' | 'secrets'
  readonly unsigned?: boolean
  /** Who is added to the tree instead of the one who gets the welcome. */
  readonly adds?: string
}

async function forged(bend: Bend): Promise<string> {
  const stage = new Stage()
  const [ann, cas] = await stage.room('Ann', 'Cas')
  assert.ok(cas)
  const ben = stage.player('Ben')
  const { bytes, own } = await stage.request(ben)
  const added = bend.adds === undefined ? { bytes, own } : await stage.request(stage.player(bend.adds))
  const made = must(await ann!.group.propose([{ id: 1, keyPackage: added.bytes }], []))
  const { suite, state } = ann!.group.snapshot
  const cs = suite.impl
  const welcome = must(decodeWelcomeMessage(made.welcome!))
  const opened = must(await openWelcome(suite, welcome, added.own.publicPackage, added.own.privatePackage))

  const more = (what: Bend['after'], octets: Uint8Array): Uint8Array => (bend.after === what ? concat(octets, Uint8Array.of(0)) : octets)
  const secrets = { ...opened.secrets, ...bend.secrets?.(opened.secrets) }
  const bent = { ...opened.info, ...bend.info?.(opened.info) }
  const info = bend.unsigned === true ? bent : await signGroupInfo(bent, state.signaturePrivateKey, cs.signature)
  const welcomeSecret = await extractWelcomeSecret(secrets.joinerSecret, new Uint8Array(cs.kdf.size), cs.kdf)
  const encryptedGroupInfo = await cs.hpke.encryptAead(await welcomeKey(welcomeSecret, cs), await welcomeNonce(welcomeSecret, cs), undefined, more('info', encodeGroupInfo(info)))
  const initKey = await cs.hpke.importPublicKey(own.publicPackage.initKey)
  const { enc, ct } = await encryptWithLabel(initKey, 'Welcome', encryptedGroupInfo, more('secrets', encodeGroupSecrets(secrets)), cs.hpke)
  const again = { ...welcome, secrets: [{ newMember: await makeKeyPackageRef(own.publicPackage, cs.hash), encryptedGroupSecrets: { kemOutput: enc, ciphertext: ct } }], encryptedGroupInfo, ...bend.welcome }
  const joined = await joinRoom(ben.world, { ...asked, own }, encodeWelcomeMessage(again))
  return joined.ok ? 'accepted' : `${joined.fault.code} ${joined.fault.message}`
}

test('one that is only sealed again is taken: the control', async () => {
  assert.equal(await forged({}), 'accepted')
})

const flip = (b: Uint8Array): Uint8Array => b.map((x, i) => (i === 3 ? x ^ 1 : x))
const tree = (i: GroupInfo) => i.extensions.find((e) => e.extensionType === 'ratchet_tree')!

const bends: Readonly<Record<string, readonly [Bend, RegExp]>> = {
  'under another suite outside': [{ welcome: { cipherSuite: 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256' } }, /MLS_WELCOME.*another suite/],
  'into a group of another suite': [{ info: (i) => ({ groupContext: { ...i.groupContext, cipherSuite: 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256' } }) }, /MLS_WELCOME.*the group has another suite/],
  'whose group has an id of another form': [{ info: (i) => ({ groupContext: { ...i.groupContext, groupId: Uint8Array.of(1, 2, 3) } }) }, /MLS_WELCOME.*not of our form/],
  'into a group of another name': [{ info: (i) => ({ groupContext: { ...i.groupContext, groupId: makeGroupId(9, new Uint8Array(16)) } }) }, /MLS_TREE/],
  'signed by nobody': [{ unsigned: true, info: (i) => ({ signature: flip(i.signature) }) }, /MLS_WELCOME.*signature does not verify/],
  'in another member\'s name': [{ info: () => ({ signer: 1 }) }, /MLS_WELCOME.*signature does not verify/],
  'in the name of a leaf that is not there': [{ info: () => ({ signer: 7 }) }, /MLS_WELCOME.*nobody in the tree/],
  'in the name of the one who joins': [{ info: () => ({ signer: 2 }) }, /MLS_WELCOME.*signature does not verify/],
  'into a tree in which another was added': [{ adds: 'Dan' }, /MLS_WELCOME.*our own leaf/],
  'whose confirmation tag is wrong': [{ info: (i) => ({ confirmationTag: flip(i.confirmationTag) }) }, /MLS_WELCOME.*confirmation tag/],
  'whose joiner secret is that of another epoch': [{ secrets: (s) => ({ joinerSecret: flip(s.joinerSecret) }) }, /MLS_WELCOME.*confirmation tag/],
  'with a pre-shared key': [{ secrets: () => ({ psks: [{ psktype: 'external', pskId: new Uint8Array(4), pskNonce: new Uint8Array(32) }] }) }, /MLS_PROPOSAL_FORBIDDEN/],
  'without the secret of the path': [{ secrets: () => ({ pathSecret: undefined }) }, /MLS_PATH_MISSING/],
  'with the secret of another path': [{ secrets: (s) => ({ pathSecret: flip(s.pathSecret!) }) }, /MLS_TREE/],
  'without a tree': [{ info: (i) => ({ extensions: i.extensions.filter((e) => e !== tree(i)) }) }, /MLS_EXTENSIONS/],
  'with two trees': [{ info: (i) => ({ extensions: [...i.extensions, tree(i)] }) }, /MLS_EXTENSIONS/],
  'with octets after the tree': [{ info: (i) => ({ extensions: i.extensions.map((e) => (e === tree(i) ? { ...e, extensionData: concat(e.extensionData, Uint8Array.of(0)) } : e)) }) }, /MLS_MALFORMED/],
  'with octets after the group info': [{ after: 'info' }, /MLS_MALFORMED/],
  'with octets after the secrets': [{ after: 'secrets' }, /MLS_MALFORMED/],
}
for (const [name, [bend, code]] of Object.entries(bends)) test(`one ${name}`, async () => {
  assert.match(await forged(bend), code)
})

test('one with two members under one SSRC, or two streams of one member', async () => {
  const stage = new Stage()
  const [ann, cas] = await stage.room('Ann', 'Cas')
  const ben = stage.player('Ben')
  const { own } = await stage.request(ben)
  const { suite, state } = ann!.group.snapshot
  const claim = (by: typeof ann, leaf: number, of: number) => signStream(stage.crypto, ann!.group.groupId, leaf, ssrc(of), by!.group.snapshot.state.signaturePrivateKey)
  for (const [claims, code] of [
    [[claim(ann, 0, 5), claim(cas, 1, 6)], 'accepted'],
    [[claim(ann, 0, 5), claim(cas, 1, 5)], 'MLS_STREAM_TAKEN'],
    [[claim(ann, 0, 5), claim(ann, 0, 6)], 'MLS_MESSAGE'],
  ] as const) {
    const extension = { extensionType: EXTENSION.streams, extensionData: encodeStreams([...claims]) }
    const { welcome } = await buildCommit(suite, state, [{ proposalType: 'add', add: { keyPackage: own.publicPackage } }], encodeRemovals([]), [extension])
    assert.equal(codeOf(await joinRoom(ben.world, { ...asked, own }, welcome!)), code)
  }
})

test('one into a room that has more members than its policy allows', async () => {
  const stage = new Stage()
  const ann = stage.player('Ann')
  await stage.create(ann, { maximumMembers: 2 })
  await stage.add(ann, [stage.player('Cas')])
  const ben = stage.player('Ben')
  const { own } = await stage.request(ben)
  const { suite, state } = ann.group.snapshot
  const none = { extensionType: EXTENSION.streams, extensionData: encodeStreams([]) }
  const { welcome } = await buildCommit(suite, state, [{ proposalType: 'add', add: { keyPackage: own.publicPackage } }], encodeRemovals([]), [none])
  assert.equal(codeOf(await joinRoom(ben.world, { ...asked, own }, welcome!)), 'MLS_ROOM_FULL')
})
