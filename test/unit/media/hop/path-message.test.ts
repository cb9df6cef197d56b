import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ssrc } from '../../../../src/base/brand.ts'
import { must } from '../../../../src/base/result.ts'
import { PATH_MESSAGE_OCTETS, readPathMessage, writePathMessage } from '../../../../src/media/hop/path-message.ts'
import type { PathSubtype } from '../../../../src/media/hop/path-message.ts'

const arbitrary = fc.record({
  subtype: fc.integer({ min: 0, max: 3 }).map((n) => n as PathSubtype),
  ssrc: fc.integer({ min: 0, max: 0xffffffff }).map(ssrc),
  token: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  use: fc.boolean(),
}, { noNullPrototype: true })

test('what is written is read', () => {
  fc.assert(fc.property(arbitrary, (m) => {
    const buf = new Uint8Array(64).fill(0xee)
    assert.equal(writePathMessage(buf, m), PATH_MESSAGE_OCTETS)
    assert.deepEqual(must(readPathMessage(buf.subarray(0, PATH_MESSAGE_OCTETS))), m)
  }))
})

test('every change of the header and every other length is refused, never thrown', () => {
  fc.assert(fc.property(arbitrary, fc.integer({ min: 0, max: 63 }), fc.integer({ min: 0, max: 19 }), fc.integer({ min: 1, max: 255 }), (m, length, at, change) => {
    const buf = new Uint8Array(64)
    writePathMessage(buf, m)
    const other = readPathMessage(buf.subarray(0, length))
    assert.equal(other.ok, length === PATH_MESSAGE_OCTETS)
    buf[at]! ^= change
    const r = readPathMessage(buf.subarray(0, PATH_MESSAGE_OCTETS))
    // SSRC and token are data; the subtype may turn into another known one.
    const free = (at >= 4 && at < 8) || at >= 12 || (at === 0 && change <= 3)
    assert.equal(r.ok, free)
  }))
})
