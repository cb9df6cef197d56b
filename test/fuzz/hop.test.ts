/** Mutated and random octets into the hop key agreement: an answer or a code, never an exception. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { answerHopOffer, createHopOffer, finishHop, HOP_SUITES } from '../../src/protocol/hop/agreement.ts'
import { fuzz } from '../kit/fuzz.ts'

const crypto = createNodeCrypto()
const exporter = (context: Uint8Array): Uint8Array => crypto.hash('sha512', context)
const rules = { after: 0, suites: HOP_SUITES }
const mutated = (good: Uint8Array) =>
  fc.tuple(fc.array(fc.tuple(fc.oneof(fc.nat(12), fc.nat(good.length - 1)), fc.nat(255)), { maxLength: 4 }), fc.option(fc.nat(good.length), { freq: 3 })).map(([changes, length]) => {
    const bytes = good.slice()
    for (const [at, value] of changes) bytes[at] = value
    return length === null ? bytes : bytes.subarray(0, length)
  })

test('offers', () => {
  const { message } = createHopOffer(crypto, { generation: 5, suites: HOP_SUITES })
  fuzz(fc.property(fc.oneof(mutated(message), fc.uint8Array({ maxLength: 40 })), (bytes) => {
    const r = answerHopOffer(crypto, bytes, exporter, rules)
    if (!r.ok) assert.match(r.fault.code, /^HOP_/)
  }), { numRuns: 1500, interruptAfterTimeLimit: 1500 })
})

test('answers', () => {
  const first = createHopOffer(crypto, { generation: 5, suites: HOP_SUITES })
  const good = must(answerHopOffer(crypto, first.message, exporter, rules))
  const right = must(finishHop(crypto, first.state, good.message, exporter))
  fuzz(fc.property(fc.oneof(mutated(good.message), fc.uint8Array({ maxLength: 40 })), (bytes) => {
    const r = finishHop(crypto, createHopOffer(crypto, { generation: 5, suites: HOP_SUITES }).state, bytes, exporter)
    if (!r.ok) assert.match(r.fault.code, /^HOP_/)
    else assert.notDeepEqual(r.value.send.masterKey, right.send.masterKey)
  }), { numRuns: 400, interruptAfterTimeLimit: 1500 })
})
