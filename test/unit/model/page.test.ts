import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '../../../src/base/brand.ts'
import { decodePage, decodeSound, encodePage, encodeSound, epochNear, type PageMessage } from '../../../src/model/page.ts'

test('epochs cross as they are, however large', () => {
  const m: PageMessage = { k: 'event', call: 1, event: { kind: 'group', at: instant(5), epoch: 2n ** 60n + 1n, securityCode: '1', members: [] } }
  assert.deepEqual(decodePage(encodePage(m)), m)
})

test('an epoch of which eight bits are known is the nearest to the one that stands', () => {
  assert.deepEqual([epochNear(7n, 7), epochNear(7n, 6), epochNear(7n, 8), epochNear(256n, 255), epochNear(511n, 0)], [7n, 6n, 8n, 255n, 512n])
  fc.assert(fc.property(fc.bigInt({ min: 128n, max: 2n ** 60n }), fc.integer({ min: -127, max: 127 }), (known, away) => {
    const epoch = known + BigInt(away)
    assert.equal(epochNear(known, Number(epoch & 0xffn)), epoch)
  }))
})

test('sound crosses sample by sample', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 3 }), fc.array(fc.integer({ min: -32768, max: 32767 }), { minLength: 1, maxLength: 400 }), (kind, samples) => {
    const pcm = Int16Array.from(samples)
    assert.deepEqual(decodeSound(encodeSound(kind, pcm)), { kind, pcm })
  }))
})

test('octets that are no sound give nothing', () => {
  for (const octets of [[], [1], [1, 0], [1, 0, 5], [1, 1, 0, 0]]) assert.equal(decodeSound(Uint8Array.from(octets)), undefined)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 50 }), (o) => void decodeSound(o)))
})
