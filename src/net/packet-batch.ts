/**
 * SRTP packets over a byte stream (PROTOCOL §1, media over TLS): each preceded by its length (2 octets), those of one
 * moment in one message, and nothing that has waited for more than 60 ms: late audio is worth less than none.
 */
import { instant } from '../base/brand.ts'
import type { Scheduler } from '../base/ports.ts'

const OLDEST_MS = 60
const PACKETS_LIMIT = 1024
const PACKET_LIMIT = 0xffff

export interface BatchOptions {
  readonly scheduler: Scheduler
  /** Hands one message over; `done` when the transport took it. */
  readonly write: (message: Uint8Array, done: () => void) => void
}

export class PacketBatch {
  readonly #o: BatchOptions
  readonly #waiting: { readonly at: number; readonly packet: Uint8Array }[] = []
  #busy = false
  dropped = 0

  constructor(options: BatchOptions) {
    this.#o = options
  }
  /** `packet` may be reused by the caller after the call returns. */
  push(packet: Uint8Array): void {
    if (packet.length === 0 || packet.length > PACKET_LIMIT) return
    const { scheduler } = this.#o
    if (this.#waiting.length >= PACKETS_LIMIT) this.#drop()
    this.#waiting.push({ at: scheduler.now(), packet: packet.slice() })
    if (this.#busy) return
    this.#busy = true
    // In the next turn, so that the packets of one tick share a message.
    scheduler.at(instant(scheduler.now()), () => this.#flush())
  }
  #drop(): void {
    this.#waiting.shift()
    this.dropped++
  }
  #flush(): void {
    const oldest = this.#o.scheduler.now() - OLDEST_MS
    while (this.#waiting.length > 0 && this.#waiting[0]!.at < oldest) this.#drop()
    const packets = this.#waiting.splice(0)
    if (packets.length === 0) {
      this.#busy = false
      return
    }
    const message = new Uint8Array(packets.reduce((n, { packet }) => n + 2 + packet.length, 0))
    let at = 0
    for (const { packet } of packets) {
      message[at] = packet.length >>> 8
      message[at + 1] = packet.length & 0xff
      message.set(packet, at + 2)
      at += 2 + packet.length
    }
    this.#o.write(message, () => this.#flush())
  }
}

/** The packets of one message, as views; undefined when the lengths do not add up. */
export function splitBatch(message: Uint8Array): Uint8Array[] | undefined {
  const packets: Uint8Array[] = []
  let at = 0
  while (at < message.length) {
    if (at + 2 > message.length) return undefined
    const length = (message[at]! << 8) | message[at + 1]!
    at += 2
    if (length === 0 || at + length > message.length) return undefined
    packets.push(message.subarray(at, at + length))
    at += length
  }
  return packets
}
