/** Key presses towards a phone or a telephone system: named events in place of sound (RFC 4733 §2.5). */
import { encodeTelephoneEvent, eventOfDigit } from '../../protocol/rtp/telephone-event.ts'

const TICK_MS = 20
/** Of one press: long enough for every receiver. */
const PRESS_TICKS = 5
/** The end is told three times (§2.5.1.4). */
const END_TICKS = 3
/** Between two presses, so that two of the same key are two. */
const PAUSE_TICKS = 4
/** More wait for nobody. */
const WAITING = 32
/** -10 dBm0, as of the keys of a telephone. */
const VOLUME = 10

export interface KeyPacket {
  readonly timestamp: number
  readonly marker: boolean
  readonly payload: Uint8Array
}

export class KeyPresses {
  readonly #waiting: number[] = []
  #event: number | undefined
  #timestamp = 0
  #ticks = 0

  /** False: no such key, or too many wait. */
  press(digit: string): boolean {
    const event = eventOfDigit(digit)
    if (event === undefined || this.#waiting.length >= WAITING) return false
    this.#waiting.push(event)
    return true
  }
  /** One tick of 20 ms at this RTP time. Undefined: sound goes out. All packets of a press carry the time of its beginning. */
  next(timestamp: number, clockRate: number): KeyPacket | undefined {
    if (this.#event === undefined) {
      this.#event = this.#waiting.shift()
      if (this.#event === undefined) return undefined
      this.#timestamp = timestamp
      this.#ticks = 0
    }
    const tick = this.#ticks++
    if (tick >= PRESS_TICKS + END_TICKS) {
      if (tick >= PRESS_TICKS + END_TICKS + PAUSE_TICKS - 1) this.#event = undefined
      return undefined
    }
    const duration = (Math.min(tick + 1, PRESS_TICKS) * TICK_MS * clockRate) / 1000
    return { timestamp: this.#timestamp, marker: tick === 0, payload: encodeTelephoneEvent({ event: this.#event, end: tick >= PRESS_TICKS, volume: VOLUME, duration }) }
  }
}
