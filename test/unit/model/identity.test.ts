import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { unixTime } from '../../../src/base/brand.ts'
import type { Identity } from '../../../src/model/identity.ts'
import { DISPLAY_NAME_LIMIT, displayName, safeText } from '../../../src/model/identity.ts'

const nobody: Identity = {
  subject: '', emails: [], hosts: [], issuer: 'Test CA', serial: '01', notBefore: unixTime(0), notAfter: unixTime(1),
  keyId: 'ab'.repeat(32), fingerprint: 'cd'.repeat(32),
}

test('ordinary names of the world stay as they are', () => {
  for (const name of ['Ann Example', 'Zoë Müller', 'Ελένη', 'משה כהן', 'محمد', '山田 太郎', 'می‌خواهم', "O'Neill-Smith, Jr."]) {
    assert.equal(safeText(name), name.normalize('NFC'))
  }
})

test('characters that hide, reorder or break lines leave a visible mark', () => {
  assert.equal(safeText('Ann\u202Eelpmaxe'), 'Ann\uFFFDelpmaxe')
  assert.equal(safeText('Ann\r\nBob'), 'Ann\uFFFD\uFFFDBob')
  assert.equal(safeText('A\u0000nn\u001b[31m'), 'A\uFFFDnn\uFFFD[31m')
  assert.equal(safeText('An\u200Bn'), 'An\uFFFDn')
  assert.equal(safeText('An\u200Dn'), 'An\uFFFDn')
  assert.equal(safeText('\u2066Ann\u2069'), '\uFFFDAnn\uFFFD')
  assert.equal(safeText('Ann\uD800'), 'Ann\uFFFD')
  assert.equal(safeText('Ann\u3164'), 'Ann\uFFFD')
  assert.equal(safeText(`A${'\u0336'.repeat(30)}`), `A${'\u0336'.repeat(3)}\uFFFD`)
})

test('spaces are plain and single', () => {
  assert.equal(safeText('  Ann \u00A0\u3000 Example '), 'Ann Example')
})

test('long text is cut visibly, by characters', () => {
  const cut = safeText('😀'.repeat(200), 10)
  assert.equal(cut, `${'😀'.repeat(9)}…`)
  assert.equal([...safeText(`${' '.repeat(5000)}x`, 10)].at(-1), '…')
})

test('any text gives one safe line within the limit, and is stable', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 2, max: 80 }), (text, limit) => {
    const safe = safeText(text, limit)
    assert.ok([...safe].length <= limit)
    assert.doesNotMatch(safe, /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
    assert.equal(safe, safe.trim())
  }))
})

test('the display name falls back to what there is', () => {
  assert.equal(displayName({ ...nobody, subject: 'Ann', emails: ['a@example.org'] }), 'Ann')
  assert.equal(displayName({ ...nobody, emails: ['a@example.org'], organisation: 'Example' }), 'a@example.org')
  assert.equal(displayName({ ...nobody, organisation: 'Example', hosts: ['h.example.org'] }), 'Example')
  assert.equal(displayName({ ...nobody, hosts: ['h.example.org'] }), 'h.example.org')
  assert.equal(displayName(nobody), 'key abababababababab')
  assert.equal([...displayName({ ...nobody, subject: 'x'.repeat(500) })].length, DISPLAY_NAME_LIMIT)
})
