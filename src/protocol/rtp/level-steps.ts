/**
 * The level that the server of a `loudest` room sees beside the sealed frame: four steps, and a new one every
 * 200 ms at most, so that it tells who speaks and little of what is said (PROTOCOL §3 Forwarding).
 */

/** Element of the header extension (RFC 8285), the same in every room. */
export const LEVEL_EXTENSION = 1
/** Frames of 20 ms under one value. */
export const LEVEL_FRAMES = 10

/** −dBov from which on a step begins, and what stands for it: silence, soft, normal and loud speech. */
const FROM = [127, 54, 41, 29] as const
const VALUE = [127, 48, 36, 24] as const

export type LevelStep = 0 | 1 | 2 | 3

/** 0 is silence, 3 is loud. `level` as in RFC 6464; -1 (none) is silence. */
export function levelStep(level: number): LevelStep {
  if (level < 0 || level > FROM[1]) return 0
  return level > FROM[2] ? 1 : level > FROM[3] ? 2 : 3
}

/** The octet that is sent for every level of a step. */
export const steppedLevel = (level: number): number => VALUE[levelStep(level)]

/** What is sent with each frame: the loudest of the ten frames before these ten. */
export class SteppedLevel {
  #now: number = VALUE[0]
  #loudest: number = VALUE[0]
  #frames = 0

  /** To be called for every frame; `level` is the frame's own. */
  next(level: number): number {
    if (this.#frames === LEVEL_FRAMES) {
      this.#now = steppedLevel(this.#loudest)
      this.#loudest = VALUE[0]
      this.#frames = 0
    }
    this.#frames++
    this.#loudest = Math.min(this.#loudest, level)
    return this.#now
  }
}
