/** SRV records of a domain, from a name server of the test's own on loopback. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serviceOf } from '../../../src/net/service-record.ts'
import { crypto } from '../../kit/certificates.ts'
import { nameServer } from '../../kit/name-server.ts'

test('the lowest priority first, weights by chance, a root name is none', async (t) => {
  const zone = {
    '_sip._udp.provider.test': [{ priority: 20, weight: 0, port: 5080, target: 'backup.provider.test' }, { priority: 10, weight: 9, port: 5070, target: 'a.provider.test' }, { priority: 10, weight: 1, port: 5071, target: 'b.provider.test' }],
    '_sip._tcp.provider.test': [{ priority: 0, weight: 0, port: 0, target: '' }],
  }
  const servers = [await nameServer(t, zone)]
  let first = 0
  for (let i = 0; i < 40; i++) {
    const found = await serviceOf('_sip._udp.provider.test', crypto, servers)
    assert.equal(found.length, 3)
    assert.deepEqual(found[2], { address: 'backup.provider.test', port: 5080 })
    assert.deepEqual(new Set(found.slice(0, 2).map((f) => f.port)), new Set([5070, 5071]))
    if (found[0]!.port === 5070) first++
  }
  assert.ok(first > 20, `${first} of 40`)
  assert.deepEqual(await serviceOf('_sip._tcp.provider.test', crypto, servers), [])
  assert.deepEqual(await serviceOf('_sips._tcp.provider.test', crypto, servers), [])
})

test('nobody answers: none, and soon', async () => {
  assert.deepEqual(await serviceOf('_sip._udp.provider.test', crypto, ['127.0.0.1:9']), [])
})
