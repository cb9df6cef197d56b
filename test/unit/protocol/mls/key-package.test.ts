/** What is asked of a key package by itself, each rule bent alone in one that is otherwise well made and signed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyPackage } from 'ts-mls'
import { signKeyPackage } from 'ts-mls/keyPackage.js'
import { signLeafNodeKeyPackage } from 'ts-mls/leafNode.js'
import type { UnixTime } from '../../../../src/base/brand.ts'
import { checkKeyPackage } from '../../../../src/protocol/mls/key-package.ts'
import { createSuite } from '../../../../src/protocol/mls/suite.ts'
import { ROOM, Stage } from '../../../kit/mls-room.ts'
import { REALM } from '../../../kit/people.ts'

type Leaf = KeyPackage['leafNode']
interface Bend {
  readonly request?: Parameters<Stage['request']>[1]
  readonly leaf?: (leaf: Leaf) => Partial<Leaf>
  readonly package?: (kp: KeyPackage) => Partial<KeyPackage>
  /** Signed before it was bent. */
  readonly stale?: boolean
  readonly later?: number
}

async function verdict(bend: Bend): Promise<string> {
  const stage = new Stage()
  const suite = createSuite(stage.crypto, 'x25519')
  const { signature } = suite.impl
  const { own } = await stage.request(stage.player('Cas'), bend.request)
  const key = own.privatePackage.signaturePrivateKey
  const kp = own.publicPackage
  const leafNode = { ...kp.leafNode, ...bend.leaf?.(kp.leafNode) }
  const leaf = bend.leaf === undefined || bend.stale === true ? leafNode : await signLeafNodeKeyPackage(leafNode, key, signature)
  const changed = { ...kp, leafNode: leaf, ...bend.package?.(kp) } as KeyPackage
  const bent = bend.stale === true ? changed : await signKeyPackage(changed, key, signature)
  const r = await checkKeyPackage(suite, bent, { room: ROOM, realm: REALM }, (stage.clock.unix() + (bend.later ?? 0)) as UnixTime)
  return r.ok ? 'accepted' : `${r.fault.code} ${r.fault.message}`
}

const lifetime = (from: number, to: number) => (l: Leaf) => {
  assert.ok(l.leafNodeSource === 'key_package')
  return { lifetime: { notBefore: l.lifetime.notBefore + BigInt(from), notAfter: l.lifetime.notAfter + BigInt(to) } } as Partial<Leaf>
}
const cases: Readonly<Record<string, readonly [Bend, RegExp]>> = {
  'signed again, as it was': [{ leaf: () => ({}) }, /^accepted$/],
  'of another version': [{ package: () => ({ version: 'mls9' as 'mls10' }) }, /MLS_KEY_PACKAGE .*version/],
  'of another suite': [{ package: () => ({ cipherSuite: 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256' }) }, /MLS_KEY_PACKAGE_FOREIGN .*suite/],
  'with one key in two places': [{ package: (kp) => ({ initKey: kp.leafNode.hpkePublicKey }) }, /MLS_KEY_PACKAGE .*two places/],
  'whose leaf begins later': [{ leaf: lifetime(7200, 7200) }, /MLS_KEY_PACKAGE_EXPIRED .*not valid now/],
  'whose leaf has ended': [{ leaf: lifetime(-90_000, -90_000) }, /MLS_KEY_PACKAGE_EXPIRED .*not valid now/],
  'whose leaf lives longer than a day': [{ leaf: lifetime(0, 1) }, /MLS_KEY_PACKAGE_EXPIRED .*more than a day/],
  'whose leaf was changed after it was signed': [{ stale: true, leaf: lifetime(1, 0) }, /MLS_KEY_PACKAGE .*signature/],
  'whose leaf alone has a wrong signature': [{ package: (kp) => ({ leafNode: { ...kp.leafNode, signature: kp.leafNode.signature.map((b, i) => (i === 9 ? b ^ 1 : b)) } }) }, /MLS_KEY_PACKAGE .*signature/],
  'whose init key was changed after it was signed': [{ stale: true, package: () => ({ initKey: new Uint8Array(32).fill(9) }) }, /MLS_KEY_PACKAGE .*signature/],
  'whose request is over': [{ later: 7200 }, /MLS_KEY_PACKAGE_EXPIRED .*ago/],
  'whose request lives too long': [{ later: -7200 }, /MLS_KEY_PACKAGE_EXPIRED .*valid for/],
  'for another room': [{ request: { room: 'room-2' } }, /MLS_KEY_PACKAGE_FOREIGN .*room/],
  'without a request': [{ package: () => ({ extensions: [] }) }, /MLS_EXTENSIONS/],
  'with another extension': [{ package: (kp) => ({ extensions: kp.extensions.map((e) => ({ ...e, extensionType: 0xf777 })) }) }, /MLS_EXTENSIONS/],
}
for (const [name, [bend, expected]] of Object.entries(cases)) test(`a key package ${name}`, async () => {
  assert.match(await verdict(bend), expected)
})
