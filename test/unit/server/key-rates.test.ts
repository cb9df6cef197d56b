import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../src/base/brand.ts'
import { KeyRates } from '../../../src/server/key-rates.ts'

test('each key has its own rate, and it fills up again with time', () => {
  const rates = new KeyRates({ burst: 2, perSecond: 1 })
  assert.deepEqual([0, 0, 0].map((t) => rates.take('a', instant(t))), [true, true, false])
  assert.equal(rates.take('b', instant(0)), true)
  assert.deepEqual([1000, 1000].map((t) => rates.take('a', instant(t))), [true, false])
})

test('no more keys are kept in mind than that, and those who ask are the last to be forgotten', () => {
  const rates = new KeyRates({ burst: 1, perSecond: 0.001 }, 3)
  rates.take('a', instant(0))
  for (const other of ['b', 'c', 'd', 'e']) {
    rates.take(other, instant(0))
    assert.equal(rates.take('a', instant(0)), false, other)
  }
  assert.equal(rates.size, 3)
})
