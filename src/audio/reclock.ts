/**
 * The uplink's clock: a phone's audio comes irregularly and by the phone's own clock; out of here
 * goes one frame per tick, always. What is missing is concealed briefly, then silence. Keeps one to
 * two frames; skew is taken out by playing a little faster or slower, in silence 2 %, else 0.3 %.
 */
import { FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE } from './codec.ts'
import { Concealer } from './concealment.ts'
import { frameLevel, SILENCE_LEVEL } from './levels.ts'
import { QUIET_LEVEL } from './playout.ts'
import { SpeedQueue } from './resampler.ts'

/**
 * How long before it is missed a packet should come, at the worst moment: 23 ms. A tick takes 20 ms
 * at once, so only what is beyond that is margin.
 */
const RESERVE_MS = 23
/** Further off than this and the reserve is corrected. */
const TOLERANCE_MS = 2
/** Time over which the worst moment is sought. */
const WATCH_MS = 2000
/** A tick that is later than this says nothing about the phone. */
const BLOCKED_MS = 40
/** More than this waiting is dropped at once: 100 ms. */
const OVERFLOW = 1600
/** Room for that and the longest packet, 120 ms. */
const CAPACITY = OVERFLOW + 1920
const PER_MS = SAMPLE_RATE / 1000
/** Ticks without input after which the stream has stopped and will start with a fresh reserve: 100 ms. */
const STOPPED_TICKS = 5
/** Samples of a gap between two packets that are made up, at most. */
const LONGEST_GAP = 960
/** Samples over which muting fades. */
const FADE = 160

export interface ReclockStats {
  /** Ticks that lacked input. */
  readonly missing: number
  /** Samples thrown away because too many came. */
  readonly dropped: number
  /** Audio waiting, in ms. */
  readonly bufferMs: number
}

export class Reclock {
  readonly #queue = new SpeedQueue(CAPACITY)
  readonly #concealer = new Concealer()
  readonly #made = new Int16Array(FRAME_SAMPLES)
  #running = false
  #missingInARow = 0
  /** Samples made up since the last packet: a gap found then is paid by so much. */
  #paid = 0
  /** Of the last tick. */
  #pulledAt = Number.NEGATIVE_INFINITY
  /** Least time to spare that a packet had since `#watchedFrom`. */
  #leastMs = Number.POSITIVE_INFINITY
  #watchedFrom = Number.NEGATIVE_INFINITY
  /** Samples to be taken out (or put in, negative) by playing faster. */
  #surplus = 0
  #quiet = true
  #muted = false
  /** Gain at the end of the last frame. */
  #gain = 1
  #missing = 0
  #dropped = 0

  /** Silence upstream, whatever comes. */
  set muted(muted: boolean) {
    this.#muted = muted
  }

  get stats(): ReclockStats {
    return { missing: this.#missing, dropped: this.#dropped, bufferMs: Math.round(this.#queue.length / 16) }
  }

  /** `missing`: samples that were lost between the last packet and this one. Changes `pcm`. */
  push(pcm: Int16Array, missing: number, nowMs: number): void {
    if (!this.#running) {
      this.#running = true
      const shortMs = RESERVE_MS - this.#spareMs(nowMs)
      if (shortMs > 0) this.#write(new Int16Array(Math.ceil(shortMs * PER_MS)))
      this.#watchAnew(nowMs)
    } else {
      this.#makeUp(Math.min(missing, LONGEST_GAP) - this.#paid)
      this.#watch(nowMs)
    }
    this.#paid = 0
    this.#concealer.good(pcm)
    this.#write(pcm)
  }

  /** Time from now until the waiting audio has been played, were it played evenly. */
  #spareMs(nowMs: number): number {
    const sinceTick = nowMs - this.#pulledAt
    // Without a recent tick to go by, as if in the middle between two.
    return this.#queue.length / PER_MS + FRAME_MS - (sinceTick > BLOCKED_MS ? FRAME_MS / 2 : sinceTick)
  }

  #write(pcm: Int16Array): void {
    if (this.#queue.length + pcm.length > OVERFLOW) {
      const excess = Math.max(0, this.#queue.length - FRAME_SAMPLES)
      this.#queue.skip(excess)
      this.#dropped += excess
      this.#surplus = 0
    }
    this.#queue.write(pcm)
  }

  #makeUp(samples: number): void {
    for (let left = samples; left > 0; left -= FRAME_SAMPLES) {
      const made = this.#made.subarray(0, Math.min(left, FRAME_SAMPLES))
      if (this.#concealer.silent) made.fill(0)
      else this.#concealer.lost(made)
      this.#write(made)
    }
  }

  /** Once per tick: fills `out` with 320 samples. False: it is silence. */
  pull(out: Int16Array, nowMs: number): boolean {
    this.#pulledAt = nowMs
    const speed = this.#speed()
    if (this.#queue.read(out, speed)) {
      this.#missingInARow = 0
      this.#surplus -= FRAME_SAMPLES * (speed - 1)
    } else {
      this.#starve(out, speed, nowMs)
    }
    const level = frameLevel(out)
    this.#quiet = level >= QUIET_LEVEL
    this.#fade(out)
    return level < SILENCE_LEVEL && this.#gain > 0
  }

  #starve(out: Int16Array, speed: number, nowMs: number): void {
    this.#missing++
    this.#missingInARow++
    if (this.#missingInARow >= STOPPED_TICKS) this.#running = false
    const needed = this.#queue.needed(FRAME_SAMPLES, speed) - this.#queue.length
    this.#makeUp(needed)
    this.#paid += needed
    this.#queue.read(out, speed)
    this.#watchAnew(nowMs)
  }

  #watchAnew(nowMs: number): void {
    this.#leastMs = Number.POSITIVE_INFINITY
    this.#watchedFrom = nowMs
    this.#surplus = 0
  }

  #watch(nowMs: number): void {
    if (nowMs - this.#pulledAt < BLOCKED_MS) this.#leastMs = Math.min(this.#leastMs, this.#spareMs(nowMs))
    if (nowMs - this.#watchedFrom < WATCH_MS) return
    const surplusMs = this.#leastMs - RESERVE_MS
    // What was still being corrected is part of what was measured.
    this.#watchAnew(nowMs)
    if (Number.isFinite(surplusMs) && Math.abs(surplusMs) > TOLERANCE_MS) this.#surplus = surplusMs * PER_MS
  }

  #speed(): number {
    const pace = this.#quiet ? 0.02 : 0.003
    if (this.#surplus >= 1) return 1 + Math.min(pace, this.#surplus / FRAME_SAMPLES)
    if (this.#surplus <= -1) return 1 - Math.min(pace, -this.#surplus / FRAME_SAMPLES)
    return 1
  }

  #fade(out: Int16Array): void {
    const target = this.#muted ? 0 : 1
    const from = this.#gain
    if (from === 1 && target === 1) return
    for (let i = 0; i < out.length; i++) {
      const gain = from === target || i >= FADE ? target : from + ((target - from) * i) / FADE
      out[i] = Math.round(out[i]! * gain)
    }
    this.#gain = target
  }
}
