import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ssrc } from '../../../../src/base/brand.ts'
import { audioLevelOf, stripExtension, writeAudioLevel } from '../../../../src/protocol/rtp/extension.ts'
import { newRtpHeader, parseRtp, writeRtpHeader } from '../../../../src/protocol/rtp/header.ts'
import { LEVEL_EXTENSION, levelStep, SteppedLevel, steppedLevel } from '../../../../src/protocol/rtp/level-steps.ts'

test('four values, in order, each within its own step', () => {
  const values = new Set(Array.from({ length: 128 }, (_, level) => steppedLevel(level)))
  assert.equal(values.size, 4)
  for (let level = 0; level < 128; level++) assert.equal(levelStep(steppedLevel(level)), levelStep(level))
  for (let level = 1; level < 128; level++) assert.ok(levelStep(level) <= levelStep(level - 1))
  assert.equal(levelStep(127), 0)
  assert.equal(levelStep(-1), 0, 'a packet without a level is silent')
  assert.equal(levelStep(20), 3)
})

test('ten frames say the loudest of the ten before', () => {
  const s = new SteppedLevel()
  const said = Array.from({ length: 40 }, (_, i) => s.next(i === 13 ? 10 : i === 25 ? 45 : 127))
  assert.deepEqual(said, [...Array<number>(20).fill(127), ...Array<number>(10).fill(24), ...Array<number>(10).fill(48)])
})

test('an extension goes out of a packet, whatever stands before and after it', () => {
  for (const csrcs of [0, 2]) {
    const packet = new Uint8Array(60)
    writeRtpHeader(packet, { marker: false, payloadType: 96, sequence: 1, timestamp: 2, ssrc: ssrc(3) })
    packet[0]! |= csrcs
    const at = 12 + 4 * csrcs
    packet.fill(9, 12, at)
    const from = writeAudioLevel(packet, at, LEVEL_EXTENSION, 24, false)
    packet.set([1, 2, 3], from)
    const h = newRtpHeader()
    assert.equal(parseRtp(packet, from + 3, h), 0)
    assert.equal(audioLevelOf(packet, h, LEVEL_EXTENSION), 24)
    const length = stripExtension(packet, h, from + 3)
    assert.equal(length, at + 3)
    assert.equal(parseRtp(packet, length, h), 0)
    assert.equal(h.csrcCount, csrcs)
    assert.deepEqual([...packet.subarray(h.payloadAt, length)], [1, 2, 3])
    assert.equal(stripExtension(packet, h, length), length, 'and where there is none, nothing happens')
  }
})
