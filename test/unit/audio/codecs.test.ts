import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { CodecName } from '../../../src/audio/codec.ts'
import { clockRates } from '../../../src/audio/codec.ts'
import type { CodecFactory } from '../../../src/audio/codecs.ts'
import { codecFactory } from '../../../src/audio/codecs.ts'
import { joinPcm } from '../../../src/audio/join-pcm.ts'
import { loadOpus } from '../../../src/audio/opus.ts'
import { must } from '../../../src/base/result.ts'
import { babble, noise, snr, tone } from '../../kit/audio.ts'

let codecs: CodecFactory
before(async () => {
  codecs = codecFactory(must(await loadOpus()))
})

function roundTrip(name: CodecName, pcm: Int16Array, frame = 320): Int16Array {
  using codec = codecs.create(name)
  const out: Int16Array[] = []
  for (let at = 0; at + frame <= pcm.length; at += frame) out.push(codec.decode(codec.encode(pcm.subarray(at, at + frame)))!)
  return joinPcm(out)
}

/** dB, a little below what was measured. */
const bounds: ReadonlyArray<readonly [CodecName, number, number]> = [['g722', 25, 20], ['pcmu', 30, 15], ['pcma', 30, 15], ['opus', 20, 8]]

for (const [name, forTone, forVoice] of bounds) {
  test(`${name}: a tone and a voice come back`, () => {
    const pure = tone(1000, 16_000)
    assert.ok(snr(pure, roundTrip(name, pure), 200) > forTone, `tone ${snr(pure, roundTrip(name, pure), 200)}`)
    const voice = babble(32_000)
    assert.ok(snr(voice, roundTrip(name, voice), 200) > forVoice, `voice ${snr(voice, roundTrip(name, voice), 200)}`)
  })

  test(`${name}: full-scale noise does not break it, silence stays silent`, () => {
    roundTrip(name, noise(16_000, 32_767))
    const quiet = roundTrip(name, new Int16Array(16_000))
    assert.ok(quiet.every((v) => Math.abs(v) <= 16), 'silence')
  })

  test(`${name}: size does not depend on content, RTP clock is RFC 3551's`, () => {
    using codec = codecs.create(name)
    const sizes = new Set([new Int16Array(320), noise(320, 32_767), tone(440, 320), babble(320)].map((f) => codec.encode(f).length))
    assert.deepEqual([...sizes], [name === 'opus' ? 80 : 160])
    assert.equal(codec.clockRate, clockRates[name])
    assert.equal(codec.clockRate, name === 'opus' ? 48_000 : 8000)
  })

  test(`${name}: empty and oversized payloads are refused`, () => {
    using codec = codecs.create(name)
    assert.equal(codec.decode(new Uint8Array(0)), undefined)
    assert.equal(codec.decode(new Uint8Array(5000)), undefined)
  })
}

for (const name of ['g722', 'pcmu', 'pcma', 'opus'] as const) {
  test(`${name}: whatever length was decoded can be encoded again, as one packet of that length`, () => {
    // Milliseconds that a packet may have (RFC 6716 §3.2.5): 2.5 up to 120.
    for (let ms = 2.5; ms <= 120; ms += 2.5) {
      using codec = codecs.create(name)
      const first = codec.encode(tone(1000, ms * 16))
      const again = codec.encode(codec.decode(first)!)
      assert.equal(codec.decode(again)?.length, ms * 16, `${ms} ms`)
    }
    // The memory of one stream goes on from packet to packet.
    const pure = tone(1000, 480 * 30)
    assert.ok(snr(pure, roundTrip(name, pure, 480), 200) > 18, `${snr(pure, roundTrip(name, pure, 480), 200)}`)
  })
}

test('opus: 5000 frames of speech, silence and noise have one size', () => {
  using codec = codecs.create('opus')
  const sources = [babble(320 * 50), new Int16Array(320 * 50), noise(320 * 50, 20_000)]
  for (let i = 0; i < 5000; i++) {
    const at = (i % 50) * 320
    assert.equal(codec.encode(sources[Math.floor(i / 50) % 3]!.subarray(at, at + 320)).length, 80)
  }
})

test('opus: streams are independent and their memory is given back', () => {
  const pcm = babble(3200)
  const alone = roundTrip('opus', pcm)
  for (let i = 0; i < 300; i++) {
    using other = codecs.create('opus')
    other.encode(noise(320, 10_000, i + 1))
  }
  assert.deepEqual(roundTrip('opus', pcm), alone)
})

test('opus works in a worker thread', async () => {
  const source = `
    import { loadOpus } from ${JSON.stringify(new URL('../../../src/audio/opus.ts', import.meta.url).href)}
    import { parentPort } from 'node:worker_threads'
    const lib = await loadOpus()
    const codec = lib.value.codec()
    parentPort.postMessage(codec.decode(codec.encode(new Int16Array(320))).length)`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
  const length = await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  assert.equal(length, 320)
  await worker.terminate()
})

test('without the library Opus is not offered', () => {
  assert.deepEqual(codecFactory().names, ['g722', 'pcmu', 'pcma'])
  assert.throws(() => codecFactory().create('opus'))
})
