/** Tones and spoken prompts over what a phone hears, one after the other. */
import { clip16 } from '../../audio/clip.ts'

/** More than this waits for nobody. */
const MAX_QUEUED = 16

export class Prompts {
  readonly #queue: Int16Array[] = []
  #at = 0

  play(pcm: Int16Array): void {
    if (pcm.length > 0 && this.#queue.length < MAX_QUEUED) this.#queue.push(pcm)
  }
  /** Adds the next samples to `out`. */
  mix(out: Int16Array): void {
    for (let i = 0; i < out.length && this.#queue.length > 0; i++) {
      const first = this.#queue[0]!
      out[i] = clip16(out[i]! + first[this.#at++]!)
      if (this.#at === first.length) {
        this.#queue.shift()
        this.#at = 0
      }
    }
  }
}
