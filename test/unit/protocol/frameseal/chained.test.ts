/** The published cascade, computed a second time straight from its description with nothing but HMAC and AES of node:crypto. */
import assert from 'node:assert/strict'
import { createCipheriv, createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '../../../../src/base/bytes.ts'
import { ChainedSession, chainedKeys, prf } from '../../../../src/protocol/frameseal/chained.ts'
import { crypto } from '../../../kit/certificates.ts'

const octets = (n: number, from: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (from + 7 * i) & 0xff)
const secret = octets(32, 1)
const [i, r] = [octets(32, 40), octets(32, 90)]

/** P_hash(secret, seed) = HMAC(secret, A(1) ‖ seed) ‖ HMAC(secret, A(2) ‖ seed) ‖ …, A(0) = seed, A(i) = HMAC(secret, A(i−1)). */
function byHand(key: Buffer, label: Buffer, seed: Buffer, n: number): Buffer {
  const hmac = (data: Buffer): Buffer => createHmac('sha512', key).update(data).digest()
  const labelled = Buffer.concat([label, seed])
  const blocks: Buffer[] = []
  for (let a = hmac(labelled); blocks.length * 64 < n; a = hmac(a)) blocks.push(hmac(Buffer.concat([a, labelled])))
  return Buffer.concat(blocks).subarray(0, n)
}

function cascade(frames: readonly Uint8Array[], direction: 'A' | 'B'): Buffer[] {
  const [I, R] = [Buffer.from(i), Buffer.from(r)]
  const master = byHand(Buffer.from(secret), Buffer.from('master secret'), Buffer.concat([I, R]), 32)
  const block = byHand(master, Buffer.from('key expansion'), Buffer.concat([R, I]), 128)
  const [cipher, ivKey] = direction === 'A' ? [block.subarray(0, 32), block.subarray(64, 96)] : [block.subarray(32, 64), block.subarray(96, 128)]
  let iv = byHand(ivKey, Buffer.from('initialization vector'), Buffer.concat([I, R]), 16)
  return frames.map((frame) => {
    const aes = createCipheriv('aes-128-ctr', cipher.subarray(0, 16), iv)
    const sealed = Buffer.concat([aes.update(frame), aes.final()])
    iv = byHand(ivKey, sealed, Buffer.concat([I, R]), 16)
    return sealed
  })
}

const pair = (): [ChainedSession, ChainedSession] => [
  new ChainedSession(crypto, chainedKeys(crypto, secret, i, r), 'initiator'), new ChainedSession(crypto, chainedKeys(crypto, secret, i, r), 'responder'),
]
const voice = Array.from({ length: 20 }, (_, n) => octets(160, n))

test('known answers for the whole cascade, both directions', () => {
  const [a, b] = pair()
  assert.deepEqual(voice.map((f) => Buffer.from(a.seal(f))), cascade(voice, 'A'))
  assert.deepEqual(voice.map((f) => Buffer.from(b.seal(f))), cascade(voice, 'B'))
})

test('the PRF gives any length', () => {
  fc.assert(fc.property(fc.nat(300), fc.uint8Array({ maxLength: 200 }), (n, key) => {
    assert.deepEqual(Buffer.from(prf(crypto, key, utf8('label'), i, n)), byHand(Buffer.from(key), Buffer.from('label'), Buffer.from(i), n))
  }))
})

test('what was sealed opens, at the same length, in both directions', () => {
  const [a, b] = pair()
  for (const f of voice) {
    assert.deepEqual(b.open(a.seal(f)), f)
    assert.deepEqual(a.open(b.seal(f)), f)
  }
})

test('a lost frame costs itself and the next one', () => {
  const [a, b] = pair()
  const sealed = voice.map((f) => a.seal(f))
  const opened = sealed.flatMap((s, n) => (n === 5 ? [] : [b.open(s)]))
  opened.forEach((f, n) => {
    const original = voice[n < 5 ? n : n + 1]!
    if (n === 5) assert.notDeepEqual(f, original)
    else assert.deepEqual(f, original)
  })
})
