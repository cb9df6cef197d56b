import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'

test('one that runs meanwhile', async () => {
  for (let i = 0; i < 5; i++) await setImmediate()
})
