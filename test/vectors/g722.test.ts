/**
 * ITU-T G.722 test sequences of the Software Tool Library: 16-bit words are little-endian; codsp.cod
 * has one code word per octet with the octets of each pair swapped, codspw.cod one per 16-bit word.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { G722Decoder } from '../../src/audio/g722/decoder.ts'
import type { G722Mode } from '../../src/audio/g722/decoder.ts'
import { G722Encoder } from '../../src/audio/g722/encoder.ts'

const folder = fileURLToPath(new URL('../../../shared/vectors/g722/', import.meta.url))
const skip = existsSync(folder) ? false : 'no test vectors beside the checkout (shared/vectors/g722)'

function words(name: string): Int16Array {
  const octets = readFileSync(folder + name)
  return Int16Array.from({ length: octets.length / 2 }, (_, i) => octets.readInt16LE(2 * i))
}
const codes = (): Uint8Array => Uint8Array.from(words('codspw.cod'))

test('G.722 encoder is bit-exact, start-up included', { skip }, () => {
  const pcm = words('inpsp.bin')
  const out = new Uint8Array(pcm.length / 2)
  const encoder = new G722Encoder()
  for (let at = 0; at < pcm.length; at += 320) encoder.encode(pcm.subarray(at, at + 320), out.subarray(at / 2))
  assert.deepEqual(out, codes())
})

test('G.722 encoder gives the same whatever the frame length', { skip }, () => {
  const pcm = words('inpsp.bin').subarray(0, 24_000)
  const out = new Uint8Array(pcm.length / 2)
  const encoder = new G722Encoder()
  for (let at = 0, length = 2; at < pcm.length; at += length, length = Math.min((length * 5) % 1022 + 2, pcm.length - at)) {
    encoder.encode(pcm.subarray(at, at + length), out.subarray(at / 2))
  }
  assert.deepEqual(out, codes().subarray(0, out.length))
})

for (const mode of [1, 2, 3] as const satisfies readonly G722Mode[]) {
  test(`G.722 decoder is bit-exact in mode ${mode}`, { skip }, () => {
    const expected = words(`outsp${mode}.bin`)
    const octets = codes()
    const out = new Int16Array(expected.length)
    const decoder = new G722Decoder(mode)
    for (let at = 0; at < octets.length; at += 160) decoder.decode(octets.subarray(at, at + 160), out.subarray(2 * at))
    assert.deepEqual(out, expected)
  })
}

test('the two forms of the code sequence agree once the octets are swapped', { skip }, () => {
  const octets = new Uint8Array(readFileSync(`${folder}codsp.cod`))
  assert.deepEqual(octets.map((_, i) => octets[i ^ 1]!), codes())
})
