/** What is remembered of rooms survives encoding; damage is a fault. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { must } from '../../../src/base/result.ts'
import { decodeRooms, encodeRooms } from '../../../src/protocol/policy/index.ts'

const octets = fc.uint8Array({ minLength: 1, maxLength: 60 })
const content = fc.record({ policies: fc.array(fc.record({ base: octets, state: octets }, { noNullPrototype: true }), { maxLength: 4 }), notices: fc.array(octets, { maxLength: 4 }) }, { noNullPrototype: true })

test('it comes back as it was', () => {
  fc.assert(fc.property(content, (c) => {
    assert.deepEqual(must(decodeRooms(encodeRooms(c))), c)
  }))
})

test('cut short, or of another kind: refused', () => {
  const whole = encodeRooms({ policies: [{ base: Uint8Array.of(1, 2), state: Uint8Array.of(3) }], notices: [Uint8Array.of(4, 5)] })
  const [head, first] = [12, 12 + 5 + 4 + 3]
  for (let n = 0; n < whole.length; n++) assert.equal(decodeRooms(whole.slice(0, n)).ok, n === head || n === first, `${n} octets`)
  const other = whole.slice()
  other[head] = 9
  assert.equal(decodeRooms(other).ok, false)
})
