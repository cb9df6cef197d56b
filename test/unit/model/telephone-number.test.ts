import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptUnder } from '../../../src/model/telephone-number.ts'

test('what is kept under a number is found however it is written, and where it may be one of several, all of it', () => {
  const all = new Map([['+49 30 1234567', 'a'], ['+43 30 1234567', 'b'], ['+49 40 7654321', 'c'], ['040 7654321', 'c'], ['anna', 'd']])
  assert.deepEqual(keptUnder(all, '+49 30 1234567'), ['a'], 'as it stands there')
  assert.deepEqual(keptUnder(all, '0049301234567'), ['a'])
  assert.deepEqual(keptUnder(all, '030 1234567'), ['a', 'b'])
  assert.deepEqual(keptUnder(all, '7654321'), ['c'], 'the same under both')
  assert.deepEqual([keptUnder(all, 'Anna'), keptUnder(all, 'ann'), keptUnder(all, '4567')], [['d'], [], []])
})
