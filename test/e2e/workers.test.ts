/** A server with four media threads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describe } from '../../src/cli/server-status.ts'
import { conversation, hearEachOther, RealWorld } from '../kit/real-room.ts'
import { systemCalls } from '../../src/net/native/system.ts'
import { until } from '../kit/processes.ts'

const native = systemCalls()

test('rooms work with four media threads, and again after a restart at the same port', { skip: native.ok ? false : native.fault.message }, async (t) => {
  const w = await RealWorld.start(t, { media: { plane: 'native', workers: 4 } })
  const [a, b] = await Promise.all([w.member('Ann', { hz: 500 }), w.member('Ben', { hz: 800 })])
  await conversation(a, b, w)
  const status = await w.server.status()
  assert.equal(describe(status)[1], 'media plane: native, 4 workers')
  assert.deepEqual(status.legs.map((l) => l.streams.length), [1, 1])
  assert.equal(new Set(status.legs.flatMap((l) => l.streams.map((s) => s.ssrc % 4))).size, 1, 'a room is one thread’s')
  const { port } = w
  await w.server.close()
  await until(15_000, 'both to notice', () => (a.faults.length > 0 && b.faults.length > 0 ? true : undefined))
  await w.open(port)
  assert.equal((await w.server.status()).plane.workers, 4)
  await w.agreed([a, b], 20_000)
  await hearEachOther(a, b)
})
