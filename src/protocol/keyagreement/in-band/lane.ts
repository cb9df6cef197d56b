/**
 * Messages over control frames that may be lost: selective repeat, one fragment per frame. A payload is
 *   type (1) ‖ next wanted (2) ‖ what came beyond it, a bit each (4) ‖ flags (1) [‖ number (2) ‖ length (1) ‖ fragment],
 * padded by the frame.
 */
import type { Instant } from '../../../base/brand.ts'
import { ByteReader, ByteWriter, concat } from '../../../base/bytes.ts'
import { MESSAGE_LIMIT } from '../messages.ts'

export const LANE = 1
const HEAD = 11
const FRAGMENT_MOST = 255
const AGAIN_MS = 400
const WINDOW = 32
const HAS_DATA = 1
const LAST = 2
/** Messages of an agreement, with room for certificates. */
const QUEUE_LIMIT = 256
const NUMBERS = 0xffff

interface Fragment {
  readonly number: number
  readonly last: boolean
  readonly data: Uint8Array
  sentAt: number
}

/** `sealed`: every fragment of it came under the keys of the call; otherwise anybody on the way may have made some of it. */
export interface LaneMessage {
  readonly bytes: Uint8Array
  readonly sealed: boolean
}

export class Lane {
  readonly #room: number
  #out: Fragment[] = []
  #nextNumber = 0
  /** Fragments that came beyond the next wanted one. */
  readonly #in = new Map<number, { readonly last: boolean; readonly data: Uint8Array; readonly sealed: boolean }>()
  #wanted = 0
  #partial: Uint8Array[] = []
  #partialOctets = 0
  #partialSealed = true
  #guarded = false
  #owesAck = false

  /** `capacity`: octets of a control frame's payload. */
  constructor(capacity: number) {
    this.#room = Math.min(capacity - HEAD, FRAGMENT_MOST)
  }

  /** Everything said has arrived. */
  get idle(): boolean {
    return this.#out.length === 0 && !this.#owesAck
  }

  /** False: too much waits already. */
  push(message: Uint8Array): boolean {
    const count = Math.max(1, Math.ceil(message.length / this.#room))
    if (this.#out.length + count > QUEUE_LIMIT || this.#nextNumber + count > NUMBERS) return false
    for (let i = 0; i < count; i++) {
      this.#out.push({ number: this.#nextNumber++, last: i === count - 1, data: message.slice(i * this.#room, (i + 1) * this.#room), sentAt: Number.NEGATIVE_INFINITY })
    }
    return true
  }

  /** What goes into the next control frame; undefined: nothing needs to be said. */
  next(now: Instant): Uint8Array | undefined {
    const due = this.#out.filter((f) => f.number < this.#out[0]!.number + WINDOW && now - f.sentAt >= AGAIN_MS)
    const fragment = due.toSorted((a, b) => a.sentAt - b.sentAt || a.number - b.number)[0]
    if (fragment === undefined && !this.#owesAck) return undefined
    this.#owesAck = false
    const w = new ByteWriter().u8(LANE).u16(this.#wanted).u32(this.#beyond())
    if (fragment === undefined) return w.u8(0).finish()
    fragment.sentAt = now
    return w.u8(HAS_DATA | (fragment.last ? LAST : 0)).u16(fragment.number).u8(fragment.data.length).put(fragment.data).finish()
  }

  #beyond(): number {
    let bits = 0
    for (let i = 0; i < WINDOW; i++) if (this.#in.has(this.#wanted + 1 + i)) bits |= 1 << i
    return bits >>> 0
  }

  /** The other side has the keys of the call: what does not come under them says no more what has arrived. */
  guard(): void {
    this.#guarded = true
  }

  /** A control payload, under the keys of the call or the carrier's; whole messages come out in order. */
  receive(payload: Uint8Array, sealed: boolean): readonly LaneMessage[] {
    const r = new ByteReader(payload)
    if (r.u8() !== LANE) return []
    const [wanted, beyond, flags] = [r.u16(), r.u32(), r.u8()]
    if (sealed || !this.#guarded) this.#out = this.#out.filter((f) => f.number >= wanted && !(f.number > wanted && f.number <= wanted + WINDOW && ((beyond >>> (f.number - wanted - 1)) & 1) === 1))
    if ((flags & HAS_DATA) === 0) return []
    const number = r.u16()
    const data = r.take(r.u8())
    if (r.failed) return []
    this.#owesAck = true
    const stored = this.#in.get(number)
    const better = stored === undefined || (sealed && !stored.sealed)
    if (better && number >= this.#wanted && number <= this.#wanted + WINDOW) this.#in.set(number, { last: (flags & LAST) !== 0, data: data.slice(), sealed })
    return this.#assemble()
  }

  #assemble(): LaneMessage[] {
    const whole: LaneMessage[] = []
    for (let f = this.#in.get(this.#wanted); f !== undefined; f = this.#in.get(this.#wanted)) {
      this.#in.delete(this.#wanted++)
      this.#partial.push(f.data)
      this.#partialOctets += f.data.length
      this.#partialSealed &&= f.sealed
      const tooLong = this.#partialOctets > MESSAGE_LIMIT + this.#room
      if (f.last && !tooLong) whole.push({ bytes: concat(...this.#partial), sealed: this.#partialSealed })
      if (f.last || tooLong) {
        this.#partial = []
        this.#partialOctets = 0
        this.#partialSealed = true
      }
    }
    return whole
  }
}
