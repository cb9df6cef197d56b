import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { SealedNumbers } from '../../../src/store/sealed-numbers.ts'

const [K1, K2, K3] = ['1', '2', '3'].map((d) => d.repeat(64)) as [string, string, string]
const ACCOUNTS = ['one.test', 'two.test']
const one = (number: string) => ({ account: 'one.test', number })
const two = (number: string) => ({ account: 'two.test', number })

function fileOf(t: TestContext, content?: unknown): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-numbers-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'sealed-numbers.json')
  if (content !== undefined) writeFileSync(file, JSON.stringify(content))
  return file
}
const open = (file: string, accounts: readonly string[] = ACCOUNTS): SealedNumbers => must(SealedNumbers.open(file, accounts))

test('one number in every spelling, also after a restart; a new key replaces the old under all of them', (t) => {
  const file = fileOf(t)
  open(file).remember(one('+49 30 1234567'), K1, 'Ben')
  for (const spelling of ['+49301234567', '004930-1234567', '0301234567', '030 1234567', '+49301234567;phone-context=x']) {
    assert.equal(open(file).keyOf(one(spelling)), K1, spelling)
    assert.equal(open(file).nameOf(one(spelling)), 'Ben')
  }
  for (const other of ['0301234568', '1234', 'ben', '']) assert.equal(open(file).keyOf(one(other)), undefined, other)
  open(file).remember(one('0301234567'), K2, '')
  for (const spelling of ['+49301234567', '0301234567']) assert.equal(open(file).keyOf(one(spelling)), K2)
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).numbers.length, 1)
})

test('extension 100 at two providers is two people; a telephone number is one, whoever connects the call', (t) => {
  const numbers = open(fileOf(t))
  numbers.remember(one('100'), K1, '')
  assert.equal(numbers.keyOf(two('100')), undefined)
  numbers.remember(two('100'), K2, '')
  assert.deepEqual([numbers.keyOf(one('100')), numbers.keyOf(two('100'))], [K1, K2])
  numbers.remember(one('+49301234567'), K3, '')
  assert.equal(numbers.keyOf(two('0301234567')), K3)
  assert.equal(numbers.keyOf({ account: '', number: '100' }), K2, 'at nobody knows which account: fails closed')
})

test('what was written down without an account, or for one that is no more, counts at all of them', (t) => {
  const file = fileOf(t, { version: 1, numbers: [{ number: '100', keyId: K1, name: 'Ben' }] })
  const old = open(file)
  for (const who of [one('100'), two('100'), { account: '', number: '100' }]) assert.equal(old.keyOf(who), K1)
  old.remember(two('100'), K2, 'Dora')
  assert.deepEqual([open(file).keyOf(one('100')), open(file).keyOf(two('100'))], [K1, K2], 'it is never taken away from the others')
  assert.equal(open(file, ['one.test', 'three.test']).keyOf({ account: 'three.test', number: '100' }), K2)
})

test('names that people put into a number are compared as names; a damaged file is named', (t) => {
  const numbers = open(fileOf(t))
  numbers.remember(one('Ben'), K1, '')
  assert.deepEqual([numbers.keyOf(one('ben')), numbers.keyOf(one('benno'))], [K1, undefined])
  numbers.remember(one(''), K1, '')
  assert.equal(numbers.keyOf(one('')), undefined)
  const damaged = SealedNumbers.open(fileOf(t, { version: 1, numbers: [{ number: '100', keyId: 'x', name: '' }] }))
  assert.equal(damaged.ok ? '' : damaged.fault.code, 'STORE_DAMAGED')
})
