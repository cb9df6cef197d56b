import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Resampler } from '../../../src/web/audio/resampler.ts'

const sine = (hz: number, rate: number, seconds: number): Float32Array => Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate))
function through(r: Resampler, x: Float32Array, block: number): Float32Array {
  const parts: number[] = []
  for (let i = 0; i < x.length; i += block) parts.push(...r.process(x.subarray(i, i + block)))
  return Float32Array.from(parts)
}
/** Power of what is not the sine, under the sine's, in dB. */
function snr(out: Float32Array, hz: number, rate: number): number {
  const x = out.subarray(2000, 2000 + Math.floor((out.length - 4000) / (rate / 100)) * (rate / 100))
  let [a, b, power] = [0, 0, 0]
  x.forEach((v, i) => {
    a += v * Math.cos((2 * Math.PI * hz * i) / rate)
    b += v * Math.sin((2 * Math.PI * hz * i) / rate)
    power += v * v
  })
  const signal = (2 * (a * a + b * b)) / x.length
  return 10 * Math.log10(signal / Math.max(1e-12, power - signal))
}

for (const [from, to] of [[48_000, 16_000], [44_100, 16_000], [16_000, 48_000], [16_000, 44_100]] as const) {
  test(`${from} to ${to}: speech passes, blocks have no seams`, () => {
    for (const hz of [300, 1000, 3400, 6000]) {
      const out = through(new Resampler(from, to), sine(hz, from, 2), 128)
      assert.ok(Math.abs(out.length - 2 * to) < 200, `${out.length} samples`)
      assert.ok(snr(out, hz, to) > 45, `${hz} Hz: ${snr(out, hz, to)} dB`)
    }
  })
}

test('what does not fit into the lower rate is taken out, not folded back', () => {
  const out = through(new Resampler(48_000, 16_000), sine(12_000, 48_000, 1), 128)
  assert.ok(Math.max(...out.subarray(1000).map(Math.abs)) < 0.01)
})

test('a faster pace takes in more', () => {
  const r = new Resampler(16_000, 48_000)
  r.pace = 1.004
  assert.ok(Math.abs(through(r, sine(440, 16_000, 10), 320).length - 480_000 / 1.004) < 300)
})
