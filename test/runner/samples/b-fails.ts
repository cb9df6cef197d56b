import assert from 'node:assert/strict'
import { test } from 'node:test'

test('one that fails', () => assert.equal(1, 2))
test('one that is left out', { skip: 'because' }, () => {})
