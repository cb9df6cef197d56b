import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ssrc } from '../../../../src/base/brand.ts'
import { StreamMeter, StreamMeters } from '../../../../src/media/plain/meter.ts'

/** Packets of 20 ms that come `early` and late by turns, ms: jitter tends towards twice that, whatever the clock is. */
function play(meter: StreamMeter, step: number, { first = 65_530, early = 2, lose = -1 } = {}): void {
  for (let n = 0; n < 400; n++) {
    if (n === lose) continue
    meter.packet((first + n) & 0xffff, (0xffff_f000 + n * step) >>> 0, 100, 0, 1000 + 20 * n + (n % 2 === 0 ? -early : early))
  }
}

test('the clock of a stream is learnt from its packets: jitter is in milliseconds for every codec', () => {
  for (const step of [160, 320, 640, 960]) {
    const meter = new StreamMeter(ssrc(1))
    play(meter, step)
    assert.ok(Math.abs(meter.stats().jitterMs - 4) < 0.2, `${step}: ${meter.stats().jitterMs} ms`)
    assert.equal(meter.stats().lost, 0)
    const steady = new StreamMeter(ssrc(1))
    play(steady, step, { early: 0 })
    assert.ok(steady.stats().jitterMs < 0.01, `${step}: ${steady.stats().jitterMs} ms`)
  }
})

test('a signalled clock is taken as it is, and what was lost is counted on', () => {
  const meter = new StreamMeter(ssrc(1), 48_000)
  play(meter, 960, { lose: 7 })
  assert.ok(Math.abs(meter.stats().jitterMs - 4) < 0.2)
  assert.equal(meter.stats().lost, 1)
  meter.clockRate = 8000
  play(meter, 160, { first: 100 })
  assert.ok(Math.abs(meter.stats().jitterMs - 4) < 0.2)
  assert.equal(meter.stats().lost, 1)
  // Another codec of the same peer, by a signalled change.
  const meters = new StreamMeters()
  play(meters.of(ssrc(5), 8000), 160)
  play(meters.of(ssrc(5), 48_000), 960)
  assert.ok(Math.abs(meters.stats()[0]!.jitterMs - 4) < 0.2)
})

test('packets that say nothing of a clock leave the assumption', () => {
  const meter = new StreamMeter(ssrc(1))
  play(meter, 161)
  assert.ok(meter.stats().jitterMs < 5)
})
