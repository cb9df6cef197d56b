/** One sender's frames over a network with whims, in virtual time. */
import { seeded } from './audio.ts'

export interface Arrival {
  readonly index: number
  readonly at: number
}

export interface Whims {
  /** Delay in ms of frame `index` sent at `sentAt`; undefined: lost. */
  readonly delay?: (index: number, sentAt: number, random: () => number) => number | undefined
  readonly duplicates?: number
  /** The sender's clock against ours, parts per million. */
  readonly ppm?: number
  readonly seed?: number
}

/** Arrivals of `count` frames in the order of time. */
export function arrivals(count: number, whims: Whims = {}): Arrival[] {
  const random = seeded(whims.seed ?? 1)
  const out: Arrival[] = []
  for (let index = 0; index < count; index++) {
    const sentAt = index * 20 * (1 - (whims.ppm ?? 0) / 1e6)
    const delay = whims.delay === undefined ? 5 + random() : whims.delay(index, sentAt, random)
    if (delay === undefined) continue
    out.push({ index, at: sentAt + delay })
    if (random() < (whims.duplicates ?? 0)) out.push({ index, at: sentAt + delay + 40 * random() })
  }
  return out.sort((a, b) => a.at - b.at)
}

/** Runs `push` for every arrival and `pull` every 20 ms from `phase` on, in the order of time. */
export function play(list: readonly Arrival[], untilMs: number, phase: number, push: (a: Arrival) => void, pull: (now: number) => void): void {
  let next = 0
  for (let now = phase; now < untilMs; now += 20) {
    while (next < list.length && list[next]!.at <= now) push(list[next++]!)
    pull(now)
  }
}
