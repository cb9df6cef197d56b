/**
 * Brings one sender's speech towards a common level, slowly, and only while it speaks: pauses and
 * background noise must not be pulled up. Works on the level octets, so it costs nothing per sample.
 */
import { clamp } from './clip.ts'

/** −dBov of active speech that everybody is brought to. */
export const SPEECH_LEVEL = 26
const MOST_UP_DB = 12
const MOST_DOWN_DB = 9
/** Quieter than this is not speech. */
const GATE_LEVEL = 50
/** Quieter than the sender's own speech by this much is a pause between words. */
const PAUSE_DB = 15
/** Per frame of speech: a time constant of about two seconds. */
const SPEED = 0.01
/** Gain moves by at most this per frame, 5 dB per second. */
const STEP_DB = 0.1

export class Levelling {
  /** Speech level of this sender so far, −dBov; undefined: has not spoken. */
  #speech: number | undefined
  #gainDb = 0

  /** Gain of the current frame, linear. */
  get gain(): number {
    return 10 ** (this.#gainDb / 20)
  }

  /** Takes the level (−dBov) of the next frame and moves the gain. */
  frame(level: number): void {
    if (level > GATE_LEVEL || (this.#speech !== undefined && level > this.#speech + PAUSE_DB)) return
    this.#speech = this.#speech === undefined ? level : this.#speech + (level - this.#speech) * SPEED
    const wanted = clamp(this.#speech - SPEECH_LEVEL, -MOST_DOWN_DB, MOST_UP_DB)
    this.#gainDb += clamp(wanted - this.#gainDb, -STEP_DB, STEP_DB)
  }
}
