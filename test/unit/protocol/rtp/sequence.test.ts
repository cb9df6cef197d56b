import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant, ssrc } from '../../../../src/base/brand.ts'
import { Reception } from '../../../../src/protocol/rtp/reception.ts'
import { estimateIndex } from '../../../../src/protocol/rtp/sequence.ts'

test('the index of a packet within half a circle of the newest is found (RFC 3711 §3.3.1)', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 48 - 2 ** 16 }), fc.integer({ min: -0x7fff, max: 0x7fff }), (highest, distance) => {
    const index = highest + distance
    if (index >= 0) assert.equal(estimateIndex(highest, index % 0x10000), index)
  }))
})

test('before the first rollover there is no way back', () => {
  assert.equal(estimateIndex(10, 50_000), 50_000)
  assert.equal(estimateIndex(0x10000 + 10, 50_000), 50_000)
  assert.equal(estimateIndex(50_000, 10), 0x10000 + 10)
})

test('reception: loss, jitter and delay since the last report', () => {
  const r = new Reception(ssrc(7), 8000)
  // 20 ms apart, across both wraps; one of ten lost; a constant transit time has no jitter.
  for (let i = 0; i < 100; i++) if (i % 10 !== 5) r.packet((65_500 + i) % 65_536, (0xffffff00 + 160 * i) % 2 ** 32, instant(1e6 + 20 * i))
  r.senderReport(0x12345678, instant(1e6))
  const report = r.report(instant(1e6 + 500))
  assert.deepEqual(report, { ssrc: 7, fractionLost: 25, lost: 10, highestSequence: 65_536 + 63, jitter: 0, lastReport: 0x12345678, delaySinceLastReport: 32_768 })
  assert.equal(r.report(instant(1e6)).fractionLost, 0, 'only what was lost since the previous report')
  for (let i = 100; i < 200; i++) r.packet((65_500 + i) % 65_536, (0xffffff00 + 160 * i) % 2 ** 32, instant(1e6 + 20 * i + (i % 2) * 5))
  assert.ok(r.jitter > 35 && r.jitter < 41, `5 ms are 40 units: ${r.jitter}`)
  r.packet(163, 0, instant(0))
  assert.equal(r.lost, 9, 'a duplicate counts as received (RFC 3550 A.3)')
})
