import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, toHex, utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { answerHopOffer, createHopOffer, finishHop, HOP_SUITES } from '../../../../src/protocol/hop/agreement.ts'
import { decodeAnswer, decodeOffer, encodeAnswer, encodeOffer } from '../../../../src/protocol/hop/messages.ts'
import type { SrtpSuite } from '../../../../src/protocol/srtp/keys.ts'
import { SRTP_SUITES } from '../../../../src/protocol/srtp/keys.ts'
import { createSrtpReceiver } from '../../../../src/protocol/srtp/receiver.ts'
import { createSrtpSender } from '../../../../src/protocol/srtp/sender.ts'

const crypto = createNodeCrypto()
const exporter = (context: Uint8Array): Uint8Array => crypto.hmac('sha512', utf8('one connection'), context)
const ALL = { after: 0, suites: HOP_SUITES }

for (const suite of HOP_SUITES) test(`both ends get the same keys, one pair for each direction: ${suite}`, () => {
  const { message, state } = createHopOffer(crypto, { generation: 3, suites: [suite] })
  const server = must(answerHopOffer(crypto, message, exporter, ALL))
  const client = must(finishHop(crypto, state, server.message, exporter))
  assert.deepEqual([client.send, client.receive, client.generation], [server.receive, server.send, 3])
  assert.notDeepEqual(client.send.masterKey, client.receive.masterKey)
  assert.deepEqual([client.send.suite, client.send.masterKey.length, client.send.masterSalt.length], [suite, SRTP_SUITES[suite].keyLength, SRTP_SUITES[suite].saltLength])
  assert.ok(createSrtpSender(crypto, client.send).ok && createSrtpReceiver(crypto, client.receive).ok)
})

test('the construction is the written one', () => {
  const { message, state } = createHopOffer(crypto, { generation: 0x01020304, suites: ['AEAD_AES_256_GCM'] })
  const secrets = state.spend()!
  const { message: answer, send } = must(answerHopOffer(crypto, message, exporter, ALL))
  const { share, ciphertext } = must(decodeAnswer(answer))
  const ikm = concat(crypto.kemDecapsulate('ml-kem-768', secrets.kem, ciphertext)!, crypto.dh('x25519', secrets.x25519, share)!)
  const prk = crypto.hmac('sha512', exporter(crypto.hash('sha512', message, answer)), ikm)
  const okm = crypto.hkdfExpand('sha512', prk, concat(utf8('stc hop'), Uint8Array.of(1, 0, 8, 1, 2, 3, 4)), 44)
  assert.equal(toHex(concat(send.masterKey, send.masterSalt)), toHex(okm))
})

test('the client’s preference decides among what the server allows', () => {
  const chosen = (offered: SrtpSuite[], allowed: SrtpSuite[]): string => {
    const r = answerHopOffer(crypto, createHopOffer(crypto, { generation: 1, suites: offered }).message, exporter, { after: 0, suites: allowed })
    return r.ok ? r.value.send.suite : r.fault.code
  }
  assert.equal(chosen(['AEAD_AES_256_GCM', 'AEAD_AES_128_GCM'], ['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM']), 'AEAD_AES_256_GCM')
  assert.equal(chosen(['AEAD_AES_256_GCM', 'AEAD_AES_128_GCM'], ['AEAD_AES_128_GCM']), 'AEAD_AES_128_GCM')
  assert.equal(chosen(['AES_CM_128_HMAC_SHA1_80'], ['AEAD_AES_128_GCM']), 'HOP_SUITE')
})

test('messages: what was encoded is decoded again; unknown suites are passed over', () => {
  const octets = (n: number) => fc.uint8Array({ minLength: n, maxLength: n })
  const generation = fc.integer({ min: 1, max: 0xffffffff })
  const suite = fc.constantFrom(...HOP_SUITES)
  fc.assert(fc.property(fc.record({ generation, suites: fc.array(suite, { minLength: 1, maxLength: 16 }), share: octets(32), kemKey: octets(1184) }), (o) => {
    assert.deepEqual({ ...must(decodeOffer(encodeOffer(o))) }, { ...o })
  }), { numRuns: 50 })
  fc.assert(fc.property(fc.record({ generation, suite, share: octets(32), ciphertext: octets(1088) }), (a) => {
    assert.deepEqual({ ...must(decodeAnswer(encodeAnswer(a))) }, { ...a })
  }), { numRuns: 50 })
  const newer = createHopOffer(crypto, { generation: 1, suites: ['AEAD_AES_256_GCM', 'AEAD_AES_128_GCM'] }).message
  newer[8] = 0x77
  assert.deepEqual(must(decodeOffer(newer)).suites, ['AEAD_AES_128_GCM'])
})

test('other versions, lengths and trailing octets are refused', () => {
  const code = (r: { ok: true } | { ok: false; fault: { code: string } }): string => (r.ok ? 'accepted' : r.fault.code)
  const { message } = createHopOffer(crypto, { generation: 1, suites: ['AEAD_AES_128_GCM'] })
  const answer = must(answerHopOffer(crypto, message, exporter, ALL)).message
  for (const [good, decode] of [[message, decodeOffer], [answer, decodeAnswer]] as const) {
    assert.equal(code(decode(good)), 'accepted')
    assert.equal(code(decode(Uint8Array.of(2, ...good.subarray(1)))), 'HOP_VERSION')
    assert.equal(code(decode(Uint8Array.of(...good, 0))), 'HOP_MALFORMED')
    assert.equal(code(decode(good.subarray(0, -1))), 'HOP_MALFORMED')
    assert.equal(code(decode(new Uint8Array(0))), 'HOP_MALFORMED')
    assert.equal(code(decode(Uint8Array.of(1, good[1]!, 0, 0, 0, 0, ...good.subarray(6)))), 'HOP_MALFORMED', 'generation 0')
  }
  const none = Uint8Array.of(...message.subarray(0, 6), 0, ...message.subarray(9))
  assert.equal(code(decodeOffer(none)), 'HOP_MALFORMED', 'no suite')
  assert.throws(() => createHopOffer(crypto, { generation: 0, suites: HOP_SUITES }), RangeError)
  assert.throws(() => createHopOffer(crypto, { generation: 1, suites: [] }), RangeError)
  assert.throws(() => answerHopOffer(crypto, message, () => new Uint8Array(32), ALL), RangeError)
})
