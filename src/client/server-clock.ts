/** How far our clock is off from the server's, at any time: what the server said when it let us in, and the time that has passed since. */
import type { Clock } from '../base/ports.ts'

export class ServerClock {
  readonly #clock: Clock
  /** Milliseconds of a clock that nobody sets. One that stands still while the computer sleeps takes the sleep for a wrong clock. */
  readonly #elapsed: () => number
  #welcome: { readonly unixTime: number; readonly at: number } | undefined

  constructor(clock: Clock, elapsed: () => number = () => clock.now()) {
    this.#clock = clock
    this.#elapsed = elapsed
  }
  /** The server has just said what time it is, in seconds since 1970. */
  welcomed(unixTime: number): void {
    this.#welcome = { unixTime, at: this.#elapsed() }
  }
  /** The server's clock before ours, in whole seconds. */
  get aheadS(): number | undefined {
    const w = this.#welcome
    return w && Math.round(w.unixTime + (this.#elapsed() - w.at) / 1000 - this.#clock.unix())
  }
}
