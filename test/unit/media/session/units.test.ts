/** Frames of 160 octets out of packets of any length. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ssrc } from '../../../../src/base/brand.ts'
import { UNIT, Units } from '../../../../src/media/session/units.ts'
import type { TakenPacket } from '../../../../src/media/plain/bridge-end.ts'

const packet = (payload: Uint8Array, timestamp: number, sequence: number, more: Partial<TakenPacket> = {}): TakenPacket => ({ ssrc: ssrc(7), generation: 0, sequence: sequence & 0xffff, timestamp: timestamp >>> 0, marker: false, payloadType: 0, payload, ...more })
/** Octets that say where in the stream they stand. */
const sound = (from: number, octets: number): Uint8Array => Uint8Array.from({ length: octets }, (_, i) => (from + i) & 0xff)
const joined = (all: readonly TakenPacket[]): number[] => all.flatMap((p) => [...p.payload])

test('frames pass as they are: numbers, order, gaps and marks too', () => {
  const units = new Units()
  for (const [n, at] of [[1, 0], [2, 160], [9, 1280], [8, 1120]] as const) {
    const p = packet(sound(at, UNIT), at, n, { marker: n === 9 })
    assert.deepEqual(units.cut(p), [p])
  }
})

test('60 ms are three frames, 30 ms one and a half, 10 ms a half: the sound is the same, times and numbers follow each other', () => {
  for (const octets of [480, 240, 320, 80]) {
    const units = new Units()
    const out = Array.from({ length: 12 }, (_, n) => units.cut(packet(sound(n * octets, octets), 0xffff_ff00 + n * octets, 0xfffe + n))).flat()
    assert.equal(out.length, Math.floor((12 * octets) / UNIT), `${octets}`)
    assert.deepEqual(joined(out), [...sound(0, out.length * UNIT)])
    out.forEach((p, i) => {
      assert.equal(p.timestamp, (0xffff_ff00 + i * UNIT) >>> 0)
      if (i > 0) assert.equal(p.sequence, (out[i - 1]!.sequence + 1) & 0xffff)
    })
  }
})

test('property: however the sound is cut, it comes out whole but for a rest shorter than a frame', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 480 }).filter((n) => n !== UNIT), { minLength: 1, maxLength: 30 }), fc.nat(0xffff_ffff), (lengths, start) => {
    const units = new Units()
    let at = 0
    const out = lengths.flatMap((n, i) => {
      const p = packet(sound(at, n), start + at, i)
      at += n
      return units.cut(p)
    })
    assert.equal(out.length, Math.floor(at / UNIT))
    assert.deepEqual(joined(out), [...sound(0, out.length * UNIT)])
    assert.ok(out.every((p, i) => p.payload.length === UNIT && p.timestamp === (start + i * UNIT) >>> 0))
  }))
})

test('after one packet of another length what is overtaken still has its place; what is cut elsewhere is lost', () => {
  const units = new Units()
  const first = units.cut(packet(sound(0, 2 * UNIT), 0, 10))
  const at = (n: number) => packet(sound(n * UNIT, UNIT), n * UNIT, 9 + n)
  const out = [at(2), at(4), at(3), at(7), at(6), at(8)].flatMap((p) => units.cut(p))
  const base = first[0]!.sequence
  assert.deepEqual(out.map((p) => [p.sequence - base, p.timestamp / UNIT]), [2, 4, 3, 7, 6, 8].map((n) => [n, n]))
  for (const p of out) assert.deepEqual([...p.payload], [...sound(p.timestamp, UNIT)])
  assert.deepEqual(units.cut(packet(sound(900, UNIT), 900, 14)), [], 'between two frames')
  units.cut(packet(sound(9 * UNIT, 240), 9 * UNIT, 20))
  assert.deepEqual(units.cut(at(7)), [], 'a copy')
  assert.deepEqual(units.cut(at(5)).map((p) => p.sequence - base), [5], 'half a frame waits, and counts for none')
  assert.deepEqual(joined(units.cut(packet(sound(9 * UNIT + 240, 80), 9 * UNIT + 240, 21))), [...sound(10 * UNIT, UNIT)])
})

test('what is missing stays missing: a gap in the numbers as long as the one in the time, and no frame of two halves', () => {
  const units = new Units()
  const before = units.cut(packet(sound(0, 240), 0, 10))
  assert.equal(before.length, 1)
  // Three packets of 30 ms are gone: 720 octets; half a frame of ours waited.
  const after = [...units.cut(packet(sound(960, 240), 960, 14)), ...units.cut(packet(sound(1200, 240), 1200, 15))]
  assert.deepEqual(joined(after), [...sound(960, 480)])
  assert.deepEqual(after.map((p) => p.timestamp), [960, 1120, 1280])
  assert.equal(after[0]!.sequence, before[0]!.sequence + 1 + Math.round(720 / UNIT))
})

test('what comes late is dropped, a copy too; another source begins anew', () => {
  const units = new Units()
  units.cut(packet(sound(0, 320), 0, 1))
  units.cut(packet(sound(320, 320), 320, 2))
  assert.deepEqual(units.cut(packet(sound(0, 320), 0, 1)), [])
  assert.deepEqual(units.cut(packet(sound(320, 320), 320, 2)), [])
  const other = units.cut(packet(sound(0, 320), 5_000_000, 900, { ssrc: ssrc(8) }))
  assert.deepEqual(other.map((p) => [p.timestamp, p.ssrc]), [[5_000_000, 8], [5_000_160, 8]])
})

test('a mark stands at the first frame of its packet', () => {
  const units = new Units()
  assert.deepEqual(units.cut(packet(sound(0, 480), 0, 1, { marker: true })).map((p) => p.marker), [true, false, false])
})
