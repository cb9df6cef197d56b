import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../src/base/brand.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

test('runs callbacks in order of time, then of making', async () => {
  const clock = new VirtualClock()
  const seen: string[] = []
  clock.at(instant(20), () => seen.push('c'))
  clock.at(instant(10), () => seen.push('a'))
  clock.at(instant(10), () => seen.push('b'))
  const cancel = clock.at(instant(15), () => seen.push('never'))
  cancel()
  await clock.run(19)
  assert.deepEqual(seen, ['a', 'b'])
  assert.equal(clock.now(), 19)
  await clock.advance(1)
  assert.deepEqual(seen, ['a', 'b', 'c'])
  assert.equal(clock.pending, 0)
})

test('promises settle between instants', async () => {
  const clock = new VirtualClock()
  const seen: string[] = []
  const deep = async (): Promise<void> => {
    for (let i = 0; i < 50; i++) await null
    seen.push(`deep at ${clock.now()}`)
  }
  clock.at(instant(1), () => void deep())
  clock.at(instant(2), () => seen.push('later'))
  await clock.run(2)
  assert.deepEqual(seen, ['deep at 1', 'later'])
})

test('a callback that schedules itself for now does not stop time', async () => {
  const clock = new VirtualClock()
  let runs = 0
  const again = (): void => {
    if (++runs < 5) clock.at(clock.now(), again)
  }
  clock.at(instant(3), again)
  await clock.run(4)
  assert.equal(runs, 5)
})

test('until says what did not come', async () => {
  const clock = new VirtualClock()
  await assert.rejects(clock.until(() => false, 100, 'the moon'), /the moon did not come within 100 ms/)
})
