/**
 * Adaptive jitter buffer of one sender. Frames of 20 ms go in as they arrive, keyed on the RTP
 * timestamp; one comes out per 20 ms. The delay follows what the arrivals need: up at once, down
 * in the sender's pauses. Times are milliseconds of one monotonic clock.
 */
import { FRAME_MS } from './codec.ts'
import { DelayEstimator } from './delay-estimator.ts'
import { timestampDifference } from './framing.ts'

/** 1.28 s, more than the longest delay; a power of two. */
const SLOTS = 64
/** Lateness that is buffered at most. */
export const LONGEST_DELAY_MS = 400
/** On top of the measured need. */
const MARGIN_MS = 4
/** A pull may come a whole frame after its ideal instant; before it or beyond by this much without correction. */
const EARLY_MS = 2
const SLACK_MS = 6
/** Without frames for this long there is nothing to conceal: the sender has stopped, or the network. */
const STARVED_MS = 120

export type Pulled<T> =
  | { readonly kind: 'frame'; readonly data: T; readonly quiet: boolean
    /** Does not follow the frame before it: something was left out. */
    readonly skipped: boolean }
  | { readonly kind: 'lost' }
  | { readonly kind: 'empty' }

const LOST = { kind: 'lost' } as const
const EMPTY = { kind: 'empty' } as const

export interface JitterStats {
  readonly received: number
  /** Never came (yet). */
  readonly lost: number
  /** Arrived after their turn. */
  readonly late: number
  readonly duplicate: number
  /** Left out to lower the delay. */
  readonly skipped: number
  /** Pulls that gave no frame while the sender was active. */
  readonly concealed: number
  /** Delay between a frame's arrival, had it been as fast as the fastest, and its play. */
  readonly bufferMs: number
}

interface Slot<T> {
  index: number
  /** Undefined once played. */
  data: T | undefined
  quiet: boolean
}

/** Frames that come at once when a stream begins were held back by who sent them, not by the network: only the newest tells how long the way is. */
const BURST_MS = 15

/** In place of the number of a frame. */
const NONE = Number.NEGATIVE_INFINITY

export class JitterBuffer<T> {
  readonly #step: number
  readonly #slots: Slot<T>[] = Array.from({ length: SLOTS }, () => ({ index: NONE, data: undefined, quiet: false }))
  readonly #delays = new DelayEstimator(LONGEST_DELAY_MS)
  /** Frame numbers count from the first frame of the stream; reordered ones before it are negative. */
  #lastTimestamp: number | undefined
  #lastIndex = 0
  #oldest = NONE
  #newest = NONE
  /** Next to play; undefined: not begun. */
  #cursor: number | undefined
  #firstArrival: number | undefined
  #lastArrival = Number.NEGATIVE_INFINITY
  #lastPlayAt = Number.NEGATIVE_INFINITY
  #skippedLast = false
  #sinceHold = 0
  #speed = 1
  #received = 0
  /** Frames that should have come before the stream's timing last changed. */
  #expectedBefore = 0
  #late = 0
  #duplicate = 0
  #skipped = 0
  #concealed = 0
  #bufferMs = 0

  /** `timestampStep`: RTP units of 20 ms, 160 for a clock of 8 kHz, 960 for 48 kHz. */
  constructor(timestampStep: number) {
    this.#step = timestampStep
  }

  /** Playing at this speed (near 1) brings the delay to where it should be while the sender never pauses. */
  get speed(): number {
    return this.#speed
  }

  get targetMs(): number {
    return Math.min(LONGEST_DELAY_MS, this.#delays.needMs + MARGIN_MS)
  }

  get stats(): JitterStats {
    return {
      received: this.#received, lost: Math.max(0, this.#expectedBefore + this.#expected() - this.#received), late: this.#late, duplicate: this.#duplicate,
      skipped: this.#skipped, concealed: this.#concealed, bufferMs: Math.max(0, Math.round(this.#bufferMs)),
    }
  }

  #expected(): number {
    return this.#newest === NONE ? 0 : this.#newest - this.#oldest + 1
  }

  /** `quiet`: may be left out or made longer without being noticed. */
  push(timestamp: number, data: T, arrivalMs: number, quiet = false): void {
    const index = this.#indexOf(timestamp)
    if (this.#slot(index).index === index) {
      this.#duplicate++
      return
    }
    // A frame that came off the network in time and out of the vault too late was late: what counts is when it could be played.
    const late = this.#cursor !== undefined && index < this.#cursor
    const usableMs = late ? Math.max(arrivalMs, this.#lastPlayAt) : arrivalMs
    this.#firstArrival ??= arrivalMs
    if (arrivalMs - this.#firstArrival < BURST_MS && index > this.#newest) this.#delays.reset()
    const verdict = this.#delays.add(usableMs - index * FRAME_MS, arrivalMs)
    this.#lastArrival = arrivalMs
    if (verdict === 'stray') {
      this.#received++
      this.#late++
      return
    }
    this.#lastTimestamp = timestamp
    this.#lastIndex = index
    if (verdict === 'moved') this.#restart()
    this.#store(index, data, quiet)
  }

  #store(index: number, data: T, quiet: boolean): void {
    this.#received++
    if (this.#newest === NONE) this.#oldest = index
    this.#newest = Math.max(this.#newest, index)
    const late = this.#cursor !== undefined && index < this.#cursor
    if (late) this.#late++
    const slot = this.#slot(index)
    // A slot that a newer frame holds is not given back; the mark of a late frame only shows its duplicates.
    if (slot.index > index) return
    slot.index = index
    slot.data = late ? undefined : data
    slot.quiet = quiet
  }

  #slot(index: number): Slot<T> {
    return this.#slots[index & (SLOTS - 1)]!
  }

  /** Number of the frame that the timestamp means. */
  #indexOf(timestamp: number): number {
    this.#lastTimestamp ??= timestamp
    return this.#lastIndex + Math.round(timestampDifference(timestamp, this.#lastTimestamp) / this.#step)
  }

  /** The stream's timing changed altogether: what is buffered belongs to the past. */
  #restart(): void {
    for (const slot of this.#slots) {
      slot.index = NONE
      slot.data = undefined
    }
    this.#expectedBefore += this.#expected()
    this.#newest = NONE
    this.#cursor = undefined
    this.#skippedLast = true
  }

  /** To be called every 20 ms. `queuedMs`: audio that was pulled before and is still to be played. */
  pull(nowMs: number, queuedMs = 0): Pulled<T> {
    if (this.#cursor === undefined && !this.#begin(nowMs)) return EMPTY
    const playAt = nowMs + queuedMs
    this.#lastPlayAt = playAt
    this.#sinceHold++
    this.#catchUp(playAt)
    const delay = this.#delay(playAt)
    const ahead = this.targetMs - delay
    this.#bufferMs += (delay - this.#bufferMs) / 16
    this.#speed = this.#speedFor(-ahead)
    const slot = this.#slot(this.#cursor!)
    const here = slot.index === this.#cursor && slot.data !== undefined
    if (!here && nowMs - this.#lastArrival > STARVED_MS) {
      this.#cursor!++
      return EMPTY
    }
    if (this.#mustHold(here, here && slot.quiet, ahead)) {
      this.#sinceHold = 0
      this.#concealed++
      return LOST
    }
    if (!here) {
      this.#cursor!++
      this.#concealed++
      return LOST
    }
    const pulled = { kind: 'frame', data: slot.data!, quiet: slot.quiet, skipped: this.#skippedLast } as const
    this.#skippedLast = false
    slot.data = undefined
    this.#cursor!++
    return pulled
  }

  /** How long after the fastest possible arrival the frame at the cursor would be played. */
  #delay(playAt: number): number {
    return playAt - (this.#delays.base + this.#cursor! * FRAME_MS)
  }

  #begin(nowMs: number): boolean {
    if (this.#newest === NONE) return false
    let first = this.#newest
    for (const slot of this.#slots) if (slot.data !== undefined && slot.index < first) first = slot.index
    const delayMs = (): number => nowMs - (this.#delays.base + first * FRAME_MS)
    if (delayMs() < this.targetMs) return false
    // What came at once begins where it is heard.
    while (delayMs() > this.targetMs + FRAME_MS + SLACK_MS && this.#mayLeaveOut(first)) {
      this.#slot(first++).data = undefined
      this.#skipped++
    }
    this.#cursor = first
    return true
  }
  /** A quiet frame with another one behind it. */
  #mayLeaveOut(index: number): boolean {
    const slot = this.#slot(index)
    return slot.index === index && slot.data !== undefined && slot.quiet && this.#slot(index + 1).index === index + 1
  }

  /** Playing too late: leave out missing or quiet frames, and any when it is far too late. */
  #catchUp(playAt: number): void {
    const excess = this.#delay(playAt) - this.targetMs
    const far = Math.floor((this.#delay(playAt) - LONGEST_DELAY_MS) / FRAME_MS)
    if (far > 1) {
      for (let i = 0; i < far; i++) this.#leaveOut()
      return
    }
    if (excess < FRAME_MS + SLACK_MS) return
    const slot = this.#slot(this.#cursor!)
    const here = slot.index === this.#cursor && slot.data !== undefined
    if (!here || slot.quiet) this.#leaveOut()
  }

  #leaveOut(): void {
    const slot = this.#slot(this.#cursor!)
    if (slot.index === this.#cursor && slot.data !== undefined) {
      slot.data = undefined
      this.#skipped++
    }
    this.#cursor!++
    this.#skippedLast = true
  }

  /** Playing too early: wait where a frame is missing that may yet come, or quiet; anywhere when it is far too early. */
  #mustHold(here: boolean, quiet: boolean, aheadMs: number): boolean {
    if (!here) return aheadMs > SLACK_MS || (aheadMs > 0 && this.#newest < this.#cursor!)
    if (quiet) return aheadMs > EARLY_MS
    return aheadMs > 2 * FRAME_MS && this.#sinceHold > 5
  }

  /** Half a per cent, one when far off: 300 ppm is a twentieth of that. */
  #speedFor(lateMs: number): number {
    if (lateMs > 3 * FRAME_MS) return 1.01
    if (lateMs > FRAME_MS + SLACK_MS) return 1.005
    if (lateMs < -EARLY_MS) return 0.995
    return 1
  }
}
