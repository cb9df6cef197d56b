import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyAddress, everyAddress } from '../../../src/net/any-address.ts'

test('every address is of both families, or of IPv4 alone where the system has no other; one that is named stays', async () => {
  assert.equal(await everyAddress('::', async () => '0.0.0.0'), '0.0.0.0')
  assert.equal(await everyAddress('127.0.0.1', async () => '0.0.0.0'), '127.0.0.1')
  assert.equal(await everyAddress('::'), await anyAddress())
})
