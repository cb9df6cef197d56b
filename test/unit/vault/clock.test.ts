/** The vault's time of day, on clocks that somebody sets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forwardClock } from '../../../src/vault/inside/system-clock.ts'

test('a clock that is set back does not turn back ours; one that is set forward takes it along', () => {
  let wall = 1_000_000_000
  let monotonic = 5000
  const clock = forwardClock(() => wall, () => monotonic)
  const pass = (ms: number): void => {
    wall += ms
    monotonic += ms
  }
  assert.equal(clock.unix(), 1_000_000)
  pass(10_000)
  assert.equal(clock.unix(), 1_000_010)
  wall -= 86_400_000
  pass(5000)
  assert.equal(clock.unix(), 1_000_015)
  // Asleep: the monotonic clock stood still.
  wall += 86_400_000 + 3600_000
  assert.equal(clock.unix(), 1_003_615)
  wall -= 3600_000
  pass(1000)
  assert.equal(clock.unix(), 1_003_616)
  assert.equal(clock.now(), 21_000)
})
