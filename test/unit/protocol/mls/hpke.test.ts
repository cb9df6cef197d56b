import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex, utf8 } from '../../../../src/base/bytes.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { Hpke } from '../../../../src/protocol/mls/hpke.ts'
import { SUITES } from '../../../../src/protocol/mls/suite.ts'
import { X_WING_CIPHERTEXT, X_WING_PUBLIC, xWingDecapsulate, xWingEncapsulate, xWingKeyPair } from '../../../../src/protocol/mls/x-wing.ts'

const crypto = createNodeCrypto()
const NONE = new Uint8Array(0)

test('X-Wing: the key pair of the first vector of draft-connolly-cfrg-xwing-kem', () => {
  const { publicKey } = xWingKeyPair(crypto, fromHex('7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26')!)
  assert.equal(publicKey.length, X_WING_PUBLIC)
  assert.equal(toHex(publicKey.subarray(0, 36)), 'e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5b19cfc3d')
})

test('X-Wing: both sides agree, and a changed ciphertext or foreign key does not', () => {
  const keys = xWingKeyPair(crypto, crypto.bytes(32))
  const sent = xWingEncapsulate(crypto, keys.publicKey)!
  assert.equal(sent.ciphertext.length, X_WING_CIPHERTEXT)
  assert.deepEqual(xWingDecapsulate(crypto, keys.privateKey, sent.ciphertext), sent.shared)
  for (const at of [0, 1087, 1100]) {
    const bad = sent.ciphertext.slice()
    bad[at]! ^= 1
    assert.notDeepEqual(xWingDecapsulate(crypto, keys.privateKey, bad), sent.shared)
  }
  assert.notDeepEqual(xWingDecapsulate(crypto, crypto.bytes(32), sent.ciphertext), sent.shared)
  assert.equal(xWingDecapsulate(crypto, keys.privateKey, sent.ciphertext.subarray(1)), undefined)
  assert.equal(xWingEncapsulate(crypto, keys.publicKey.subarray(1)), undefined)
  // An X25519 share of order one gives zeroes (RFC 7748 §6.1).
  const zero = keys.publicKey.slice()
  zero.fill(0, 1184)
  assert.equal(xWingEncapsulate(crypto, zero), undefined)
})

for (const suite of ['x25519', 'x-wing'] as const) {
  test(`HPKE with ${suite}: opens what was sealed for this key, this info and this AAD alone`, () => {
    const hpke = new Hpke(crypto, SUITES[suite].hpke)
    const keys = hpke.generateKeyPair()
    const { enc, ct } = hpke.seal(keys.publicKey, utf8('info'), utf8('aad'), utf8('plain'))!
    assert.deepEqual(hpke.open(keys, enc, utf8('info'), utf8('aad'), ct), utf8('plain'))
    assert.equal(hpke.open(keys, enc, utf8('other'), utf8('aad'), ct), undefined)
    assert.equal(hpke.open(keys, enc, utf8('info'), NONE, ct), undefined)
    assert.equal(hpke.open(hpke.generateKeyPair(), enc, utf8('info'), utf8('aad'), ct), undefined)
    assert.equal(hpke.open(keys, enc.subarray(1), utf8('info'), utf8('aad'), ct), undefined)
    assert.equal(hpke.seal(keys.publicKey.subarray(1), NONE, NONE, NONE), undefined)
    assert.deepEqual(hpke.deriveKeyPair(utf8('ikm')), hpke.deriveKeyPair(utf8('ikm')))
  })
}
