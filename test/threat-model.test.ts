/** Every attack test is a row of the threat model, and every row has its test. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const page = readFileSync(new URL('../docs/threat-model.md', import.meta.url), 'utf8')
const files = readdirSync(new URL('attack/', import.meta.url)).filter((f) => f.endsWith('.test.ts')).map((f) => f.replace('.test.ts', ''))
const rows = [...page.matchAll(/\[([a-z0-9-]+)\]\(\.\.\/test\/attack\/([a-z0-9-]+)\.test\.ts\)/g)]

test('a row for every file of test/attack, and a file for every row', () => {
  assert.deepEqual(rows.map(([, , file]) => file).sort(), files.sort())
})

test('rows are called as their files', () => {
  for (const [, name, file] of rows) assert.equal(name, file)
})

test('every row says who, what, what happens, and where', () => {
  for (const line of page.split('\n').filter((l) => l.includes('../test/attack/'))) {
    const cells = line.split('|').slice(1, -1).map((c) => c.trim())
    assert.equal(cells.length, 4, line)
    assert.ok(cells.every((c) => c !== ''), line)
  }
})

test('every attack test has tests in it', () => {
  for (const f of files) {
    const text = readFileSync(new URL(`attack/${f}.test.ts`, import.meta.url), 'utf8')
    assert.match(text, /^\s*(test|seededTest|describe)\(/m, f)
  }
})
