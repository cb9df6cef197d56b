/**
 * Known-answer test of a crypto port, run at every start: a provider that computes wrongly (a broken
 * build, a miscompiled library, a struct read at the wrong place) must not protect anything.
 */
import type { Der } from '../base/brand.ts'
import { concat, fromHex, sameBytes, toHex, utf8 } from '../base/bytes.ts'
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import type { CryptoPort, PacketAlgorithm } from './port.ts'

const hex = (text: string): Uint8Array => {
  const bytes = fromHex(text.replaceAll(' ', ''))
  if (bytes === undefined) throw new Error('odd hex constant')
  return bytes
}
type Answer = readonly [name: string, right: (c: CryptoPort) => boolean]
const gives = (got: Uint8Array | undefined, wanted: string): boolean => got !== undefined && sameBytes(got, hex(wanted))

/** RFC 7714 §16.1, §17.1: key, IV, AAD, plaintext, ciphertext ‖ tag. */
const GCM = {
  key: hex('000102030405060708090a0b0c0d0e0f'),
  iv: hex('51753c6580c2726f20718414'),
  aad: hex('8040f17b8041f8d35501a0b2'),
  plain: hex('47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573'),
  sealed: 'f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce',
  key256: hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'),
  sealed256: '32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13',
}
const ABC = utf8('abc')
/** Draft X-Wing KEM, appendix C, first vector: its seed expands to an ML-KEM-768 seed (64) and an X25519 key. */
const XWING_SEED = hex('7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26')
const XWING_PUBLIC_START = 'e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5b19cfc3d'

const ANSWERS: readonly Answer[] = [
  ['SHA-1 (FIPS 180-4)', (c) => gives(c.hash('sha1', ABC), 'a9993e364706816aba3e25717850c26c9cd0d89d')],
  ['SHA-256 (FIPS 180-4)', (c) => gives(c.hash('sha256', ABC), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')],
  ['SHA-512 (FIPS 180-4)', (c) => gives(c.hash('sha512', ABC).subarray(0, 16), 'ddaf35a193617abacc417349ae204131')],
  ['HMAC-SHA256 (RFC 4231 §4.3)', (c) => gives(c.hmac('sha256', utf8('Jefe'), utf8('what do ya want '), utf8('for nothing?')), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')],
  ['HKDF-SHA256 (RFC 5869 A.1)', (c) => {
    const prk = c.hkdfExtract('sha256', hex('000102030405060708090a0b0c'), new Uint8Array(22).fill(0x0b))
    return gives(c.hkdfExpand('sha256', prk, hex('f0f1f2f3f4f5f6f7f8f9'), 42), '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865')
  }],
  ['AES-128-GCM (RFC 7714 §16.1)', (c) => gives(c.aeadSeal('aes-128-gcm', GCM.key, GCM.iv, GCM.aad, GCM.plain), GCM.sealed)],
  ['AES-256-GCM', (c) => gives(c.aeadSeal('aes-256-gcm', new Uint8Array(32), new Uint8Array(12), new Uint8Array(0), new Uint8Array(16)), 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919')],
  ['GCM refuses a changed tag', (c) => {
    const sealed = hex(GCM.sealed)
    sealed[sealed.length - 1]! ^= 1
    return c.aeadOpen('aes-128-gcm', GCM.key, GCM.iv, GCM.aad, sealed) === undefined
  }],
  ['packet AES-128-GCM', (c) => packetAnswer(c, 'aes-128-gcm', GCM.key, GCM.iv, GCM.sealed)],
  ['packet AES-256-GCM', (c) => packetAnswer(c, 'aes-256-gcm', GCM.key256, GCM.iv, GCM.sealed256)],
  // RFC 3711 B.2 for the key stream; HMAC by composition, since the RFC has no vector for both.
  ['packet AES-CM and SHA1-80', (c) => {
    const key = concat(hex('2b7e151628aed2a6abf7158809cf4f3c'), new Uint8Array(20).fill(7))
    const iv = concat(hex('f0f1f2f3f4f5f6f7f8f9fafbfcfd0000'), hex('00000001'))
    const stream = hex('e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2')
    const text = stream.map((v, i) => v ^ GCM.plain[i]!)
    const tag = c.hmac('sha1', key.subarray(16), GCM.aad, text, hex('00000001')).subarray(0, 10)
    return packetAnswer(c, 'aes-128-cm-sha1-80', key, iv, toHex(concat(text, tag)))
  }],
  ['X25519 (RFC 7748 §6.1)', (c) => gives(
    c.dh('x25519', hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'), hex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f')),
    '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742')],
  ['X25519 refuses zero', (c) => c.dh('x25519', new Uint8Array(32).fill(9), new Uint8Array(32)) === undefined],
  ['ML-KEM-768 key generation', (c) => gives(kemKeys(c).publicKey.subarray(0, 36), XWING_PUBLIC_START)],
  ['ML-KEM-768 round trip', (c) => {
    const keys = kemKeys(c)
    const sent = c.kemEncapsulate('ml-kem-768', keys.publicKey)
    const received = sent && c.kemDecapsulate('ml-kem-768', keys.privateKey, sent.ciphertext)
    return sent !== undefined && received !== undefined && sent.shared.length === 32 && sameBytes(sent.shared, received)
  }],
  // FIPS 203 algorithm 18: a ciphertext that nobody made gives J(z ‖ c).
  ['ML-KEM-768 implicit rejection', (c) => {
    const keys = kemKeys(c)
    const forged = new Uint8Array(1088)
    const got = c.kemDecapsulate('ml-kem-768', keys.privateKey, forged)
    return got !== undefined && sameBytes(got, c.shake256(32, keys.privateKey.subarray(32), forged))
  }],
  ['Ed25519 (RFC 8032 §7.1)', (c) => {
    const keys = c.signatureKeyPair('ed25519', hex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'))
    const signature = c.signRaw('ed25519', keys.privateKey, new Uint8Array(0))
    return gives(keys.publicKey, 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
      && gives(signature, 'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b')
      && c.verifyRaw('ed25519', keys.publicKey, new Uint8Array(0), signature)
      && !c.verifyRaw('ed25519', keys.publicKey, ABC, signature)
  }],
  // RFC 6979 A.2.5: the key, and its signature of "sample" with SHA-256.
  ['ECDSA P-256 (RFC 6979 A.2.5)', (c) => {
    const point = hex('0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299')
    const spki = concat(hex('3059301306072a8648ce3d020106082a8648ce3d030107034200'), point) as Der
    const signature = hex('3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8')
    return c.verify('ecdsa-p256-sha256', spki, utf8('sample'), signature) && !c.verify('ecdsa-p256-sha256', spki, utf8('Sample'), signature)
  }],
]

const kemKeys = (c: CryptoPort) => c.kemKeyPair('ml-kem-768', c.shake256(96, XWING_SEED).subarray(0, 64))

/** Seals the RFC 7714 packet, compares, opens it again, and sees a changed octet refused. */
function packetAnswer(c: CryptoPort, algorithm: PacketAlgorithm, key: Uint8Array, iv: Uint8Array, sealed: string): boolean {
  using cipher = c.packetCipher(algorithm, key)
  const text = GCM.aad.length
  const end = text + GCM.plain.length + cipher.tagLength
  const buf = new Uint8Array(end)
  buf.set(GCM.aad)
  buf.set(GCM.plain, text)
  if (cipher.seal(buf, 0, text, GCM.plain.length, iv) !== end - text || !gives(buf.subarray(text), sealed)) return false
  const forged = buf.slice()
  forged[0]! ^= 1
  return cipher.open(buf, 0, text, end - text, iv) === GCM.plain.length
    && sameBytes(buf.subarray(text, text + GCM.plain.length), GCM.plain)
    && cipher.open(forged, 0, text, end - text, iv) === -1
}

/** Fails with the names of the wrong answers. Takes a few milliseconds. */
export const selfTest = (crypto: CryptoPort): Result<void> => ask(crypto, ANSWERS)

/** Packet ciphers alone, for a port that takes everything else from one that was tested. */
export const packetSelfTest = (crypto: CryptoPort): Result<void> => ask(crypto, ANSWERS.filter(([name]) => name.startsWith('packet ')))

function ask(crypto: CryptoPort, answers: readonly Answer[]): Result<void> {
  const wrong: string[] = []
  for (const [name, right] of answers) {
    let good = false
    try {
      good = right(crypto)
    } catch {
      // A primitive that the library lacks is as wrong as one that computes wrongly.
    }
    if (!good) wrong.push(name)
  }
  return wrong.length === 0 ? ok(undefined) : err('CRYPTO_SELF_TEST', wrong.join(', '))
}
