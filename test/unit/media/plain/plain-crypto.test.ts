import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { PlainCrypto } from '../../../../src/media/plain/plain-crypto.ts'
import type { SrtpKeys } from '../../../../src/protocol/srtp/keys.ts'

const keys = (fill: number, suite: SrtpKeys['suite'] = 'AES_CM_128_HMAC_SHA1_80'): SrtpKeys => ({ suite, masterKey: new Uint8Array(16).fill(fill), masterSalt: new Uint8Array(suite.includes('GCM') ? 12 : 14).fill(fill) })

/** RFC 3711 §9.1: numbers of a key never begin anew. */
test('keys that were replaced do not come back, in either direction; the same ones go on', () => {
  using c = new PlainCrypto(createNodeCrypto())
  assert.ok(c.set({ receive: keys(1), send: keys(2) }).ok)
  assert.ok(c.set({ receive: keys(1), send: keys(2) }).ok, 'nothing changes')
  assert.ok(c.set({ receive: keys(3), send: keys(2) }).ok, 'one direction alone')
  assert.ok(c.set({ receive: keys(3), send: keys(4, 'AEAD_AES_128_GCM') }).ok, 'another suite')
  for (const back of [{ receive: keys(1), send: keys(4, 'AEAD_AES_128_GCM') }, { receive: keys(3), send: keys(2) }]) {
    const refused = c.set(back)
    assert.equal(refused.ok ? '' : refused.fault.code, 'SRTP_KEYS')
  }
  assert.ok(c.set({ receive: keys(3), send: keys(4, 'AEAD_AES_128_GCM') }).ok, 'what was there is still there')
})
