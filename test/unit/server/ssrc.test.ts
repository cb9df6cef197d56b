import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import { SsrcAllocator } from '../../../src/server/ssrc.ts'
import { SeededRandom } from '../../kit/seeded-random.ts'

test('no SSRC comes twice, none is 0, and two servers give others', () => {
  const crypto = createNodeCrypto()
  const allocator = (seed: string) => new SsrcAllocator({ hmac: crypto.hmac, bytes: (n) => new SeededRandom(seed).bytes(n) })
  const a = allocator('a')
  const seen = new Set<number>()
  for (let i = 0; i < 20_000; i++) seen.add(a.next())
  assert.equal(seen.size, 20_000)
  assert.ok(!seen.has(0))
  const b = allocator('b')
  let common = 0
  for (let i = 0; i < 1000; i++) if (seen.has(b.next())) common++
  assert.ok(common < 5)
  // Spread over the whole range, so that they tell nothing of how many came before.
  assert.ok([...seen].filter((s) => s > 0x8000_0000).length > 9000)
})
