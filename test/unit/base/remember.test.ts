import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remember } from '../../../src/base/remember.ts'

test('the newest are kept, and what is set again is new', () => {
  const map = new Map<string, number>()
  for (const [i, key] of ['a', 'b', 'a', 'c'].entries()) remember(map, key, i, 2)
  assert.deepEqual([...map], [['a', 2], ['c', 3]])
})
