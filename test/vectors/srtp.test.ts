/** RFC 3711 appendix B, RFC 7714 §16 and §17, and the packets of libsrtp's test driver (test/srtp_driver.c). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { SrtpKeys } from '../../src/protocol/srtp/keys.ts'
import { deriveKey, deriveSessionKeys, SRTP_SUITES } from '../../src/protocol/srtp/keys.ts'
import { createSrtpReceiver } from '../../src/protocol/srtp/receiver.ts'
import { createSrtpSender } from '../../src/protocol/srtp/sender.ts'
import { SrtpTransform } from '../../src/protocol/srtp/transform.ts'

const crypto = createNodeCrypto()
const hex = (t: string): Uint8Array => fromHex(t.replaceAll(' ', ''))!
const room = (packet: Uint8Array, more = 20): Uint8Array => {
  const buf = new Uint8Array(packet.length + more)
  buf.set(packet)
  return buf
}
const range = (from: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => from + i)
const B3: SrtpKeys = { suite: 'AES_CM_128_HMAC_SHA1_80', masterKey: hex('E1F97A0D3E018BE0D64FA32C06DE4139'), masterSalt: hex('0EC675AD498AFEEBB6960B3AABE6') }

test('RFC 3711 B.2: AES-CM key stream', () => {
  const stream = crypto.aesCtr(hex('2B7E151628AED2A6ABF7158809CF4F3C'), hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000'), new Uint8Array(0xff02 * 16))
  assert.equal(toHex(stream.subarray(0, 48)), 'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0')
  assert.equal(toHex(stream.subarray(0xfeff * 16, 0xff02 * 16)), 'ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44')
})

test('RFC 3711 B.3: key derivation', () => {
  assert.equal(toHex(deriveKey(crypto, B3, 0, 16)), 'c61e7a93744f39ee10734afe3ff7a087')
  assert.equal(toHex(deriveKey(crypto, B3, 2, 14)), '30cbbc08863d8c85d49db34a9ae1')
  assert.equal(toHex(deriveKey(crypto, B3, 1, 94)).slice(0, 64), 'cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbce')
  const session = deriveSessionKeys(crypto, B3, false)
  assert.equal(toHex(session.cipherKey), 'c61e7a93744f39ee10734afe3ff7a087cebe321f6ff7716b6fd4ab49af256a156d38baa4')
})

/** The RFC gives session keys, so the transform is asked directly. */
const session = (suite: 'AEAD_AES_128_GCM' | 'AEAD_AES_256_GCM'): SrtpTransform => {
  const keys = { cipherKey: range(0, SRTP_SUITES[suite].keyLength), salt: hex('517569642070726f2071756f') }
  return new SrtpTransform(crypto, SRTP_SUITES[suite], keys, keys)
}

const RTP = hex('8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573')
test('RFC 7714 §16: SRTP', () => {
  const wanted = {
    AEAD_AES_128_GCM: '8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce',
    AEAD_AES_256_GCM: '8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13',
  }
  for (const suite of ['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM'] as const) {
    using transform = session(suite)
    const buf = room(RTP)
    const length = transform.sealRtp(buf, 12, RTP.length, 0xf17b)
    assert.equal(toHex(buf.subarray(0, length)), wanted[suite])
    assert.equal(transform.openRtp(buf, 12, length, 0xf17b), RTP.length)
    assert.deepEqual(buf.subarray(0, RTP.length), RTP)
  }
})

const RTCP = hex('81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef')
test('RFC 7714 §17: SRTCP', () => {
  const wanted = {
    AEAD_AES_128_GCM: '81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4',
    AEAD_AES_256_GCM: '81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4',
  }
  for (const suite of ['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM'] as const) {
    using transform = session(suite)
    const buf = room(RTCP)
    const length = transform.sealRtcp(buf, RTCP.length, 0x5d4)
    assert.equal(toHex(buf.subarray(0, length)), wanted[suite])
    assert.equal(transform.rtcpIndexWord(buf, length), 0x800005d4)
    assert.equal(transform.openRtcp(buf, length, 0x5d4), RTCP.length)
    assert.deepEqual(buf.subarray(0, RTCP.length), RTCP)
  }
})

const DRIVER: readonly [SrtpKeys, rtp: string, rtcp: string][] = [
  [B3, '800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb', '81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798'],
  [
    { suite: 'AEAD_AES_128_GCM', masterKey: range(0, 16), masterSalt: range(0xa0, 12) },
    '800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392',
    '81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001',
  ],
]

test('libsrtp: whole packets through sender and receiver', () => {
  const plainRtp = hex(`800f1234decafbadcafebabe${'ab'.repeat(16)}`)
  const plainRtcp = hex(`81c8000bcafebabe${'ab'.repeat(16)}`)
  for (const [keys, rtp, rtcp] of DRIVER) {
    using sender = must(createSrtpSender(crypto, keys))
    using receiver = must(createSrtpReceiver(crypto, keys))
    const buf = room(plainRtp)
    const length = sender.protect(buf, plainRtp.length)
    assert.equal(toHex(buf.subarray(0, length)), rtp, keys.suite)
    assert.equal(receiver.unprotect(buf, length), plainRtp.length)
    assert.deepEqual(buf.subarray(0, plainRtp.length), plainRtp)
    // libsrtp begins with index 1, the RFC with 0 (§3.4): both are understood.
    const first = room(plainRtcp)
    sender.protectRtcp(first, plainRtcp.length)
    const second = room(plainRtcp)
    assert.equal(toHex(second.subarray(0, sender.protectRtcp(second, plainRtcp.length))), rtcp, keys.suite)
    assert.equal(receiver.unprotectRtcp(second, rtcp.length / 2), plainRtcp.length)
    assert.deepEqual(second.subarray(0, plainRtcp.length), plainRtcp)
  }
})
