import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '../../../../src/base/brand.ts'
import { toHex } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { capacity, decodeHeader, type DirectionKeys, encodeHeader, type SealedCodec } from '../../../../src/protocol/frameseal/frame.ts'
import { FrameSession } from '../../../../src/protocol/frameseal/session.ts'
import { packedLength, packSeven, unpackSeven } from '../../../../src/protocol/frameseal/seven-bits.ts'
import { crypto } from '../../../kit/certificates.ts'

const at = instant
const directionKeys = (): DirectionKeys => ({ key: crypto.bytes(32), salt: crypto.bytes(12), mask: crypto.bytes(32) })
const copy = (k: DirectionKeys): DirectionKeys => ({ key: k.key.slice(), salt: k.salt.slice(), mask: k.mask.slice() })

/** Two ends of one call. */
function pair(options: { codec?: SealedCodec; frames?: number } = {}) {
  const [a, b] = [0, 1].map(() => new FrameSession(crypto, { codec: 'g722', ...options })) as [FrameSession, FrameSession]
  const epoch = (n: number, now = 0, send = true): void => {
    const [ab, ba] = [directionKeys(), directionKeys()]
    must(a.addEpoch(n, { send: copy(ab), receive: copy(ba) }, at(now), send))
    must(b.addEpoch(n, { send: copy(ba), receive: copy(ab) }, at(now), send))
  }
  epoch(0)
  return { a, b, epoch }
}
const voiceOf = (b: FrameSession, frame: Uint8Array, now = 0): Uint8Array | string => {
  const r = b.open(frame, at(now))
  return r.kind === 'voice' ? r.frame : r.kind === 'control' ? 'control' : r.code
}
const upper = (frame: Uint8Array): Uint8Array => frame.map((o) => o & 0xfe)
const lengths = fc.constantFrom(160, 168, 240, 320, 480)
const frames = lengths.chain((n) => fc.uint8Array({ minLength: n, maxLength: n }))

test('seven bits: packed and back, the same as written bit by bit', () => {
  fc.assert(fc.property(frames, fc.constantFrom(0 as const, 1 as const), (frame, low) => {
    const packed = new Uint8Array(packedLength(frame.length))
    packSeven(frame, packed)
    const bits = [...frame].map((o) => (o >> 1).toString(2).padStart(7, '0')).join('')
    assert.deepEqual([...packed], (bits.match(/.{8}/g) ?? []).map((b) => Number.parseInt(b, 2)))
    const out = new Uint8Array(frame.length)
    unpackSeven(packed, out, low)
    assert.deepEqual(out, frame.map((o) => (o & 0xfe) | low))
  }))
})

test('headers: kind, epoch and counter and back', () => {
  fc.assert(fc.property(fc.boolean(), fc.nat(7), fc.nat(2 ** 28 - 1), (control, epoch, counter) => {
    assert.deepEqual(decodeHeader(encodeHeader({ control, epoch, counter })), { control, epoch, counter })
  }))
})

test('a frame keeps its length and its upper seven bits', () => {
  const { a, b } = pair()
  fc.assert(fc.property(frames, (frame) => {
    const sealed = must(a.sealVoice(frame))
    assert.equal(sealed.length, frame.length)
    assert.deepEqual(voiceOf(b, sealed), upper(frame))
  }))
})

test('control frames take the place of voice, to the last octet', () => {
  const { a, b } = pair()
  for (const n of [160, 320]) {
    const payload = crypto.bytes(capacity(n))
    const r = b.open(must(a.sealControl(payload, n)), at(0))
    assert.deepEqual(r, { kind: 'control', payload, epoch: 0 })
    assert.equal(a.sealControl(crypto.bytes(capacity(n) + 1), n).ok, false)
  }
})

test('other lengths are refused at both ends', () => {
  const { a, b } = pair()
  for (const n of [0, 8, 152, 161, 488]) {
    assert.equal(a.sealVoice(new Uint8Array(n)).ok, false)
    assert.equal(voiceOf(b, new Uint8Array(n)), 'FRAMESEAL_LENGTH')
  }
})

test('what crosses looks random: the header too', () => {
  const { a } = pair()
  const quiet = new Uint8Array(160).fill(0xfe)
  const seen = Array.from({ length: 2000 }, () => must(a.sealVoice(quiet)))
  for (let bit = 0; bit < 32; bit++) {
    const ones = seen.filter((f) => ((f[bit >> 3]! >> (bit & 7)) & 1) === 1).length
    assert.ok(ones > 850 && ones < 1150, `bit ${bit} of the header: ${ones} of 2000`)
  }
})

test('the other codec, another length, a moved frame: refused', () => {
  const { a, b } = pair()
  const frame = must(a.sealVoice(new Uint8Array(320)))
  assert.equal(voiceOf(b, frame.subarray(0, 160)), 'FRAMESEAL_FORGED')
  const other = pair({ codec: 'pcmu' })
  const [ab, ba] = [directionKeys(), directionKeys()]
  must(a.addEpoch(1, { send: copy(ab), receive: copy(ba) }, at(0)))
  must(other.b.addEpoch(1, { send: copy(ba), receive: copy(ab) }, at(0)))
  assert.equal(voiceOf(other.b, must(a.sealVoice(new Uint8Array(160)))), 'FRAMESEAL_FORGED')
})

test('loss, reordering and duplicates: each frame that came is opened once', () => {
  fc.assert(fc.property(fc.array(fc.nat(1000), { minLength: 10, maxLength: 60 }), (keysOfOrder) => {
    const { a, b } = pair()
    const sent = keysOfOrder.map((k, i) => ({ k, i, frame: must(a.sealVoice(new Uint8Array(160).fill(2 * (i % 100)))) }))
    const arrived = sent.filter((s) => s.k % 10 !== 0).toSorted((x, y) => x.k - y.k)
    for (const s of arrived) assert.deepEqual(voiceOf(b, s.frame), new Uint8Array(160).fill(2 * (s.i % 100)))
    for (const s of arrived) assert.equal(voiceOf(b, s.frame), 'FRAMESEAL_REPLAYED')
  }))
})

test('ten thousand tampered frames: all refused, the call goes on', () => {
  const { a, b } = pair()
  for (let i = 0; i < 10_000; i++) {
    const frame = must(a.sealVoice(new Uint8Array(160)))
    const where = Math.floor((i * 1280) / 10_000)
    const bad = frame.with(where >> 3, frame[where >> 3]! ^ (1 << (where & 7)))
    assert.equal(b.open(bad, at(0)).kind, 'refused', `bit ${where}`)
    if (i % 1000 === 0) assert.deepEqual(voiceOf(b, frame), new Uint8Array(160))
  }
})

test('one\'s own frames coming back are not opened', () => {
  const { a } = pair()
  const r = a.open(must(a.sealVoice(new Uint8Array(160))), at(0))
  assert.equal(r.kind, 'refused')
})

test('new keys: the old ones open for two seconds more, and no number is used twice', () => {
  const { a, b, epoch } = pair()
  const old = Array.from({ length: 3 }, () => must(a.sealVoice(new Uint8Array(160))))
  epoch(1, 1000)
  assert.equal(a.epoch, 1)
  assert.deepEqual(voiceOf(b, old[0]!, 2999), new Uint8Array(160))
  assert.equal(voiceOf(b, old[1]!, 3000), 'FRAMESEAL_FORGED')
  assert.deepEqual(voiceOf(b, must(a.sealVoice(new Uint8Array(160))), 3000), new Uint8Array(160))
  const keys = { send: directionKeys(), receive: directionKeys() }
  assert.equal(a.addEpoch(1, keys, at(3000)).ok, false)
  for (let n = 2; n <= 8; n++) epoch(n, 3000)
  // Number 9 shares its three bits with 1, of which frames may still come in for two seconds.
  assert.equal(a.addEpoch(9, keys, at(4999)).ok, false)
  assert.equal(a.addEpoch(9, keys, at(5000)).ok, true)
})

test('sealing goes over to new keys when the other side has them', () => {
  const { a, b, epoch } = pair()
  epoch(1, 0, false)
  assert.equal(a.epoch, 0)
  a.sendUnder(1, at(500))
  assert.equal(a.epoch, 1)
  a.sendUnder(0, at(500))
  assert.equal(a.epoch, 1, 'never back')
  assert.deepEqual(voiceOf(b, must(a.sealVoice(new Uint8Array(160))), 500), new Uint8Array(160))
})

test('when the counter has run out nothing is sealed until there are new keys', () => {
  const { a, epoch } = pair({ frames: 5 })
  const seen = new Set<string>()
  for (let i = 0; i < 5; i++) seen.add(toHex(must(a.sealVoice(new Uint8Array(160)))))
  assert.equal(seen.size, 5)
  assert.equal(a.left, 0)
  const r = a.sealVoice(new Uint8Array(160))
  assert.ok(!r.ok && r.fault.code === 'FRAMESEAL_EXHAUSTED')
  epoch(1)
  assert.equal(a.left, 5)
  must(a.sealVoice(new Uint8Array(160)))
})

test('random octets are refused', () => {
  const { b } = pair()
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => assert.equal(b.open(bytes, at(0)).kind, 'refused')))
})
