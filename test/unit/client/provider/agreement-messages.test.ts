import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Assembler, type AgreementPart, decodeBody, encodeBody, split } from '../../../../src/client/provider/agreement-messages.ts'

test('any message comes out of its parts, in any order, with some twice', () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 6000 }), fc.infiniteStream(fc.nat()), fc.nat(99_999), (message, order, number) => {
    const bodies = split(message, number).map(encodeBody)
    assert.ok(bodies.every((b) => b.length < 700), 'fits where servers take 1023 octets')
    const shuffled = bodies.map((b) => ({ b, at: order.next().value as number })).toSorted((x, y) => x.at - y.at).flatMap(({ b, at }) => (at % 3 === 0 ? [b, b] : [b]))
    const a = new Assembler()
    const whole = shuffled.flatMap((b) => a.take(decodeBody(b) as AgreementPart) ?? [])
    assert.ok(whole.length >= 1)
    assert.deepEqual(whole[0], message)
  }), { numRuns: 60 })
})

test('one encoding alone is taken', () => {
  const good = encodeBody({ kind: 'part', number: 3, index: 0, of: 1, data: Uint8Array.of(1, 2, 3, 4) })
  assert.equal(good, 'stc1 part 3 0 1 AQIDBA==')
  for (const bad of ['', 'stc1', 'stc2 part 3 0 1 AQIDBA==', 'stc1 part 3 1 1 AQIDBA==', 'stc1 part 03 0 1 AQIDBA==', 'stc1 part 3 0 1 AQIDBA', 'stc1 part 3 0 1 AQIDBB==', 'stc1 part 3 0 99 AQID', 'stc1 probe 12', ' stc1 probe 0123456789abcdef', 'stc1 probe 0123456789abcdef\n', 'stc1 part 3 0 1 A']) assert.equal(decodeBody(bad), undefined, bad)
  assert.deepEqual(decodeBody('stc1 probe 0123456789abcdef'), { kind: 'probe', nonce: '0123456789abcdef' })
  fc.assert(fc.property(fc.string({ maxLength: 900 }), (text) => {
    const body = decodeBody(text)
    if (body !== undefined) assert.equal(encodeBody(body), text)
  }))
})

test('what never becomes whole does not stay', () => {
  const a = new Assembler()
  const first = (number: number): AgreementPart => split(new Uint8Array(1000).fill(number), number)[0] as AgreementPart
  for (let n = 0; n < 100; n++) assert.equal(a.take(first(n)), undefined)
  const [, ...rest] = split(new Uint8Array(1000).fill(99), 99) as AgreementPart[]
  assert.equal(rest.flatMap((p) => a.take(p) ?? []).length, 1, 'the newest is kept')
  const [, ...old] = split(new Uint8Array(1000), 0) as AgreementPart[]
  assert.equal(old.flatMap((p) => a.take(p) ?? []).length, 0, 'the oldest is not')
  // Parts that do not belong together.
  assert.equal(a.take({ kind: 'part', number: 5, index: 1, of: 2, data: Uint8Array.of(1) }), undefined)
  assert.equal(a.take({ kind: 'part', number: 5, index: 0, of: 3, data: Uint8Array.of(1) }), undefined)
})
