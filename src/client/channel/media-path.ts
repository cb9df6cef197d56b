/** The client's end of the second TLS connection, which carries media where UDP does not get through (docs/protocol/channel.md §2). */
import { MessageChannel } from 'node:worker_threads'
import type { Scheduler } from '../../base/ports.ts'
import type { Fault } from '../../base/result.ts'
import type { MediaCommand } from '../../media/api.ts'
import { PacketBatch, splitBatch } from '../../net/packet-batch.ts'
import type { Vault } from '../../vault/api/calls.ts'
import type { ServerPlace } from './pipe-stream.ts'
import { openWebSocket } from './websocket.ts'

export interface MediaPathOptions {
  readonly vault: Vault
  readonly server: ServerPlace
  readonly session: string
  readonly hop: number
  readonly scheduler: Scheduler
  readonly media: (c: MediaCommand) => void
  readonly report?: (fault: Fault) => void
}

/** Started beside UDP; the media thread chooses. When it breaks the media thread is told. Gives a function that closes it. */
export async function openMediaPath(o: MediaPathOptions): Promise<() => void> {
  const opened = await openWebSocket(o.vault, o.server, `/media?session=${encodeURIComponent(o.session)}`, 'stc.media.v1')
  if (!opened.ok) {
    o.report?.(opened.fault)
    return () => {}
  }
  const { socket } = opened.value
  const { port1, port2 } = new MessageChannel()
  const batch = new PacketBatch({
    scheduler: o.scheduler,
    write: (message, done) => socket.send(message, (e) => {
      if (e === undefined || e === null) done()
    }),
  })
  port1.on('message', (packet: Uint8Array) => batch.push(packet))
  socket.on('message', (data: Buffer) => {
    const packets = splitBatch(data)
    if (packets === undefined) return socket.terminate()
    for (const packet of packets) port1.postMessage(new Uint8Array(packet))
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    port1.close()
    o.media({ op: 'hop.tls', hop: o.hop, port: undefined })
  })
  o.media({ op: 'hop.tls', hop: o.hop, port: port2 })
  return () => socket.close()
}
