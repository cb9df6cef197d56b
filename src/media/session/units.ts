/**
 * Frames of 20 ms out of packets of whatever length: what goes on the way is always one frame of 160 octets a packet, so that both sides agree
 * on where frames begin, whatever packet times their phones have.
 */
import type { TakenPacket } from '../plain/bridge-end.ts'

export const UNIT = 160
/** Units of RTP time in a frame: all three codecs count 8000 a second. */
const UNITS = 160

export class Units {
  /** Octets of a frame that is not whole, and the RTP time of its begin. */
  #rest: Uint8Array = new Uint8Array(0)
  #restAt = 0
  #last: { readonly ssrc: number; readonly end: number } | undefined
  /** Numbers of our own, once packets are not frames. */
  #number: number | undefined

  cut(p: TakenPacket): TakenPacket[] {
    const { ssrc, timestamp, payload } = p
    // As it came: numbers, order and gaps too.
    if (payload.length === UNIT && this.#number === undefined) return [p]
    const follows = this.#last !== undefined && this.#last.ssrc === ssrc && this.#last.end === timestamp
    if (!follows) {
      // What is missing is missing: a gap in the numbers as long as the one in the time.
      const gap = this.#last === undefined || this.#last.ssrc !== ssrc ? 0 : Math.round(((timestamp - this.#last.end) | 0) / UNITS)
      if (gap < 0 && gap > -50) return []
      this.#number = ((this.#number ?? p.sequence) + (gap > 0 && gap < 50 ? gap : 0)) & 0xffff
      this.#rest = new Uint8Array(0)
    }
    if (this.#rest.length === 0) this.#restAt = timestamp
    const all = new Uint8Array(this.#rest.length + payload.length)
    all.set(this.#rest)
    all.set(payload, this.#rest.length)
    const out: TakenPacket[] = []
    let at = 0
    for (; at + UNIT <= all.length; at += UNIT) {
      this.#number = (this.#number! + 1) & 0xffff
      out.push({ ...p, sequence: this.#number, timestamp: (this.#restAt + at) >>> 0, payload: all.slice(at, at + UNIT), marker: p.marker && at === 0 })
    }
    this.#rest = all.slice(at)
    this.#restAt = (this.#restAt + at) >>> 0
    this.#last = { ssrc, end: (timestamp + payload.length) >>> 0 }
    return out
  }
}
