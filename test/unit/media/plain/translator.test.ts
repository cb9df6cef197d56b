import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ssrc } from '../../../../src/base/brand.ts'
import { Translator } from '../../../../src/media/plain/translator.ts'

const A = ssrc(7)
const B = ssrc(8)
const translator = () => new Translator(8000, 100, 5000)

test('a stream keeps its gaps, its order and its wraps', () => {
  const t = translator()
  const out: number[] = []
  for (const [seq, ts] of [[65_534, 0xffff_ff00], [65_535, 0xffff_ffa0], [2, 0x1e0], [1, 0x140], [3, 0x280]] as const) {
    assert.ok(t.translate(A, 1, seq, ts, 0))
    out.push(t.number)
    assert.equal(t.timestamp, ts >>> 0, 'the first source keeps its timestamps')
  }
  assert.deepEqual(out, [100, 101, 104, 103, 105])
  assert.equal(t.origin(105), 65_536 + 3)
  assert.equal(t.origin(101), 65_535)
  assert.equal(t.source, A)
})

test('another source goes on where the last one was, by the time that passed', () => {
  const t = translator()
  for (let i = 0; i < 3; i++) assert.ok(t.translate(A, 1, 10 + i, 1000 + i * 160, i * 20))
  assert.ok(t.translate(B, 1, 40_000, 99, 100))
  assert.deepEqual([t.number, t.timestamp, t.begins], [103, 1320 + 480, true])
  assert.ok(t.translate(B, 1, 40_001, 259, 120))
  assert.deepEqual([t.number, t.timestamp, t.begins], [104, 1320 + 640, false])
  // What was overtaken by the change has no place that is free.
  assert.equal(t.translate(A, 1, 11, 1160, 120), true)
  assert.equal(t.number, 101)
  assert.equal(t.timestampOf(B, 259), 1960)
  assert.equal(t.timestampOf(A, 1000), undefined)
  assert.equal(t.origin(102), undefined, 'a report about a source that is gone says nothing about this one')
  assert.equal(t.origin(104), 40_001)
})

test('new keys of the same stream: numbers begin anew there, not here', () => {
  const t = translator()
  for (let i = 0; i < 3; i++) assert.ok(t.translate(A, 1, 60_000 + i, i * 160, i * 20))
  // Packet 3 is still under way.
  assert.ok(t.translate(A, 2, 5, 4 * 160, 80))
  assert.deepEqual([t.number, t.timestamp, t.begins], [104, 640, false])
  assert.ok(t.translate(A, 1, 60_003, 480, 81))
  assert.deepEqual([t.number, t.timestamp], [103, 480])
  assert.equal(t.translate(A, 1, 60_004, 640, 82), false, 'its place is taken')
  assert.ok(t.translate(A, 2, 6, 800, 100))
  assert.equal(t.number, 105)
})

test('a source that rewinds is believed at its second packet (RFC 3550 A.1)', () => {
  const t = translator()
  for (let i = 0; i < 200; i++) assert.ok(t.translate(A, 1, 20_000 + i, i * 160, i * 20))
  assert.equal(t.translate(A, 1, 5, 0, 4000), false)
  assert.equal(t.translate(A, 1, 9000, 0, 4010), false, 'a stray number alone changes nothing')
  assert.equal(t.translate(A, 1, 6, 160, 4020), false)
  assert.ok(t.translate(A, 1, 7, 320, 4040))
  assert.equal(t.number, 300)
  assert.equal(t.timestamp, 199 * 160 + Math.round((4040 - 3980) * 8))
})

test('filling goes on in number and time, and the source comes back behind it', () => {
  const t = translator()
  for (let i = 0; i < 3; i++) assert.ok(t.translate(A, 1, i, i * 160, i * 20))
  const filled: [number, number, boolean][] = []
  for (let i = 0; i < 3; i++) {
    t.fill(160, 240 + i * 20)
    filled.push([t.number, t.timestamp, t.begins])
  }
  assert.deepEqual(filled, [[103, 320 + 1600, true], [104, 320 + 1760, false], [105, 320 + 1920, false]])
  assert.ok(t.translate(A, 1, 3, 320 + 2080, 300))
  assert.deepEqual([t.number, t.timestamp, t.begins], [106, 320 + 2080, true], 'its own clock went on meanwhile')
  assert.equal(t.translate(A, 1, 2, 320, 301), false, 'what is from before has no place')
  t.fill(160, 500)
  // A phone that stopped its clock while it was muted.
  assert.ok(t.translate(A, 1, 4, 320 + 2240, 900))
  assert.ok(t.timestamp > 320 + 2080 + 160 * 10)
})

test('a stream may begin with filling', () => {
  const t = translator()
  t.fill(160, 0)
  assert.deepEqual([t.number, t.timestamp, t.begins], [100, 5000, true])
  assert.ok(t.translate(A, 1, 0, 0, 20))
  assert.deepEqual([t.number, t.timestamp], [101, 5160])
})

test('whatever comes: newest numbers only grow, time never runs back against them', () => {
  const step = fc.record({
    what: fc.constantFrom('packet', 'packet', 'packet', 'fill'),
    ssrc: fc.constantFrom(A, B, ssrc(9)),
    generation: fc.integer({ min: 1, max: 3 }),
    sequence: fc.oneof(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 100, max: 140 })),
    timestamp: fc.nat(0xffff_ffff),
    pause: fc.constantFrom(0, 20, 20, 20, 5000),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (all) => {
      const t = translator()
      let now = 0
      let newest = -1
      let highest = -1
      const anchors: number[] = []
      for (const s of all) {
        now += s.pause
        if (s.what === 'fill') t.fill(160, now)
        else if (!t.translate(s.ssrc, s.generation, s.sequence, s.timestamp, now)) continue
        assert.ok(t.number >= 0 && t.timestamp >= 0 && t.timestamp <= 0xffff_ffff)
        if (t.number > newest) {
          assert.ok(newest < 0 || t.number - newest <= 3000, 'no leap that an SRTP receiver cannot follow')
          if (t.begins && highest >= 0) assert.ok(((t.timestamp - highest) | 0) > 0, 'what begins is later')
          newest = t.number
          highest = t.timestamp
          anchors.push(newest)
        }
      }
    }),
  )
})
