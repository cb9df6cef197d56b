import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Concealer } from '../../../src/audio/concealment.ts'
import { babble, tone } from '../../kit/audio.ts'

const frames = (pcm: Int16Array): Int16Array[] => Array.from({ length: Math.floor(pcm.length / 320) }, (_, i) => pcm.slice(320 * i, 320 * i + 320))
const rms = (pcm: Int16Array): number => Math.sqrt(pcm.reduce((sum, v) => sum + v * v, 0) / pcm.length)

/** Runs frames through a concealer; those in `lost` do not come. */
function conceal(pcm: Int16Array, lost: (frame: number) => boolean): Int16Array {
  const concealer = new Concealer()
  const out = new Int16Array(pcm.length)
  for (const [i, frame] of frames(pcm).entries()) {
    if (lost(i)) concealer.lost(frame)
    else concealer.good(frame)
    out.set(frame, 320 * i)
  }
  return out
}

const jerk = (pcm: Int16Array): number => pcm.reduce((worst, v, i) => (i < 2 ? 0 : Math.max(worst, Math.abs(v - 2 * pcm[i - 1]! + pcm[i - 2]!))), 0)

test('without loss nothing is touched', () => {
  const pcm = babble(6400)
  assert.deepEqual(conceal(pcm, () => false), pcm)
})

test('a lost frame of a steady voice is hardly missed: same energy, no step', () => {
  for (const hz of [110, 150, 200, 440]) {
    const pcm = tone(hz, 6400)
    const out = conceal(pcm, (i) => i === 10)
    assert.ok(jerk(out) < 1.6 * jerk(pcm) + 100, `${hz} Hz: ${jerk(out)} against ${jerk(pcm)}`)
    const ratio = rms(out.subarray(3200, 3520)) / rms(pcm.subarray(3200, 3520))
    assert.ok(ratio > 0.75 && ratio < 1.1, `${hz} Hz: ${ratio}`)
  }
})

test('a long loss fades to silence within 100 ms and stays silent', () => {
  const out = conceal(tone(200, 16_000), (i) => i >= 10)
  assert.ok(rms(out.subarray(3200, 3520)) > 4000)
  assert.ok(rms(out.subarray(3200 + 960, 3200 + 1280)) < 2000)
  assert.ok(out.subarray(3200 + 1600).every((v) => v === 0))
})

test('re-entry after silence and after one frame is blended', () => {
  for (const length of [1, 2, 10]) {
    const pcm = tone(300, 9600)
    const out = conceal(pcm, (i) => i >= 10 && i < 10 + length)
    assert.ok(jerk(out) < 1000, `${length}: ${jerk(out)}`)
    assert.deepEqual(out.subarray(320 * (10 + length) + 160), pcm.subarray(320 * (10 + length) + 160))
  }
})

test('a loss at the very start is silence', () => {
  assert.ok(conceal(tone(300, 640), () => true).every((v) => v === 0))
})
