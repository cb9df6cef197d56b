/** One process at a time at the files of an authority: locks that were left behind, and those of others. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { appendLine, readLines, replace, writeNew } from '../../../src/pki/files.ts'
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

test('drafts of processes that were killed go with the next write, those of the living stay', (t) => {
  const folder = journalFolder(t)
  const file = path.join(folder, 'ann.key')
  const gone = spawnSync(process.execPath, ['-e', '']).pid
  const draft = (name: string, ageS: number): string => {
    writeFileSync(path.join(folder, name), 'half a key')
    utimesSync(path.join(folder, name), Date.now() / 1000 - ageS, Date.now() / 1000 - ageS)
    return name
  }
  const kept = [draft(`ann.key.${process.ppid}.new`, 3600), draft(`ben.key.${gone}.new`, 3600), draft('ann.key.txt.new', 3600)]
  const left = draft(`ann.key.${gone}.new`, 5)
  must(writeNew(file, 'a key', 0o600))
  assert.ok(existsSync(path.join(folder, left)), 'another machine, or container, may be writing it')
  draft(left, 3600)
  // Of the same number in a container's run before this one.
  draft(`ann.crt.${process.pid}.new`, 3600)
  must(writeNew(path.join(folder, 'ann.crt'), 'a certificate', 0o644))
  rmSync(path.join(folder, 'ann.crt'))
  must(replace(file, 'another key', 0o600))
  assert.deepEqual(readdirSync(folder).sort(), ['ann.key', ...kept].sort())
})
