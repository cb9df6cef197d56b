import assert from 'node:assert/strict'
import { test } from 'node:test'
import { g722Codec, pcmuCodec } from '../../../src/audio/codec.ts'
import { heardTone, ownToneDownDb } from '../../../src/audio/heard-tone.ts'
import { heardSpeech, ownSpeechDownDb } from '../../../src/audio/heard.ts'
import { frameLevel } from '../../../src/audio/levels.ts'
import { Mixer } from '../../../src/audio/mixer.ts'
import { SenderPlayout } from '../../../src/audio/playout.ts'
import { must } from '../../../src/base/result.ts'
import { noise, tone } from '../../kit/audio.ts'
import { arrivals, play } from '../../kit/stream.ts'
import type { VoiceName } from '../../kit/voices.ts'
import { voice } from '../../kit/voices.ts'

interface Talker {
  readonly name: VoiceName
  readonly gain?: number
}

/** What a listener on PCMU hears of talkers on G.722, each looped from somewhere. */
function conference(talkers: readonly Talker[], seconds: number): Int16Array {
  const mixer = new Mixer()
  const phone = pcmuCodec()
  const legs = talkers.map(({ name, gain }, i) => ({ pcm: voice(name), gain: gain ?? 1, codec: g722Codec(), at: 3210 + 7777 * i }))
  const out = new Int16Array(seconds * 16_000)
  const mixed = new Int16Array(320)
  for (let at = 0; at < out.length; at += 320) {
    for (const leg of legs) {
      const frame = Int16Array.from({ length: 320 }, (_, i) => leg.pcm[(leg.at + at + i) % leg.pcm.length]!)
      mixer.add(leg.codec.decode(leg.codec.encode(frame))!, leg.gain)
    }
    mixer.finish(mixed)
    out.set(phone.decode(phone.encode(mixed))!, at)
  }
  return out
}

test('three speakers at once are each heard, those who are absent are not', () => {
  const recorded = conference([{ name: 'coast' }, { name: 'meadow' }, { name: 'harbour' }], 8)
  for (const name of ['coast', 'meadow', 'harbour'] as const) {
    const got = must(heardSpeech(voice(name), recorded))
    assert.ok(got.heard && !got.absent, `${name}: ${JSON.stringify(got)}`)
  }
  for (const name of ['orchard', 'river', 'summit'] as const) {
    const got = must(heardSpeech(voice(name), recorded))
    assert.ok(!got.heard && got.absent, `${name}: ${JSON.stringify(got)}`)
  }
})

test('a speaker at half the level of another is heard', () => {
  const recorded = conference([{ name: 'orchard' }, { name: 'river', gain: 0.5 }], 8)
  assert.ok(must(heardSpeech(voice('river'), recorded)).heard)
})

test('a speaker who falls silent half way is neither heard nor absent', () => {
  const recorded = conference([{ name: 'orchard' }], 8)
  const other = conference([{ name: 'river' }], 8)
  const mixed = recorded.map((v, i) => v + (i < 64_000 ? other[i]! : 0))
  const got = must(heardSpeech(voice('river'), mixed))
  assert.ok(!got.heard && got.share > 0.35 && got.share < 0.65, JSON.stringify(got))
})

test('silence and noise hold nobody', () => {
  for (const recorded of [new Int16Array(64_000), noise(64_000, 8000)]) {
    const got = must(heardSpeech(voice('coast'), recorded))
    assert.ok(got.absent, JSON.stringify(got))
  }
})

test('through jitter, 5 % loss and skew a speaker is still heard', () => {
  const source = voice('summit')
  const sender = g722Codec()
  const frames = 600
  const frame = (i: number): Int16Array => Int16Array.from({ length: 320 }, (_, k) => source[(i * 320 + k) % source.length]!)
  const encoded = Array.from({ length: frames }, (_, i) => sender.encode(frame(i)))
  const playout = new SenderPlayout(g722Codec())
  const recorded = new Int16Array(frames * 320)
  const out = new Int16Array(320)
  let at = 0
  play(arrivals(frames, { ppm: 300, delay: (_, _t, random) => (random() < 0.05 ? undefined : 5 + 80 * random()) }), frames * 20, 3,
    (a) => playout.push(a.index * 160, frameLevel(frame(a.index)), encoded[a.index]!, a.at),
    (now) => {
      playout.pull(now, out)
      recorded.set(out, at)
      at += 320
    })
  const got = must(heardSpeech(source, recorded))
  assert.ok(got.heard, JSON.stringify(got))
})

test('one\'s own speech: absent is 40 dB down, whatever the others said last; an echo of −20 and of −35 dB is seen as such', () => {
  const own = voice('coast')
  const rest = (gain: number): Int16Array => {
    const heard = conference([{ name: 'coast', gain }], 3)
    const last = conference([{ name: 'meadow' }, { name: 'harbour' }], 1).subarray(0, 8000)
    return heard.map((v, i) => v + (last[i] ?? 0))
  }
  assert.ok(must(ownSpeechDownDb(own, rest(0))) >= 40)
  for (const db of [20, 35]) {
    const echo = must(ownSpeechDownDb(own, rest(10 ** (-db / 20))))
    assert.ok(Math.abs(echo - db) < 5, `${echo} for ${db}`)
  }
})

test('tones: each is heard among others, an absent one is not, one\'s own is 40 dB down', () => {
  const sum = (hz: readonly number[]): Int16Array => hz.map((f) => tone(f, 64_000, 5000)).reduce((a, b) => a.map((v, i) => v + b[i]!))
  const codec = g722Codec()
  const recorded = codec.decode(codec.encode(sum([440, 620, 1000]).subarray(0, 1920)))!
  assert.equal(recorded.length, 1920)
  const mixed = sum([440, 620, 1000])
  for (const hz of [440, 620, 1000]) assert.ok(must(heardTone(hz, mixed)).heard, `${hz} Hz`)
  assert.equal(must(heardTone(800, mixed)).share, 0)
  assert.equal(must(heardTone(440, new Int16Array(64_000))).heard, false)
  assert.ok(ownToneDownDb(800, tone(800, 64_000, 5000), mixed) > 40)
  assert.ok(Math.abs(ownToneDownDb(440, tone(440, 64_000, 5000), tone(440, 64_000, 500)) - 20) < 0.5)
})

test('too short is said so', () => {
  assert.equal(heardSpeech(voice('coast'), new Int16Array(100)).ok, false)
  assert.equal(heardTone(440, new Int16Array(100)).ok, false)
  assert.equal(ownSpeechDownDb(voice('coast'), new Int16Array(100)).ok, false)
})
