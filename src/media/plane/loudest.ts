/**
 * Which streams of a `loudest` room are forwarded (PROTOCOL §3 Forwarding): a fixed number, so that listeners always get
 * something and can tell an outage from silence. Who speaks takes the place of who has been silent longest, at once;
 * who is louder than somebody who speaks takes over only when that lasts.
 */
import type { LevelStep } from '../../protocol/rtp/level-steps.ts'

/** A pause within a sentence. Silence for longer gives way to somebody who speaks. */
const PAUSE_MS = 400
/** How long somebody must be louder than one who speaks. */
const LOUDER_MS = 600
/** Nobody who speaks is cut off sooner after having been let in. */
const HOLD_MS = 2000
/** A stream of which nothing comes gives way to anybody. */
const GONE_MS = 1000

/** One stream's standing. */
export interface Standing {
  forwarded: boolean
  step: LevelStep
  /** Instants: when it last was not silent, when anything last came, since when it has been forwarded, since when it has been louder. */
  spokeAt: number
  seenAt: number
  since: number
  louderSince: number
}

export const newStanding = (): Standing => ({ forwarded: false, step: 0, spokeAt: Number.NEGATIVE_INFINITY, seenAt: Number.NEGATIVE_INFINITY, since: 0, louderSince: Number.POSITIVE_INFINITY })

export class Loudest {
  readonly #count: number
  readonly #forwarded: Standing[] = []
  #lookedForGoneAt = Number.NEGATIVE_INFINITY
  /** Streams of this room on the plane. */
  streams = 0

  constructor(count: number) {
    this.#count = count
  }
  /** A packet of the stream came with this step. `begins`: it was let in with this packet. */
  heard(s: Standing, step: LevelStep, now: number): 'dropped' | 'begins' | 'forwarded' {
    s.step = step
    s.seenAt = now
    if (step > 0) s.spokeAt = now
    // Being louder lasts only while it speaks: a shout of long ago is no claim.
    else s.louderSince = Number.POSITIVE_INFINITY
    if (s.forwarded) return 'forwarded'
    if (this.#forwarded.length >= this.#count) {
      const victim = step > 0 ? (this.#silent(now) ?? this.#softer(s, now)) : this.#gone(now)
      if (victim === undefined) return 'dropped'
      this.remove(victim)
    }
    s.forwarded = true
    s.since = now
    this.#forwarded.push(s)
    return 'begins'
  }
  /** The stream ended, or gives its place. */
  remove(s: Standing): void {
    s.forwarded = false
    s.louderSince = Number.POSITIVE_INFINITY
    const at = this.#forwarded.indexOf(s)
    if (at >= 0) this.#forwarded.splice(at, 1)
  }
  #silent(now: number): Standing | undefined {
    let longest: Standing | undefined
    for (const f of this.#forwarded) if (now - f.spokeAt > PAUSE_MS && (longest === undefined || f.spokeAt < longest.spokeAt)) longest = f
    return longest
  }
  /** All who are forwarded speak: one that is softer than `s` has been for long enough. */
  #softer(s: Standing, now: number): Standing | undefined {
    let softest: Standing | undefined
    for (const f of this.#forwarded) if (f.step < s.step && now - f.since >= HOLD_MS && (softest === undefined || f.step < softest.step)) softest = f
    if (softest === undefined) s.louderSince = Number.POSITIVE_INFINITY
    else s.louderSince = Math.min(s.louderSince, now)
    return now - s.louderSince >= LOUDER_MS ? softest : undefined
  }
  #gone(now: number): Standing | undefined {
    if (now - this.#lookedForGoneAt < GONE_MS) return undefined
    this.#lookedForGoneAt = now
    return this.#forwarded.find((f) => now - f.seenAt >= GONE_MS)
  }
}
