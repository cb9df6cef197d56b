/**
 * The server and former members against the frames of a sealed conference (PROTOCOL §3, Media):
 * whatever they send again, earlier, elsewhere or by themselves is refused, and never heard.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Ssrc } from '../../src/base/brand.ts'
import { instant, ssrc } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { kidOf } from '../../src/protocol/sframe/epoch.ts'
import { encodeHeader } from '../../src/protocol/sframe/header.ts'
import { SFrameKey, sframeSecret } from '../../src/protocol/sframe/key.ts'
import { frameMetadata } from '../../src/protocol/sframe/metadata.ts'
import type { FrameCodec } from '../../src/protocol/sframe/metadata.ts'
import { SFrameSession } from '../../src/protocol/sframe/session.ts'
import { fuzz } from '../kit/fuzz.ts'

const crypto = createNodeCrypto()
const SUITE = 'AES_128_GCM_SHA256_128'
const ALICE = { leaf: 0, ssrc: ssrc(100) }
const BOB = { leaf: 1, ssrc: ssrc(101) }
const CAROL = { leaf: 2, ssrc: ssrc(102) }
const voice = Uint8Array.of(20, 9, 9, 9)
const baseKeys = new Map<bigint, Uint8Array>()
const baseKey = (epoch: bigint): Uint8Array => {
  const key = baseKeys.get(epoch) ?? crypto.bytes(16)
  baseKeys.set(epoch, key)
  return key
}

class Person {
  readonly who: { leaf: number; ssrc: Ssrc }
  readonly session: SFrameSession
  constructor(who: { leaf: number; ssrc: Ssrc }, codec: FrameCodec = 'g722') {
    this.who = who
    this.session = new SFrameSession(crypto, SUITE, codec)
  }
  move(epoch: bigint, now: number, leaves = [0, 1, 2], removed: number[] = []): this {
    must(this.session.addEpoch({ epoch, baseKey: baseKey(epoch), leaves, ownLeaf: this.who.leaf, removed }, instant(now)))
    must(this.session.confirmEpoch(epoch, instant(now)))
    return this
  }
  says(now: number): Uint8Array {
    const r = this.session.seal(voice, this.who.ssrc, now * 8, instant(now))
    assert.ok(r.ok)
    return r.frame
  }
  hears(frame: Uint8Array, of: Ssrc, timestamp: number, now: number): string {
    const r = this.session.open(frame, of, timestamp, instant(now))
    return r.ok ? `heard ${r.leaf}` : r.code
  }
}

test('a replayed frame is not heard again', () => {
  const [alice, bob] = [new Person(ALICE).move(1n, 0), new Person(BOB).move(1n, 0)]
  const frame = alice.says(20)
  assert.equal(bob.hears(frame, ALICE.ssrc, 160, 20), 'heard 0')
  for (const now of [21, 400, 5000]) assert.equal(bob.hears(frame, ALICE.ssrc, 160, now), 'SFRAME_REPLAYED')
  for (let t = 40; t < 4000; t += 20) bob.hears(alice.says(t), ALICE.ssrc, t * 8, t)
  assert.equal(bob.hears(frame, ALICE.ssrc, 160, 4000), 'SFRAME_LATE', 'beyond the window it is not remembered, but too old')
})

test('a frame of an earlier epoch is refused once its keys are gone, and before that it is bound to its own', () => {
  const [alice, bob] = [new Person(ALICE).move(1n, 0), new Person(BOB).move(1n, 0)]
  const held = [alice.says(20), alice.says(40)]
  bob.move(2n, 100)
  const relabelled = held[0]!.slice()
  relabelled.set(encodeHeader(kidOf(ALICE.leaf, 2n), 0x1000000n))
  assert.equal(bob.hears(relabelled, ALICE.ssrc, 160, 200), 'SFRAME_FORGED')
  assert.equal(bob.hears(held[1]!, ALICE.ssrc, 320, 10_101), 'SFRAME_EPOCH_GONE')
})

test('a removed member is not heard, not even with frames made before', () => {
  const [bob, carol] = [new Person(BOB).move(1n, 0), new Person(CAROL).move(1n, 0)]
  const before = carol.says(20)
  bob.move(2n, 30, [0, 1], [CAROL.leaf])
  assert.equal(bob.hears(before, CAROL.ssrc, 160, 30), 'SFRAME_LEAF_UNKNOWN')
  assert.equal(bob.hears(carol.says(40), CAROL.ssrc, 320, 40), 'SFRAME_LEAF_UNKNOWN')
})

test('a removed member who forges others under the old epoch is heard for at most 500 ms', () => {
  const bob = new Person(BOB).move(1n, 0)
  const forge = (timestamp: number, ctr: bigint): Uint8Array =>
    new SFrameKey(crypto, SUITE, sframeSecret(crypto, SUITE, baseKey(1n)), kidOf(ALICE.leaf, 1n)).seal(ctr, frameMetadata('g722', ALICE.ssrc, timestamp), voice)
  bob.move(2n, 1000, [0, 1], [CAROL.leaf])
  assert.equal(bob.hears(forge(8000, 0x2000000n), ALICE.ssrc, 8000, 1499), 'heard 0', 'everyone knows every sender’s old key: the limit is the time')
  assert.equal(bob.hears(forge(8160, 0x2000001n), ALICE.ssrc, 8160, 1500), 'SFRAME_EPOCH_GONE')
})

test('nothing is sealed under the old epoch after a removal', () => {
  const alice = new Person(ALICE).move(1n, 0).move(2n, 1000, [0, 1], [CAROL.leaf])
  const carol = new Person(CAROL).move(1n, 0)
  assert.equal(carol.hears(alice.says(1000), ALICE.ssrc, 8000, 1000), 'SFRAME_UNKNOWN_EPOCH')
})

test('whoever takes a removed member’s leaf does not take their frames', () => {
  const [bob, carol] = [new Person(BOB).move(1n, 0), new Person(CAROL).move(1n, 0)]
  const old = carol.says(20)
  const ahead = carol.session.seal(voice, CAROL.ssrc, 1_000_000, instant(20))
  assert.ok(ahead.ok)
  assert.equal(bob.hears(ahead.frame, CAROL.ssrc, 1_000_000, 20), 'heard 2')
  bob.move(2n, 30, [0, 1, 2], [CAROL.leaf])
  const dave = new Person(CAROL).move(2n, 30)
  assert.equal(bob.hears(old, CAROL.ssrc, 160, 31), 'SFRAME_LEAF_UNKNOWN')
  assert.equal(bob.hears(dave.says(0), CAROL.ssrc, 0, 32), 'heard 2', 'a stream of their own, from any timestamp')
})

test('swapped streams: a frame under the SSRC of somebody else is refused', () => {
  const [alice, bob, carol] = [new Person(ALICE).move(1n, 0), new Person(BOB).move(1n, 0), new Person(CAROL).move(1n, 0)]
  assert.equal(bob.hears(alice.says(20), CAROL.ssrc, 160, 20), 'SFRAME_FORGED')
  assert.equal(bob.hears(carol.says(20), ALICE.ssrc, 160, 20), 'SFRAME_FORGED')
})

test('rewound or advanced streams: a frame with another timestamp is refused', () => {
  const [alice, bob] = [new Person(ALICE).move(1n, 0), new Person(BOB).move(1n, 0)]
  for (const shift of [-160, 1, 160, 8000]) assert.equal(bob.hears(alice.says(100), ALICE.ssrc, 800 + shift, 100), 'SFRAME_FORGED')
})

test('a stream held back by more than a second behind what was let through is refused', () => {
  const [alice, bob] = [new Person(ALICE).move(1n, 0), new Person(BOB).move(1n, 0)]
  const held = alice.says(20)
  assert.equal(bob.hears(alice.says(1040), ALICE.ssrc, 8320, 1040), 'heard 0')
  assert.equal(bob.hears(held, ALICE.ssrc, 160, 1041), 'SFRAME_LATE')
})

test('one’s own frames are not believed when they come back', () => {
  const alice = new Person(ALICE).move(1n, 0)
  assert.equal(alice.hears(alice.says(20), ALICE.ssrc, 160, 20), 'SFRAME_REFLECTED')
})

test('frames of another codec, suite, group or context are refused', () => {
  const bob = new Person(BOB).move(1n, 0)
  assert.equal(bob.hears(new Person(ALICE, 'opus').move(1n, 0).says(20), ALICE.ssrc, 160, 20), 'SFRAME_FORGED')
  const stranger = new SFrameSession(crypto, SUITE, 'g722')
  must(stranger.addEpoch({ epoch: 1n, baseKey: crypto.bytes(16), leaves: [0, 1], ownLeaf: 0, removed: [] }, instant(0)))
  must(stranger.confirmEpoch(1n, instant(0)))
  const foreign = stranger.seal(voice, ALICE.ssrc, 160, instant(20))
  assert.ok(foreign.ok)
  assert.equal(bob.hears(foreign.frame, ALICE.ssrc, 160, 20), 'SFRAME_FORGED')
  const withContext = new SFrameKey(crypto, SUITE, sframeSecret(crypto, SUITE, baseKey(1n)), (1n << 60n) | kidOf(0, 1n))
  assert.equal(bob.hears(withContext.seal(1n, frameMetadata('g722', ALICE.ssrc, 160), voice), ALICE.ssrc, 160, 20), 'SFRAME_LEAF_UNKNOWN')
})

test('forgeries fill no memory and spend no counters', () => {
  const [alice, bob] = [new Person(ALICE).move(1n, 0), new Person(BOB).move(1n, 0)]
  for (let leaf = 0; leaf < 2000; leaf++) bob.hears(Uint8Array.of(...encodeHeader(kidOf(leaf, 1n), 0xffffffffn), ...new Uint8Array(30)), ALICE.ssrc, 0, 10)
  assert.equal(bob.hears(alice.says(20), ALICE.ssrc, 160, 20), 'heard 0', 'a forged counter did not move the window')
})

test('no (key, counter) is sealed twice, whatever the order of epochs and calls', () => {
  const step = fc.oneof(fc.constant('seal'), fc.constant('add'), fc.constant('again'), fc.constant('confirm'), fc.constant('remove'), fc.constant('abandon'), fc.constant('wait'))
  fuzz(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const used = new Set<string>()
    const watched = {
      ...crypto,
      packetCipher: (algorithm: 'aes-128-gcm', key: Uint8Array) => {
        const name = String(key)
        const cipher = crypto.packetCipher(algorithm, key)
        const seal = cipher.seal.bind(cipher)
        cipher.seal = (buf, at, aadLen, len, iv) => {
          assert.ok(!used.has(`${name} ${iv}`), 'nonce used twice')
          used.add(`${name} ${iv}`)
          return seal(buf, at, aadLen, len, iv)
        }
        return cipher
      },
    }
    const session = new SFrameSession(watched as typeof crypto, SUITE, 'g722')
    let now = 0
    let epoch = 0n
    let sealed = 0
    for (const s of steps) {
      now += s === 'wait' ? 120 : 1
      const add = (removed: number[]): unknown => session.addEpoch({ epoch, baseKey: baseKey(epoch), leaves: [0, 1], ownLeaf: 0, removed }, instant(now))
      if (s === 'seal' && session.seal(voice, ALICE.ssrc, now, instant(now)).ok) sealed++
      if (s === 'add' || s === 'remove') {
        epoch++
        add(s === 'remove' ? [2] : [])
      }
      // The same commit offered again, with the same key: after confirmation it must be refused.
      if (s === 'again') add([])
      if (s === 'confirm') session.confirmEpoch(epoch, instant(now))
      if (s === 'abandon') session.abandonEpoch(epoch)
    }
    assert.equal(used.size, sealed)
  }), { numRuns: 300, interruptAfterTimeLimit: 2000 })
})
