/** One process at a time at the files of an authority: locks that were left behind, and those of others. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { appendLine, readLines } from '../../../src/pki/files.ts'
import { journalFolder } from '../../kit/journal.ts'

test('a lock that somebody left behind keeps nobody out, neither an old one nor one from the future', (t) => {
  const folder = journalFolder(t)
  const file = path.join(folder, 'index')
  for (const [n, seconds] of [[0, -3600], [1, 3600]] as const) {
    writeFileSync(`${file}.lock`, '')
    utimesSync(`${file}.lock`, Date.now() / 1000 + seconds, Date.now() / 1000 + seconds)
    must(appendLine(file, JSON.stringify(n)))
    assert.equal(existsSync(`${file}.lock`), false)
  }
  assert.deepEqual(readLines(file), ['0', '1'])
  assert.deepEqual(readdirSync(folder), ['index'], 'nothing else is left')
})

test('whoever took longer than it may does not take away the lock of whoever came after', (t) => {
  const file = path.join(journalFolder(t), 'index')
  must(appendLine(file, () => {
    writeFileSync(`${file}.lock`, 'another one')
    return '1'
  }))
  assert.equal(readFileSync(`${file}.lock`, 'latin1'), 'another one')
})
