/** Damaged and random quotes and statements: a fault or a value, never an exception, and never a verdict better than the true one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { unixTime } from '../../src/base/brand.ts'
import { readQeIdentity, readTcbInfo } from '../../src/protocol/sgx/collateral.ts'
import { parseQuote } from '../../src/protocol/sgx/quote.ts'
import { verifyQuote } from '../../src/protocol/sgx/verify.ts'
import { crypto, NOW } from '../kit/certificates.ts'
import { fuzz } from '../kit/fuzz.ts'
import { ProcessorMaker, tdReport } from '../kit/sgx.ts'

const BUDGET_MS = 1500
const maker = new ProcessorMaker()
const quotes = [maker.quote(), maker.quote({ version: 4 }), maker.quote({ version: 4, body: tdReport() }), maker.quote({ version: 5, body: tdReport({}, true) })]
const collateral = maker.collateral()
const policy = { measurements: ['aa'.repeat(32), 'dd'.repeat(48)], statuses: ['UpToDate'] as const, reportData: new Uint8Array(64).fill(0xcc), root: maker.rootKey }
const change = fc.record({ at: fc.nat(), value: fc.integer({ min: 1, max: 255 }), cut: fc.boolean() })

test('quotes with an octet changed, or cut', () => {
  fuzz(fc.property(fc.constantFrom(...quotes), change, (quote, c) => {
    const at = c.at % quote.length
    const damaged = c.cut ? quote.slice(0, at) : quote.with(at, quote[at]! ^ c.value)
    const r = verifyQuote(crypto, damaged, collateral, policy, NOW)
    // Line ends of the PEM in it are nobody's word.
    if (r.ok) assert.ok(c.cut === false && at > quote.length - 3000, `octet ${at} of ${quote.length}`)
  }), { interruptAfterTimeLimit: BUDGET_MS, numRuns: 1e6 })
})

test('random octets', () => {
  fuzz(fc.property(fc.uint8Array({ maxLength: 9000 }), fc.constantFrom(3, 4, 5), (bytes, version) => {
    const quote = Uint8Array.from([version, 0, 2, 0, ...bytes])
    parseQuote(quote)
    assert.equal(verifyQuote(crypto, quote, collateral, policy, NOW).ok, false)
  }), { interruptAfterTimeLimit: BUDGET_MS, numRuns: 1e6 })
})

test('statements: any JSON', () => {
  const shapes = [maker.tcbInfo(), maker.qeIdentity()]
  fuzz(fc.property(fc.constantFrom(...shapes), fc.string(), fc.jsonValue(), (shape, key, value) => {
    for (const json of [JSON.stringify(value), JSON.stringify({ ...shape, [key]: value }), JSON.stringify({ ...shape, tcbLevels: value }), key]) {
      readTcbInfo(json)
      readQeIdentity(json)
    }
  }), { interruptAfterTimeLimit: BUDGET_MS, numRuns: 1e6 })
})

test('the time of the verdict is what counts', () => {
  fuzz(fc.property(fc.integer({ min: 0, max: 4e9 }), (now) => {
    const r = verifyQuote(crypto, quotes[0]!, collateral, policy, unixTime(now))
    if (r.ok) assert.ok(now <= r.value.validUntil && now >= NOW - 3600)
  }), { interruptAfterTimeLimit: BUDGET_MS, numRuns: 1e6 })
})
