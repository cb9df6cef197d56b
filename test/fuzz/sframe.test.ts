/** Mutated and random octets into the SFrame decoder and a session: refused with a code, and nothing changes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant, ssrc } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { decodeHeader, encodeHeader } from '../../src/protocol/sframe/header.ts'
import { SFrameSession } from '../../src/protocol/sframe/session.ts'
import { fuzz } from '../kit/fuzz.ts'

const LIMIT = { numRuns: 2000, interruptAfterTimeLimit: 1500 }
const SSRC = ssrc(1)

test('headers', () => {
  fuzz(fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
    const r = decodeHeader(bytes)
    if (!r.ok) assert.equal(r.fault.code, 'SFRAME_MALFORMED')
    else assert.deepEqual(encodeHeader(r.value.kid, r.value.ctr), bytes.slice(0, r.value.length))
  }), LIMIT)
})

test('frames', () => {
  const crypto = createNodeCrypto()
  const member = (ownLeaf: number): SFrameSession => {
    const s = new SFrameSession(crypto, 'AES_128_GCM_SHA256_128', 'g722')
    must(s.addEpoch({ epoch: 7n, baseKey: new Uint8Array(16), leaves: [0, 1, 2], ownLeaf, removed: [] }, instant(0)))
    must(s.confirmEpoch(7n, instant(0)))
    return s
  }
  const [a, b] = [member(0), member(1)]
  const good = a.seal(new Uint8Array(50), SSRC, 0, instant(1))
  assert.ok(good.ok)
  const mutated = fc.tuple(fc.nat(good.frame.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(good.frame.length)).map(([at, change, length]) => {
    const bytes = good.frame.slice()
    bytes[at]! ^= change
    return length % 3 === 0 ? bytes.subarray(0, length) : bytes
  })
  fuzz(fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 60 })), (bytes) => {
    const r = b.open(bytes, SSRC, 0, instant(1))
    assert.ok(!r.ok && r.code.startsWith('SFRAME_'))
  }), LIMIT)
  assert.ok(b.open(good.frame, SSRC, 0, instant(1)).ok)
})
