import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../src/base/brand.ts'
import { realScheduler } from '../../../src/net/scheduler.ts'

test('calls back in order, never early, not after cancelling', async () => {
  const clock = realScheduler()
  const start = clock.now()
  const seen: string[] = []
  await new Promise<void>((resolve) => {
    clock.at(instant(start + 500), () => {
      assert.ok(clock.now() >= start + 499.8)
      seen.push('second')
      resolve()
    })
    clock.at(instant(start + 100), () => seen.push('first'))
    const cancel = clock.at(instant(start + 50), () => seen.push('cancelled'))
    cancel()
    cancel()
    clock.at(instant(start - 100), () => seen.push('past'))
    seen.push('not inside the caller')
  })
  assert.deepEqual(seen, ['not inside the caller', 'past', 'first', 'second'])
})

test('wall time is the time of day', () => {
  assert.ok(Math.abs(realScheduler().unix() - Date.now() / 1000) <= 5)
})
