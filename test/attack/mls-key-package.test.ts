/** Key packages used again, kept for later, or made for something else: members refuse them in others' commits. */
import { test } from 'node:test'
import type { KeyPackage } from 'ts-mls'
import { signKeyPackage } from 'ts-mls/keyPackage.js'
import type { UnixTime } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { makeKeyPackage } from '../../src/protocol/mls/key-package.ts'
import { createSuite } from '../../src/protocol/mls/suite.ts'
import { assertRefused, craft, withProposals } from '../kit/mls-attacker.ts'
import { Stage } from '../kit/mls-room.ts'

const adding = (...keyPackages: KeyPackage[]) => ({ proposals: keyPackages.map((keyPackage) => ({ proposalType: 'add' as const, add: { keyPackage } })) })

test('one that was used before, though its member has gone', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const cas = stage.player('Cas')
  const request = await stage.request(cas)
  const made = must(await ann!.group.propose([{ id: 1, keyPackage: request.bytes }], []))
  must(await ben!.group.apply(made.commit))
  must(await ann!.group.confirm())
  await stage.remove(ann!, [{ leaf: 2, reason: 'unreachable' }], [ben!])
  await assertRefused(ben!, (await craft(ann!, adding(request.own.publicPackage))).commit, 'MLS_KEY_PACKAGE_REUSED')
})

test('one whose nonce is another\'s', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const nonce = new Uint8Array(16).fill(7)
  const requests = await Promise.all(['Cas', 'Dan'].map((n) => stage.request(stage.player(n), { nonce })))
  await assertRefused(ben!, (await craft(ann!, adding(...requests.map((r) => r.own.publicPackage)))).commit, 'MLS_KEY_PACKAGE_REUSED')
})

for (const [what, changes, code] of [
  ['one for another room', { room: 'room-2' }, 'MLS_KEY_PACKAGE_FOREIGN'],
  ['one for another realm', { realm: 'other.example' }, 'MLS_KEY_PACKAGE_FOREIGN'],
  ['one that lives too long', { life: 600 }, 'MLS_KEY_PACKAGE_EXPIRED'],
  ['one that has expired', { life: -60 }, 'MLS_KEY_PACKAGE_EXPIRED'],
] as const) {
  test(what, async () => {
    const stage = new Stage()
    const [ann, ben] = await stage.room('Ann', 'Ben')
    const { life, ...fields } = { life: 60, ...changes }
    const { own } = await stage.request(stage.player('Cas'), { ...fields, expiry: (stage.clock.unix() + life) as UnixTime })
    await assertRefused(ben!, (await craft(ann!, adding(own.publicPackage))).commit, code)
  })
}

test('one without a word what it is for, or with one more, or changed after it was signed', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const cas = stage.player('Cas')
  const suite = createSuite(stage.crypto, 'x25519')
  const key = must(cas.keeper.leafKey('x25519', stage.clock.unix()))
  const bare = await makeKeyPackage(suite, key, undefined, stage.clock.unix())
  await assertRefused(ben!, (await craft(ann!, adding(bare.publicPackage))).commit, 'MLS_EXTENSIONS')
  const { own } = await stage.request(cas)
  const [request] = own.publicPackage.extensions
  const doubled = { ...own.publicPackage, extensions: [request!, request!] }
  const resigned = await signKeyPackage(doubled, own.privatePackage.signaturePrivateKey, suite.impl.signature)
  await assertRefused(ben!, (await craft(ann!, adding(resigned))).commit, 'MLS_EXTENSIONS')
  const other = (await stage.request(cas)).own.publicPackage
  await assertRefused(ben!, withProposals((await craft(ann!)).commit, adding({ ...own.publicPackage, initKey: other.initKey }).proposals), 'MLS_KEY_PACKAGE')
})

test('one whose leaf would be valid for longer than a day, or is not yet valid', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const { own } = await stage.request(stage.player('Cas'))
  const { leafNode } = own.publicPackage
  for (const lifetime of [{ ...leafNode.lifetime, notAfter: leafNode.lifetime.notAfter + 100n }, { notBefore: leafNode.lifetime.notBefore + 7200n, notAfter: leafNode.lifetime.notAfter }]) {
    const forged = { ...own.publicPackage, leafNode: { ...leafNode, lifetime } }
    await assertRefused(ben!, withProposals((await craft(ann!)).commit, adding(forged).proposals), 'MLS_KEY_PACKAGE_EXPIRED')
  }
})
