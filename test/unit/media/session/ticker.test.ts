import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ticker } from '../../../../src/media/session/ticker.ts'
import { VirtualClock } from '../../../kit/virtual-clock.ts'

test('fifty a second, lateness does not add up, no timer when stopped', () => {
  const clock = new VirtualClock()
  let frames = 0
  const ticker = new Ticker(clock, (f) => (frames += f))
  ticker.start()
  ticker.start()
  for (let i = 0; i < 100; i++) {
    clock.stall(7)
    clock.advanceSync(93)
  }
  assert.equal(frames, 500)
  assert.equal(ticker.late, 0)
  ticker.stop()
  assert.equal(clock.pending, 0)
})

test('after a stall at most three frames are made up, the rest is named', () => {
  const clock = new VirtualClock()
  const runs: [number, number][] = []
  const ticker = new Ticker(clock, (frames, skipped) => runs.push([frames, skipped]))
  ticker.start()
  clock.stall(310)
  clock.advanceSync(0)
  clock.stall(50)
  clock.advanceSync(0)
  assert.deepEqual(runs, [[3, 12], [3, 0]])
  assert.equal(ticker.late, 14 + 2)
  ticker.stop()
})
