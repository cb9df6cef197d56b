/** Ctrl-C arrives from the terminal and from the launcher: one key press is not impatience. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interrupted } from '../../../src/cli/output.ts'

test('a launcher that passes Ctrl-C on late ends nothing at once, a second key press does', async (t) => {
  let now = 5000
  t.mock.method(performance, 'now', () => now)
  const exit = t.mock.method(process, 'exit', (() => {}) as () => never)
  const before = process.listeners('SIGINT')
  const stopped = interrupted()
  const press = process.listeners('SIGINT').find((l) => !before.includes(l))! as () => void
  t.after(() => process.off('SIGINT', press).off('SIGTERM', press))
  press()
  await stopped
  for (const later of [10, 900]) {
    now = 5000 + later
    press()
  }
  assert.equal(exit.mock.callCount(), 0)
  now = 7000
  press()
  assert.deepEqual(exit.mock.calls.map((c) => c.arguments), [[130]])
})
