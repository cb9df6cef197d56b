import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ssrc } from '../../../../src/base/brand.ts'
import { must } from '../../../../src/base/result.ts'
import { signState } from '../../../../src/protocol/policy/signed-policy.ts'
import { createApplicationMessage } from 'ts-mls/createMessage.js'
import { encodeApplicationMessage } from '../../../../src/protocol/mls/codec.ts'
import { contextExtensions } from '../../../../src/protocol/mls/rules/context.ts'
import { craft } from '../../../kit/mls-attacker.ts'
import { assertAgree, Stage } from '../../../kit/mls-room.ts'
import { SeededNumbers, seededTest } from '../../../kit/seeded-random.ts'

for (const suite of ['x25519', 'x-wing'] as const) {
  test(`${suite}: create, add, update, remove, rejoin`, async () => {
    const stage = new Stage(suite)
    const [ann, ben, cas, dan] = ['Ann', 'Ben', 'Cas', 'Dan'].map((n) => stage.player(n))
    await stage.create(ann!)
    await stage.add(ann!, [ben!])
    await stage.add(ben!, [cas!, dan!], [ann!])
    assertAgree([ann!, ben!, cas!, dan!])
    assert.equal(ann!.group.snapshot.members.size, 4)

    const update = must(await dan!.group.propose([], []))
    for (const p of [ann!, ben!, cas!]) must(await p.group.apply(update.commit))
    must(await dan!.group.confirm())
    assertAgree([ann!, ben!, cas!, dan!])

    await stage.remove(cas!, [{ leaf: ben!.group.ownLeaf, reason: 'unreachable' }], [ann!, dan!])
    assertAgree([ann!, cas!, dan!])
    // Dan lost its state: its new request replaces its old leaf.
    await stage.add(ann!, [dan!], [cas!])
    assertAgree([ann!, cas!, dan!])
    assert.equal(ann!.group.snapshot.members.size, 3)
  })
}

test('a removed member learns it, and the last one left has a secret of its own', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const evidence = must(ben!.group.leave())
  const made = must(await ann!.group.propose([], [{ leaf: ben!.group.ownLeaf, reason: 'leave', evidence }]))
  const change = must(await ben!.group.apply(made.commit))
  assert.equal(change.ended, true)
  assert.equal((await ben!.group.propose([], [])).ok, false)
  must(await ann!.group.confirm())
  assert.deepEqual([...ann!.group.snapshot.members.keys()], [0])
})

test('what members say besides: a word arrives as it was said, all are of one length, and a leg of no meaning is refused', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const leaf = ben!.group.ownLeaf
  const lengths = new Set<number>()
  for (const word of [{ kind: 'leg', leg: 'local' }, { kind: 'leg', leg: 'encrypted' }, { kind: 'leg', leg: 'plain-lan' }, { kind: 'flag', text: 'somebody listens' }] as const) {
    const said = must(await ben!.group.say(word))
    lengths.add(said.length)
    assert.deepEqual(must(await ann!.group.receive(said)), { leaf, ...word })
  }
  assert.equal(lengths.size, 1, 'nobody on the way tells them apart')
  const strange = await ann!.group.receive(must(await ben!.group.say({ kind: 'leg', leg: 'upstairs' as never })))
  assert.equal(strange.ok ? '' : strange.fault.code, 'MLS_MESSAGE')
})

test('a word of a later version is passed over, from whoever is in the group; one of a known kind has to be whole', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const leaf = ben!.group.ownLeaf
  const heard = async (...body: number[]): Promise<string> => {
    const { state, suite } = ben!.group.snapshot
    const { privateMessage } = await createApplicationMessage(state, Uint8Array.from(body), suite.impl)
    const before = ann!.group.snapshot
    const r = await ann!.group.receive(encodeApplicationMessage(privateMessage))
    // The next one is of the same generation: as if this one had not been.
    if (r.ok) assert.notEqual(ann!.group.snapshot, before, 'its key is used up')
    must(await ben!.group.say({ kind: 'flag', text: 'on' }))
    return r.ok ? `${r.value.kind} ${'leaf' in r.value ? r.value.leaf : ''}` : r.fault.code
  }
  for (const body of [[5], [5, 0, 1, 7], [0], [200, 1, 2, 3, 4, 5, 6, 7]]) assert.equal(await heard(...body), `unknown ${leaf}`)
  for (const body of [[], [1], [2], [2, 0, 5, 65], [3, 0, 1], [4, 0, 2, 0, 0], [4, 0, 1, 3], [4, 0, 1, 0, 0]]) assert.equal(await heard(...body), 'MLS_MESSAGE', body.join())
  const { state, suite } = ben!.group.snapshot
  const { privateMessage } = await createApplicationMessage(state, Uint8Array.of(5), suite.impl)
  privateMessage.ciphertext[9]! ^= 1
  assert.equal((await ann!.group.receive(encodeApplicationMessage(privateMessage))).ok, false)
})

test('a refused or abandoned commit leaves everything as it was', async () => {
  const stage = new Stage()
  const [ann, ben, cas] = await stage.room('Ann', 'Ben', 'Cas')
  const made = must(await ann!.group.propose([], []))
  const broken = made.commit.slice()
  broken[broken.length - 1]! ^= 1
  const before = ben!.group.snapshot
  const refused = await ben!.group.apply(broken)
  assert.equal(refused.ok ? '' : refused.fault.code, 'MLS_REFUSED_BY_LIBRARY')
  assert.equal(ben!.group.snapshot, before)
  must(await ann!.group.abandon())
  assert.equal((await ann!.group.confirm()).ok, false)
  const other = must(await cas!.group.propose([], []))
  for (const p of [ann!, ben!]) must(await p.group.apply(other.commit))
  must(await cas!.group.confirm())
  assertAgree([ann!, ben!, cas!])
})

test('announcements bind a stream to its leaf, for those who come later too', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const word = must(await ben!.group.announce(ssrc(77)))
  const heard = must(await ann!.group.receive(word))
  assert.ok(heard.kind === 'stream')
  assert.deepEqual([heard.claim.leaf, heard.claim.ssrc], [ben!.group.ownLeaf, 77])
  const replayed = await ann!.group.receive(word)
  assert.equal(replayed.ok, false)
  const cas = stage.player('Cas')
  await stage.add(ann!, [cas], [ben!])
  assert.deepEqual([...cas.group.snapshot.streams.values()].map((c) => [c.leaf, c.ssrc]), [[ben!.group.ownLeaf, 77]])
  const taken = await cas.group.announce(ssrc(77))
  assert.equal(taken.ok ? '' : taken.fault.code, 'MLS_STREAM_TAKEN')
})

test('a word of the epoch before is taken for ten seconds', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const early = must(await ben!.group.announce(ssrc(5)))
  const late = must(await ben!.group.announce(ssrc(6)))
  const made = must(await ann!.group.propose([], []))
  must(await ben!.group.apply(made.commit))
  must(await ann!.group.confirm())
  const heard = must(await ann!.group.receive(early))
  assert.ok(heard.kind === 'stream')
  assert.equal(heard.claim.ssrc, 5)
  await stage.clock.advance(10_001)
  const refused = await ann!.group.receive(late)
  assert.equal(refused.ok ? '' : refused.fault.code, 'MLS_WRONG_EPOCH')
})

seededTest('groups of all shapes agree after random steps', async (seed) => {
  const random = new SeededNumbers(seed)
  const stage = new Stage()
  let inside = await stage.room('P0')
  for (let step = 0, names = 1; step < 40; step++) {
    const by = random.pick(inside)
    const others = inside.filter((p) => p !== by)
    const choice = random.int(10)
    if ((choice < 5 && inside.length < 14) || inside.length < 3) {
      const joiners = Array.from({ length: 1 + random.int(3) }, () => stage.player(`P${names++}`))
      await stage.add(by, joiners, others)
      inside = [...inside, ...joiners]
    } else if (choice < 8) {
      const gone = random.pick(others)
      inside = inside.filter((p) => p !== gone)
      await stage.remove(by, [{ leaf: gone.group.ownLeaf, reason: 'unreachable' }], others.filter((p) => p !== gone))
    } else {
      await stage.remove(by, [], others)
    }
    assertAgree(inside)
  }
})

test('a member may exchange its leaf in a locked room, a stranger may not enter', async () => {
  const stage = new Stage()
  const [ann, ben, cas] = await stage.room('Ann', 'Ben', 'Cas')
  const { policies } = ann!.group.snapshot
  const state = must(signState(stage.crypto, policies.base, { version: 2, locked: true, admitted: [], banned: [] }, policies.state, ann!.own.signer))
  const locking = await craft(ann!, { proposals: [{ proposalType: 'group_context_extensions', groupContextExtensions: { extensions: contextExtensions({ base: policies.base, state }) } }] })
  for (const p of [ben!, cas!]) must(await p.group.apply(locking.commit))
  await stage.add(ben!, [cas!])
  assertAgree([ben!, cas!])
  const { bytes } = await stage.request(stage.player('Dan'))
  const made = must(await ben!.group.propose([{ id: 4, keyPackage: bytes }], []))
  assert.deepEqual(made.plan.refused.map((r) => r.fault.code), ['MLS_LOBBY'])
})

test('a rejoin whose key package cannot be taken still frees the old leaf', async () => {
  const stage = new Stage()
  const [ann, ben, cas] = await stage.room('Ann', 'Ben', 'Cas')
  const made = must(await ann!.group.propose([{ id: 1, keyPackage: Uint8Array.of(1, 2, 3) }], [{ leaf: cas!.group.ownLeaf, reason: 'rejoin' }]))
  assert.deepEqual(made.plan.removals, [{ leaf: 2, reason: 'unreachable' }])
  assert.deepEqual(made.plan.refused.map((r) => [r.id, r.fault.code]), [[1, 'MLS_MALFORMED']])
  must(await ben!.group.apply(made.commit))
})
