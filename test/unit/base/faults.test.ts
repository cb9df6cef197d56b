import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type FaultCode, faultTable } from '../../../src/base/faults/index.ts'
import { germanFaults } from '../../../src/base/faults/german/index.ts'
import { inGerman } from '../../../src/base/faults/german/translate.ts'
import { makeFault } from '../../../src/base/result.ts'
import { explanationOf, linesOf } from '../../../src/cli/explain.ts'
import { languageOf } from '../../../src/cli/language.ts'
import { hasArea, nearest } from '../../../src/cli/fault-areas.ts'

const codes = Object.keys(faultTable) as FaultCode[]
const sources = fileURLToPath(new URL('../../../src/', import.meta.url))

test('every code that the program can show is in the registry', () => {
  const areas = [...new Set(codes.map((c) => c.slice(0, c.indexOf('_'))))].join('|')
  const unknown: string[] = []
  for (const file of globSync('**/*.{ts,tsx}', { cwd: sources })) {
    const text = readFileSync(sources + file, 'utf8')
    for (const [, code] of text.matchAll(new RegExp(`'((?:${areas})_[A-Z0-9_]*[A-Z0-9])'`, 'g'))) if (!Object.hasOwn(faultTable, code!) && !NO_FAULTS.has(code!)) unknown.push(`${file}: ${code}`)
  }
  assert.deepEqual(unknown, [])
})
/** Names of other things that look like codes. */
const NO_FAULTS = new Set(['RELAY_S', 'CALL_HEALING'])

test('every code says what happened and what to do, and where to look further', () => {
  for (const code of codes) {
    const { what, todo, area, further } = explanationOf(code)
    assert.match(what, /^["A-Z][^\n]*[^.\s]$/, code)
    // A command to type has no full stop at its end.
    assert.match(todo, /^\S[^\n]*(\.|: openssl [^\n]*)$/, code)
    assert.ok(hasArea(code), `${code} has no area`)
    assert.ok(area.length > 0 && further.length > 0)
  }
})

test('every code has its words in German too, in whole sentences and never in English', () => {
  assert.deepEqual(Object.keys(germanFaults).sort(), [...codes].sort())
  for (const code of codes) {
    const { what, todo } = germanFaults[code]
    assert.match(what, /^["A-ZÄÖÜ][^\n]*[^.\s]$/, code)
    assert.match(todo, /^\S[^\n]*(\.|: openssl [^\n]*)$/, code)
    assert.notEqual(what, faultTable[code].what, code)
    assert.notEqual(todo, faultTable[code].todo, code)
    assert.doesNotMatch(`${what} ${todo}`.replace(/"[^"]*"|`[^`]*`/g, ''), / (the|is|and|of) /, code)
    assert.equal(linesOf(explanationOf(code), 'de').length, 5)
    assert.notEqual(linesOf(explanationOf(code), 'de')[3], linesOf(explanationOf(code), 'en')[3])
  }
})

test('a fault keeps its particulars in German; words of somebody else stay', () => {
  assert.equal(inGerman(makeFault('CHANNEL_UNREACHABLE', 'talk.example.org port 7443 (ECONNREFUSED)')), 'Der Server ist nicht zu erreichen: talk.example.org port 7443 (ECONNREFUSED). Prüfen Sie Adresse, Port und Firewall, und ob der Server läuft.')
  for (const code of codes) assert.equal(inGerman(makeFault(code)), `${germanFaults[code].what}. ${germanFaults[code].todo}`)
  assert.equal(inGerman({ code: 'CHANNEL_UNREACHABLE', message: '' }), `${germanFaults.CHANNEL_UNREACHABLE.what}. ${germanFaults.CHANNEL_UNREACHABLE.todo}`)
  assert.equal(inGerman({ code: 'CHANNEL_UNREACHABLE', message: 'as the server says it' }), 'as the server says it')
  assert.equal(inGerman({ code: 'NO_SUCH', message: 'x' }), 'x')
})

test('the language of the terminal is that of the environment', () => {
  assert.deepEqual([{}, { LANG: 'de_DE.UTF-8' }, { LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, { LC_ALL: '', LC_MESSAGES: 'de_AT' }, { STC_LANGUAGE: 'en', LANG: 'de_DE' }, { STC_LANGUAGE: 'de' }, { LANG: 'den_CA' }].map((e) => languageOf(e as NodeJS.ProcessEnv)), ['en', 'de', 'en', 'de', 'en', 'de', 'en'])
})

test('commands that explanations name exist', async () => {
  const { makeProgram } = await import('../../../src/cli/program.ts')
  const program = await makeProgram()
  const missing: string[] = []
  for (const code of codes) {
    const { what, todo, further } = explanationOf(code)
    const german = linesOf(explanationOf(code), 'de').join(' ')
    for (const [, words] of `${what} ${todo} ${further} ${german}`.matchAll(/"stc ([a-z]+(?: [a-z][a-z-]*)?)/g)) {
      const [first, second] = words!.split(' ')
      const command = program.commands.find((c) => c.name() === first)
      if (command === undefined || (second !== undefined && command.commands.length > 0 && !command.commands.some((c) => c.name() === second))) missing.push(`${code}: stc ${words}`)
    }
  }
  assert.deepEqual(missing, [])
})

test('a mistyped code leads to the right one', () => {
  assert.deepEqual(nearest('IDENTITY_EXPIERD', codes), ['IDENTITY_EXPIRED'])
  assert.ok(nearest('EXPIRED', codes).includes('IDENTITY_EXPIRED'))
  assert.deepEqual(nearest('NOTHING_LIKE_THAT_AT_ALL', codes), [])
})
