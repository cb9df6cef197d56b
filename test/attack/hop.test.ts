/** Whoever sits between client and server against the hop's key agreement and its SRTP (PROTOCOL §1). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ssrc } from '../../src/base/brand.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { HopExporter } from '../../src/protocol/hop/agreement.ts'
import { answerHopOffer, createHopOffer, finishHop, HOP_SUITES } from '../../src/protocol/hop/agreement.ts'
import { writeRtpHeader } from '../../src/protocol/rtp/header.ts'
import { createSrtpReceiver } from '../../src/protocol/srtp/receiver.ts'
import { SRTP_FORGED, SRTP_REPLAYED, SRTP_REWOUND } from '../../src/protocol/srtp/refusal.ts'
import { createSrtpSender } from '../../src/protocol/srtp/sender.ts'

const crypto = createNodeCrypto()
const connection = (name: string): HopExporter => (context) => crypto.hmac('sha512', utf8(name), context)
const here = connection('here')
const rules = { after: 0, suites: HOP_SUITES }
const offer = (generation = 1) => createHopOffer(crypto, { generation, suites: HOP_SUITES })
const code = (r: { ok: true } | { ok: false; fault: { code: string } }): string => (r.ok ? 'accepted' : r.fault.code)
/** Where the share stands in a message with all three suites, and in an answer. */
const SHARE_IN_OFFER = 13
const SHARE_IN_ANSWER = 8
const SMALL_ORDER = [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31))]
const changed = (message: Uint8Array, at: number, octets: ArrayLike<number>): Uint8Array => {
  const copy = message.slice()
  copy.set(octets, at)
  return copy
}

test('reflected: one’s own offer is no answer, and one’s own share is not taken back', () => {
  const { message, state } = offer()
  assert.equal(code(finishHop(crypto, state, message, here)), 'HOP_MALFORMED')
  const again = offer()
  const answer = must(answerHopOffer(crypto, again.message, here, rules)).message
  assert.equal(code(finishHop(crypto, again.state, changed(answer, SHARE_IN_ANSWER, again.state.share), here)), 'HOP_SHARE')
  assert.equal(code(answerHopOffer(crypto, answer, here, rules)), 'HOP_MALFORMED', 'an answer is no offer')
})

test('a generation is never used twice', () => {
  const { message, state } = offer(5)
  const first = must(answerHopOffer(crypto, message, here, rules))
  assert.equal(code(answerHopOffer(crypto, message, here, { ...rules, after: 5 })), 'HOP_GENERATION', 'replayed offer')
  assert.equal(code(answerHopOffer(crypto, offer(4).message, here, { ...rules, after: 5 })), 'HOP_GENERATION')
  must(finishHop(crypto, state, first.message, here))
  assert.equal(code(finishHop(crypto, state, first.message, here)), 'HOP_GENERATION', 'one answer to one offer')
  const other = offer(6)
  assert.equal(code(finishHop(crypto, other.state, first.message, here)), 'HOP_GENERATION', 'an answer to another offer')
})

test('a replayed offer that is answered gives other keys', () => {
  const { message } = offer()
  const [a, b] = [must(answerHopOffer(crypto, message, here, rules)), must(answerHopOffer(crypto, message, here, rules))]
  assert.notDeepEqual(a.send.masterKey, b.send.masterKey)
})

test('shares of small order are refused at both ends', () => {
  for (const small of SMALL_ORDER) {
    const { message, state } = offer()
    assert.equal(code(answerHopOffer(crypto, changed(message, SHARE_IN_OFFER, small), here, rules)), 'HOP_SHARE')
    const answer = must(answerHopOffer(crypto, message, here, rules)).message
    assert.equal(code(finishHop(crypto, state, changed(answer, SHARE_IN_ANSWER, small), here)), 'HOP_SHARE')
  }
})

test('downgraded: a suite that was not offered is refused, and a shortened offer changes the keys', () => {
  const narrow = createHopOffer(crypto, { generation: 1, suites: ['AEAD_AES_256_GCM'] })
  const answer = must(answerHopOffer(crypto, narrow.message, here, rules)).message
  assert.equal(code(finishHop(crypto, narrow.state, changed(answer, 6, [0, 1]), here)), 'HOP_SUITE')
  // The first two suites are overwritten by the third on the way.
  const { message, state } = offer()
  const server = must(answerHopOffer(crypto, changed(message, 7, [0, 1, 0, 1, 0, 1]), here, rules))
  assert.equal(server.send.suite, 'AES_CM_128_HMAC_SHA1_80')
  const client = must(finishHop(crypto, state, server.message, here))
  assert.notDeepEqual(client.send.masterKey, server.receive.masterKey)
})

test('every changed field of either message changes every key or is refused', () => {
  for (const at of [2, 5, 8, 13, 44, 45, 700, 1228]) {
    const { message, state } = offer(0x01010101)
    const server = answerHopOffer(crypto, changed(message, at, [message[at]! ^ 1]), here, rules)
    if (!server.ok) continue
    const client = finishHop(crypto, state, server.value.message, here)
    if (client.ok) assert.notDeepEqual(client.value.send.masterKey, server.value.receive.masterKey, `offer, octet ${at}`)
  }
  for (const at of [2, 5, 8, 39, 40, 600, 1127]) {
    const { message, state } = offer(0x01010101)
    const server = must(answerHopOffer(crypto, message, here, rules))
    const client = finishHop(crypto, state, changed(server.message, at, [server.message[at]! ^ 1]), here)
    if (client.ok) assert.notDeepEqual(client.value.send.masterKey, server.receive.masterKey, `answer, octet ${at}`)
  }
})

test('relayed into another TLS connection, the keys do not match', () => {
  const { message, state } = offer()
  const server = must(answerHopOffer(crypto, message, connection('there'), rules))
  const client = must(finishHop(crypto, state, server.message, here))
  assert.notDeepEqual(client.send.masterKey, server.receive.masterKey)
  assert.notDeepEqual(client.receive.masterKey, server.send.masterKey)
})

const LENGTH = 60
const packet = (sequence: number): Uint8Array => {
  const buf = new Uint8Array(100)
  writeRtpHeader(buf, { marker: false, payloadType: 9, sequence, timestamp: 160 * sequence, ssrc: ssrc(1) })
  return buf
}
function hop() {
  const { message, state } = offer()
  const server = must(answerHopOffer(crypto, message, here, rules))
  const client = must(finishHop(crypto, state, server.message, here))
  return {
    up: { send: must(createSrtpSender(crypto, client.send)), receive: must(createSrtpReceiver(crypto, server.receive)) },
    down: { send: must(createSrtpSender(crypto, server.send)), receive: must(createSrtpReceiver(crypto, client.receive)) },
  }
}

test('a packet that is sent back to its sender is refused', () => {
  const { up, down } = hop()
  const buf = packet(1)
  const length = up.send.protect(buf, LENGTH)
  assert.equal(down.receive.unprotect(buf, length), SRTP_FORGED)
})

test('a replayed packet, and one of the previous generation, are refused', () => {
  const [old, fresh] = [hop(), hop()]
  const buf = packet(1)
  const length = old.up.send.protect(buf, LENGTH)
  assert.equal(fresh.up.receive.unprotect(buf.slice(), length), SRTP_FORGED)
  assert.equal(old.up.receive.unprotect(buf.slice(), length), LENGTH)
  assert.equal(old.up.receive.unprotect(buf.slice(), length), SRTP_REPLAYED)
})

test('a rewinding sender cannot make the server repeat an IV', () => {
  const { down } = hop()
  const sent = new Set<string>()
  for (const sequence of [7, 7, 6, 0, 65_535, 7]) {
    const buf = packet(sequence)
    const length = down.send.protectNext(buf, LENGTH)
    assert.equal(down.receive.unprotect(buf.slice(), length), LENGTH)
    sent.add(String(buf.subarray(2, 4)))
  }
  assert.equal(sent.size, 6)
  const { up } = hop()
  assert.ok(up.send.protect(packet(7), LENGTH) > 0)
  assert.equal(up.send.protect(packet(7), LENGTH), SRTP_REWOUND)
})
