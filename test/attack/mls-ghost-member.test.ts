/** Somebody who should not be there is added by a member: every vault asks for itself who it is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyPackage } from 'ts-mls'
import type { UnixTime } from '../../src/base/brand.ts'
import { assertRefused, craft } from '../kit/mls-attacker.ts'
import { type Player, Stage } from '../kit/mls-room.ts'
import { People, REALM } from '../kit/people.ts'
import { IdentityKeeper } from '../../src/vault/inside/identity-keeper.ts'
import { BlockList, PolicyMemory } from '../../src/protocol/policy/index.ts'
import { UsedRequests } from '../../src/protocol/mls/rules/additions.ts'

const adding = (keyPackage: KeyPackage) => ({ proposals: [{ proposalType: 'add' as const, add: { keyPackage } }] })

async function refuses(stage: Stage, ghost: Player, code: string, changes: Parameters<Stage['create']>[1] = {}): Promise<void> {
  const [ann, ben] = [stage.player('Ann'), stage.player('Ben')]
  await stage.create(ann, changes)
  await stage.add(ann, [ben])
  const { own } = await stage.request(ghost)
  await assertRefused(ben, (await craft(ann, adding(own.publicPackage))).commit, code)
}

test('with a certificate of another authority', async () => {
  const stage = new Stage()
  const strangers = new People(stage.clock.unix(), stage.crypto, 'Other CA')
  await refuses(stage, stage.player('Mallory', strangers.person('Mallory'), strangers), 'MLS_CREDENTIAL')
})

test('with an expired certificate', async () => {
  const stage = new Stage()
  const ghost = stage.player('Mallory', stage.people.person('Mallory', { lifetimeDays: 1 }))
  await stage.clock.advance(2 * 86_400_000)
  await refuses(stage, ghost, 'MLS_CREDENTIAL')
})

test('with a delegation for another realm', async () => {
  const stage = new Stage()
  const own = stage.people.person('Mallory')
  const keeper = new IdentityKeeper(stage.crypto, own, { realm: 'other.example', anchors: stage.people.anchors })
  const ghost = stage.player('Mallory', own)
  Object.assign(ghost, { keeper })
  assert.notEqual(REALM, 'other.example')
  await refuses(stage, ghost, 'MLS_CREDENTIAL')
})

test('with somebody else\'s certificate', async () => {
  const stage = new Stage()
  const [victim, thief] = [stage.people.person('Ann'), stage.people.person('Mallory')]
  // The chain of one, the key of the other: it cannot even be made; with the check left out, nobody takes it.
  const keeper = stage.people.keeper({ ...victim, signer: thief.signer })
  assert.equal(keeper.leafKey('x25519', stage.clock.unix()).ok, false)
})

test('not on the list, in a locked room, or as a gateway where none is allowed', async () => {
  const stage = new Stage()
  await refuses(stage, stage.player('Mallory'), 'MLS_NOT_ADMITTED', { admit: ['cn:Ben'] })
  const gateway = stage.people.person('Gate', { kind: 'gateway' })
  await refuses(stage, stage.player('Gate', gateway), 'MLS_NOT_ADMITTED')
})

test('beyond the size of the room', async () => {
  const stage = new Stage()
  await refuses(stage, stage.player('Mallory'), 'MLS_ROOM_FULL', { maximumMembers: 2 })
})

test('under a key that is in the room already, while the old leaf stays', async () => {
  const stage = new Stage()
  const [ann, ben, cas] = await stage.room('Ann', 'Ben', 'Cas')
  const { own } = await stage.request(cas!)
  await assertRefused(ben!, (await craft(ann!, adding(own.publicPackage))).commit, 'MLS_ALREADY_MEMBER')
})

test('a member whose certificate expired during the call commits nothing more, and is shown', async () => {
  const stage = new Stage()
  const own = stage.people.person('Cas', { lifetimeDays: 1 })
  const keeper = stage.people.keeper(own)
  const cas = stage.player('Cas', own)
  Object.assign(cas, { keeper, world: { crypto: stage.crypto, clock: stage.clock, verify: keeper.verify, policies: new PolicyMemory(), used: new UsedRequests(), blocks: new BlockList() } })
  const [ann, ben] = [stage.player('Ann'), stage.player('Ben')]
  await stage.clock.advance(23 * 3_600_000)
  await stage.create(ann)
  await stage.add(ann, [ben])
  await stage.add(ann, [cas], [ben])
  const { commit } = await craft(cas)
  await stage.clock.advance(2 * 3_600_000)
  await assertRefused(ben, commit, 'MLS_CREDENTIAL')
  const now: UnixTime = stage.clock.unix()
  assert.deepEqual([...ben.group.snapshot.members].filter(([, m]) => m.notAfter < now).map(([leaf]) => leaf), [cas.group.ownLeaf])
})

test('as a second gateway to the telephone network, one after the other or both at once', async () => {
  const stage = new Stage()
  const [ann, ben] = [stage.player('Ann'), stage.player('Ben')]
  const [first, second, third] = ['Desk', 'Hall', 'Lift'].map((name) => stage.player(name, stage.people.person(name, { kind: 'gateway' })))
  await stage.create(ann, { gatewaysAllowed: true })
  await stage.add(ann, [ben])
  const [one, two] = [(await stage.request(first!)).own.publicPackage, (await stage.request(second!)).own.publicPackage]
  await assertRefused(ben, (await craft(ann, { proposals: [...adding(one).proposals, ...adding(two).proposals] })).commit, 'MLS_NOT_ADMITTED')
  await stage.add(ann, [first!], [ben])
  await assertRefused(ben, (await craft(ann, adding((await stage.request(third!)).own.publicPackage))).commit, 'MLS_NOT_ADMITTED')
})
