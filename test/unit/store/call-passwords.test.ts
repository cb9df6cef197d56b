import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { readPasswords, writePassword } from '../../../src/store/call-passwords.ts'

test('kept by number, for its owner alone; taken away again; a damaged file is named', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-passwords-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'call-passwords.json')
  assert.equal(must(readPasswords(file)).size, 0)
  must(writePassword(file, 'bert', 'four green bottles'))
  must(writePassword(file, '4930', 'x'))
  must(writePassword(file, 'bert', 'five'))
  assert.deepEqual(Object.fromEntries(must(readPasswords(file))), { bert: 'five', 4930: 'x' })
  assert.equal(statSync(file).mode & 0o077, 0)
  must(writePassword(file, 'bert', undefined))
  assert.deepEqual([...must(readPasswords(file)).keys()], ['4930'])
  for (const [number, password] of [['', 'x'], ['4'.repeat(257), 'x'], ['4', ''], ['4', 'x'.repeat(257)]] as const) {
    const refused = writePassword(file, number, password)
    assert.equal(refused.ok ? '' : refused.fault.code, 'CALL_PASSWORD')
  }
  assert.deepEqual([...must(readPasswords(file)).keys()], ['4930'], 'the others can still be read')
  writeFileSync(file, '{"version": 2}')
  const damaged = readPasswords(file)
  assert.equal(damaged.ok ? '' : damaged.fault.code, 'STORE_DAMAGED')
  const over = writePassword(file, 'bert', 'x')
  assert.equal(over.ok, false)
})
