/** What is computed from the messages: commitment, short string, keys (docs/protocol/sealed-calls.md §2). */
import { ByteWriter, concat, utf8 } from '../../base/bytes.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { encodeChain, type Role, roleNumber } from './messages.ts'
import type { Der } from '../../base/brand.ts'
import { WORDS } from './words.ts'

const label = (text: string): Uint8Array => utf8(`stc sealed v1 ${text}`)

export const commitment = (crypto: CryptoPort, open: Uint8Array): Uint8Array => crypto.hash('sha256', label('commit'), open)

const framed = (messages: readonly Uint8Array[]): Uint8Array => messages.reduce((w, m) => w.vec16(m), new ByteWriter(4096)).finish()

/** SHA-512 over `commit`, `respond`, `open`, `encapsulated`, octet for octet: versions, both offers, carrier and roles are in it. */
export const transcriptOf = (crypto: CryptoPort, messages: readonly Uint8Array[]): Uint8Array => crypto.hash('sha512', label('transcript'), framed(messages))

export interface ShortString {
  /** Four words: 32 bits. */
  readonly words: readonly string[]
  /** Ten digits for those who rather say numbers. */
  readonly digits: string
}

/**
 * Over the first three messages alone: whoever makes the ciphertext moves last and could search for one that gives a wanted string.
 * The initiator is bound by its commitment before it sees anything of the responder.
 */
export function shortString(crypto: CryptoPort, firstThree: readonly Uint8Array[]): ShortString {
  const bits = crypto.hash('sha512', label('short string'), framed(firstThree))
  const number = bits.subarray(8, 16).reduce((n, octet) => n * 256n + BigInt(octet), 0n) % 10_000_000_000n
  return { words: [...bits.subarray(0, 4)].map((octet) => WORDS[octet]!), digits: number.toString().padStart(10, '0').replace(/^(.{5})/, '$1 ') }
}

/** HKDF-SHA-512; the salt is the transcript, the key material ssX25519 ‖ ssMLKEM [‖ password's]. */
export class Schedule implements Disposable {
  readonly #crypto: CryptoPort
  readonly #prk: Uint8Array

  constructor(crypto: CryptoPort, transcript: Uint8Array, secrets: readonly Uint8Array[]) {
    const ikm = concat(...secrets)
    this.#crypto = crypto
    this.#prk = crypto.hkdfExtract('sha512', transcript, ikm)
    ikm.fill(0)
  }
  #expand(what: string, role: Role, length: number, epoch = 0): Uint8Array {
    return this.#crypto.hkdfExpand('sha512', this.#prk, new ByteWriter().put(label(what)).u8(roleNumber(role)).u32(epoch).finish(), length)
  }
  identityKey(role: Role): { key: Uint8Array; nonce: Uint8Array } {
    return { key: this.#expand('identity key', role, 32), nonce: this.#expand('identity nonce', role, 12) }
  }
  identityMac(role: Role, transcript: Uint8Array, chain: readonly Der[]): Uint8Array {
    return this.#mac('identity mac', role, transcript, encodeChain(chain))
  }
  finishedMac(role: Role, transcript: Uint8Array, bothIdentities: Uint8Array): Uint8Array {
    return this.#mac('finished', role, transcript, bothIdentities)
  }
  #mac(what: string, role: Role, ...parts: readonly Uint8Array[]): Uint8Array {
    const key = this.#expand(what, role, 64)
    const mac = this.#crypto.hmac('sha512', key, ...parts).slice(0, 32)
    key.fill(0)
    return mac
  }
  /** Keys of the frames that `role` sends in an epoch. */
  frameKeys(role: Role, epoch: number): { key: Uint8Array; salt: Uint8Array; mask: Uint8Array } {
    return { key: this.#expand('frame key', role, 32, epoch), salt: this.#expand('frame salt', role, 12, epoch), mask: this.#expand('frame mask', role, 32, epoch) }
  }
  [Symbol.dispose](): void {
    this.#prk.fill(0)
  }
}

const SIGNED = concat(new Uint8Array(64).fill(0x20), utf8('stc sealed call v1'), Uint8Array.of(0))
/** What the certificate's key signs: role ‖ transcript ‖ own identity. The spaces keep it apart from what TLS signs (RFC 8446 §4.4.3). */
export const signedBy = (role: Role, transcript: Uint8Array, chain: readonly Der[]): Uint8Array => concat(SIGNED, Uint8Array.of(roleNumber(role)), transcript, encodeChain(chain))
