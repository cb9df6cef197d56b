import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { aLaw, decodeG711, encodeG711, muLaw } from '../../../src/audio/g711.ts'

test('µ-law decodes to the values of G.711 table 2', () => {
  const known: ReadonlyArray<readonly [number, number]> = [
    [0x00, -32124], [0x01, -31100], [0x0f, -16764], [0x10, -15996], [0x7e, -8], [0x7f, 0], [0xff, 0], [0xfe, 8], [0xf0, 120], [0xef, 132], [0x80, 32124],
  ]
  for (const [octet, sample] of known) assert.equal(muLaw.decode[octet], sample, octet.toString(16))
})

test('A-law decodes to the values of G.711 table 1', () => {
  const known: ReadonlyArray<readonly [number, number]> = [
    [0xd5, 8], [0x55, -8], [0xd4, 24], [0xda, 248], [0xc5, 264], [0xaa, 32256], [0x2a, -32256], [0x80, 5504], [0x00, -5504], [0xab, 31232],
  ]
  for (const [octet, sample] of known) assert.equal(aLaw.decode[octet], sample, octet.toString(16))
})

test('encoding: known samples, and silence is 0xff and 0xd5', () => {
  const pcm = Int16Array.of(0, -1, 8, -8, 1000, -1000, 32767, -32768)
  const mu = new Uint8Array(pcm.length)
  const a = new Uint8Array(pcm.length)
  encodeG711(muLaw, pcm, mu)
  encodeG711(aLaw, pcm, a)
  assert.deepEqual([...mu], [0xff, 0x7f, 0xfe, 0x7e, 0xce, 0x4e, 0x80, 0x00])
  assert.deepEqual([...a], [0xd5, 0x55, 0xd5, 0x55, 0xfa, 0x7a, 0xaa, 0x2a])
})

test('every octet survives decoding and encoding (µ-law has two zeros)', () => {
  const octets = Uint8Array.from({ length: 256 }, (_, i) => i)
  for (const law of [muLaw, aLaw]) {
    const pcm = new Int16Array(256)
    const back = new Uint8Array(256)
    decodeG711(law, octets, pcm)
    encodeG711(law, pcm, back)
    const expected = law === muLaw ? octets.map((o) => (o === 0x7f ? 0xff : o)) : octets
    assert.deepEqual(back, expected)
  }
})

test('the nearest value is at most half a step away', () => {
  fc.assert(fc.property(fc.integer({ min: -32635, max: 32635 }), fc.constantFrom(muLaw, aLaw), (sample, law) => {
    const decoded = law.decode[law.encode[sample & 0xffff]!]!
    // 13 segments of 16 steps: half a step is at most 1/32 of the value, and 8 near zero.
    return Math.abs(decoded - sample) <= Math.max(16, Math.abs(sample) / 31)
  }))
})
