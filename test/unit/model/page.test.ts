import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '../../../src/base/brand.ts'
import { decodePage, decodeSound, encodePage, encodeSound, type PageMessage } from '../../../src/model/page.ts'

test('epochs cross as they are, however large', () => {
  const m: PageMessage = { k: 'event', call: 1, event: { kind: 'group', at: instant(5), epoch: 2n ** 60n + 1n, securityCode: '1', members: [] } }
  assert.deepEqual(decodePage(encodePage(m)), m)
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
