import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpeedQueue } from '../../../src/audio/resampler.ts'
import { purity, tone } from '../../kit/audio.ts'

function through(pcm: Int16Array, speed: number): Int16Array {
  const queue = new SpeedQueue(2000)
  const out: number[] = []
  const frame = new Int16Array(320)
  for (let at = 0; at < pcm.length; at += 320) {
    assert.ok(queue.write(pcm.subarray(at, at + 320)))
    while (queue.read(frame, speed)) out.push(...frame)
  }
  return Int16Array.from(out)
}

test('at speed 1 the samples come out as they went in, half a millisecond later', () => {
  const pcm = tone(1000, 3200)
  const out = through(pcm, 1)
  assert.deepEqual(out.subarray(8), pcm.subarray(0, out.length - 8))
})

test('faster and slower: the tone moves by the ratio and stays clean', () => {
  for (const speed of [0.98, 0.997, 1.0003, 1.01]) {
    const out = through(tone(1000, 32_000), speed)
    assert.ok(Math.abs(out.length - 32_000 / speed) < 700)
    // A whole number of periods, near enough.
    assert.ok(purity(1000 * speed, out.subarray(320, 16_320)) > 40, `${speed}: ${purity(1000 * speed, out.subarray(320, 16_320))} dB`)
  }
})

test('high frequencies survive a slight change of speed', () => {
  const out = through(tone(6000, 16_000), 1.003)
  const energy = out.subarray(1000, 9000).reduce((sum, v) => sum + v * v, 0) / 8000
  assert.ok(Math.abs(10 * Math.log10(energy / (8000 * 8000 / 2))) < 1)
})

test('it refuses what does not fit and gives nothing when too little is there', () => {
  const queue = new SpeedQueue(640)
  const frame = new Int16Array(320)
  assert.equal(queue.read(frame, 1), false)
  assert.ok(queue.write(frame) && queue.write(frame))
  assert.equal(queue.write(frame), false)
  assert.equal(queue.length, 640)
  assert.ok(queue.read(frame, 1))
  assert.equal(queue.length, 320)
})

test('a cut is blended', () => {
  const queue = new SpeedQueue(2000)
  queue.write(new Int16Array(640).fill(10_000))
  queue.write(new Int16Array(960).fill(-10_000))
  const frame = new Int16Array(320)
  queue.read(frame, 1)
  queue.skip(700)
  queue.read(frame, 1)
  assert.ok(frame.every((v, i) => Math.abs(v - (i === 0 ? 10_000 : frame[i - 1]!)) < 400))
  assert.equal(frame[200], -10_000)
})
