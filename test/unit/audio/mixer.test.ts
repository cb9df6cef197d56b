import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Levelling, SPEECH_LEVEL } from '../../../src/audio/levelling.ts'
import { amplitudeOfLevel, frameLevel } from '../../../src/audio/levels.ts'
import { Mixer } from '../../../src/audio/mixer.ts'
import { babble, noise, purity, tone } from '../../kit/audio.ts'

function mix(sources: readonly Int16Array[], gain = 1): Int16Array {
  const mixer = new Mixer()
  const out = new Int16Array(sources[0]!.length)
  for (let at = 0; at < out.length; at += 320) {
    for (const s of sources) mixer.add(s.subarray(at, at + 320), gain)
    mixer.finish(out.subarray(at, at + 320))
  }
  return out
}

test('one quiet sender passes unchanged, 2 ms late', () => {
  const pcm = babble(3200)
  assert.deepEqual(mix([pcm]).subarray(32), pcm.subarray(0, 3200 - 32))
})

test('three senders add up', () => {
  const [a, b, c] = [tone(300, 3200, 5000), tone(700, 3200, 5000), tone(1100, 3200, 5000)] as const
  const out = mix([a, b, c])
  assert.ok(out.subarray(32).every((v, i) => Math.abs(v - (a[i]! + b[i]! + c[i]!)) <= 1))
})

test('nothing is ever clipped, whatever is added', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 8 }), (seeds, gain) => {
    const out = mix(seeds.map((s) => noise(1280, 32_767, s)), gain)
    assert.ok(out.every((v) => Math.abs(v) <= 29_201))
  }), { numRuns: 60 })
})

test('a sudden full-scale burst is met smoothly; an overloaded tone stays a tone', () => {
  const loud = new Int16Array(6400)
  loud.set(tone(400, 3200, 32_000), 3200)
  const out = mix([loud, loud, loud])
  assert.ok(out.every((v) => Math.abs(v) <= 29_201))
  assert.ok(purity(400, out.subarray(4000, 6400)) > 35, `${purity(400, out.subarray(4000, 6400))}`)
})

test('the gain comes back after the loud part', () => {
  const pcm = tone(400, 16_000, 2000)
  pcm.set(tone(400, 1600, 32_000), 3200)
  const out = mix([pcm, pcm])
  const level = frameLevel(out.subarray(15_680))
  assert.ok(Math.abs(level - frameLevel(tone(400, 320, 4000))) <= 1)
})

test('a change of gain within a frame is even', () => {
  const mixer = new Mixer()
  const out = new Int16Array(320)
  mixer.add(new Int16Array(320).fill(10_000), 0, 1)
  mixer.finish(out)
  assert.ok(out.subarray(33).every((v, i) => v >= out[i + 32]! && v - out[i + 32]! < 40))
})

test('levels: full scale is 0, silence 127, a tone 3 dB below its peak', () => {
  assert.equal(frameLevel(new Int16Array(320).fill(32_767)), 0)
  assert.equal(frameLevel(new Int16Array(320).fill(-32_768)), 0)
  assert.equal(frameLevel(new Int16Array(320)), 127)
  assert.equal(frameLevel(new Int16Array(0)), 127)
  assert.equal(frameLevel(tone(1000, 320, 3277)), 23)
  for (let level = 0; level < 40; level++) assert.equal(frameLevel(new Int16Array(320).fill(amplitudeOfLevel(level))), level)
})

test('levelling: quiet and loud speech come near the common level, within bounds and slowly', () => {
  for (const [level, gainDb] of [[36, 10], [18, -8], [SPEECH_LEVEL, 0], [48, 12], [3, -9]] as const) {
    const levelling = new Levelling()
    let previous = 1
    for (let i = 0; i < 1000; i++) {
      levelling.frame(i % 4 === 3 ? 70 : level)
      assert.ok(Math.abs(20 * Math.log10(levelling.gain / previous)) <= 0.101)
      previous = levelling.gain
    }
    assert.ok(Math.abs(20 * Math.log10(levelling.gain) - gainDb) < 0.5, `${level}: ${20 * Math.log10(levelling.gain)} dB`)
  }
})

test('levelling: noise and silence alone change nothing', () => {
  const levelling = new Levelling()
  for (let i = 0; i < 1000; i++) levelling.frame(i % 2 === 0 ? 127 : 58)
  assert.equal(levelling.gain, 1)
})
