/**
 * Key presses as named events (RFC 4733 §2.3).
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |     event     |E|R| volume    |          duration             |
 */
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'

export const TELEPHONE_EVENT_OCTETS = 4

export interface TelephoneEvent {
  /** 0–9, 10 is *, 11 is #, 12–15 are A–D, 16 is flash (RFC 4733 §3.2). */
  readonly event: number
  readonly end: boolean
  /** Power in -dBm0, 0–63. */
  readonly volume: number
  /** In timestamp units. */
  readonly duration: number
}

const DIGITS = '0123456789*#ABCD'
/** How many events can be in flight at once at most; each is sent for at least 40 ms. */
const REMEMBERED = 8

/** The key, or undefined where the event is none (flash, modem tones). */
export const digitOf = (e: TelephoneEvent): string | undefined => DIGITS[e.event]

/** The event of a key, or undefined where there is no such key. */
export function eventOfDigit(digit: string): number | undefined {
  const event = digit.length === 1 ? DIGITS.indexOf(digit.toUpperCase()) : -1
  return event < 0 ? undefined : event
}

export function decodeTelephoneEvent(payload: Uint8Array): Result<TelephoneEvent> {
  if (payload.length !== TELEPHONE_EVENT_OCTETS) return err('RTP_TELEPHONE_EVENT', `${payload.length} octets`)
  const second = payload[1]!
  return ok({ event: payload[0]!, end: second >= 0x80, volume: second & 0x3f, duration: (payload[2]! << 8) | payload[3]! })
}

export const encodeTelephoneEvent = (e: TelephoneEvent): Uint8Array =>
  Uint8Array.of(e.event, (e.end ? 0x80 : 0) | (e.volume & 0x3f), e.duration >> 8, e.duration)

/**
 * Reports each key press once. All packets of one press carry the timestamp of its beginning
 * (RFC 4733 §2.5.1.2), its end is sent three times, and packets may overtake each other, so an event
 * is known by its timestamp alone. One for each stream (SSRC).
 */
export class TelephoneEventReceiver {
  readonly #seen = new Float64Array(REMEMBERED).fill(-1)
  #next = 0

  /** The key pressed, at the first packet of a press. */
  receive(timestamp: number, event: TelephoneEvent): string | undefined {
    if (this.#seen.includes(timestamp)) return undefined
    this.#seen[this.#next] = timestamp
    this.#next = (this.#next + 1) % REMEMBERED
    return digitOf(event)
  }
}
