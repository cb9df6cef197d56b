/** The frames of one sealed call: what leaves and what may be heard, before keys, with them, and when they change. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Instant, instant } from '../../../src/base/brand.ts'
import { must } from '../../../src/base/result.ts'
import { chainedKeys } from '../../../src/protocol/frameseal/chained.ts'
import type { EpochKeys } from '../../../src/protocol/frameseal/session.ts'
import { CallFrames } from '../../../src/vault/inside/call-frames.ts'
import { crypto } from '../../kit/certificates.ts'

const at = (ms: number): Instant => instant(ms)
const voice = (n: number, octets = 160): Uint8Array => new Uint8Array(octets).fill((n << 1) & 0xff)
const sealedOf = (out: Uint8Array | string): Uint8Array => {
  assert.ok(typeof out !== 'string', String(out))
  return out
}
function keyPair(): readonly [EpochKeys, EpochKeys] {
  const direction = () => ({ key: crypto.bytes(32), salt: crypto.bytes(12), mask: crypto.bytes(32) })
  const [there, back] = [direction(), direction()]
  return [{ send: there, receive: back }, { send: back, receive: there }]
}
const ends = (o: { readonly inBand?: boolean; readonly frames?: number } = {}): readonly [CallFrames, CallFrames] => {
  const make = (): CallFrames => new CallFrames(crypto, { codec: 'pcmu', inBand: o.inBand === true, ...(o.frames === undefined ? {} : { frames: o.frames }) })
  return [make(), make()]
}
function keyed(o: Parameters<typeof ends>[0] = {}): readonly [CallFrames, CallFrames] {
  const [a, b] = ends(o)
  const [forA, forB] = keyPair()
  must(a.keys(0, forA, at(0)))
  must(b.keys(0, forB, at(0)))
  return [a, b]
}
const kinds = (o: { readonly news: readonly { readonly kind: string }[] }): string[] => o.news.map((n) => n.kind)

test('without keys frames pass as they are; with the in-band carrier only lowest bits differ', () => {
  const [plain] = ends()
  const frame = crypto.bytes(160)
  assert.deepEqual(plain.seal(frame, at(0)), frame)
  assert.deepEqual(plain.open(frame, at(0)), { voice: frame, news: [] })
  const [talks] = ends({ inBand: true })
  const out = sealedOf(talks.seal(frame, at(0)))
  assert.deepEqual(out.map((o) => o & 0xfe), frame.map((o) => o & 0xfe))
})

test('with keys nothing leaves unsealed, nothing unsealed opens, and the first that opens is told once', () => {
  const [a, b] = keyed()
  const sealed = sealedOf(a.seal(voice(1), at(0)))
  assert.notDeepEqual(sealed, voice(1))
  const first = b.open(sealed, at(0))
  assert.deepEqual([first.voice, kinds(first)], [voice(1), ['heard']])
  assert.deepEqual(kinds(b.open(sealedOf(a.seal(voice(2), at(20))), at(20))), [])
  const open = b.open(voice(3), at(40))
  assert.deepEqual([open.voice, open.fault], [undefined, 'FRAMESEAL_FORGED'])
})

test('a frame of a length that cannot be sealed does not leave', () => {
  const [a] = keyed()
  for (const octets of [0, 80, 159, 164, 488]) assert.equal(a.seal(voice(1, octets), at(0)), 'FRAMESEAL_LENGTH')
})

test('a message of ours takes the place of voice once the other side was heard, and comes out under the keys', () => {
  const [a, b] = keyed()
  assert.ok(a.say(Uint8Array.of(16, 1)))
  const before = b.open(sealedOf(a.seal(voice(1), at(0))), at(0))
  assert.ok(before.voice !== undefined, 'voice as long as nobody was heard')
  a.open(sealedOf(b.seal(voice(1), at(0))), at(0))
  const said = b.open(sealedOf(a.seal(voice(2), at(20))), at(20))
  assert.deepEqual([said.voice, said.news], [undefined, [{ kind: 'message', sealed: true, bytes: Uint8Array.of(16, 1) }]])
  assert.deepEqual(b.open(sealedOf(a.seal(voice(3), at(40))), at(40)).voice, voice(3))
})

test('the nearly used keys are told once, again only of later ones, and at the end nothing leaves', () => {
  const [a, b] = keyed({ frames: 40 })
  const told: number[] = []
  for (let n = 0; n < 40; n++) {
    const sealed = sealedOf(b.seal(voice(n), at(n)))
    sealedOf(a.seal(voice(n), at(n)))
    if (kinds(a.open(sealed, at(n))).includes('low')) told.push(n)
  }
  assert.equal(told.length, 1)
  assert.ok(told[0]! >= 29 && told[0]! <= 32, String(told[0]))
  assert.equal(a.seal(voice(1), at(100)), 'FRAMESEAL_EXHAUSTED')
})

test('later keys seal when all that was said has arrived, or the other side has them', () => {
  const [a, b] = keyed()
  a.open(sealedOf(b.seal(voice(0), at(0))), at(0))
  b.open(sealedOf(a.seal(voice(0), at(0))), at(0))
  a.say(Uint8Array.of(1, 2, 3))
  const [forA, forB] = keyPair()
  must(a.keys(1, forA, at(10)))
  // Something of ours is on its way: still the old keys, which the other side has.
  assert.equal(b.open(sealedOf(a.seal(voice(1), at(20))), at(20)).fault, undefined)
  must(b.keys(1, forB, at(30)))
  const fromB = sealedOf(b.seal(voice(2), at(40)))
  assert.equal(a.open(fromB, at(40)).fault, undefined)
  const [, onlyOld] = ends()
  const now = sealedOf(a.seal(voice(3), at(60)))
  assert.deepEqual(b.open(now, at(60)).fault, undefined)
  assert.equal(onlyOld.open(now, at(60)).fault, undefined, 'without keys it passes as it came')
})

test('an epoch that is none, and one given twice, are refused and change nothing', () => {
  const [a, b] = keyed()
  assert.ok(!a.keys(0, keyPair()[0], at(10)).ok)
  assert.deepEqual(b.open(sealedOf(a.seal(voice(5), at(20))), at(20)).voice, voice(5))
})

test('`chained`: what comes in the first half second, and the frame after a gap, are not played', () => {
  const [a, b] = ends()
  const keys = () => chainedKeys(crypto, new Uint8Array(32).fill(1), new Uint8Array(32).fill(2), new Uint8Array(32).fill(3))
  a.chained(keys(), 'initiator', at(0))
  b.chained(keys(), 'responder', at(0))
  const heard: boolean[] = []
  for (let n = 0; n < 60; n++) {
    const sealed = sealedOf(a.seal(voice(n), at(n * 20)))
    if (n === 40) continue
    const { voice: v, fault } = b.open(sealed, at(n * 20), n * 160)
    assert.equal(v === undefined, fault === 'FRAMESEAL_CHAIN')
    if (v !== undefined) assert.deepEqual(v, voice(n))
    heard[n] = v !== undefined
  }
  assert.deepEqual(heard.map((h, n) => (h ? -1 : n)).filter((n) => n >= 25), [41])
  assert.ok(heard.slice(0, 25).every((h) => !h) && heard[26] === true)
})

test('property: whatever octets come at whatever time, nothing throws, and with keys nothing of them is heard', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 500 }), fc.nat(10_000)), { maxLength: 20 }), fc.boolean(), (frames, inBand) => {
    const [a] = keyed({ inBand })
    for (const [frame, ms] of frames) {
      const opened = a.open(frame, at(ms))
      assert.equal(opened.voice, undefined)
    }
  }))
})

test('with the call its keys are gone, those of `chained` as well', () => {
  const [sealed] = ends()
  const [mine] = keyPair()
  must(sealed.keys(0, mine, at(0)))
  const [chained] = ends()
  const keys = chainedKeys(crypto, new Uint8Array(32).fill(1), new Uint8Array(32).fill(2), new Uint8Array(32).fill(3))
  chained.chained(keys, 'initiator', at(0))
  for (const call of [sealed, chained]) call[Symbol.dispose]()
  for (const secret of [mine.send.key, mine.receive.mask, keys.cipherA, keys.cipherB, keys.ivA, keys.ivB]) assert.ok(secret.every((o) => o === 0))
})

test('keys of a number that is in use are not taken, and wiped; those of before stay', () => {
  const [a, b] = keyed()
  const [again] = keyPair()
  const taken = a.keys(0, again, at(1))
  assert.equal(taken.ok ? '' : taken.fault.code, 'FRAMESEAL_EPOCH_REUSED')
  for (const secret of [again.send.key, again.receive.salt]) assert.ok(secret.every((o) => o === 0))
  assert.deepEqual(b.open(sealedOf(a.seal(voice(3), at(2))), at(2)).voice, voice(3))
})
