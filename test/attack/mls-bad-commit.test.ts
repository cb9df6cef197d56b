/** Commits that are garbage, replayed, bad for some only, or poisoned for later. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../src/base/result.ts'
import { concat } from '../../src/base/bytes.ts'
import { assertRefused, craft, stateOf } from '../kit/mls-attacker.ts'
import { assertAgree, Stage } from '../kit/mls-room.ts'
import { SeededNumbers, seededTest } from '../kit/seeded-random.ts'

test('a commit with anything after its end is refused', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const { commit } = await craft(ann!)
  await assertRefused(ben!, concat(commit, Uint8Array.of(0)), 'MLS_MALFORMED')
  must(await ben!.group.apply(commit))
})

test('a replayed commit, and one of another group, are refused', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const made = must(await ann!.group.propose([], []))
  must(await ben!.group.apply(made.commit))
  must(await ann!.group.confirm())
  await assertRefused(ben!, made.commit, 'MLS_WRONG_EPOCH')
  const [cas] = await stage.room('Cas', 'Dan')
  await assertRefused(ben!, (await craft(cas!)).commit, 'MLS_WRONG_GROUP')
})

test('a commit of our own that comes back is not applied twice', async () => {
  const stage = new Stage()
  const [ann] = await stage.room('Ann', 'Ben')
  const made = must(await ann!.group.propose([], []))
  await assertRefused(ann!, made.commit, 'MLS_PENDING')
  must(await ann!.group.confirm())
  await assertRefused(ann!, made.commit, 'MLS_WRONG_EPOCH')
})

test('a commit that is bad for one member only is refused by that one, which can rejoin', async () => {
  const stage = new Stage()
  const [ann, ben, cas] = await stage.room('Ann', 'Ben', 'Cas')
  const impl = ann!.group.snapshot.suite.impl
  let sealed = 0
  const { commit, next } = await craft(ann!, { impl: { hpke: { ...impl.hpke, seal: (key, plain, info, aad) => impl.hpke.seal(key, sealed++ === 0 ? new Uint8Array(plain.length) : plain, info, aad) } } })
  const results = await Promise.all([ben!, cas!].map((p) => p.group.apply(commit)))
  assert.deepEqual(results.map((r) => r.ok).sort(), [false, true])
  const refused = results[0]!.ok ? cas! : ben!
  const stays = results[0]!.ok ? ben! : cas!
  assert.equal(stays.group.epoch, next.groupContext.epoch)
  await stage.add(stays, [refused])
  assertAgree([stays, refused])
})

test('a path whose keys only its maker has is refused', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben', 'Cas')
  const impl = ann!.group.snapshot.suite.impl
  // Public keys that have nothing to do with the secrets handed out: ts-mls does not compare.
  const { commit } = await craft(ann!, { impl: { hpke: { ...impl.hpke, deriveKeyPair: () => impl.hpke.generateKeyPair() } } })
  await assertRefused(ben!, commit, 'MLS_TREE')
})

test('a commit with the key that the leaf had before is refused', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const impl = ann!.group.snapshot.suite.impl
  const own = stateOf(ann!).privatePath
  const old = await impl.hpke.importPrivateKey(own.privateKeys[0]!)
  let derived = 0
  const leaf = stateOf(ann!).ratchetTree[0]
  assert.ok(leaf?.nodeType === 'leaf')
  const publicKey = await impl.hpke.importPublicKey(leaf.leaf.hpkePublicKey)
  const { commit } = await craft(ann!, { impl: { hpke: { ...impl.hpke, deriveKeyPair: async (ikm) => (derived++ === 0 ? { privateKey: old, publicKey } : impl.hpke.deriveKeyPair(ikm)) } } })
  await assertRefused(ben!, commit, 'MLS_REFUSED_BY_LIBRARY')
})

seededTest('a commit with any octet changed is refused and changes nothing', async (seed) => {
  const random = new SeededNumbers(seed)
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben', 'Cas')
  const { own } = await stage.request(stage.player('Dan'))
  const { commit } = await craft(ann!, { proposals: [{ proposalType: 'add', add: { keyPackage: own.publicPackage } }] })
  const before = ben!.group.snapshot
  for (let i = 0; i < 250; i++) {
    const bad = commit.slice()
    bad[random.int(bad.length)]! ^= 1 << random.int(8)
    assert.equal((await ben!.group.apply(bad)).ok, false)
    assert.equal(ben!.group.snapshot, before)
  }
  must(await ben!.group.apply(commit))
})
