import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemCalls } from '../../../src/net/native/system.ts'
import { realServer } from '../../kit/real-server.ts'

const native = systemCalls()

test('the configuration forces either media plane, and the status says which one runs', async (t) => {
  for (const plane of ['auto', 'portable', ...(native.ok ? ['native' as const] : [])] as const) {
    const { server, log } = await realServer(t, { media: { plane, workers: 1, gather: 1, segment: false, rooms: {} } })
    const facts = (await server.status()).plane
    assert.equal(facts.provider, plane === 'auto' ? (native.ok ? 'native' : 'portable') : plane)
    assert.equal(facts.fallback?.code, plane === 'auto' && !native.ok ? 'NATIVE_UNAVAILABLE' : undefined)
    assert.equal(log.some((l) => l.code === 'NATIVE_UNAVAILABLE'), facts.fallback !== undefined)
    const { receive, send, wanted } = facts.buffers
    assert.ok(receive > 0 && send > 0 && wanted > 0)
    assert.equal(log.some((l) => l.text.includes(`net.core.rmem_max and net.core.wmem_max to ${wanted}`)), receive < wanted || send < wanted)
    await server.close()
  }
})
