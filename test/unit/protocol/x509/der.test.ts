import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { unixTime } from '../../../../src/base/brand.ts'
import { fromHex, utf8 } from '../../../../src/base/bytes.ts'
import { bitString, boolean, element, integer, octetString, oid, sequence, time, unsigned } from '../../../../src/pki/der.ts'
import { DerReader, TAG } from '../../../../src/protocol/x509/der.ts'
import { civilTime, formatTime, readTime, timeOf } from '../../../../src/protocol/x509/time.ts'

const reader = (hex: string) => new DerReader(fromHex(hex)!)
/** What a read gives, or the reason of its failure. */
function read<T>(hex: string, how: (r: DerReader) => T): T | string {
  const r = reader(hex)
  const value = how(r)
  r.end()
  return r.failure.reason ?? value
}

test('lengths: definite, minimal, within what holds them (X.690 §10.1)', () => {
  for (const [hex, words] of [
    ['30', /cut short/], ['3080', /indefinite/], ['30800000', /indefinite/], ['308100', /minimal/], [`30817f${'00'.repeat(127)}`, /minimal/], [`30820080${'00'.repeat(128)}`, /minimal/],
    ['3084000000020000', /too large/], ['3005020100', /longer than what holds/], ['1f8101', /tag number/], ['3081', /cut short/], ['308201', /cut short/],
  ] as const) assert.match(read(hex, (r) => r.any().body.length) as string, words, hex)
  assert.equal(read(`308180${'00'.repeat(128)}`, (r) => r.any().body.length), 128)
  assert.match(read('050000', (r) => r.null()) as string, /left over/)
})

test('integers: minimal, unsigned, small', () => {
  const small = (hex: string) => read(hex, (r) => r.small())
  assert.equal(small('020100'), 0)
  assert.equal(small('02017f'), 127)
  assert.equal(small('02020080'), 128)
  assert.equal(small('020500ffffffff'), 0xffffffff)
  for (const [hex, words] of [['0200', /empty/], ['0202007f', /minimal/], ['0202ff80', /minimal/], ['0201ff', /negative/], ['02050100000000', /too large/]] as const) assert.match(small(hex) as string, words, hex)
})

test('booleans, nulls, bit strings', () => {
  assert.equal(read('0101ff', (r) => r.boolean()), true)
  assert.equal(read('010100', (r) => r.boolean()), false)
  assert.match(read('010101', (r) => r.boolean()) as string, /00 or FF/)
  assert.match(read('0100', (r) => r.boolean()) as string, /00 or FF/)
  assert.match(read('050100', (r) => r.null()) as string, /null/)
  assert.deepEqual(read('03020780', (r) => r.bitString()), { bytes: Uint8Array.of(0x80), unused: 7 })
  assert.deepEqual(read('030100', (r) => r.bitString()), { bytes: new Uint8Array(0), unused: 0 })
  for (const hex of ['0300', '030101', '030207c0', '03020800']) assert.match(read(hex, (r) => r.bitString()) as string, /unused/, hex)
  assert.match(read('03020780', (r) => r.octetBits()) as string, /whole octets/)
})

test('object identifiers', () => {
  assert.equal(read('06092a864886f70d01010b', (r) => r.oid()), '1.2.840.113549.1.1.11')
  assert.equal(read('0603883703', (r) => r.oid()), '2.999.3')
  for (const hex of ['0600', '060180', '06028001', '06032a8001', `0641${'2a'.repeat(65)}`, '060b2affffffffffffffffff7f']) assert.match(read(hex, (r) => r.oid()) as string, /object identifier/, hex)
})

test('the first failure sticks, and loops end', () => {
  const r = reader('300702010002020000')
  const inner = r.enter(TAG.sequence)
  inner.small()
  inner.small()
  inner.oid()
  assert.match(r.failure.reason!, /minimal/)
  assert.ok(!inner.more && !r.more)
})

test('what is written is read back', () => {
  fc.assert(fc.property(
    fc.integer({ min: 0, max: 2 ** 31 }), fc.uint8Array({ maxLength: 300 }), fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 20 }),
    fc.array(fc.integer({ min: 0, max: 2 ** 31 }), { maxLength: 6 }).map((arcs) => ['1', '3', ...arcs].join('.')),
    (n, bytes, flag, magnitude, dotted) => {
      const r = new DerReader(sequence(integer(n), octetString(bytes), boolean(flag), unsigned(magnitude), oid(dotted), bitString(bytes)))
      const s = r.enter(TAG.sequence)
      r.end()
      assert.equal(s.small(), n)
      assert.deepEqual(Uint8Array.from(s.octetString()), bytes)
      assert.equal(s.boolean(), flag)
      assert.equal(BigInt(`0x${Buffer.from(s.unsigned()).toString('hex')}`), BigInt(`0x${Buffer.from(magnitude).toString('hex')}`))
      assert.equal(s.oid(), dotted)
      assert.deepEqual(Uint8Array.from(s.octetBits()), bytes)
      s.end()
      assert.equal(r.failure.reason, undefined)
    },
  ))
})

test('dates: every second there and back, as the platform counts them', () => {
  fc.assert(fc.property(fc.integer({ min: Date.UTC(1950, 0, 1) / 1000, max: 253402300799 }), (s) => {
    const t = unixTime(s)
    assert.equal(formatTime(t), `${new Date(s * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`)
    assert.equal(timeOf(civilTime(t)), s)
    const r = new DerReader(time(t))
    assert.equal(readTime(r), s)
    r.end()
    assert.equal(r.failure.reason, undefined)
  }))
})

test('dates that do not exist or are written otherwise are refused', () => {
  const utc = (text: string) => read(Buffer.from(element(TAG.utcTime, utf8(text))).toString('hex'), (r) => readTime(r))
  const general = (text: string) => read(Buffer.from(element(TAG.generalizedTime, utf8(text))).toString('hex'), (r) => readTime(r))
  assert.equal(utc('500101000000Z'), Date.UTC(1950, 0, 1) / 1000)
  assert.equal(utc('491231235959Z'), Date.UTC(2049, 11, 31, 23, 59, 59) / 1000)
  assert.equal(general('20240229120000Z'), Date.UTC(2024, 1, 29, 12) / 1000)
  for (const text of ['2601010000Z', '260101000000', '260101000000+0100', '260230000000Z', '261301000000Z', '260100000000Z', '260101240000Z', '260101006000Z', '260101000060Z', '']) assert.equal(utc(text), 'bad date', text)
  for (const text of ['20260101000000.5Z', '20260101000000', '19000229000000Z', '260101000000Z']) assert.equal(general(text), 'bad date', text)
})
