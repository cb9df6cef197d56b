/**
 * Packet loss concealment after the pattern of ITU-T G.711 Appendix I, for 16 kHz: the last pitch
 * periods go on, fading to silence, and what comes next is blended in. Unlike the Appendix it adds
 * no delay: the seam at the start is closed by letting the step between the last sample and its
 * continuation decay, not by holding samples back.
 */

import { clip16 } from './clip.ts'

const SHORTEST_PITCH = 80 // 200 Hz
const LONGEST_PITCH = 240 // 66 Hz
/** Correlated span: 20 ms. */
const WINDOW = 320
const HISTORY = WINDOW + LONGEST_PITCH + 160
/** Repeated span is at least this, so that a high voice does not buzz. */
const SHORTEST_REPEAT = 160
const SEAM = 32
/** Full level, then down to nothing, counted from the start of the loss. */
const HOLD = 160
const FADE_END = 1280

export class Concealer {
  readonly #history = new Int16Array(HISTORY)
  /** The repeated span, made when a loss begins. */
  readonly #loop = new Float64Array(SHORTEST_REPEAT + LONGEST_PITCH)
  #loopLength = 0
  #loopAt = 0
  /** Samples made up since the last good one; 0: no loss. */
  #made = 0
  #step = 0

  /** Samples made up in a row. */
  get made(): number {
    return this.#made
  }

  /** Everything has faded: silence until the next good frame. */
  get silent(): boolean {
    return this.#made >= FADE_END
  }

  /** A frame that came; after a loss its start is blended with the continuation. In place. */
  good(pcm: Int16Array): void {
    if (this.#made > 0) {
      const overlap = Math.min(pcm.length, this.#made <= 320 ? 80 : 160)
      for (let i = 0; i < overlap; i++) {
        const weight = (i + 1) / (overlap + 1)
        pcm[i] = Math.round(pcm[i]! * weight + this.#next() * (1 - weight))
      }
      this.#made = 0
    }
    this.#remember(pcm)
  }

  /** Fills a frame that did not come. */
  lost(out: Int16Array): void {
    if (this.#made === 0) this.#begin()
    for (let i = 0; i < out.length; i++) out[i] = Math.round(this.#next())
    this.#remember(out)
  }

  /** The next good frame does not follow the last one: blend it. */
  bridge(): void {
    if (this.#made > 0) return
    this.#begin()
    this.#made = 1
  }

  #remember(pcm: Int16Array): void {
    const history = this.#history
    if (pcm.length >= HISTORY) {
      history.set(pcm.subarray(pcm.length - HISTORY))
      return
    }
    history.copyWithin(0, pcm.length)
    history.set(pcm, HISTORY - pcm.length)
  }

  #begin(): void {
    const pitch = this.#pitch()
    const length = Math.ceil(SHORTEST_REPEAT / pitch) * pitch
    const start = HISTORY - length
    const blend = pitch >> 2
    for (let i = 0; i < length; i++) this.#loop[i] = this.#history[start + i]!
    // The end of the span leads over into its start.
    for (let i = 0; i < blend; i++) {
      const weight = (i + 1) / (blend + 1)
      const at = length - blend + i
      this.#loop[at] = this.#loop[at]! * (1 - weight) + this.#history[start - blend + i]! * weight
    }
    this.#loopLength = length
    this.#loopAt = 0
    this.#step = this.#history[HISTORY - 1]! - this.#history[start - 1]!
  }

  #next(): number {
    const made = this.#made++
    const sample = this.#loop[this.#loopAt]!
    this.#loopAt = this.#loopAt + 1 === this.#loopLength ? 0 : this.#loopAt + 1
    if (made >= FADE_END) return 0
    const gain = made < HOLD ? 1 : (FADE_END - made) / (FADE_END - HOLD)
    const seam = made < SEAM ? this.#step * (1 - (made + 1) / (SEAM + 1)) : 0
    return clip16(sample * gain + seam)
  }

  /** Lag of the best normalised correlation: every second sample and lag first, then the neighbours. */
  #pitch(): number {
    let best = SHORTEST_PITCH
    let bestScore = Number.NEGATIVE_INFINITY
    for (let lag = SHORTEST_PITCH; lag <= LONGEST_PITCH; lag += 2) {
      const score = this.#match(lag, 2)
      if (score > bestScore) {
        bestScore = score
        best = lag
      }
    }
    const coarse = best
    bestScore = this.#match(coarse, 1)
    for (const lag of [coarse - 1, coarse + 1]) {
      if (lag < SHORTEST_PITCH || lag > LONGEST_PITCH) continue
      const score = this.#match(lag, 1)
      if (score > bestScore) {
        bestScore = score
        best = lag
      }
    }
    return best
  }

  #match(lag: number, stride: number): number {
    const history = this.#history
    let product = 0
    let energy = 1
    for (let i = HISTORY - WINDOW; i < HISTORY; i += stride) {
      const older = history[i - lag]!
      product += history[i]! * older
      energy += older * older
    }
    return product / Math.sqrt(energy)
  }
}
