/** A reliable, ordered pipe of messages between two simulated hosts, as TCP would give it. */
import { instant } from '../../src/base/brand.ts'
import type { Link, SimHost } from './sim-net.ts'

/** What TCP waits before it sends a lost segment again, ms (RFC 6298 §2.4 allows a lower minimum than 1 s; Linux uses 200). */
const RETRANSMIT_MS = 200

export interface PipeEnd {
  /** `data` may be reused by the caller. Lost without a sign after the pipe was cut, until `onClose` tells. */
  send(data: Uint8Array): void
  onMessage(listener: (data: Uint8Array) => void): void
  /** Once, when the other end closed or the pipe was cut. */
  onClose(listener: () => void): void
  close(): void
}

/** Both ends of a pipe. While a link is down messages wait; `cut` breaks the pipe for good. */
export class SimPipe {
  readonly a: PipeEnd
  readonly b: PipeEnd
  readonly #ends: [End, End]
  constructor(hostA: SimHost, hostB: SimHost) {
    const a = new End(hostA, hostB)
    const b = new End(hostB, hostA)
    a.peer = b
    b.peer = a
    this.a = a
    this.b = b
    this.#ends = [a, b]
  }
  /** Breaks the connection: both ends learn it after `noticedMs`, what is under way is lost. */
  cut(noticedMs = 0): void {
    for (const end of this.#ends) end.break(noticedMs)
  }
}

class End implements PipeEnd {
  peer!: End
  readonly #from: SimHost
  readonly #to: SimHost
  readonly #queue: Uint8Array[] = []
  readonly #early: Uint8Array[] = []
  #listener: ((data: Uint8Array) => void) | undefined
  #onClose: (() => void) | undefined
  #open = true
  #lastArrival = 0
  #sending = false

  constructor(from: SimHost, to: SimHost) {
    this.#from = from
    this.#to = to
  }
  send(data: Uint8Array): void {
    if (!this.#open) return
    this.#queue.push(data.slice())
    if (!this.#sending) this.#flush()
  }
  /** One segment after the other; a loss holds back all that follow, as in TCP. */
  #flush(): void {
    const clock = this.#from.net.clock
    this.#sending = false
    while (this.#open && this.#queue.length > 0) {
      const arrival = this.#cross(clock.now())
      if (arrival === undefined) {
        this.#sending = true
        clock.at(instant(clock.now() + RETRANSMIT_MS), () => this.#flush())
        return
      }
      const data = this.#queue.shift()!
      this.#lastArrival = Math.max(arrival, this.#lastArrival)
      clock.at(instant(this.#lastArrival), () => this.peer.arrive(data))
    }
  }
  #cross(now: number): number | undefined {
    if (this.#from.net.separated(this.#from, this.#to)) return undefined
    const over = (link: Link, at: number): number | undefined => link.transit(at)[0]
    const up = over(this.#from.up, now)
    return up === undefined ? undefined : over(this.#to.down, up)
  }
  arrive(data: Uint8Array): void {
    if (!this.#open) return
    if (this.#listener === undefined) this.#early.push(data)
    else this.#listener(data)
  }
  onMessage(listener: (data: Uint8Array) => void): void {
    this.#listener = listener
    for (const data of this.#early.splice(0)) listener(data)
  }
  onClose(listener: () => void): void {
    this.#onClose = listener
  }
  close(): void {
    if (!this.#open) return
    this.#open = false
    // What was sent before still arrives; the end follows it.
    const clock = this.#from.net.clock
    const end = Math.max(this.#lastArrival, clock.now() + this.#from.up.conditions.latencyMs + this.#to.down.conditions.latencyMs)
    clock.at(instant(end), () => this.peer.break(0))
  }
  break(noticedMs: number): void {
    if (!this.#open) return
    this.#open = false
    const clock = this.#from.net.clock
    clock.at(instant(clock.now() + noticedMs), () => this.#onClose?.())
  }
}
