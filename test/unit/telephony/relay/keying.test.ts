/** SDES keys of one phone leg (RFC 4568): what is refused, by its code. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../../../src/base/result.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { parseSdp, type SdesKey, sdesKeysOf } from '../../../../src/protocol/sdp/index.ts'
import { Keying } from '../../../../src/telephony/relay/keying.ts'

const suite = 'AES_CM_128_HMAC_SHA1_80'
/** As a memory that has forgotten: what the leg itself knows must do. */
const keying = (): Keying => new Keying(createNodeCrypto(), { suites: [suite], fresh: () => true, required: true, offers: true })
const key = (fill: number, tag = 1): SdesKey => ({ tag, suite, masterKey: new Uint8Array(16).fill(fill), masterSalt: new Uint8Array(14).fill(fill) })
const of = (...keys: SdesKey[]) => ({ keys, secure: true })
const code = (r: { ok: true } | { ok: false; fault: { code: string } }): string => (r.ok ? 'ok' : r.fault.code)
const read = (attribute: string): SdesKey => sdesKeysOf(must(parseSdp(new TextEncoder().encode(`v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:${attribute}\r\n`))).media[0]!)[0]!

test('an answer to no offer is a fault, before any call and after a refused one', () => {
  const k = keying()
  assert.equal(code(k.ourAnswer()), 'RELAY_MISMATCH')
  must(k.theirOffer(of(key(1)), 'a'))
  k.refused()
  assert.equal(code(k.ourAnswer()), 'RELAY_MISMATCH')
})

test('our own key thrown back is refused: in an answer to our offer, and in an offer of a call that stands', () => {
  const asked = keying()
  const ours = read(must(asked.ourOffer()).attributes[0]!)
  assert.equal(code(asked.theirAnswer(of(ours), 'a')), 'RELAY_KEY_REUSED')
  assert.equal(asked.agreed, undefined)

  const answered = keying()
  must(answered.theirOffer(of(key(1)), 'a'))
  const mine = read(must(answered.ourAnswer()).attributes[0]!)
  assert.equal(code(answered.theirOffer(of({ ...mine, masterSalt: new Uint8Array(14) }), 'a')), 'RELAY_KEY_REUSED', 'another salt makes it no other key')
})

test('a key that another took the place of does not come back, and nobody changes keys for ever; the one in use may be shown again', () => {
  const k = keying()
  const change = (fill: number): string => {
    const taken = k.theirOffer(of(key(fill)), 'a')
    if (taken.ok) must(k.ourAnswer())
    return code(taken)
  }
  assert.deepEqual([change(1), change(1), change(2), change(1), change(2)], ['ok', 'ok', 'ok', 'RELAY_KEY_REUSED', 'ok'])
  for (let fill = 3; fill <= 101; fill++) assert.equal(change(fill), 'ok', String(fill))
  assert.equal(change(102), 'RELAY_KEY_REUSED', 'a hundred changes of one call')
  assert.equal(change(101), 'ok')
})

test('an offer of ours that came to nothing is not made again in a call that has changed: refused by the phone, or overtaken by its own', () => {
  for (const how of ['refused', 'overtaken'] as const) {
    const k = new Keying(createNodeCrypto(), { suites: [suite], fresh: () => true, required: false, offers: true })
    must(k.theirOffer({ keys: [], secure: false }, 'a'))
    must(k.ourAnswer())
    assert.deepEqual(must(k.ourOffer()).attributes, [], 'in clear, as the call is')
    if (how === 'refused') k.oursRefused()
    must(k.theirOffer(of(key(1)), 'a'))
    const mine = must(k.ourAnswer()).attributes
    assert.equal(k.asks, false, how)
    assert.deepEqual(must(k.ourOffer()).attributes.map((a) => read(a).masterKey), mine.map((a) => read(a).masterKey), how)
    assert.equal(code(k.theirAnswer(of(key(1)), 'a')), 'ok')
  }
})

test('an offer of ours stands while an earlier answer of ours is said once more', () => {
  const k = keying()
  must(k.theirOffer(of(key(1)), 'a'))
  must(k.ourAnswer())
  must(k.ourOffer())
  must(k.ourAnswer())
  assert.equal(k.asks, true)
  assert.equal(code(k.theirAnswer(of(key(2)), 'a')), 'ok')
})
