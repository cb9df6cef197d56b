import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RoomName } from '../../../../src/base/brand.ts'
import { must } from '../../../../src/base/result.ts'
import { KEY_PROTECTIONS } from '../../../../src/model/identity.ts'
import type { BasePolicy, StatePolicy } from '../../../../src/model/policy.ts'
import { matchesEntry } from '../../../../src/model/admit.ts'
import { BlockList, signNotice } from '../../../../src/protocol/policy/block-notice.ts'
import { signBase, signState, succeeds, verifyBase, verifyState } from '../../../../src/protocol/policy/signed-policy.ts'
import { admitted } from '../../../../src/protocol/mls/rules/admission.ts'
import { decodeRemovals, encodeRemovals, type Removal } from '../../../../src/protocol/mls/removal.ts'
import { Stage } from '../../../kit/mls-room.ts'

const stage = new Stage()
const owner = stage.player('Ann')
const keyId = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((b) => Buffer.from(b).toString('hex'))

const base: fc.Arbitrary<BasePolicy> = fc.record({
  room: fc.stringMatching(/^[a-z0-9._-]{1,64}$/).map((r) => r as RoomName),
  realm: fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }).filter((r) => r.length <= 255),
  version: fc.integer({ min: 1, max: 0xffffffff }),
  owners: fc.array(keyId, { maxLength: 3 }).map((more) => [owner.keyId, ...more]),
  hosts: fc.array(keyId, { maxLength: 3 }),
  admit: fc.oneof(fc.constant('anchors' as const), fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 4 })),
  suite: fc.constantFrom('x25519', 'x-wing'),
  codec: fc.constantFrom('g722', 'opus'),
  forwarding: fc.constant('loudest'),
  maximumMembers: fc.integer({ min: 1, max: 1024 }),
  gatewaysAllowed: fc.boolean(),
  minimumKeyProtection: fc.constantFrom(...KEY_PROTECTIONS),
  lobby: fc.boolean(),
  standing: fc.boolean(),
  journal: fc.boolean(),
  recovery: keyId,
}, { requiredKeys: ['room', 'realm', 'version', 'owners', 'hosts', 'admit', 'suite', 'codec', 'forwarding', 'maximumMembers', 'gatewaysAllowed', 'minimumKeyProtection', 'lobby', 'standing', 'journal'], noNullPrototype: true })
const state: fc.Arbitrary<StatePolicy> = fc.record({
  version: fc.integer({ min: 1, max: 0xffffffff }), locked: fc.boolean(), admitted: fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 4 }), banned: fc.array(keyId, { maxLength: 3 }),
}, { noNullPrototype: true })

test('policies survive signing and verification', () => {
  fc.assert(fc.property(base, state, (b, s) => {
    const signed = must(signBase(stage.crypto, b, owner.own.signer))
    assert.deepEqual(must(verifyBase(stage.crypto, signed.bytes)).policy, b)
    const first = must(signState(stage.crypto, signed, s, undefined, owner.own.signer))
    assert.deepEqual(must(verifyState(stage.crypto, first.bytes, signed)).policy, s)
    const next = must(signState(stage.crypto, signed, { ...s, version: Math.min(s.version + 1, 0xffffffff) }, first, owner.own.signer))
    assert.equal(succeeds(must(verifyState(stage.crypto, next.bytes, signed)), first), s.version < 0xffffffff)
    assert.equal(succeeds(first, next), false)
  }), { numRuns: 60 })
})

test('policies with mistakes are not signed', () => {
  const good = fc.sample(base, { numRuns: 1, seed: 1 })[0]!
  for (const bad of [{ room: 'Big Room' as RoomName }, { realm: '' }, { owners: [] }, { hosts: ['me'] }, { version: 0 }, { maximumMembers: 0 }, { maximumMembers: 5000 }, { forwarding: 'all' as const, maximumMembers: 17 }]) {
    assert.equal(signBase(stage.crypto, { ...good, ...bad }, owner.own.signer).ok, false, JSON.stringify(bad))
  }
})

test('removals survive encoding', () => {
  const removal: fc.Arbitrary<Removal> = fc.record({ leaf: fc.integer({ min: 0, max: 1000 }), reason: fc.constantFrom('leave', 'host', 'unreachable', 'rejoin'), evidence: fc.uint8Array({ minLength: 1, maxLength: 80 }) }, { requiredKeys: ['leaf', 'reason'], noNullPrototype: true })
  fc.assert(fc.property(fc.array(removal, { maxLength: 20 }), (list) => {
    assert.deepEqual(must(decodeRemovals(encodeRemovals(list))), list)
  }))
})

test('who is let in', () => {
  const [b] = fc.sample(base, { numRuns: 1, seed: 2 })
  const open: BasePolicy = { ...b!, owners: [owner.keyId], hosts: [], admit: 'anchors', gatewaysAllowed: false, lobby: false, minimumKeyProtection: 'process' }
  const free: StatePolicy = { version: 1, locked: false, admitted: [], banned: [] }
  const identity = must(stage.people.keeper(stage.people.person('Ben', { organisation: 'Example' })).show(stage.clock.unix()))
  const ben = { identity, kind: 'member' as const, keyProtection: 'process' as const, issuers: [], notAfter: identity.notAfter }
  const blocks = new BlockList()
  for (const entry of [identity.keyId, 'o:Example', 'cn:Ben', 'domain:test.example']) assert.equal(matchesEntry(entry, identity), true, entry)
  for (const entry of ['', 'o:', 'cn:', 'domain:', 'domain:ample', 'domain:other.example', 'o:example', 'cn:Be', 'Ben']) assert.equal(matchesEntry(entry, identity), false, entry)
  assert.equal(admitted(open, free, ben, blocks).ok, true)
  assert.equal(admitted({ ...open, admit: ['cn:Ann'] }, free, ben, blocks).ok, false)
  assert.equal(admitted({ ...open, admit: ['cn:Ann'] }, { ...free, admitted: ['cn:Ben'] }, ben, blocks).ok, true)
  assert.equal(admitted(open, { ...free, locked: true }, ben, blocks).ok, false)
  assert.equal(admitted(open, { ...free, locked: true }, ben, blocks, true).ok, true)
  assert.equal(admitted(open, { ...free, banned: [identity.keyId] }, ben, blocks, true).ok, false)
  assert.equal(admitted({ ...open, hosts: [identity.keyId] }, { ...free, locked: true }, ben, blocks).ok, true)
  assert.equal(admitted(open, free, { ...ben, kind: 'gateway' }, blocks).ok, false)
  assert.equal(admitted({ ...open, gatewaysAllowed: true }, free, { ...ben, kind: 'gateway' }, blocks).ok, true)
  const why = (r: ReturnType<typeof admitted>): string => (r.ok ? 'in' : r.fault.code)
  // Whom a host may still admit waits; whom no host can let in is refused.
  assert.equal(why(admitted({ ...open, lobby: true }, free, ben, blocks)), 'MLS_LOBBY')
  assert.equal(why(admitted({ ...open, lobby: true }, { ...free, admitted: [identity.keyId] }, ben, blocks)), 'in')
  assert.equal(why(admitted(open, { ...free, locked: true }, ben, blocks)), 'MLS_LOBBY')
  assert.equal(why(admitted({ ...open, lobby: true, admit: ['cn:Ann'] }, free, ben, blocks)), 'MLS_NOT_ADMITTED')
  assert.equal(why(admitted({ ...open, minimumKeyProtection: 'enclave', hosts: [identity.keyId] }, free, ben, blocks)), 'MLS_NOT_ADMITTED')
  blocks.learn(must(signNotice(stage.crypto, { kind: 'block', realm: open.realm, target: identity.keyId, issued: stage.clock.unix(), reason: 'stolen' }, owner.own.signer)))
  assert.equal(why(admitted(open, free, ben, blocks)), 'MLS_BLOCKED')
  assert.equal(why(admitted({ ...open, hosts: [identity.keyId] }, free, ben, blocks, true)), 'MLS_BLOCKED')
  assert.equal(why(admitted({ ...open, owners: [identity.keyId] }, free, ben, blocks)), 'in')
})
