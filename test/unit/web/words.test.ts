/** Every word of the page in every language. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { de } from '../../../src/web/words/de.ts'
import { en } from '../../../src/web/words/en.ts'

/** Each word by its place; a function by what it says about three, about one, and of a name. */
function words(of: unknown, place = ''): [string, string][] {
  if (typeof of === 'string') return [[place, of]]
  if (typeof of === 'function') return [['one', 1], ['three', 3]].map(([name, n]) => [`${place}(${name})`, String((of as (...a: unknown[]) => unknown)(n, n, n))])
  return typeof of === 'object' && of !== null ? Object.entries(of).flatMap(([k, v]) => words(v, place === '' ? k : `${place}.${k}`)) : []
}
/** Words that are the same in both languages. */
const SAME = /^(title|diagnostics\.jitter|phone\.(standard|test|field\.transport|qr.*|where\..*)|settings\.version.*|code_|certificate\.organisation|members\.details.*)|\.name$|^diagnostics\./
/** Where a language says only what differs from the registry, or what the other says without words of its own. */
const OWN = /^(faults|notes)\./

test('both languages have the same words, none empty, and none left in English', () => {
  const [english, german] = [new Map(words(en)), new Map(words(de))]
  const places = (m: Map<string, string>): string[] => [...m.keys()].filter((k) => !OWN.test(k)).sort()
  assert.deepEqual(places(german), places(english))
  for (const [place, word] of [...english, ...german]) assert.notEqual(word.trim(), '', place)
  const left = places(english).filter((k) => !SAME.test(k) && english.get(k) === german.get(k))
  assert.deepEqual(left, [])
})
