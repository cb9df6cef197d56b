/**
 * Profile `chained`: the published cascade (*Encrypted VoIP communications using Intel SGX*), off unless asked for. Not authenticated: whoever
 * is on the way can flip bits of what is heard and repeat pairs of frames. One lost frame costs itself and the next.
 */
import { concat, utf8 } from '../../base/bytes.ts'
import type { CryptoPort } from '../../crypto/port.ts'

const KEY = 32
/** The prototype's AES-128: the first 16 octets of each cipher key. */
const AES_KEY = 16
const IV = 16

/** P_SHA512(key, label ‖ seed), first n octets (RFC 5246 §5). */
export function prf(crypto: CryptoPort, key: Uint8Array, label: Uint8Array, seed: Uint8Array, n: number): Uint8Array {
  const all = concat(label, seed)
  const out = new Uint8Array(n)
  let a = all
  for (let at = 0; at < n; at += 64) {
    a = crypto.hmac('sha512', key, a)
    out.set(crypto.hmac('sha512', key, a, all).subarray(0, n - at), at)
  }
  return out
}

export interface ChainedKeys {
  readonly cipherA: Uint8Array
  readonly cipherB: Uint8Array
  readonly ivA: Uint8Array
  readonly ivB: Uint8Array
  /** I ‖ R. */
  readonly seed: Uint8Array
}

/** `secret`: of the Diffie-Hellman agreement, or the password. `i` and `r`: the randoms of initiator and responder. */
export function chainedKeys(crypto: CryptoPort, secret: Uint8Array, i: Uint8Array, r: Uint8Array): ChainedKeys {
  const seed = concat(i, r)
  const master = prf(crypto, secret, utf8('master secret'), seed, KEY)
  const block = prf(crypto, master, utf8('key expansion'), concat(r, i), 4 * KEY)
  master.fill(0)
  const part = (n: number): Uint8Array => block.slice(n * KEY, (n + 1) * KEY)
  const keys = { cipherA: part(0), cipherB: part(1), ivA: part(2), ivB: part(3), seed }
  block.fill(0)
  return keys
}

/** One direction: both ends keep the same state as long as no frame is lost. */
class Chain implements Disposable {
  readonly #crypto: CryptoPort
  readonly #cipher: Uint8Array
  readonly #ivKey: Uint8Array
  readonly #seed: Uint8Array
  #iv: Uint8Array

  constructor(crypto: CryptoPort, cipher: Uint8Array, ivKey: Uint8Array, seed: Uint8Array) {
    this.#crypto = crypto
    this.#cipher = cipher
    this.#ivKey = ivKey
    this.#seed = seed
    this.#iv = prf(crypto, ivKey, utf8('initialization vector'), seed, IV)
  }
  apply(frame: Uint8Array): Uint8Array {
    return this.#crypto.aesCtr(this.#cipher.subarray(0, AES_KEY), this.#iv, frame)
  }
  /** The next vector comes from this ciphertext. */
  advance(ciphertext: Uint8Array): void {
    this.#iv = prf(this.#crypto, this.#ivKey, ciphertext, this.#seed, IV)
  }
  [Symbol.dispose](): void {
    for (const secret of [this.#cipher, this.#ivKey, this.#iv]) secret.fill(0)
  }
}

export class ChainedSession implements Disposable {
  readonly #send: Chain
  readonly #receive: Chain

  constructor(crypto: CryptoPort, keys: ChainedKeys, role: 'initiator' | 'responder') {
    const a = new Chain(crypto, keys.cipherA, keys.ivA, keys.seed)
    const b = new Chain(crypto, keys.cipherB, keys.ivB, keys.seed)
    this.#send = role === 'initiator' ? a : b
    this.#receive = role === 'initiator' ? b : a
  }
  /** 160 octets to 160 octets. */
  seal(frame: Uint8Array): Uint8Array {
    const sealed = this.#send.apply(frame)
    this.#send.advance(sealed)
    return sealed
  }
  /** Always gives something: noise for the frame after a lost one, and for all that is not the other side's. */
  open(sealed: Uint8Array): Uint8Array {
    const frame = this.#receive.apply(sealed)
    this.#receive.advance(sealed)
    return frame
  }
  /** Wipes the keys that it was given. */
  [Symbol.dispose](): void {
    this.#send[Symbol.dispose]()
    this.#receive[Symbol.dispose]()
  }
}
