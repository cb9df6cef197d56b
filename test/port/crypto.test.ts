/** One suite over every provider of the crypto port. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Der } from '../../src/base/brand.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { createNativeCrypto } from '../../src/crypto/native/index.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { CryptoPort, PacketAlgorithm, SignatureName } from '../../src/crypto/port.ts'
import { selfTest } from '../../src/crypto/self-test.ts'

const native = createNativeCrypto()
if (!native.ok) console.log(`the native provider is left out: ${native.fault.message}`)
const providers: readonly [string, () => CryptoPort][] = [['node', createNodeCrypto], ...(native.ok ? [['native', () => native.value] satisfies [string, () => CryptoPort]] : [])]
const KEY_LENGTH: Record<PacketAlgorithm, number> = { 'aes-128-gcm': 16, 'aes-256-gcm': 32, 'aes-128-cm-sha1-80': 36 }
const MESSAGE = utf8('message')

for (const [name, create] of providers) {
  const c = create()
  describe(`crypto port: ${name}`, () => {
    test('passes the self-test', () => {
      assert.deepEqual(selfTest(c), { ok: true, value: undefined })
    })

    test('the self-test names what is wrong', () => {
      const broken: CryptoPort = { ...c, hmac: (n, k, ...p) => c.hmac(n, k, ...p).map((b) => b ^ 1), kemDecapsulate: () => { throw new Error('missing') } }
      const r = selfTest(broken)
      assert.ok(!r.ok)
      assert.equal(r.fault.code, 'CRYPTO_SELF_TEST')
      for (const primitive of ['HMAC-SHA256', 'SHA1-80', 'ML-KEM-768 round trip']) assert.match(r.fault.message, new RegExp(primitive))
    })

    for (const algorithm of Object.keys(KEY_LENGTH) as PacketAlgorithm[]) {
      test(`packet cipher ${algorithm}: in place, at any offset, nothing outside touched`, () => {
        using cipher = c.packetCipher(algorithm, c.bytes(KEY_LENGTH[algorithm]))
        fc.assert(fc.property(fc.nat(20), fc.nat(40), fc.uint8Array({ maxLength: 400 }), fc.nat(5), fc.nat(1e6), (at, aadLen, plain, after, flip) => {
          const total = at + aadLen + plain.length + cipher.tagLength
          const buf = c.bytes(total + after)
          buf.set(plain, at + aadLen)
          const original = buf.slice()
          const iv = c.bytes(cipher.ivLength)
          assert.equal(cipher.seal(buf, at, aadLen, plain.length, iv), plain.length + cipher.tagLength)
          assert.deepEqual(buf.subarray(0, at + aadLen), original.subarray(0, at + aadLen))
          assert.deepEqual(buf.subarray(total), original.subarray(total))
          const forged = buf.slice()
          forged[at + (flip % (total - at))]! ^= 1 << flip % 8
          assert.equal(cipher.open(forged, at, aadLen, plain.length + cipher.tagLength, iv), -1)
          const otherIv = iv.slice()
          otherIv[flip % iv.length]! ^= 1
          assert.equal(cipher.open(buf.slice(), at, aadLen, plain.length + cipher.tagLength, otherIv), algorithm === 'aes-128-cm-sha1-80' && flip % iv.length < 16 ? plain.length : -1)
          assert.equal(cipher.open(buf, at, aadLen, plain.length + cipher.tagLength, iv), plain.length)
          assert.deepEqual(buf.subarray(at + aadLen, at + aadLen + plain.length), plain)
        }), { numRuns: 60 })
      })

      test(`packet cipher ${algorithm}: no room and too short are refused, wrong keys and IVs throw`, () => {
        const cipher = c.packetCipher(algorithm, c.bytes(KEY_LENGTH[algorithm]))
        const iv = c.bytes(cipher.ivLength)
        const buf = new Uint8Array(20 + cipher.tagLength)
        assert.equal(cipher.seal(buf, 0, 10, 11, iv), -1)
        assert.equal(cipher.seal(buf, 1, 10, 10, iv), -1)
        assert.equal(cipher.seal(buf, 0, 10, 10, iv), 10 + cipher.tagLength)
        assert.equal(cipher.open(buf, 0, 10, cipher.tagLength - 1, iv), -1)
        assert.equal(cipher.open(buf, 0, 10, buf.length, iv), -1)
        assert.throws(() => cipher.seal(buf, 0, 10, 10, iv.subarray(1)), RangeError)
        assert.throws(() => c.packetCipher(algorithm, c.bytes(KEY_LENGTH[algorithm] - 1)), RangeError)
        cipher[Symbol.dispose]()
        assert.throws(() => cipher.seal(buf, 0, 10, 10, iv), /disposal/)
      })
    }

    test('AEAD opens what it sealed and nothing else', () => {
      for (const [algorithm, length] of [['aes-128-gcm', 16], ['aes-256-gcm', 32]] as const) {
        const [key, nonce, aad] = [c.bytes(length), c.bytes(12), c.bytes(5)]
        const sealed = c.aeadSeal(algorithm, key, nonce, aad, MESSAGE)
        assert.deepEqual(c.aeadOpen(algorithm, key, nonce, aad, sealed), MESSAGE)
        for (let i = 0; i < sealed.length; i++) {
          const forged = sealed.slice()
          forged[i]! ^= 0x80
          assert.equal(c.aeadOpen(algorithm, key, nonce, aad, forged), undefined)
        }
        assert.equal(c.aeadOpen(algorithm, key, nonce, aad, sealed.subarray(0, 15)), undefined)
        assert.equal(c.aeadOpen(algorithm, key, nonce, new Uint8Array(0), sealed), undefined)
        assert.throws(() => c.aeadSeal(algorithm, key.subarray(1), nonce, aad, MESSAGE), RangeError)
        assert.throws(() => c.aeadSeal(algorithm, key, nonce.subarray(1), aad, MESSAGE), RangeError)
      }
    })

    test('results are arrays of their own', () => {
      const a = c.hash('sha256', MESSAGE)
      assert.equal(Object.getPrototypeOf(a), Uint8Array.prototype)
      assert.equal(a.buffer.byteLength, 32)
      const cut = a.slice(0, 4)
      cut[0]! ^= 1
      assert.notEqual(cut[0], a[0])
    })

    test('hashes and HMAC take parts, HKDF expands to any length', () => {
      assert.deepEqual(c.hash('sha3-256', utf8('mes'), utf8('sage')), c.hash('sha3-256', MESSAGE))
      assert.deepEqual(c.hmac('sha512', MESSAGE, utf8('a'), utf8('b')), c.hmac('sha512', MESSAGE, utf8('ab')))
      const prk = c.hkdfExtract('sha512', new Uint8Array(0), MESSAGE)
      assert.deepEqual(c.hkdfExpand('sha512', prk, MESSAGE, 200).subarray(0, 64), c.hkdfExpand('sha512', prk, MESSAGE, 64))
      assert.equal(c.hkdfExpand('sha256', prk, MESSAGE, 0).length, 0)
      assert.throws(() => c.hkdfExpand('sha256', prk, MESSAGE, 255 * 32 + 1), RangeError)
    })

    test('Diffie-Hellman agrees; bad points are refused', () => {
      for (const group of ['x25519', 'p256'] as const) {
        const [a, b] = [c.dhKeyPair(group), c.dhKeyPair(group)]
        assert.deepEqual(c.dh(group, a.privateKey, b.publicKey), c.dh(group, b.privateKey, a.publicKey))
        assert.deepEqual(c.dhKeyPair(group, a.privateKey), a)
        assert.equal(c.dh(group, a.privateKey, b.publicKey.subarray(1)), undefined)
        assert.throws(() => c.dh(group, a.privateKey.subarray(1), b.publicKey), RangeError)
      }
      const p = c.dhKeyPair('p256')
      const off = p.publicKey.slice()
      off[64]! ^= 1
      assert.equal(c.dh('p256', p.privateKey, off), undefined)
      assert.equal(c.dh('p256', p.privateKey, new Uint8Array(65)), undefined)
      assert.throws(() => c.dhKeyPair('p256', new Uint8Array(32)))
      assert.throws(() => c.dhKeyPair('p256', new Uint8Array(32).fill(255)))
      // RFC 7748 §6.1: the points of small order give zero.
      for (const small of [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31))]) {
        assert.equal(c.dh('x25519', c.bytes(32), small), undefined)
      }
    })

    test('ML-KEM-768: bad keys and ciphertexts are refused, tampering gives another secret', () => {
      const keys = c.kemKeyPair('ml-kem-768')
      assert.deepEqual([keys.publicKey.length, keys.privateKey.length], [1184, 64])
      assert.deepEqual(c.kemKeyPair('ml-kem-768', keys.privateKey), keys)
      const { ciphertext, shared } = c.kemEncapsulate('ml-kem-768', keys.publicKey)!
      assert.deepEqual(c.kemDecapsulate('ml-kem-768', keys.privateKey, ciphertext), shared)
      ciphertext[100]! ^= 1
      assert.notDeepEqual(c.kemDecapsulate('ml-kem-768', keys.privateKey, ciphertext), shared)
      assert.equal(c.kemDecapsulate('ml-kem-768', keys.privateKey, ciphertext.subarray(1)), undefined)
      assert.equal(c.kemEncapsulate('ml-kem-768', keys.publicKey.subarray(1)), undefined)
      assert.equal(c.kemEncapsulate('ml-kem-768', new Uint8Array(1184).fill(255)), undefined)
    })

    test('raw signatures: Ed25519 and P-256', () => {
      for (const algorithm of ['ed25519', 'ecdsa-p256-sha256'] as const) {
        const keys = c.signatureKeyPair(algorithm)
        assert.deepEqual([keys.publicKey.length, keys.privateKey.length], algorithm === 'ed25519' ? [32, 32] : [65, 32])
        assert.deepEqual(c.signatureKeyPair(algorithm, keys.privateKey), keys)
        const signature = c.signRaw(algorithm, keys.privateKey, MESSAGE)
        assert.ok(c.verifyRaw(algorithm, keys.publicKey, MESSAGE, signature))
        assert.ok(!c.verifyRaw(algorithm, keys.publicKey, utf8('Message'), signature))
        assert.ok(!c.verifyRaw(algorithm, keys.publicKey.subarray(1), MESSAGE, signature))
        assert.ok(!c.verifyRaw(algorithm, keys.publicKey, MESSAGE, signature.subarray(1)))
        assert.ok(!c.verifyRaw(algorithm, c.signatureKeyPair(algorithm).publicKey, MESSAGE, signature))
      }
      assert.throws(() => c.signatureKeyPair('ecdsa-p256-sha256', new Uint8Array(32)))
    })

    test('signers and verify: every algorithm with its own key type only', () => {
      const pkcs8 = { format: 'der', type: 'pkcs8' } as const
      const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pkcs8)
      const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey.export(pkcs8)
      const [p256, p384, p521] = [ec('P-256'), ec('P-384'), ec('P-521')]
      const keys: Record<SignatureName, Uint8Array> = {
        'ed25519': generateKeyPairSync('ed25519').privateKey.export(pkcs8),
        'ecdsa-p256-sha256': p256, 'ecdsa-p256-sha384': p256, 'ecdsa-p256-sha512': p256,
        'ecdsa-p384-sha256': p384, 'ecdsa-p384-sha384': p384, 'ecdsa-p384-sha512': p384,
        'ecdsa-p521-sha256': p521, 'ecdsa-p521-sha384': p521, 'ecdsa-p521-sha512': p521,
        'rsa-pss-sha256': rsa, 'rsa-pss-sha384': rsa, 'rsa-pss-sha512': rsa,
        'rsa-pkcs1-sha256': rsa, 'rsa-pkcs1-sha384': rsa, 'rsa-pkcs1-sha512': rsa,
      }
      const names = Object.keys(keys) as SignatureName[]
      for (const algorithm of names) {
        using signer = c.signer(algorithm, keys[algorithm])
        const signature = signer.sign(MESSAGE)
        for (const other of names) assert.equal(c.verify(other, signer.spki, MESSAGE, signature), other === algorithm, `${algorithm} as ${other}`)
        assert.ok(!c.verify(algorithm, signer.spki, utf8('other'), signature))
        assert.ok(!c.verify(algorithm, signer.spki.subarray(1) as Der, MESSAGE, signature))
        assert.ok(!c.verify(algorithm, signer.spki, MESSAGE, signature.subarray(1)))
      }
      assert.throws(() => c.signer('ed25519', rsa), RangeError)
      assert.throws(() => c.signer('ecdsa-p256-sha256', keys['ecdsa-p384-sha384']), RangeError)
      assert.throws(() => c.signer('ed25519', utf8('no key')))
      const gone = c.signer('ed25519', keys.ed25519)
      gone[Symbol.dispose]()
      assert.throws(() => gone.sign(MESSAGE), /disposal/)
    })
  })
}
