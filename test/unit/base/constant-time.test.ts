/**
 * Tags and passwords are compared in constant time. Clocks are too coarse to see that in a test, so octets are counted: each one that a
 * comparison looks at. A plain comparison stops at the first difference, and is noticed by that.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sameBytes } from '../../../src/base/bytes.ts'
import { equalConstantTime } from '../../../src/base/secret.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import { createSuite } from '../../../src/protocol/mls/suite.ts'

/** An array that counts the octets read from it. */
function counted(octets: Uint8Array): { readonly array: Uint8Array; reads(): number } {
  let reads = 0
  const array = new Proxy(octets, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads++
      return Reflect.get(target, key) as unknown
    },
  })
  return { array, reads: () => reads }
}

const LENGTH = 32
const secret = Uint8Array.from({ length: LENGTH }, (_, i) => i * 7)
/** The secret itself, and guesses of which the first, a middle or the last octet is wrong, or all. */
const guesses = [[], [0], [15], [LENGTH - 1], [...secret.keys()]].map((wrong) => secret.map((v, i) => (wrong.includes(i) ? v ^ 1 : v)))

const readsOf = (compare: (a: Uint8Array, b: Uint8Array) => unknown): number[] => guesses.map((guess) => {
  const a = counted(secret)
  compare(a.array, guess)
  return a.reads()
})

test('what is compared in constant time is read to its end, whatever differs', () => {
  assert.deepEqual(readsOf(equalConstantTime), guesses.map(() => LENGTH))
  assert.deepEqual(guesses.map((g) => equalConstantTime(secret, g)), [true, false, false, false, false])
  // The control: this is how a plain comparison looks.
  assert.deepEqual(readsOf(sameBytes), [LENGTH, 1, 16, LENGTH, 1])
})

test('MACs of MLS are', async () => {
  const crypto = createNodeCrypto()
  const reads: (() => number)[] = []
  const watching = { ...crypto, hmac: () => {
    const c = counted(secret)
    reads.push(c.reads)
    return c.array
  } }
  const { hash } = createSuite(watching, 'x25519').impl
  const verdicts = []
  for (const guess of guesses) verdicts.push(await hash.verifyMac(secret, guess, secret))
  assert.deepEqual(verdicts, [true, false, false, false, false])
  assert.deepEqual(reads.map((r) => r()), guesses.map(() => LENGTH))
})

test('no comparison in the sources names a tag, a MAC, a password or a key and is a plain one', () => {
  const root = fileURLToPath(new URL('../../../src/', import.meta.url))
  const names = String.raw`(?:ha1|\w*(?:hmac|mac|password|passphrase|secret|authenticator|masterkey|mastersalt|authtag|gcmtag|cookie))`
  const plain = [new RegExp(String.raw`(?:sameBytes|compare|equals)\([^)]*\b${names}\b`, 'i'), new RegExp(String.raw`\b${names} [=!]== (?!undefined|null|true|false|'|-?\d)`, 'i')]
  const found = globSync('**/*.{ts,tsx}', { cwd: root }).flatMap((file) => readFileSync(root + file, 'utf8').split('\n')
    .filter((line) => !/^\s*(\/\/|\*|\/\*)/.test(line) && plain.some((p) => p.test(line))).map((line) => `${file.replaceAll('\\', '/')}: ${line.trim()}`))
  // Both compare a key that was offered with the one that the same side offered before.
  const known = /^(media\/plain\/plain-crypto|client\/handset\/sip\/call-media)\.ts: /
  assert.deepEqual(found.filter((f) => !known.test(f)), [])
  // The search finds what it is for.
  for (const line of ['if (!sameBytes(mac, this.#mac(nonce)))', 'if (password === given) {', 'Buffer.compare(x, y.authTag)', 'return ha1 !== expected']) assert.ok(plain.some((p) => p.test(line)), line)
})
