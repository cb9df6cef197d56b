import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecFactory } from '../../../../src/audio/codecs.ts'
import { FRAME_SAMPLES } from '../../../../src/audio/codec.ts'
import { heardTone } from '../../../../src/audio/heard-tone.ts'
import { must } from '../../../../src/base/result.ts'
import { UplinkTap } from '../../../../src/media/session/uplink-tap.ts'
import { tone } from '../../../kit/room-tones.ts'
import { SeededRandom } from '../../../kit/seeded-random.ts'

const codecs = codecFactory(undefined)

test('gives what the members decode, and noise for the octets that the server gets', () => {
  using encoder = codecs.create('g722')
  const tap = new UplinkTap(() => codecs.create('g722'), 100)
  const said = tone(700)
  // Seeded: about one in fifty random windows holds a hundredth of its power at the tone by chance.
  const random = new SeededRandom(1)
  for (let i = 0; i < 100; i++) {
    const frame = encoder.encode(said.subarray((i * FRAME_SAMPLES) % 16_000, ((i * FRAME_SAMPLES) % 16_000) + FRAME_SAMPLES))
    assert.equal(tap.full, false)
    tap.frame(frame, random.bytes(frame.length + 24))
  }
  assert.ok(tap.full)
  const { members, server, octets } = tap.take()
  assert.equal(must(heardTone(700, members)).share, 1)
  assert.equal(must(heardTone(700, server)).share, 0)
  assert.ok(server.some((x) => Math.abs(x) > 5000), 'loud noise, not silence')
  assert.equal(octets.length, 512)
})

test('never keeps more than ten seconds', () => {
  const tap = new UplinkTap(() => codecs.create('g722'), 1e9)
  let frames = 0
  while (!tap.full) {
    tap.frame(new Uint8Array(160), new Uint8Array(184))
    frames++
  }
  assert.equal(frames, 500)
})
