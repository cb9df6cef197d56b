import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { frameLevel } from '../../../src/audio/levels.ts'
import { resample } from '../../../src/audio/resample.ts'
import { signalTone, sine } from '../../../src/audio/tones.ts'
import { parseWav, speechOf, wavOf } from '../../../src/audio/wav.ts'
import { must } from '../../../src/base/result.ts'
import { purity, tone } from '../../kit/audio.ts'
import { voice, voiceNames } from '../../kit/voices.ts'

test('what is written is read again', () => {
  fc.assert(fc.property(fc.int16Array({ maxLength: 500 }), fc.integer({ min: 8000, max: 96_000 }), (pcm, rate) => {
    assert.deepEqual(must(parseWav(wavOf({ rate, pcm }))), { rate, pcm })
  }))
})

test('a WAV that was never finished is read to its end', () => {
  const octets = wavOf({ rate: 16_000, pcm: Int16Array.of(1, 2, 3) })
  new DataView(octets.buffer).setUint32(40, 0, true)
  assert.deepEqual(must(parseWav(octets)).pcm, Int16Array.of(1, 2, 3))
  new DataView(octets.buffer).setUint32(40, 0xffff_ffff, true)
  assert.deepEqual(must(parseWav(octets)).pcm, Int16Array.of(1, 2, 3))
})

test('other formats and garbage are refused with a fault', () => {
  const good = wavOf({ rate: 16_000, pcm: new Int16Array(20) })
  for (const [at, value] of [[0, 0x20], [8, 0x20], [20, 7], [22, 0], [22, 99], [24, 1], [34, 8], [36, 0x20], [12, 0x20]] as const) {
    const bad = good.slice()
    bad[at] = value
    if (at === 24) bad[25] = 0
    const got = parseWav(bad)
    assert.ok(!got.ok && got.fault.code === 'AUDIO_WAV_INVALID', `octet ${at}`)
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 60 }), fc.nat(255), (garbage, at, octet) => {
    parseWav(garbage)
    const mutated = good.slice(0, good.length - (octet % 10))
    mutated[at] = octet
    parseWav(mutated)
  }))
})

test('any rate becomes 16 kHz', () => {
  for (const rate of [8000, 11_025, 22_050, 44_100, 48_000]) {
    const pcm = must(speechOf(wavOf({ rate, pcm: tone(1000, rate, 8000, rate) })))
    assert.ok(Math.abs(pcm.length - 16_000) <= 1)
    assert.ok(purity(1000, pcm.subarray(1600, 14_400)) > 55, `${rate}: ${purity(1000, pcm.subarray(1600, 14_400))}`)
  }
  assert.ok(frameLevel(resample(tone(12_000, 48_000, 8000, 48_000), 48_000, 16_000).subarray(1000, 15_000)) > 65, 'no alias')
})

test('demo voices: 16 kHz mono of 6 to 8 s, small, at a speech level', () => {
  for (const name of voiceNames) {
    const file = new URL(`../../../demo/voices/${name}.wav`, import.meta.url)
    assert.ok(statSync(file).size < 260_000)
    assert.equal(must(parseWav(readFileSync(file))).rate, 16_000)
    const pcm = voice(name)
    assert.ok(pcm.length > 96_000 && pcm.length < 128_000, name)
    const level = frameLevel(pcm)
    assert.ok(level > 17 && level < 32, `${name}: −${level} dBov`)
  }
})

test('tones to the listener are short, soft and without a click', () => {
  for (const name of ['join', 'leave', 'mute', 'unmute', 'attention'] as const) {
    const pcm = signalTone(name)
    assert.ok(pcm.length >= 16 * 100 && pcm.length <= 16 * 600)
    assert.ok(Math.abs(pcm[0]!) < 50 && Math.abs(pcm.at(-1)!) < 50)
    assert.ok(pcm.every((v) => Math.abs(v) <= 4000))
  }
  assert.ok(purity(440, sine(440, 500).subarray(160, 7840)) > 30)
})
