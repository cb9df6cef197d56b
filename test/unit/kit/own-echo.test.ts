/** How the tests find that somebody hears itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OwnEcho } from '../../kit/own-echo.ts'

/** Every tenth of a second, of a second each: `o` the others whole, `x` and its own tone, `.` neither. */
function after(looks: string): number | undefined {
  const echo = new OwnEcho()
  const at = [...looks].findIndex((l, i) => echo.heard(i, 10, l !== '.', l === 'x'))
  return at < 0 ? undefined : at
}

test('an echo in two pieces in a row is one, in its first moment a click', () => {
  assert.equal(after('x'.repeat(11)), 10)
  assert.equal(after(`....${'x'.repeat(30)}`), 14)
  assert.equal(after(`....${'x'.repeat(10)}ooo`), undefined, 'a click at the beginning, or anywhere')
  assert.equal(after(`${'x'.repeat(9)}..${'x'.repeat(9)}`), undefined, 'stumbles')
  assert.equal(after(`ooo${'x'.repeat(10)}.${'x'.repeat(10)}x`), 24)
})
