/** How long a call stays as it is when nothing comes of it, and when another party is looked for while it is lost. */
import { type Instant, instant } from '../../../base/brand.ts'
import { MENU_KEY_MS } from '../../call.ts'
import { ACCEPT } from './options.ts'
import type { State } from './table.ts'

const SEEK_MS = 8000
/** And once more while the vault tries: three carriers, one after the other, have 5, 5 and 20 s. */
const AGREE_MS = 20_000
/** Music goes on for minutes: each pause is twice as long as the one before. */
const SEEK_AGAIN_MS = 1500
const SEEK_AGAIN_MOST_MS = 30_000

/** The key press that accepts a call as it is: `*`, and no other key after it, as `*1` is another wish. Twice is said at once. */
class AcceptKey {
  /** It is accepted then. */
  at: Instant | undefined

  /** True: decided. */
  press(digit: string, now: Instant): boolean {
    const twice = digit === ACCEPT && this.at !== undefined
    this.at = digit === ACCEPT && !twice ? instant(now + MENU_KEY_MS) : undefined
    return twice
  }
  due(now: Instant): boolean {
    const due = this.at !== undefined && now >= this.at
    if (due) this.at = undefined
    return due
  }
}

export class Patience {
  readonly key = new AcceptKey()
  #at: Instant | undefined
  #what: 'nobody' | 'seek' = 'nobody'
  #pause = SEEK_AGAIN_MS
  #longer = false

  /** When to be asked again. */
  get at(): number {
    return Math.min(this.#at ?? Number.POSITIVE_INFINITY, this.key.at ?? Number.POSITIVE_INFINITY)
  }
  begin(state: State, now: Instant): void {
    const limit = state === 'seeking' ? SEEK_MS : state === 'agreeing' ? AGREE_MS : state === 'lost' ? this.#pause : undefined
    this.#at = limit === undefined ? undefined : instant(now + limit)
    this.#what = state === 'lost' ? 'seek' : 'nobody'
    this.#longer = false
    // What was to be accepted is another by now.
    this.key.at = undefined
  }
  /** What it is time for; once. `tries`: an agreement runs, which ends by itself. */
  due(now: Instant, tries: boolean): 'nobody' | 'seek' | undefined {
    if (this.#at === undefined || now < this.#at) return undefined
    const longer = this.#what === 'nobody' && tries && !this.#longer
    this.#longer = true
    this.#at = longer ? instant(now + AGREE_MS) : undefined
    if (longer) return undefined
    if (this.#what === 'seek') {
      this.#pause = Math.min(2 * this.#pause, SEEK_AGAIN_MOST_MS)
      this.#at = instant(now + this.#pause)
    }
    return this.#what
  }
  /** Somebody looks for us: soon, and not as often as they like. */
  urge(now: Instant): void {
    if (this.#at !== undefined) this.#at = instant(Math.min(this.#at, now + SEEK_AGAIN_MS))
  }
  /** The other side was heard: the next search is soon again. */
  heard(): void {
    this.#pause = SEEK_AGAIN_MS
  }
  end(): void {
    this.#at = this.key.at = undefined
  }
}
