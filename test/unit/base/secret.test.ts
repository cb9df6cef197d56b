import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { format, inspect } from 'node:util'
import { equalConstantTime, Secret } from '../../../src/base/secret.ts'

const octets = () => Uint8Array.of(0xde, 0xad, 0xbe, 0xef)
const forms = [/222/, /dead/i, /3q2\+7w/, /de, ?ad/i, /222,173/]

describe('a secret', () => {
  test('does not show its octets, however it is printed', () => {
    const s = new Secret(octets())
    const nested = { user: 'ann', key: s, list: [s], map: new Map([['k', s]]) }
    const printed = [
      String(s), `${s}`, `${[s]}`, JSON.stringify(s), JSON.stringify(nested), inspect(s), inspect(nested, { depth: 10, showHidden: true }),
      format('%s %o %O %j', s, s, s, s), Object.keys(s).join(), JSON.stringify(Object.entries(s)), new Error(`with ${s}`).stack ?? '', JSON.stringify({ ...s }),
    ]
    for (const text of printed) for (const form of forms) assert.doesNotMatch(text, form)
    assert.match(inspect(nested), /\[secret\]/)
  })
  test('does not survive structured clone: threads get octets on purpose or not at all', () => {
    assert.deepEqual(Object.entries(structuredClone(new Secret(octets()))), [])
  })
  test('is overwritten when it is disposed of, and cannot be used after', () => {
    const bytes = octets()
    {
      using s = new Secret(bytes)
      assert.equal(s.reveal(), bytes)
      assert.equal(s.disposed, false)
    }
    assert.deepEqual([...bytes], [0, 0, 0, 0])
    const gone = new Secret(octets())
    gone[Symbol.dispose]()
    gone[Symbol.dispose]()
    assert.equal(gone.disposed, true)
    assert.throws(() => gone.reveal(), /disposal/)
  })
})

test('equality looks at every octet and at the length', () => {
  assert.ok(equalConstantTime(octets(), octets()))
  assert.ok(equalConstantTime(new Uint8Array(0), new Uint8Array(0)))
  assert.ok(!equalConstantTime(octets(), octets().subarray(0, 3)))
  for (let i = 0; i < 4; i++) {
    const other = octets()
    other[i]! ^= 1
    assert.ok(!equalConstantTime(octets(), other))
  }
})
