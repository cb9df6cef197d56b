import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ssrc } from '../../../src/base/brand.ts'
import type { Frame, FrameBatch } from '../../../src/vault/api/frames.ts'
import { packBatches, unpackBatches } from '../../../src/vault/api/packed-frames.ts'

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const frame: fc.Arbitrary<Frame> = fc.record({
  ssrc: u32.map(ssrc), timestamp: u32, data: fc.uint8Array({ maxLength: 300 }),
  fault: fc.option(fc.stringMatching(/^[A-Z_]{1,40}$/), { nil: undefined }), leaf: fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
}).map(({ fault, leaf, ...f }) => ({ ...f, ...(fault === undefined ? {} : { fault }), ...(leaf === undefined ? {} : { leaf }) }))
const batch: fc.Arbitrary<FrameBatch> = fc.record({ op: fc.constantFrom('seal' as const, 'open' as const), session: u32, frames: fc.array(frame, { maxLength: 25 }) })

const plain = (batches: readonly FrameBatch[] | undefined): unknown =>
  batches?.map((b) => ({ ...b, frames: b.frames.map((f) => ({ ...f, data: [...f.data] })) }))

test('batches come out of the buffer as they went in', () => {
  fc.assert(fc.property(fc.array(batch, { maxLength: 5 }), (batches) => {
    assert.deepEqual(plain(unpackBatches(packBatches(batches))), plain(batches))
  }), { numRuns: 200 })
})

test('what is cut off or goes on is refused', () => {
  const whole = packBatches([{ op: 'open', session: 3, frames: [{ ssrc: ssrc(1), timestamp: 2, data: new Uint8Array(10), fault: 'X', leaf: 4 }] }])
  for (let n = 1; n < whole.length; n++) assert.equal(unpackBatches(whole.subarray(0, n)), undefined, `${n} octets`)
  assert.equal(unpackBatches(Uint8Array.of(...whole, 0)), undefined)
})

test('changed octets never throw, and never give more frames than there is room for', () => {
  fc.assert(fc.property(fc.array(batch, { minLength: 1, maxLength: 3 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (batches, at, mask) => {
    const packed = packBatches(batches)
    packed[at % packed.length]! ^= mask
    const out = unpackBatches(packed)
    assert.ok(out === undefined || out.reduce((n, b) => n + b.frames.length, 0) * 15 <= packed.length)
  }), { numRuns: 500 })
})
