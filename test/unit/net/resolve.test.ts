import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalAddress, resolveAddresses } from '../../../src/net/resolve.ts'

test('addresses come out as sockets report them', () => {
  assert.equal(normalAddress('192.0.2.1'), '192.0.2.1')
  assert.equal(normalAddress('2001:DB8:0:0::1'), '2001:db8::1')
  assert.equal(normalAddress('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(normalAddress('server.example'), undefined)
  assert.equal(normalAddress('1.2.3'), undefined)
})

test('names are resolved, repetitions left out, failures reported', async () => {
  const failed: string[] = []
  const found = await resolveAddresses([{ address: 'localhost', port: 5 }, { address: '127.0.0.1', port: 5 }, { address: '::1', port: 5 }, { address: 'nowhere.invalid', port: 5 }], (host) => failed.push(host))
  assert.deepEqual(found.map((f) => f.address).sort(), ['127.0.0.1', '::1'])
  assert.deepEqual(failed, ['nowhere.invalid'])
})
