import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { CodecFactory } from '../../../src/audio/codecs.ts'
import { codecFactory } from '../../../src/audio/codecs.ts'
import { noiseTest } from '../../../src/audio/noise-test.ts'
import { loadOpus } from '../../../src/audio/opus.ts'
import { must } from '../../../src/base/result.ts'
import { SeededRandom } from '../../kit/seeded-random.ts'
import { voice } from '../../kit/voices.ts'

let codecs: CodecFactory
before(async () => {
  codecs = codecFactory(must(await loadOpus()))
})

const speech = voice('coast')
const frame = (i: number): Int16Array => speech.subarray((i * 320) % (speech.length - 320), ((i * 320) % (speech.length - 320)) + 320)

test('random octets in packets of any size are noise as every codec', () => {
  for (const size of [80, 97, 161, 177]) {
    const random = new SeededRandom(size)
    const report = must(noiseTest(Array.from({ length: Math.ceil(110_000 / size) }, () => random.bytes(size)), codecs))
    assert.equal(report.verdict, 'noise', JSON.stringify(report))
    assert.deepEqual(report.codecs.map((c) => c.codec), ['raw', 'g722', 'opus', 'pcmu', 'pcma'])
  }
})

test('plaintext voice is not noise, and shows as its own codec', () => {
  for (const name of codecs.names) {
    using codec = codecs.create(name)
    const report = must(noiseTest(Array.from({ length: name === 'opus' ? 1300 : 650 }, (_, i) => codec.encode(frame(i))), codecs))
    assert.equal(report.verdict, 'structured', name)
    assert.equal(report.evidence.verdict, 'structured', name)
    assert.equal(report.codecs.find((c) => c.codec === name)?.verdict, 'structured', name)
  }
})

test('one bit that is always clear in one octet of 160 is noticed', () => {
  const random = new SeededRandom(1)
  const payloads = Array.from({ length: 700 }, () => random.bytes(160))
  for (const p of payloads) p[37]! &= 0x7f
  assert.equal(must(noiseTest(payloads, codecs)).verdict, 'structured')
})

test('less than 100 kB is no measurement', () => {
  assert.equal(noiseTest([new Uint8Array(99_999)], codecs).ok, false)
})
