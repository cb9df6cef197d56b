import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HangWatch, LOOK_MS } from '../../../src/media/thread-watch.ts'

/** Looks at these instants; what the thread had counted by then. */
const looks = (...at: readonly (readonly [at: number, beats: number])[]): boolean[] => {
  const watch = new HangWatch()
  return at.map(([now, beats]) => watch.look(now, beats))
}
const on = (n: number): number => n * LOOK_MS

test('a thread that leaves three questions in a row unanswered hangs', () => {
  assert.deepEqual(looks([on(0), 0], [on(1), 1], [on(2), 1], [on(3), 1], [on(4), 1]), [false, false, false, false, true])
  assert.deepEqual(looks([on(0), 0], [on(1), 1], [on(2), 1], [on(3), 1], [on(4), 2], [on(5), 2], [on(6), 2]), Array(7).fill(false), 'one late answer is enough')
})

test('whoever looks after a pause of his own begins anew: the machine was suspended, or had no time for either', () => {
  assert.deepEqual(looks([on(0), 1], [on(1), 1], [on(2), 1], [on(4), 1], [on(5), 1], [on(6), 1], [on(7), 1]), [false, false, false, false, false, false, true])
})

test('looks that are late every time never say so, and none does of a thread that answers', () => {
  fc.assert(fc.property(fc.array(fc.record({ pause: fc.integer({ min: 0, max: 5 * LOOK_MS }), answers: fc.boolean() }), { maxLength: 40 }), (steps) => {
    const watch = new HangWatch()
    let now = 0
    let beats = 0
    let punctual = 0
    watch.look(now, beats)
    for (const { pause, answers } of steps) {
      now += pause
      if (answers) beats++
      punctual = answers || pause > 1.5 * LOOK_MS ? 0 : punctual + 1
      assert.equal(watch.look(now, beats), punctual >= 3)
    }
  }))
})
