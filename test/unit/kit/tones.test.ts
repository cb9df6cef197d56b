import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { bestShare, mix, silence, tone, toneBelow, toneLevel, toneShare } from '../../kit/tones.ts'
import { join, part, readWav, seconds, writeWav } from '../../kit/wav.ts'

const near = (a: number, b: number, by: number): void => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b} ± ${by}`)

test('the level of a tone is its amplitude, wherever it starts and at any rate', () => {
  for (const rate of [8000, 16000, 48000]) {
    const t = tone(1033, { rate, seconds: 0.5, dbfs: -20 })
    near(toneLevel(t.samples.subarray(17, 17 + rate / 5), rate, 1033), -20, 0.2)
    assert.ok(toneLevel(t.samples.subarray(0, rate / 5), rate, 487) < -80)
  }
})

test('a tone is counted in the windows where it is, and in no other', () => {
  const rate = 8000
  const half = join([tone(487, { rate, seconds: 1 }), silence(rate, 1)])
  assert.equal(toneShare(half, 487), 0.5)
  assert.equal(toneShare(half, 1033), 0)
  assert.equal(toneShare(silence(rate, 1), 487), 0)
  assert.equal(toneShare({ rate, samples: new Int16Array(0) }, 487), 0)
})

test('what is played once is found in whichever piece it stands best; too little sound is nothing', () => {
  const rate = 8000
  const once = join([silence(rate, 1.1), tone(487, { rate, seconds: 2.4 }), silence(rate, 3)])
  assert.equal(bestShare(once, 487), 1)
  assert.equal(bestShare(once, 487, 4), 13 / 20)
  assert.equal(bestShare(once, 1033), 0)
  assert.equal(bestShare(part(once, 1.2, 2.6), 487), 0)
})

test('a long tone goes on without a seam, whole hertz or not', () => {
  for (const hz of [700, 700.5]) {
    const { samples } = tone(hz, { rate: 8000, seconds: 3.3 })
    const other = tone(hz, { rate: 8000, seconds: 0.7 }).samples
    assert.equal(samples.length, 26_400)
    for (const i of [7999, 8000, 15_999, 16_000, 20_000, 26_399]) assert.equal(samples[i], 0 + Math.round(32767 * 10 ** (-18 / 20) * Math.sin((2 * Math.PI * hz * i) / 8000)), `${hz} Hz at ${i}`)
    assert.deepEqual(samples.subarray(0, other.length), other)
  }
})

test('a tone that was shifted by resampling is still the same, another is not', () => {
  const rate = 8000
  for (const shift of [-0.01, -0.004, 0.006, 0.01]) {
    assert.equal(toneShare(tone(1721 * (1 + shift), { rate, seconds: 1, dbfs: -35 }), 1721), 1)
  }
  assert.equal(toneShare(tone(1721 * 1.04, { rate, seconds: 1 }), 1721), 0)
})

test('a weak echo of the own tone is measured against the others', () => {
  const rate = 16000
  const heard = mix(tone(1033, { rate, seconds: 1, dbfs: -18 }), tone(1721, { rate, seconds: 1, dbfs: -20 }), tone(487, { rate, seconds: 1, dbfs: -55 }))
  near(toneBelow(heard, 487, [1033, 1721]), 35, 0.5)
})

test('WAV files come back as written, also stereo and with an unfinished header', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-wav-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'a.wav')
  const pcm = tone(440, { rate: 16000, seconds: 0.1 })
  writeWav(file, pcm)
  assert.deepEqual(readWav(file), pcm)

  const unfinished = readFileSync(file)
  unfinished.writeUInt32LE(0, 40)
  writeFileSync(file, unfinished)
  assert.deepEqual(readWav(file), pcm)

  const stereo = readFileSync(file)
  stereo.writeUInt16LE(2, 22)
  writeFileSync(file, stereo)
  assert.equal(readWav(file).samples.length, pcm.samples.length / 2)
  assert.equal(readWav(file).samples[3], Math.round((pcm.samples[6]! + pcm.samples[7]!) / 2))
})

test('parts are cut in seconds from either end', () => {
  const pcm = tone(440, { rate: 8000, seconds: 2 })
  assert.equal(seconds(part(pcm, 0.5, 1.25)), 0.75)
  assert.equal(seconds(part(pcm, -0.5)), 0.5)
  assert.equal(part(pcm, -0.5).samples[0], pcm.samples[12000])
  assert.equal(seconds(part(pcm, -9)), 2)
})
