import assert from 'node:assert/strict'
import { test } from 'node:test'
import { g722Codec } from '../../../src/audio/codec.ts'
import { frameLevel } from '../../../src/audio/levels.ts'
import { SenderPlayout } from '../../../src/audio/playout.ts'
import { babble, purity, snr, tone } from '../../kit/audio.ts'
import type { Whims } from '../../kit/stream.ts'
import { arrivals, play } from '../../kit/stream.ts'

/** Sends `source` (looped) as G.722 through the whims of a network; gives what is heard. */
function listen(source: Int16Array, frames: number, whims: Whims, keep = 16_000 * 60): { pcm: Int16Array; playout: SenderPlayout; silent: number } {
  using sender = g722Codec()
  const playout = new SenderPlayout(g722Codec())
  const count = source.length / 320
  const encoded = Array.from({ length: frames }, (_, i) => sender.encode(source.subarray((i % count) * 320, (i % count) * 320 + 320)))
  const pcm = new Int16Array(Math.min(keep, frames * 320))
  const out = new Int16Array(320)
  let tick = 0
  let silent = 0
  play(arrivals(frames, whims), frames * 20, 7,
    (a) => playout.push((a.index * 160) >>> 0, frameLevel(source.subarray((a.index % count) * 320, (a.index % count) * 320 + 320)), encoded[a.index]!, a.at),
    (now) => {
      if (!playout.pull(now, out)) silent++
      if (tick * 320 < pcm.length) pcm.set(out, tick * 320)
      tick++
    })
  return { pcm, playout, silent }
}

test('a voice arrives as G.722 gives it, about 50 ms after it was spoken', () => {
  const voice = babble(16_000 * 4, 2)
  const { pcm, playout } = listen(voice, 200, {})
  assert.ok(snr(voice, pcm, 800) > 12)
  assert.equal(playout.stats.lost, 0)
  assert.ok(playout.stats.bufferMs <= 30)
})

test('a tone under loss, jitter and skew stays a tone', () => {
  const whims: ReadonlyArray<readonly [string, Whims, number]> = [
    ['clean', {}, 40],
    ['5 % loss', { delay: (_, _t, random) => (random() < 0.05 ? undefined : 5) }, 14],
    ['jitter', { delay: (_, _t, random) => 5 + 60 * random() }, 14],
    ['+300 ppm', { ppm: 300 }, 20],
    ['-300 ppm', { ppm: -300 }, 20],
  ]
  for (const [name, w, atLeast] of whims) {
    // Parts of a second, because concealment may shift the phase.
    const { pcm } = listen(tone(500, 16_000), 500, w)
    const parts = Array.from({ length: 30 }, (_, i) => purity(500, pcm.subarray(48_000 + i * 3200, 51_200 + i * 3200))).sort((a, b) => a - b)
    assert.ok(parts[6]! > atLeast, `${name}: ${parts[6]} dB`)
  }
})

test('skew is taken out under a sound without pauses', () => {
  for (const ppm of [300, -300]) {
    const { playout } = listen(tone(500, 16_000), 15_000, { ppm }, 0)
    const { late, concealed, skipped, bufferMs } = playout.stats
    assert.ok(late === 0 && concealed <= 8 && skipped === 0 && bufferMs < 45, JSON.stringify(playout.stats))
  }
})

test('undecodable frames are concealed, silence is not decoded, nothing is heard before the first frame', () => {
  const playout = new SenderPlayout(g722Codec())
  const out = new Int16Array(320)
  assert.equal(playout.pull(0, out), false)
  for (let i = 0; i < 50; i++) {
    playout.push(i * 160, i < 25 ? 20 : 127, new Uint8Array(i < 25 ? 3 : 160).fill(0x55), i * 20)
    playout.pull(i * 20 + 15, out)
  }
  assert.ok(playout.stats.invalid >= 24)
  assert.ok(out.every((v) => v === 0))
})
