import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createNativeCrypto } from '../../../../src/crypto/native/index.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import type { PacketAlgorithm } from '../../../../src/crypto/port.ts'
import { processLibrary } from '../../../../src/ffi/library.ts'
import { Memory } from '../../../../src/ffi/memory.ts'

const native = createNativeCrypto()
const skip = native.ok ? false : native.fault.message
const node = createNodeCrypto()
const KEYS: Readonly<Record<PacketAlgorithm, number>> = { 'aes-128-gcm': 16, 'aes-256-gcm': 32, 'aes-128-cm-sha1-80': 36 }

for (const algorithm of Object.keys(KEYS) as PacketAlgorithm[]) {
  test(`${algorithm}: the same octets as node:crypto, in its memory and outside, one key after the other`, { skip }, () => {
    assert.ok(native.ok)
    const library = processLibrary()
    assert.ok(library.ok)
    const place = new Memory(library.value, 4096)
    native.value.handleInPlace(place)
    fc.assert(fc.property(fc.nat(1000), fc.nat(40), fc.uint8Array({ maxLength: 1400 }), fc.boolean(), (at, aadLen, plain, inside) => {
      const key = node.bytes(KEYS[algorithm])
      using mine = native.value.packetCipher(algorithm, key)
      using theirs = node.packetCipher(algorithm, key)
      const total = at + aadLen + plain.length + mine.tagLength
      const buf = inside ? place.bytes.subarray(7, 7 + total + 20) : new Uint8Array(total + 20)
      for (let n = 0; n < 3; n++) {
        const iv = node.bytes(mine.ivLength)
        buf.set(node.bytes(buf.length))
        const wanted = buf.slice()
        assert.equal(mine.seal(buf, at, aadLen, plain.length, iv), theirs.seal(wanted, at, aadLen, plain.length, iv))
        assert.deepEqual(buf.slice(), wanted, 'and nothing outside was touched')
        const other = iv.slice()
        other[0]! ^= 1
        assert.equal(mine.open(buf.slice(), at, aadLen, plain.length + mine.tagLength, iv), plain.length)
        assert.equal(mine.open(buf, at, aadLen, plain.length + mine.tagLength, iv), theirs.open(wanted, at, aadLen, plain.length + mine.tagLength, iv))
        assert.deepEqual(buf.subarray(at, at + aadLen + plain.length).slice(), wanted.subarray(at, at + aadLen + plain.length))
      }
    }), { numRuns: 60 })
  })

  test(`${algorithm}: whatever lengths its caller gives, nothing beyond the buffer is read or written`, { skip }, () => {
    assert.ok(native.ok)
    using cipher = native.value.packetCipher(algorithm, node.bytes(KEYS[algorithm]))
    const library = processLibrary()
    assert.ok(library.ok)
    const place = new Memory(library.value, 2048)
    native.value.handleInPlace(place)
    const wild = fc.oneof(fc.integer({ min: -5, max: 700 }), fc.integer(), fc.double(), fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 31)))
    fc.assert(fc.property(wild, wild, wild, fc.boolean(), fc.boolean(), (at, aadLen, len, seal, inside) => {
      place.bytes.fill(0xa5)
      const buf = inside ? place.bytes.subarray(1000, 1500) : new Uint8Array(500)
      const r = seal ? cipher.seal(buf, at, aadLen, len, node.bytes(cipher.ivLength)) : cipher.open(buf, at, aadLen, len, node.bytes(cipher.ivLength))
      const fits = [at, aadLen, len].every((n) => Number.isInteger(n) && n >= 0) && at + aadLen + len + (seal ? cipher.tagLength : 0) <= buf.length
      assert.equal(r, fits && seal ? len + cipher.tagLength : -1)
      assert.ok(place.bytes.subarray(0, 1000).every((b) => b === 0xa5) && place.bytes.subarray(1500).every((b) => b === 0xa5))
    }), { numRuns: 500 })
  })
}

test('memory gives no address beyond itself', { skip }, () => {
  const library = processLibrary()
  assert.ok(library.ok)
  const memory = new Memory(library.value, 100)
  assert.equal(memory.address(100, 0), memory.base + 100)
  for (const [at, length] of [[-1, 1], [0, 101], [100, 1], [1.5, 1], [0, Number.NaN], [2 ** 53, 1]] as const) assert.throws(() => memory.address(at, length), RangeError)
})
