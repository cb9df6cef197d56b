/** The newest packets of a stream that is not forwarded: when it is let in, its first syllable goes ahead. */

/** What a speaker's level takes to be seen (10 frames, level-steps.ts), twice the network's jitter, and the soft start of a word. */
const PACKETS = 15
const KEPT_MS = 400

interface Kept {
  buffer: Uint8Array
  length: number
  at: number
}

export class History {
  readonly #kept: Kept[] = []
  #next = 0

  /** A copy of the first `length` octets; nothing is allocated once the ring is full. */
  keep(packet: Uint8Array, length: number, now: number): void {
    let slot = this.#kept[this.#next]
    if (slot === undefined || slot.buffer.length < length) {
      slot = { buffer: new Uint8Array(length), length, at: now }
      this.#kept[this.#next] = slot
    }
    slot.buffer.set(packet.subarray(0, length))
    slot.length = length
    slot.at = now
    this.#next = (this.#next + 1) % PACKETS
  }
  /** What is recent, oldest first; it is gone then. */
  take(now: number, each: (packet: Uint8Array, length: number) => void): void {
    for (let i = 0; i < PACKETS; i++) {
      const slot = this.#kept[(this.#next + i) % PACKETS]
      if (slot === undefined || slot.length === 0) continue
      if (now - slot.at <= KEPT_MS) each(slot.buffer, slot.length)
      slot.length = 0
    }
  }
}
