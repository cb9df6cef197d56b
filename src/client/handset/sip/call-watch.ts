/** Notices that a phone has gone: in-dialog OPTIONS, never RTP (a muted phone may send none), and session timers (RFC 4028). */
import { instant } from '../../../base/brand.ts'
import type { Scheduler, Stop } from '../../../base/ports.ts'
import type { SessionTimer } from '../../../protocol/sip/index.ts'
import { expireAfterMs, refreshAfterMs } from '../../../protocol/sip/index.ts'
import { Liveness } from '../../../telephony/index.ts'

export interface WatchActions {
  /** Send OPTIONS; the answer comes back by `heard` or `expired`. */
  probe(): void
  /** Send a refresh: it is our turn. */
  refresh(): void
  /** The phone did not refresh in time. */
  expired(): void
  /** It rang for as long as it may. */
  unanswered(): void
}

export class CallWatch {
  readonly #scheduler: Scheduler
  readonly #liveness: Liveness
  readonly #actions: WatchActions
  #stopSession: Stop | undefined
  #stopRinging: Stop | undefined
  #timer: SessionTimer | undefined
  #stopped = false

  constructor(scheduler: Scheduler, livenessMs: number, actions: WatchActions) {
    this.#scheduler = scheduler
    this.#liveness = new Liveness((ms, run) => this.#after(ms, run), livenessMs, () => this.#actions.probe())
    this.#actions = actions
  }

  ringing(limitMs: number): void {
    this.#stopRinging = this.#after(limitMs, () => this.#actions.unanswered())
  }
  answered(): void {
    this.#stopRinging?.()
  }

  /** The phone gave a sign of life inside the dialog: the next probe is a whole interval away. */
  heard(): void {
    this.#liveness.heard()
  }

  get timer(): SessionTimer | undefined {
    return this.#timer
  }

  /** (Re)starts the session timer: at the start of the session and at each refresh. Undefined: none is agreed on. */
  session(timer: SessionTimer | undefined): void {
    this.#stopSession?.()
    this.#stopSession = undefined
    this.#timer = timer
    if (timer === undefined || this.#stopped) return
    this.#stopSession = timer.refresher === 'us' ? this.#after(refreshAfterMs(timer), () => this.#actions.refresh()) : this.#after(expireAfterMs(timer), () => this.#actions.expired())
  }

  /** Both ends sent at once (491): try the refresh again soon (RFC 3261 §14.1). */
  refreshAgain(afterMs: number): void {
    this.#stopSession?.()
    if (!this.#stopped) this.#stopSession = this.#after(afterMs, () => this.#actions.refresh())
  }

  stop(): void {
    this.#stopped = true
    this.#liveness.stop()
    this.#stopSession?.()
    this.#stopRinging?.()
  }

  #after(ms: number, run: () => void): Stop {
    return this.#scheduler.at(instant(this.#scheduler.now() + ms), run)
  }
}
