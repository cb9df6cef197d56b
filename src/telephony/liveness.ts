/** Asks now and then whether the other end of a call is there, by OPTIONS inside its dialog: never by RTP, of which a muted phone may send none. */
import type { Stop } from '../base/ports.ts'

export class Liveness {
  readonly #after: (ms: number, run: () => void) => Stop
  readonly #everyMs: number
  readonly #ask: () => void
  #stopWaiting: Stop | undefined
  #stopped = false

  /** @param ask the answer comes back by `heard`, or the call is over. */
  constructor(after: (ms: number, run: () => void) => Stop, everyMs: number, ask: () => void) {
    this.#after = after
    this.#everyMs = everyMs
    this.#ask = ask
  }
  /** Such an answer ends the call (RFC 5057 §5.1); any other is a sign of life. */
  static isGone(status: number): boolean {
    return status === 408 || status === 481
  }
  /** A sign of life inside the dialog: the next question is a whole interval away. */
  heard(): void {
    if (this.#stopped) return
    this.#stopWaiting?.()
    this.#stopWaiting = this.#after(this.#everyMs, this.#ask)
  }
  stop(): void {
    this.#stopped = true
    this.#stopWaiting?.()
  }
}
