/**
 * Asks whether the server is still there. The link ends by itself after 15 s of silence (protocol/wire/link), which is right for trains and
 * tunnels; whoever talks or looks is to know sooner. For those who do neither nobody is asked more often, and no timer runs in between.
 */
import { type Instant, instant } from '../../base/brand.ts'
import type { Scheduler } from '../../base/ports.ts'
import { PING_MS } from '../../protocol/wire/link.ts'

const TICK_MS = 1000
const SILENT_MS = 2000
/** A timer this late tells of a machine that slept, not of a server that does. */
const SLEPT_MS = 500

export class Watch {
  readonly #scheduler: Scheduler
  readonly #ping: (n: number) => boolean
  #attentive: () => boolean = () => false
  #tell: (silent: boolean) => void = () => {}
  #on = false
  #ended = false
  #silent = false
  #n = 0
  #askedAt: Instant
  /** When something was heard last, or the watch began. */
  #since: Instant
  #cancelPing: () => void = () => {}
  #cancelLook: () => void = () => {}

  /** `ping`: false when the link is gone. */
  constructor(scheduler: Scheduler, ping: (n: number) => boolean) {
    this.#scheduler = scheduler
    this.#ping = ping
    this.#since = this.#askedAt = scheduler.now()
    this.#next()
  }
  set(attentive: () => boolean, tell: (silent: boolean) => void): void {
    this.#attentive = attentive
    this.#tell = tell
    this.wake()
  }
  /** Somebody begins to talk or to look. That they have ended is noticed by the second. */
  wake(): void {
    if (this.#on || this.#ended || !this.#attentive()) return
    this.#cancelPing()
    this.#turn()
  }
  heard(): void {
    this.#since = this.#scheduler.now()
    if (!this.#silent) return
    this.#is(false)
    this.#look()
  }
  end(): void {
    this.#ended = true
    this.#cancelPing()
    this.#cancelLook()
  }

  #next(): void {
    this.#cancelPing = this.#at(this.#on ? this.#scheduler.now() + TICK_MS : this.#askedAt + PING_MS, () => this.#turn())
  }
  #turn(): void {
    const was = this.#on
    this.#on = this.#attentive()
    if (this.#on && !was) this.#begin()
    if (!this.#on && was) this.#rest()
    if ((!this.#on && this.#scheduler.now() < this.#askedAt + PING_MS) || this.#asked()) this.#next()
  }
  #asked(): boolean {
    this.#askedAt = this.#scheduler.now()
    return this.#ping(++this.#n >>> 0)
  }
  #begin(): void {
    this.#since = this.#scheduler.now()
    this.#look()
  }
  #rest(): void {
    this.#cancelLook()
    this.#is(false)
  }
  #look(): void {
    const due = this.#since + SILENT_MS
    this.#cancelLook = this.#at(due, () => {
      const now = this.#scheduler.now()
      if (now - due > SLEPT_MS) this.#begin()
      else if (now < this.#since + SILENT_MS) this.#look()
      else this.#is(true)
    })
  }
  #is(silent: boolean): void {
    if (silent === this.#silent) return
    this.#silent = silent
    this.#tell(silent)
  }
  #at(when: number, run: () => void): () => void {
    return this.#scheduler.at(instant(when), run)
  }
}
