import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex } from '../../../../src/base/bytes.ts'
import { decodeHeader, encodeHeader, SFRAME_MAX_HEADER } from '../../../../src/protocol/sframe/header.ts'

const u64 = fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 600n))

test('what was encoded is decoded again', () => {
  fc.assert(fc.property(u64, u64, fc.uint8Array({ maxLength: 5 }), (kid, ctr, after) => {
    const header = encodeHeader(kid, ctr)
    assert.ok(header.length <= SFRAME_MAX_HEADER)
    assert.deepEqual(decodeHeader(Uint8Array.of(...header, ...after)), { ok: true, value: { kid, ctr, length: header.length } })
  }))
})

test('cut off and longer forms of the same value are refused', () => {
  for (const bad of ['', '80', '08', '9901', '8005', '0805', '900007', '990012ff01', '99123400ff']) {
    const r = decodeHeader(fromHex(bad)!)
    assert.equal(r.ok ? 'accepted' : r.fault.code, 'SFRAME_MALFORMED', bad)
  }
})
