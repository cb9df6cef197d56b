/** Who holds a folder: a process that lives, not one that has the number of one that died. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { lockFolder } from '../../../src/store/folder-lock.ts'
import { journalFolder } from '../../kit/journal.ts'

test('after a power cut another process has the number: the folder is free', { skip: process.platform === 'linux' ? false : 'other systems do not tell when a process began' }, (t) => {
  const folder = journalFolder(t)
  const file = path.join(folder, 'lock')
  must(lockFolder(folder))[Symbol.dispose]()
  // Number 1 is always alive.
  writeFileSync(file, '1\n')
  assert.equal(lockFolder(folder).ok, false, 'without a word about its beginning it is believed')
  writeFileSync(file, '1 00000000-0000-0000-0000-000000000000/1\n')
  const lock = must(lockFolder(folder))
  assert.match(readFileSync(file, 'latin1'), new RegExp(`^${process.pid} [0-9a-f-]{36}/\\d+\n$`))
  lock[Symbol.dispose]()
})
