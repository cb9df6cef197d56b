/** Who holds a folder: a process that lives, not one that has the number of one that died. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { lockFolder } from '../../../src/store/folder-lock.ts'
import { journalFolder } from '../../kit/journal.ts'

const skip = process.platform === 'linux' ? false : 'other systems do not tell when a process began'

for (const whose of ['our own', 'another user’s'] as const) test(`after a power cut ${whose} process has the number: the folder is free`, { skip }, (t) => {
  const folder = journalFolder(t)
  const file = path.join(folder, 'lock')
  must(lockFolder(folder))[Symbol.dispose]()
  // As the system answers about number 1, which is always alive, whoever runs this.
  t.mock.method(process, 'kill', () => {
    if (whose === 'our own') return true
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
  })
  writeFileSync(file, '1\n')
  assert.equal(lockFolder(folder).ok, false, 'without a word about its beginning it is believed')
  writeFileSync(file, '1 00000000-0000-0000-0000-000000000000/1\n')
  const lock = must(lockFolder(folder))
  const own = readFileSync(file, 'latin1')
  assert.match(own, new RegExp(`^${process.pid} [0-9a-f-]{36}/\\d+\n$`))
  lock[Symbol.dispose]()
  const [, boot] = /^\d+ ([0-9a-f-]+)\//.exec(own)!
  const stat = readFileSync('/proc/1/stat', 'latin1')
  writeFileSync(file, `1 ${boot}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}\n`)
  assert.equal(lockFolder(folder).ok, false, 'the very process that wrote it')
})
