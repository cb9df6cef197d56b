/**
 * Frames of 20 ms out of packets of whatever length: what goes on the way is always one frame of 160 octets a packet, so that both sides agree
 * on where frames begin, whatever packet times their phones have.
 */
import type { TakenPacket } from '../plain/bridge-end.ts'

export const UNIT = 160
/** Units of RTP time in a frame: all three codecs count 8000 a second. */
const UNITS = 160
/** Frames; what is overtaken by more is lost. */
const LATEST = 50

export class Units {
  /** Octets of a frame that is not whole, and the RTP time of its begin. */
  #rest: Uint8Array = new Uint8Array(0)
  #restAt = 0
  #last: { readonly ssrc: number; readonly end: number } | undefined
  /** Numbers of our own, once packets are not frames. */
  #number: number | undefined
  /** RTP times of the frames that were cut last: a copy is none. */
  #cut: readonly number[] = []

  cut(p: TakenPacket): TakenPacket[] {
    const { ssrc, timestamp, payload } = p
    // As it came: numbers, order and gaps too.
    if (payload.length === UNIT && this.#number === undefined) return [p]
    const follows = this.#last !== undefined && this.#last.ssrc === ssrc && this.#last.end === timestamp
    if (!follows) {
      if (this.#last?.ssrc !== ssrc) this.#cut = []
      // What is missing is missing: a gap in the numbers as long as the one in the time.
      const gap = this.#last === undefined || this.#last.ssrc !== ssrc ? 0 : Math.round(((timestamp - this.#last.end) | 0) / UNITS)
      if (gap < 0 && gap > -LATEST) return this.#late(p)
      this.#number = ((this.#number ?? p.sequence) + (gap > 0 && gap < LATEST ? gap : 0)) & 0xffff
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
    this.#remember(out)
    return out
  }
  /** What was overtaken has the number that was left out for it, where it is whole frames. */
  #late(p: TakenPacket): TakenPacket[] {
    const units = ((p.timestamp - this.#restAt) | 0) / UNITS
    if (!Number.isInteger(units) || p.payload.length % UNIT !== 0) return []
    const late = Array.from({ length: p.payload.length / UNIT }, (_, i) => ({
      ...p, sequence: (this.#number! + 1 + units + i) & 0xffff, timestamp: (p.timestamp + i * UNITS) >>> 0, payload: p.payload.slice(i * UNIT, (i + 1) * UNIT), marker: p.marker && i === 0,
    })).filter((u) => !this.#cut.includes(u.timestamp))
    this.#remember(late)
    return late
  }
  #remember(units: readonly TakenPacket[]): void {
    this.#cut = [...this.#cut, ...units.map((u) => u.timestamp)].slice(-LATEST)
  }
}
