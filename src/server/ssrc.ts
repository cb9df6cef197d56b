/**
 * SSRCs: random to look at, never given out twice while the server runs, without a list of those that were. A counter
 * goes through a keyed permutation of 32 bits (a Feistel network of four rounds over a hash).
 */
import type { Ssrc } from '../base/brand.ts'
import { ssrc } from '../base/brand.ts'
import { ByteWriter } from '../base/bytes.ts'
import type { CryptoPort } from '../crypto/port.ts'

const ROUNDS = 4
const ALL = 2 ** 32

export class SsrcAllocator {
  readonly #crypto: Pick<CryptoPort, 'hmac'>
  readonly #key: Uint8Array
  readonly #workers: number
  #counter = 0

  /** `workers`: media threads that streams are spread over. */
  constructor(crypto: Pick<CryptoPort, 'hmac' | 'bytes'>, workers = 1) {
    this.#workers = workers
    this.#crypto = crypto
    this.#key = crypto.bytes(32)
  }
  /**
   * `like`: equal to this one modulo the media threads, so that one of them handles both; others are passed over.
   * Throws after 2^32 of them: a restart gives new hop keys and begins anew.
   */
  next(like?: number): Ssrc {
    for (;;) {
      if (this.#counter === ALL) throw new RangeError('all SSRCs were used')
      const value = this.#permute(this.#counter++)
      if (value !== 0 && (like === undefined || value % this.#workers === like % this.#workers)) return ssrc(value)
    }
  }
  #permute(n: number): number {
    let left = n >>> 16
    let right = n & 0xffff
    for (let round = 0; round < ROUNDS; round++) {
      const f = this.#crypto.hmac('sha256', this.#key, new ByteWriter(3).u8(round).u16(right).finish())
      const mixed = left ^ ((f[0]! << 8) | f[1]!)
      left = right
      right = mixed
    }
    return left * 0x1_0000 + right
  }
}
