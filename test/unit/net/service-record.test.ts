/** SRV records of a domain, from a name server of the test's own on loopback. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { inOrder, serviceOf } from '../../../src/net/service-record.ts'
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

/** Draws these shares of the whole, one after the other. */
const drawing = (...shares: readonly number[]) => {
  let next = 0
  return {
    bytes: (): Uint8Array => {
      const n = Math.floor(shares[next++]! * 2 ** 32)
      return Uint8Array.of((n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255)
    },
  }
}
const record = (name: string, priority: number, weight: number) => ({ name, priority, weight })
const names = (all: readonly { readonly name: string }[]): string => all.map((r) => r.name).join(' ')

test('weights by hand: the example of RFC 2782, old-slow-box 1 and new-fast-box 3', () => {
  const zone = [record('backup', 1, 0), record('slow', 0, 1), record('fast', 0, 3)]
  // Running sums 1 and 4: of 0 1 2 3 4 the first two are the slow one's; what is left is drawn alone, then the backup.
  for (const [drawn, first] of [[0, 'slow fast'], [1, 'slow fast'], [2, 'fast slow'], [3, 'fast slow'], [4, 'fast slow']] as const) {
    assert.equal(names(inOrder(zone, drawing((drawn + 0.5) / 5, 0.9, 0.9))), `${first} backup`, `${drawn}`)
  }
})

test('weights by hand: without a weight there is a small chance, whatever order they came in; of none at all, the order that they came in', () => {
  const zone = [record('heavy', 0, 9), record('none', 0, 0)]
  for (const records of [zone, zone.toReversed()]) {
    assert.equal(names(inOrder(records, drawing(0.05, 0.5))), 'none heavy')
    for (const share of [0.11, 0.5, 0.99]) assert.equal(names(inOrder(records, drawing(share, 0.5))), 'heavy none')
  }
  assert.equal(names(inOrder([record('a', 5, 0), record('b', 5, 0), record('c', 5, 0)], drawing(0.99, 0.99, 0.99))), 'a b c')
  // 65535 is the most that a record can say.
  assert.equal(names(inOrder([record('a', 0, 65_535), record('b', 0, 65_535)], drawing(0.500_01, 0))), 'b a')
  assert.equal(names(inOrder([record('a', 0, 65_535), record('b', 0, 65_535)], drawing(0.499_99, 0))), 'a b')
})

test('property: every record once, priorities never fall, in whatever order they came', () => {
  const some = fc.array(fc.record({ name: fc.string(), priority: fc.nat(4), weight: fc.nat(65_535) }), { maxLength: 16 })
  fc.assert(fc.property(some, (records) => {
    const out = inOrder(records, crypto)
    assert.deepEqual(new Set(out), new Set(records))
    assert.equal(out.length, records.length)
    assert.ok(out.every((r, i) => i === 0 || out[i - 1]!.priority <= r.priority))
  }))
})
