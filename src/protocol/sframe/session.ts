/**
 * The media keys of one membership of one sealed conference, over its epochs. Sans I/O; lives in the
 * vault and is never stored: a restored copy would count its frames a second time.
 */
import { type Instant, instant, type Ssrc } from '../../base/brand.ts'
import type { FaultCode } from '../../base/faults/index.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { epochBits, EpochKeys, leafOf } from './epoch.ts'
import type { SFrameHeader } from './header.ts'
import { decodeHeader, SFRAME_MAX_HEADER } from './header.ts'
import type { SFrameSuite } from './key.ts'
import { SFRAME_SUITES, SFRAME_TAG } from './key.ts'
import type { FrameCodec } from './metadata.ts'
import { frameMetadata, RTP_CLOCK_RATE } from './metadata.ts'

/** Old receive keys after an Add or update, and after a Remove. */
const KEEP_MS = 10_000
const KEEP_AFTER_REMOVE_MS = 500
/**
 * Others need the new epoch before we send under it; after a Remove that is their loss, not ours. Sending moves on when
 * all have it (`settleEpoch`), and then at the latest: a client that stalls for a while misses nothing by it.
 */
const SEND_DELAY_MS = 400
/** Frames later than this behind their sender's newest are dropped. */
const LATE_MS = 1000
/** An unknown newer epoch that lasts for so long means that we were left behind: sending stops. */
const BEHIND_MS = 1000
/** A burst of joins must not fill the memory: the oldest epoch goes first. */
const MAX_EPOCHS = 64
/** Octets; a frame has to fit a datagram. */
export const MAX_FRAME = 1300

export interface SFrameEpoch {
  readonly epoch: bigint
  /** MLS-Exporter("SFrame 1.0 Base Key", "", Nk) of that epoch (RFC 9605 §5.2). */
  readonly baseKey: Uint8Array
  /** All leaves of the epoch that have a member, our own included. */
  readonly leaves: readonly number[]
  readonly ownLeaf: number
  /** Leaves that lost their member by the commit to this epoch, also where it was filled again at once. */
  readonly removed: readonly number[]
}

export type SealedFrame = { readonly ok: true; readonly frame: Uint8Array } | { readonly ok: false; readonly code: FaultCode }
export type OpenedFrame =
  | { readonly ok: true; readonly plaintext: Uint8Array; readonly leaf: number; readonly epoch: bigint }
  /** `leaf` is who the frame claims to be from: for display only. */
  | { readonly ok: false; readonly code: FaultCode; readonly leaf?: number }

export class SFrameSession implements Disposable {
  readonly #crypto: CryptoPort
  readonly #suite: SFrameSuite
  readonly #codec: FrameCodec
  readonly #lateUnits: number
  /** By the low bits of the epoch; no two epochs share them. */
  readonly #epochs = new Map<number, EpochKeys>()
  /** Removals of epochs that are not confirmed yet. */
  readonly #removedBy = new Map<bigint, readonly number[]>()
  /** Newest authentic timestamp of each leaf. */
  readonly #newestTimestamp = new Map<number, number>()
  #confirmed = -1n
  #sending: EpochKeys | undefined
  /** Confirmed epochs that we do not send under yet, oldest first. */
  #next: { keys: EpochKeys; at: Instant }[] = []
  #aheadSince: Instant | undefined
  #aheadLast: Instant | undefined

  constructor(crypto: CryptoPort, suite: SFrameSuite, codec: FrameCodec) {
    this.#crypto = crypto
    this.#suite = suite
    this.#codec = codec
    this.#lateUnits = (LATE_MS * RTP_CLOCK_RATE[codec]) / 1000
  }

  /**
   * Frames of this epoch can be opened from now on; nothing is sealed under it before `confirmEpoch`.
   * Adding the same number again replaces a commit that was not confirmed.
   */
  addEpoch(e: SFrameEpoch, now: Instant): Result<void> {
    if (e.epoch <= this.#confirmed) return err('SFRAME_EPOCH_ORDER', `epoch ${e.epoch} after ${this.#confirmed}`)
    if (e.baseKey.length !== SFRAME_SUITES[this.#suite].keyLength) return err('SFRAME_EPOCH_KEY', `${e.baseKey.length} octets`)
    if (!e.leaves.includes(e.ownLeaf)) return err('SFRAME_EPOCH_KEY', 'our own leaf is not in the epoch')
    this.tick(now)
    this.#drop(this.#epochs.get(epochBits(e.epoch)))
    while (this.#epochs.size >= MAX_EPOCHS) this.#drop(this.#oldest())
    this.#epochs.set(epochBits(e.epoch), new EpochKeys(this.#crypto, this.#suite, e.epoch, e.baseKey, e.leaves, e.ownLeaf))
    this.#removedBy.set(e.epoch, e.removed)
    return ok(undefined)
  }

  /** The group has moved to this epoch: its removals take effect, older keys begin to end, sending moves on. */
  confirmEpoch(epoch: bigint, now: Instant): Result<void> {
    const keys = this.#epochs.get(epochBits(epoch))
    if (keys === undefined || keys.epoch !== epoch || epoch <= this.#confirmed) return err('SFRAME_EPOCH_ORDER', `epoch ${epoch} was not added`)
    const removed: number[] = []
    for (const [pending, leaves] of this.#removedBy) {
      if (pending > epoch) continue
      removed.push(...leaves)
      this.#removedBy.delete(pending)
    }
    const first = this.#confirmed < 0n
    this.#confirmed = epoch
    this.#retireOlder(epoch, removed, now)
    if (first || removed.length > 0 || this.#sending === undefined) {
      this.#sending = keys
      this.#next = []
    } else {
      this.#next.push({ keys, at: instant(now + SEND_DELAY_MS) })
    }
    this.#aheadSince = undefined
    return ok(undefined)
  }

  /** All others have this epoch, says the server: nobody is left behind by sending under it. No news where we do already. */
  settleEpoch(epoch: bigint): void {
    const at = this.#next.findIndex((n) => n.keys.epoch === epoch)
    if (at < 0) return
    this.#sending = this.#next[at]!.keys
    this.#next.splice(0, at + 1)
  }

  /** Forgets an epoch whose commit was passed over. */
  abandonEpoch(epoch: bigint): Result<void> {
    const keys = this.#epochs.get(epochBits(epoch))
    if (keys === undefined || keys.epoch !== epoch || epoch <= this.#confirmed) return err('SFRAME_EPOCH_ORDER', `epoch ${epoch} is not pending`)
    this.#drop(keys)
    return ok(undefined)
  }

  /** `plaintext` is level (1) ‖ codec frame. The counter is the session's own. */
  seal(plaintext: Uint8Array, ssrc: Ssrc, timestamp: number, now: Instant): SealedFrame {
    if (plaintext.length === 0 || plaintext.length > MAX_FRAME) return refused('SFRAME_MALFORMED')
    this.tick(now)
    if (this.#sending === undefined) return refused('SFRAME_NO_EPOCH')
    if (this.aheadForMs(now) >= BEHIND_MS) return refused('SFRAME_BEHIND')
    const frame = this.#sending.seal(frameMetadata(this.#codec, ssrc, timestamp), plaintext)
    return frame === undefined ? refused('SFRAME_EXHAUSTED') : { ok: true, frame }
  }

  /** SFRAME_UNKNOWN_EPOCH is worth another try within 200 ms; every other refusal is final. */
  open(frame: Uint8Array, ssrc: Ssrc, timestamp: number, now: Instant): OpenedFrame {
    if (frame.length > MAX_FRAME + SFRAME_MAX_HEADER + SFRAME_TAG) return refused('SFRAME_MALFORMED')
    this.tick(now)
    const header = decodeHeader(frame)
    if (!header.ok) return refused(header.fault.code)
    const leaf = leafOf(header.value.kid)
    if (leaf === undefined) return refused('SFRAME_LEAF_UNKNOWN')
    const opened = this.#openFrom(leaf, header.value, frame, ssrc, timestamp, now)
    return opened.ok ? opened : { ...opened, leaf }
  }

  /** Ends what has to end. Gives the instant of the next end; call it then, traffic or not. */
  tick(now: Instant): Instant | undefined {
    let next = Number.POSITIVE_INFINITY
    for (const keys of this.#epochs.values()) {
      if (keys.expiresAt <= now) this.#drop(keys)
      else next = Math.min(next, keys.expiresAt)
    }
    for (let i = this.#next.length - 1; i >= 0; i--) {
      if (this.#next[i]!.at > now) continue
      this.#sending = this.#next[i]!.keys
      this.#next.splice(0, i + 1)
      break
    }
    return next === Number.POSITIVE_INFINITY ? undefined : instant(next)
  }

  /** For how long frames of a newer epoch than any we have keep coming: 0 when they do not. */
  aheadForMs(now: Instant): number {
    if (this.#aheadSince === undefined || this.#aheadLast === undefined || now - this.#aheadLast > BEHIND_MS) return 0
    return now - this.#aheadSince
  }

  /** The epoch that the next frame is sealed under, as of the last call with a time. */
  get sendingEpoch(): bigint | undefined {
    return this.#sending?.epoch
  }

  [Symbol.dispose](): void {
    for (const keys of this.#epochs.values()) this.#drop(keys)
    this.#sending = undefined
    this.#next = []
  }

  /** Whether a frame's key is of an epoch that we cannot judge yet. */
  isUnknown(kid: bigint, now: Instant): boolean {
    return !this.#epochs.has(Number(kid & 0xffn)) && this.#isAhead(kid, now)
  }

  #openFrom(leaf: number, header: SFrameHeader, frame: Uint8Array, ssrc: Ssrc, timestamp: number, now: Instant): OpenedFrame {
    const keys = this.#epochs.get(Number(header.kid & 0xffn))
    if (keys === undefined) return refused(this.#isAhead(header.kid, now) ? 'SFRAME_UNKNOWN_EPOCH' : 'SFRAME_EPOCH_GONE')
    if (leaf === keys.ownLeaf) return refused('SFRAME_REFLECTED')
    // Of one epoch there may be several commits until one stands: what does not fit ours may fit the one that wins.
    const unsure = keys.epoch > this.#confirmed
    const receiver = keys.receiver(leaf)
    if (receiver === undefined) return refused(unsure ? 'SFRAME_UNKNOWN_EPOCH' : 'SFRAME_LEAF_UNKNOWN')
    const ctr = Number(header.ctr)
    if (!Number.isSafeInteger(ctr)) return refused('SFRAME_MALFORMED')
    const verdict = receiver.window.check(ctr)
    if (verdict !== 'fresh') return refused(verdict === 'old' ? 'SFRAME_LATE' : 'SFRAME_REPLAYED')
    const plaintext = receiver.key.open(frame, header.length, header.ctr, frameMetadata(this.#codec, ssrc, timestamp))
    if (plaintext === undefined) return refused(unsure ? 'SFRAME_UNKNOWN_EPOCH' : 'SFRAME_FORGED')
    receiver.window.commit(ctr)
    const newest = this.#newestTimestamp.get(leaf)
    const behind = newest === undefined ? 0 : (newest - timestamp) | 0
    if (behind > this.#lateUnits) return refused('SFRAME_LATE')
    if (behind <= 0) this.#newestTimestamp.set(leaf, timestamp)
    return { ok: true, plaintext, leaf, epoch: keys.epoch }
  }

  /** Unauthenticated: a server can pretend it, and gains that we fall silent, which it can have by dropping. */
  #isAhead(kid: bigint, now: Instant): boolean {
    if (this.#confirmed < 0n) return true
    const distance = (Number(kid & 0xffn) - epochBits(this.#confirmed)) & 0xff
    if (distance === 0 || distance >= 0x80) return false
    if (this.#aheadSince === undefined || this.#aheadLast === undefined || now - this.#aheadLast > BEHIND_MS) this.#aheadSince = now
    this.#aheadLast = now
    return true
  }

  /**
   * After a Remove the removed leaf's keys go at once. The others' follow soon, because a member that
   * was removed still knows every sender's old key and could speak with any of them.
   */
  #retireOlder(epoch: bigint, removed: readonly number[], now: Instant): void {
    const expiresAt = instant(now + (removed.length > 0 ? KEEP_AFTER_REMOVE_MS : KEEP_MS))
    for (const keys of this.#epochs.values()) {
      if (keys.epoch >= epoch) continue
      if (expiresAt < keys.expiresAt) keys.expiresAt = expiresAt
      for (const leaf of removed) keys.forget(leaf)
    }
    for (const leaf of removed) this.#newestTimestamp.delete(leaf)
  }

  #oldest(): EpochKeys | undefined {
    let oldest: EpochKeys | undefined
    for (const keys of this.#epochs.values()) if (oldest === undefined || keys.epoch < oldest.epoch) oldest = keys
    return oldest
  }

  #drop(keys: EpochKeys | undefined): void {
    if (keys === undefined) return
    this.#epochs.delete(epochBits(keys.epoch))
    this.#removedBy.delete(keys.epoch)
    if (this.#sending === keys) this.#sending = undefined
    this.#next = this.#next.filter((n) => n.keys !== keys)
    keys[Symbol.dispose]()
  }
}

const refused = (code: FaultCode): { readonly ok: false; readonly code: FaultCode } => ({ ok: false, code })
