/** What counts as time of the process, and what as a server that kept everybody waiting. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withinOwnTime } from '../../kit/own-time.ts'

test('who does not come in time fails, and so does who comes after the thread was at work for over a second', async () => {
  await withinOwnTime(60_000, 'an end', () => true)
  await assert.rejects(withinOwnTime(20, 'an end', () => false), /no an end within 20 ms/)
  let done = false
  setImmediate(() => {
    const busy = process.threadCpuUsage()
    for (let used = 0; used < 1100; ) {
      const { user, system } = process.threadCpuUsage(busy)
      used = (user + system) / 1000
    }
    done = true
  })
  await assert.rejects(withinOwnTime(60_000, 'an end', () => done), /at work for/)
})
