/** Our codecs against implementations that were not written by us: ffmpeg's G.722, sox's G.711. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { g722Codec } from '../../src/audio/codec.ts'
import { aLaw, decodeG711, encodeG711, muLaw } from '../../src/audio/g711.ts'
import { resample } from '../../src/audio/resample.ts'
import { readWav } from '../kit/wav.ts'
import { needs } from './setup.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-codecs-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Speech at a rate that is a multiple of 20 ms frames, by a synthesiser. */
function speech(rate: number): Int16Array {
  const file = path.join(folder, 'speech.wav')
  assert.equal(spawnSync('espeak-ng', ['-w', file, 'A conference that only its members can hear. One, two, three, four, five.']).status, 0)
  const wav = readWav(file)
  const samples = resample(wav.samples, wav.rate, rate)
  return samples.subarray(0, samples.length - (samples.length % (rate / 50)))
}

/** One program as a pipe. */
function pipe(input: Uint8Array, command: string, ...args: string[]): Uint8Array {
  const done = spawnSync(command, args, { input, maxBuffer: 1 << 28 })
  assert.equal(done.status, 0, String(done.stderr))
  return new Uint8Array(done.stdout)
}
const octetsOf = (pcm: Int16Array): Uint8Array => new Uint8Array(pcm.slice().buffer)
const samplesOf = (octets: Uint8Array): Int16Array => new Int16Array(octets.slice().buffer)

function signalToNoise(signal: Int16Array, other: Int16Array): number {
  let s = 0
  let n = 0
  for (let i = 0; i < Math.min(signal.length, other.length); i++) {
    s += signal[i]! ** 2
    n += (signal[i]! - other[i]!) ** 2
  }
  return 10 * Math.log10(s / Math.max(1, n))
}

test('ffmpeg decodes our G.722 as we do, and we its as it does', (t) => {
  if (!needs(t, 'ffmpeg', 'espeak-ng')) return
  const pcm = speech(16_000)
  const ours = g722Codec().encode(pcm)
  const raw = ['-hide_banner', '-loglevel', 'error']
  const theirs = pipe(octetsOf(pcm), 'ffmpeg', ...raw, '-f', 's16le', '-ar', '16000', '-ac', '1', '-i', 'pipe:0', '-f', 'g722', 'pipe:1')
  const decode = (octets: Uint8Array): Int16Array => samplesOf(pipe(octets, 'ffmpeg', ...raw, '-f', 'g722', '-ac', '1', '-i', 'pipe:0', '-f', 's16le', 'pipe:1'))
  const ourDecoder = g722Codec()
  const ourOutput = new Int16Array(ours.length * 2)
  for (let at = 0; at < ours.length; at += 160) ourOutput.set(ourDecoder.decode(ours.subarray(at, at + 160))!, 2 * at)
  // The same arithmetic up to rounding in the last filter.
  const oursByBoth = signalToNoise(ourOutput, decode(ours))
  assert.ok(oursByBoth > 50, `${oursByBoth} dB`)
  const other = g722Codec()
  const theirsByUs = new Int16Array(theirs.length * 2)
  for (let at = 0; at < theirs.length; at += 160) theirsByUs.set(other.decode(theirs.subarray(at, at + 160))!, 2 * at)
  const theirsByBoth = signalToNoise(theirsByUs, decode(theirs))
  assert.ok(theirsByBoth > 50, `${theirsByBoth} dB`)
})

for (const [name, law] of [['u-law', muLaw], ['a-law', aLaw]] as const) {
  test(`sox and we agree on ${name}`, (t) => {
    if (!needs(t, 'sox', 'espeak-ng')) return
    const pcm = speech(8000)
    const format = ['-t', 'raw', '-r', '8000', '-c', '1']
    const linear = [...format, '-e', 'signed', '-b', '16']
    const packed = [...format, '-e', name, '-b', '8']
    const theirs = pipe(octetsOf(pcm), 'sox', '-D', ...linear, '-', ...packed, '-')
    const decodedByUs = new Int16Array(theirs.length)
    decodeG711(law, theirs, decodedByUs)
    assert.deepEqual(decodedByUs, samplesOf(pipe(theirs, 'sox', '-D', ...packed, '-', ...linear, '-')))
    const ours = new Uint8Array(pcm.length)
    encodeG711(law, pcm, ours)
    // Encoders may break ties their own way; they may not be worse.
    const decodedOurs = new Int16Array(ours.length)
    decodeG711(law, ours, decodedOurs)
    const [we, they] = [signalToNoise(pcm, decodedOurs), signalToNoise(pcm, decodedByUs)]
    assert.ok(Math.abs(we - they) < 0.1 && we > 30, `${we} dB, sox ${they} dB`)
  })
}
