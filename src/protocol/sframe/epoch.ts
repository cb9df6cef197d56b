/** The keys of one MLS epoch (RFC 9605 §5.2): one per leaf, derived when first needed. */
import type { Instant } from '../../base/brand.ts'
import { instant } from '../../base/brand.ts'
import { ReplayWindow } from '../../base/replay-window.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { SFrameSuite } from './key.ts'
import { SFrameKey, sframeSecret } from './key.ts'

/** E of RFC 9605 §5.2: so many low bits of the epoch are in each KID. */
const EPOCH_BITS = 8n
const EPOCH_MASK = (1n << EPOCH_BITS) - 1n
/** Frames; 2.5 s of one sender. */
const REPLAY_WINDOW = 128
/**
 * Where each key's counter starts. Any start is unique; this one keeps the counter at four octets, so
 * that a member's frames do not grow, and ends after 2.7 years of speech.
 */
export const FIRST_CTR = 0x1000000
const LAST_CTR = 0xffffffff
const MAX_LEAF = 0xffffffffn

export const epochBits = (epoch: bigint): number => Number(epoch & EPOCH_MASK)
/** Context 0 ‖ leaf ‖ epoch. */
export const kidOf = (leaf: number, epoch: bigint): bigint => (BigInt(leaf) << EPOCH_BITS) | (epoch & EPOCH_MASK)
/** Undefined where the KID has a context or a leaf that no tree has. */
export function leafOf(kid: bigint): number | undefined {
  const leaf = kid >> EPOCH_BITS
  return leaf > MAX_LEAF ? undefined : Number(leaf)
}

export interface LeafReceiver {
  readonly key: SFrameKey
  readonly window: ReplayWindow
}

export class EpochKeys implements Disposable {
  readonly epoch: bigint
  /** After this instant the epoch's keys are gone. */
  expiresAt: Instant = instant(Number.POSITIVE_INFINITY)
  readonly ownLeaf: number
  readonly #crypto: CryptoPort
  readonly #suite: SFrameSuite
  readonly #secret: Uint8Array
  readonly #leaves: Set<number>
  readonly #receivers = new Map<number, LeafReceiver>()
  #own: SFrameKey | undefined
  #nextCtr = FIRST_CTR

  constructor(crypto: CryptoPort, suite: SFrameSuite, epoch: bigint, baseKey: Uint8Array, leaves: readonly number[], ownLeaf: number) {
    this.#crypto = crypto
    this.#suite = suite
    this.epoch = epoch
    this.ownLeaf = ownLeaf
    this.#secret = sframeSecret(crypto, suite, baseKey)
    this.#leaves = new Set(leaves)
  }

  /** Undefined once the counter has run out. The only place where a counter is made. */
  seal(metadata: Uint8Array, plaintext: Uint8Array): Uint8Array | undefined {
    if (this.#nextCtr > LAST_CTR) return undefined
    this.#own ??= this.#key(this.ownLeaf)
    return this.#own.seal(BigInt(this.#nextCtr++), metadata, plaintext)
  }

  /** Undefined where the leaf is not a member of the epoch, or not any more. */
  receiver(leaf: number): LeafReceiver | undefined {
    const known = this.#receivers.get(leaf)
    if (known !== undefined || !this.#leaves.has(leaf)) return known
    const fresh = { key: this.#key(leaf), window: new ReplayWindow(REPLAY_WINDOW) }
    this.#receivers.set(leaf, fresh)
    return fresh
  }

  /** Nothing of this leaf is accepted any more. */
  forget(leaf: number): void {
    this.#leaves.delete(leaf)
    this.#receivers.get(leaf)?.key[Symbol.dispose]()
    this.#receivers.delete(leaf)
  }

  [Symbol.dispose](): void {
    this.#secret.fill(0)
    this.#own?.[Symbol.dispose]()
    this.#own = undefined
    this.#nextCtr = LAST_CTR + 1
    for (const leaf of [...this.#leaves]) this.forget(leaf)
  }

  #key(leaf: number): SFrameKey {
    return new SFrameKey(this.#crypto, this.#suite, this.#secret, kidOf(leaf, this.epoch))
  }
}
