/** The official MLS vectors of the suites that stc offers; the others are named as skipped. */
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromHex } from '../../src/base/bytes.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { createSuite, type Suite } from '../../src/protocol/mls/suite.ts'

export const crypto = createNodeCrypto()
/** RFC 9420 suite 1; X-Wing has no official vectors. */
export const suite: Suite = createSuite(crypto, 'x25519')
const OFFERED = 1

export const hex = (text: string): Uint8Array => {
  const bytes = fromHex(text)
  if (bytes === undefined) throw new Error('not hex')
  return bytes
}

export function vectors<T extends object>(file: string, name: string, run: (v: T) => Promise<void> | void, summary?: () => string): void {
  test(`${file}: ${name}`, async (t) => {
    let all: (T & { readonly cipher_suite?: number })[]
    try {
      all = JSON.parse(readFileSync(new URL(`../../../shared/vectors/mls/${file}.json`, import.meta.url), 'utf8')) as typeof all
    } catch {
      return t.skip('the official vectors are not in ../shared/vectors/mls')
    }
    const mine = all.filter((v) => v.cipher_suite === undefined || v.cipher_suite === OFFERED)
    const others = new Set(all.filter((v) => !mine.includes(v)).map((v) => v.cipher_suite))
    if (others.size > 0) t.diagnostic(`${mine.length} of ${all.length} run; suites ${[...others].join(', ')} are not offered by stc`)
    for (const v of mine) await run(v)
    if (summary !== undefined) t.diagnostic(summary())
  })
}
