/** One SFrame key: derivation, nonce, AAD, seal and open (RFC 9605 §4.4). */
import { ByteWriter, utf8 } from '../../base/bytes.ts'
import type { CryptoPort, HashName, PacketAlgorithm, PacketCipher } from '../../crypto/port.ts'
import { encodeHeader } from './header.ts'

export type SFrameSuite = 'AES_128_GCM_SHA256_128' | 'AES_256_GCM_SHA512_128'

export interface SFrameSuiteParameters {
  /** RFC 9605 §8.1. */
  readonly number: number
  readonly hash: HashName
  readonly algorithm: PacketAlgorithm
  /** Octets of key (Nk); the base key from MLS has as many. */
  readonly keyLength: number
}

export const SFRAME_SUITES: Readonly<Record<SFrameSuite, SFrameSuiteParameters>> = {
  AES_128_GCM_SHA256_128: { number: 4, hash: 'sha256', algorithm: 'aes-128-gcm', keyLength: 16 },
  AES_256_GCM_SHA512_128: { number: 5, hash: 'sha512', algorithm: 'aes-256-gcm', keyLength: 32 },
}
const NONCE = 12
export const SFRAME_TAG = 16

/** What both derivations of one base key start from (RFC 9605 §4.4.2). */
export const sframeSecret = (crypto: CryptoPort, suite: SFrameSuite, baseKey: Uint8Array): Uint8Array =>
  crypto.hkdfExtract(SFRAME_SUITES[suite].hash, new Uint8Array(0), baseKey)

/** `"SFrame 1.0 Secret key "` or `"… salt "` ‖ KID (8) ‖ suite (2). */
export const sframeLabel = (what: 'key' | 'salt', suite: SFrameSuite, kid: bigint): Uint8Array =>
  new ByteWriter(40).put(utf8(`SFrame 1.0 Secret ${what} `)).u64(kid).u16(SFRAME_SUITES[suite].number).finish()

/** The caller counts: it never gives `seal` a counter twice, and checks replay before it believes `open`. */
export class SFrameKey implements Disposable {
  readonly kid: bigint
  readonly #cipher: PacketCipher
  readonly #salt: Uint8Array
  readonly #nonce = new Uint8Array(NONCE)

  constructor(crypto: CryptoPort, suite: SFrameSuite, secret: Uint8Array, kid: bigint) {
    const { hash, algorithm, keyLength } = SFRAME_SUITES[suite]
    this.kid = kid
    const key = crypto.hkdfExpand(hash, secret, sframeLabel('key', suite, kid), keyLength)
    this.#cipher = crypto.packetCipher(algorithm, key)
    key.fill(0)
    this.#salt = crypto.hkdfExpand(hash, secret, sframeLabel('salt', suite, kid), NONCE)
  }

  /** header ‖ ciphertext ‖ tag. AAD is header ‖ metadata. */
  seal(ctr: bigint, metadata: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const header = encodeHeader(this.kid, ctr)
    const aadLength = header.length + metadata.length
    const work = new Uint8Array(aadLength + plaintext.length + SFRAME_TAG)
    work.set(header)
    work.set(metadata, header.length)
    work.set(plaintext, aadLength)
    this.#cipher.seal(work, 0, aadLength, plaintext.length, this.#nonceFor(ctr))
    // The metadata goes by another way: only header and ciphertext stay.
    work.copyWithin(header.length, aadLength)
    return work.subarray(0, work.length - metadata.length)
  }

  /** The plaintext, or undefined where the frame is not authentic. `headerLength` and `ctr` come from `decodeHeader`. */
  open(frame: Uint8Array, headerLength: number, ctr: bigint, metadata: Uint8Array): Uint8Array | undefined {
    const aadLength = headerLength + metadata.length
    const sealedLength = frame.length - headerLength
    if (sealedLength < SFRAME_TAG) return undefined
    const work = new Uint8Array(aadLength + sealedLength)
    work.set(frame.subarray(0, headerLength))
    work.set(metadata, headerLength)
    work.set(frame.subarray(headerLength), aadLength)
    const length = this.#cipher.open(work, 0, aadLength, sealedLength, this.#nonceFor(ctr))
    return length < 0 ? undefined : work.subarray(aadLength, aadLength + length)
  }

  [Symbol.dispose](): void {
    this.#cipher[Symbol.dispose]()
    this.#salt.fill(0)
  }

  /** RFC 9605 §4.4.3: salt XOR counter. */
  #nonceFor(ctr: bigint): Uint8Array {
    const nonce = this.#nonce
    nonce.set(this.#salt)
    xorU32(nonce, NONCE - 4, Number(ctr & 0xffffffffn))
    if (ctr > 0xffffffffn) xorU32(nonce, NONCE - 8, Number(ctr >> 32n))
    return nonce
  }
}

function xorU32(out: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) out[at + i]! ^= value >>> (24 - 8 * i)
}
