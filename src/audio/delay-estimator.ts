/**
 * How much buffering the arrivals of one stream need. The transit of a frame is its arrival minus
 * its media time; only differences mean something, so the fastest frame of the last ten seconds is
 * the base, and the need is the lateness that one frame in fifty exceeds.
 */

const BLOCK_MS = 1000
const BLOCKS = 10
const BUCKET_MS = 4
/** Frames that count: five seconds. */
const WINDOW = 250
/** One in this many frames may come later than the target. */
const EXCEEDED_BY = 50

export class DelayEstimator {
  readonly #longestMs: number
  readonly #blocks = new Float64Array(BLOCKS).fill(Number.POSITIVE_INFINITY)
  #block = 0
  #blockEndsAt = Number.NEGATIVE_INFINITY
  /** Lateness of the last frames as buckets, and how often each bucket occurs. */
  readonly #recent = new Uint16Array(WINDOW)
  readonly #counts: Uint16Array
  #at = 0
  #size = 0
  /** Frames that do not fit: a path or a clock that changed, when they agree with each other. */
  #strayTransit = 0
  #straySince = 0
  #strays = 0
  /** Transit of the fastest frame. */
  base = Number.POSITIVE_INFINITY
  /** Lateness to allow for, in ms. */
  needMs = 0

  /** Lateness beyond `longestMs` is an outage, which no buffer covers. */
  constructor(longestMs: number) {
    this.#longestMs = longestMs
    this.#counts = new Uint16Array(Math.ceil(longestMs / BUCKET_MS) + 1)
  }

  /** False: the frame belongs to no known timing. After a few such that agree, everything begins anew with them. */
  add(transitMs: number, nowMs: number): 'fits' | 'stray' | 'moved' {
    if (Number.isFinite(this.base) && Math.abs(transitMs - this.base) > this.#longestMs) {
      if (!this.#confirmsStray(transitMs, nowMs)) return 'stray'
      this.reset()
      this.#learn(transitMs, nowMs)
      return 'moved'
    }
    this.#strays = 0
    this.#learn(transitMs, nowMs)
    return 'fits'
  }

  #learn(transitMs: number, nowMs: number): void {
    if (nowMs >= this.#blockEndsAt) this.#nextBlock(nowMs)
    if (transitMs < this.#blocks[this.#block]!) this.#blocks[this.#block] = transitMs
    this.base = this.#blocks.reduce((a, b) => Math.min(a, b))
    const bucket = Math.min(Math.ceil((transitMs - this.base) / BUCKET_MS), this.#counts.length - 1)
    if (this.#size === WINDOW) this.#counts[this.#recent[this.#at]!]!--
    else this.#size++
    this.#recent[this.#at] = bucket
    this.#counts[bucket]!++
    this.#at = (this.#at + 1) % WINDOW
    this.needMs = this.#quantile() * BUCKET_MS
  }

  /** A new block begins; after a pause several at once, up to forgetting all but the newest. */
  #nextBlock(nowMs: number): void {
    const passed = Number.isFinite(this.#blockEndsAt) ? Math.floor((nowMs - this.#blockEndsAt) / BLOCK_MS) + 1 : 1
    for (let i = 0; i < Math.min(passed, BLOCKS - 1); i++) {
      this.#block = (this.#block + 1) % BLOCKS
      this.#blocks[this.#block] = Number.POSITIVE_INFINITY
    }
    this.#blockEndsAt = nowMs + BLOCK_MS
  }

  /** The bucket that no more than one in EXCEEDED_BY is beyond. */
  #quantile(): number {
    let beyond = Math.floor(this.#size / EXCEEDED_BY)
    for (let bucket = this.#counts.length - 1; bucket > 0; bucket--) {
      beyond -= this.#counts[bucket]!
      if (beyond < 0) return bucket
    }
    return 0
  }

  #confirmsStray(transitMs: number, nowMs: number): boolean {
    if (this.#strays === 0 || Math.abs(transitMs - this.#strayTransit) > 60) {
      this.#strayTransit = transitMs
      this.#straySince = nowMs
      this.#strays = 0
    }
    this.#strays++
    return this.#strays >= 5 && nowMs - this.#straySince >= 100
  }

  /** Forgets everything. */
  reset(): void {
    this.#blocks.fill(Number.POSITIVE_INFINITY)
    this.#blockEndsAt = Number.NEGATIVE_INFINITY
    this.#counts.fill(0)
    this.#size = 0
    this.#at = 0
    this.#strays = 0
    this.base = Number.POSITIVE_INFINITY
  }
}
