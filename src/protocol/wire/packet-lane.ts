/** Media packets over a message transport: gathered for a tick, the oldest dropped when the network does not take them. */
import { instant } from '../../base/brand.ts'
import type { MessageTransport } from '../../base/message-transport.ts'
import type { Scheduler } from '../../base/ports.ts'
import { BATCH_OCTETS, BATCH_PACKETS, BATCH_QUEUE_MS, BATCH_TICK_MS, decodeBatch, encodeBatch, PACKET_LIMIT } from './packet-batch.ts'

/** Octets below us that count as "the network takes it": about two ticks of a full room. */
const CONGESTED_OCTETS = 32 * 1024

interface Waiting {
  readonly at: number
  readonly packet: Uint8Array
}

export interface PacketLane {
  send(packet: Uint8Array): void
  onPacket(listener: (packet: Uint8Array) => void): void
  /** Once, with why it ended. */
  onClose(listener: (reason: string) => void): void
  close(): void
  /** Packets given up because they had waited too long. */
  readonly dropped: number
}

/** `waiting`: octets handed in and not yet taken by the network, where it is more than the transport knows. */
export function packetLane(transport: MessageTransport, scheduler: Scheduler, waiting: () => number = () => transport.waiting): PacketLane {
  let queue: Waiting[] = []
  let dropped = 0
  let cancel: (() => void) | undefined
  let closed = false
  let onPacket: (packet: Uint8Array) => void = () => {}

  const arm = (): void => {
    if (!closed) cancel ??= scheduler.at(instant(scheduler.now() + BATCH_TICK_MS), flush)
  }
  const flush = (): void => {
    cancel = undefined
    const oldest = scheduler.now() - BATCH_QUEUE_MS
    const fresh = queue.filter((w) => w.at >= oldest)
    dropped += queue.length - fresh.length
    queue = fresh
    if (queue.length === 0) return
    if (waiting() > CONGESTED_OCTETS) return arm()
    let octets = 0
    let n = 0
    while (n < queue.length && n < BATCH_PACKETS && octets + queue[n]!.packet.length + 2 <= BATCH_OCTETS) octets += queue[n++]!.packet.length + 2
    transport.send(encodeBatch(queue.splice(0, n).map((w) => w.packet)))
    if (queue.length > 0) arm()
  }
  transport.onMessage((message) => {
    const packets = decodeBatch(message)
    if (!packets.ok) transport.close(1008, packets.fault.code)
    else for (const p of packets.value) onPacket(p)
  })
  let onClose: (reason: string) => void = () => {}
  transport.onClose((_, reason) => {
    closed = true
    cancel?.()
    onClose(reason)
  })
  return {
    send(packet) {
      if (closed || packet.length === 0 || packet.length > PACKET_LIMIT) return
      queue.push({ at: scheduler.now(), packet: packet.slice() })
      arm()
    },
    onPacket(listener) {
      onPacket = listener
    },
    onClose(listener) {
      onClose = listener
    },
    close() {
      closed = true
      cancel?.()
      transport.close()
    },
    get dropped() {
      return dropped
    },
  }
}
