/** The client's second TLS connection: media where UDP does not get through. Kept up while its session lives. */
import type { MessagePort } from 'node:worker_threads'
import { MessageChannel } from 'node:worker_threads'
import { instant } from '../../base/brand.ts'
import type { Scheduler, Stop } from '../../base/ports.ts'
import type { HopId, MediaCommand, MessagePortLike } from '../../media/api.ts'
import { portPath } from '../../media/packet-path.ts'
import { BATCH_OCTETS, MEDIA_PROTOCOL } from '../../protocol/wire/packet-batch.ts'
import { packetLane } from '../../protocol/wire/packet-lane.ts'
import type { Vault } from '../../vault/api/calls.ts'
import { dial, type ServerAddress } from './dial.ts'

export interface MediaPathOptions {
  readonly vault: Vault
  readonly server: ServerAddress
  /** From the server's `welcome`. */
  readonly session: string
  /** The media thread's hop that it belongs to. */
  readonly hop: HopId
  readonly scheduler: Scheduler
  readonly media: (c: MediaCommand) => void
}

const RETRY_MS = 5000

/** Opens it, and again when it is lost, until it is stopped or the server knows the session no more. */
export async function openMediaPath(o: MediaPathOptions): Promise<Stop> {
  const { scheduler, hop } = o
  let stopped = false
  let end: Stop = () => {}
  const again = (): void => {
    if (!stopped) end = scheduler.at(instant(scheduler.now() + RETRY_MS), () => void open())
  }
  const open = async (): Promise<void> => {
    const dialled = await dial(o.vault, o.server, { path: `/media?session=${encodeURIComponent(o.session)}`, protocol: MEDIA_PROTOCOL, messageLimit: BATCH_OCTETS })
    // Refused: the session is over, a new connection opens its own path.
    if (!dialled.ok) return dialled.fault.code === 'CHANNEL_REFUSED' ? undefined : again()
    const lane = packetLane(dialled.value.transport, scheduler, dialled.value.waiting)
    if (stopped) return lane.close()
    const { port1, port2 } = new MessageChannel()
    bridge(port1, lane, () => {
      port1.close()
      again()
    })
    end = () => lane.close()
    o.media({ op: 'hop.tls', hop, port: port2 as unknown as MessagePortLike })
  }
  void open()
  return () => {
    stopped = true
    end()
  }
}

/** Either end's close is the other's. The media thread closes its port when it wants another path, or none. */
function bridge(port: MessagePort, lane: ReturnType<typeof packetLane>, lost: () => void): void {
  const near = portPath(port)
  let byMedia = false
  near.onPacket((packet) => lane.send(packet))
  lane.onPacket((packet) => near.send(packet))
  port.once('close', () => {
    byMedia = true
    lane.close()
  })
  lane.onClose(() => {
    if (!byMedia) lost()
  })
}
