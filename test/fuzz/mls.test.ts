/** Every decoder of the groups against mutated and random octets: a fault each time, never an exception, bounded in time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ssrc } from '../../src/base/brand.ts'
import { must, type Result } from '../../src/base/result.ts'
import { sameBytes } from '../../src/base/bytes.ts'
import { joinRoom } from '../../src/protocol/mls/begin.ts'
import * as codec from '../../src/protocol/mls/codec.ts'
import { verifyBase, verifyState } from '../../src/protocol/policy/signed-policy.ts'
import { decodeHostAct, decodeRemovals, encodeRemovals } from '../../src/protocol/mls/removal.ts'
import { decodeRequest, encodeRequest } from '../../src/protocol/mls/request-extension.ts'
import { decodeAnnouncement, decodeStreams, encodeAnnouncement, encodeStreams } from '../../src/protocol/mls/stream.ts'
import { ROOM, Stage } from '../kit/mls-room.ts'
import { REALM } from '../kit/people.ts'
import { SeededNumbers, seededTest } from '../kit/seeded-random.ts'

function mutate(random: SeededNumbers, bytes: Uint8Array): Uint8Array {
  const choice = random.int(5)
  if (choice === 0) return bytes.slice(0, random.int(bytes.length))
  if (choice === 1) return Uint8Array.from({ length: random.int(64) }, () => random.int(256))
  const out = choice === 2 ? new Uint8Array([...bytes, random.int(256)]) : bytes.slice()
  for (let n = 1 + random.int(4); n > 0; n--) out[random.int(out.length)] = random.int(256)
  return out
}

async function material() {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const request = await stage.request(stage.player('Cas'))
  const made = must(await ann!.group.propose([{ id: 1, keyPackage: request.bytes }], []))
  const message = must(await ann!.group.announce(ssrc(5)))
  return { stage, ann: ann!, ben: ben!, request, made, message }
}

seededTest('messages', async (seed) => {
  const random = new SeededNumbers(seed)
  const { stage, ben, request, made, message } = await material()
  const cas = stage.player('Cas')
  const before = ben.group.snapshot
  const doors: readonly (readonly [Uint8Array, number, (b: Uint8Array) => Result<unknown> | Promise<Result<unknown>>])[] = [
    [request.bytes, 400, codec.decodeKeyPackageMessage],
    [made.commit, 150, (b) => ben.group.apply(b)],
    [made.welcome!, 100, (b) => joinRoom(cas.world, { room: ROOM, realm: REALM, suite: 'x25519', own: request.own }, b)],
    [message, 150, (b) => ben.group.receive(b)],
  ]
  for (const [good, times, door] of doors) for (let i = 0; i < times; i++) {
    const bad = mutate(random, good)
    if (sameBytes(bad, good)) continue
    const result = await door(bad)
    // A key package with another signature decodes well; that it verifies is asked elsewhere.
    if (good !== request.bytes) assert.equal(result.ok, false)
    assert.equal(ben.group.snapshot, before)
  }
  must(await ben.group.apply(made.commit))
})

seededTest('our own encodings', async (seed) => {
  const random = new SeededNumbers(seed)
  const { stage, ann } = await material()
  const { base, state } = ann.group.snapshot.policies
  const act = must(ann.group.act(1, true, ann.own.signer))
  const announcement = encodeAnnouncement({ epochAuthenticator: new Uint8Array(32), ssrc: ssrc(1), signature: new Uint8Array(64) })
  const doors: readonly (readonly [Uint8Array, (b: Uint8Array) => Result<unknown>, boolean])[] = [
    [base.bytes, (b) => verifyBase(stage.crypto, b), true],
    [state.bytes, (b) => verifyState(stage.crypto, b, base), true],
    [act, decodeHostAct, false],
    [encodeRemovals([{ leaf: 1, reason: 'host', evidence: act }, { leaf: 2, reason: 'unreachable' }]), decodeRemovals, false],
    [encodeRequest({ room: ROOM, realm: REALM, nonce: new Uint8Array(16), expiry: stage.clock.unix() }), decodeRequest, false],
    [announcement, decodeAnnouncement, false],
    [encodeStreams([{ leaf: 1, ssrc: ssrc(3), signature: new Uint8Array(64) }]), decodeStreams, false],
  ]
  for (const [good, door, signed] of doors) {
    must(door(good))
    for (let i = 0; i < 300; i++) {
      const bad = mutate(random, good)
      const result = door(bad)
      if (signed && !sameBytes(bad, good)) assert.equal(result.ok, false)
    }
    for (let cut = 0; cut < good.length; cut++) assert.equal(door(good.subarray(0, cut)).ok, false)
    assert.equal(door(new Uint8Array([...good, 0])).ok, false)
  }
})

test('limits of size', () => {
  const huge = new Uint8Array(2 * 1024 * 1024)
  for (const decode of [codec.decodeKeyPackageMessage, codec.decodeCommitMessage, codec.decodeWelcomeMessage, codec.decodeApplicationMessage]) {
    const refused = decode(huge)
    assert.equal(refused.ok ? '' : refused.fault.code, 'MLS_TOO_LARGE')
  }
})
