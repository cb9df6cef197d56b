import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ReplayWindow } from '../../../src/base/replay-window.ts'

test('behaves as a set of everything seen, with a floor', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 70 }), fc.array(fc.oneof(fc.nat(90), fc.nat(400)), { maxLength: 200 }), (size, numbers) => {
    const window = new ReplayWindow(size)
    const seen = new Set<number>()
    for (const n of numbers) {
      const highest = Math.max(-1, ...seen)
      const wanted = n <= highest - size ? 'old' : seen.has(n) ? 'replayed' : 'fresh'
      assert.equal(window.check(n), wanted)
      assert.equal(window.check(n), wanted, 'checking changes nothing')
      if (wanted === 'fresh') {
        window.commit(n)
        seen.add(n)
      }
      assert.equal(window.highest, Math.max(-1, ...seen))
    }
  }))
})
