import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeHeader } from '../../../../src/protocol/sframe/header.ts'
import { epochBitsOf } from '../../../../src/vault/api/frames.ts'

test('the low bits of the epoch are those of the key id, however long it is (RFC 9605 §4.3)', () => {
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (kid, ctr) => {
    assert.equal(epochBitsOf(encodeHeader(kid, ctr)), Number(kid & 0xffn))
  }))
  for (const kid of [0n, 7n, 8n, 255n, 256n]) assert.equal(epochBitsOf(encodeHeader(kid, 3n)), Number(kid & 0xffn))
})

test('octets that are no frame give a number', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), (o) => assert.ok(epochBitsOf(o) >= 0 && epochBitsOf(o) < 256)))
})
