import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../../../../src/protocol/wire/cbor.ts'

const bytes = (hex: string): Uint8Array => fromHex(hex)!

test('examples of RFC 8949 appendix A, both ways', () => {
  const examples: [CborValue, string][] = [
    [0, '00'], [23, '17'], [24, '1818'], [100, '1864'], [1000, '1903e8'], [1_000_000, '1a000f4240'], [1_000_000_000_000, '1b000000e8d4a51000'],
    [18446744073709551615n, '1bffffffffffffffff'], [-18446744073709551616n, '3bffffffffffffffff'], [-1, '20'], [-100, '3863'], [-1000, '3903e7'],
    [false, 'f4'], [true, 'f5'], [null, 'f6'], ['', '60'], ['IETF', '6449455446'], ['\u00fc', '62c3bc'], ['\ud800\udd51', '64f0908591'],
    [[], '80'], [[1, [2, 3], [4, 5]], '8301820203820405'],
  ]
  for (const [value, hex] of examples) {
    assert.equal(toHex(encodeCbor(value)), hex)
    assert.deepEqual(must(decodeCbor(bytes(hex))), value)
  }
  assert.equal(toHex(encodeCbor({ a: 'A', b: 'B', c: 'C' })), 'a3616161416162614261636143')
  assert.equal(toHex(encodeCbor(bytes('01020304'))), '4401020304')
})

test('keys are written in the order of their encodings, undefined fields not at all', () => {
  assert.equal(toHex(encodeCbor({ bb: 1, a: 2, z: undefined })), 'a261610262626201')
})

test('what is outside the subset is refused', () => {
  const refused: [string, RegExp][] = [
    ['', /ends early/], ['1818ff', /behind the end/], ['1817', /shortest/], ['190001', /shortest/], ['1a00000001', /shortest/], ['1b0000000000000001', /shortest/],
    ['5f42010243030405ff', /indefinite/], ['9fff', /indefinite/], ['bfff', /indefinite/], ['1c', /reserved/], ['c074', /tag/], ['fb3ff199999999999a', /tag|float/], ['f7', /simple/], ['f820', /simple/],
    ['a10101', /key/], ['a2616101616102', /twice/], ['62c328', /UTF-8/], ['4401', /early/], ['6461', /early/],
    ['9b7fffffffffffffff', /early/], ['bb7fffffffffffffff', /early/], ['5b7fffffffffffffff00', /early/], [`${'81'.repeat(9)}00`, /deeply/],
  ]
  for (const [hex, why] of refused) {
    const r = decodeCbor(bytes(hex))
    assert.ok(!r.ok, hex)
    assert.equal(r.fault.code, 'CHANNEL_BAD_CBOR')
    assert.match(r.fault.message, why, hex)
  }
})

test('a message of many small values ends at the limit', () => {
  const r = decodeCbor(new Uint8Array([0x99, 0xff, 0xff, ...new Array(65_535).fill(0)]))
  assert.ok(!r.ok)
  assert.match(r.fault.message, /too many values/)
})

test('a key named __proto__ is a key and nothing else', () => {
  const evil = bytes('a1695f5f70726f746f5f5fa16161f5')
  const m = must(decodeCbor(evil)) as Record<string, unknown>
  assert.deepEqual(Object.keys(m), ['__proto__'])
  assert.equal((m as { a?: unknown }).a, undefined)
  assert.equal(({} as { a?: unknown }).a, undefined)
})

test('numbers that are no integers are our own mistake', () => {
  for (const v of [1.5, Number.NaN, 2 ** 53, 2n ** 64n]) assert.throws(() => encodeCbor(v), TypeError)
})

const anything = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 6 },
    fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }).map((n) => (n >= BigInt(Number.MIN_SAFE_INTEGER) && n <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(n) : n)),
    fc.string({ unit: 'grapheme' }), fc.boolean(), fc.constant(null), fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 5 }), fc.dictionary(fc.string({ maxLength: 12 }), tie('value'), { maxKeys: 5, noNullPrototype: false }),
  ),
})).value

test('what was written is read, and is written the same again', () => {
  fc.assert(fc.property(anything, (v) => {
    const octets = encodeCbor(v)
    const back = must(decodeCbor(octets))
    assert.deepEqual(encodeCbor(back), octets)
    assert.deepEqual(plain(back), plain(v))
  }), { numRuns: 300 })
})

/** Prototypes do not matter for equality here. */
const plain = (v: CborValue): unknown =>
  Array.isArray(v) ? v.map(plain) : typeof v === 'object' && v !== null && !(v instanceof Uint8Array) ? new Map(Object.entries(v).map(([k, x]) => [k, plain(x)])) : v
