/**
 * Silent clients in a process of their own: each has its channel (TCP, TLS 1.3 with its certificate, WebSocket, greeting) and its hop (keys
 * agreed on the channel, place proved by path messages), and says every 5 s on both that it is there, as clients do.
 */
import { type IdleClient, openIdle } from './_idle-client.ts'
import { preferVoice } from '../src/cli/priority.ts'
import { nodeUdp } from '../src/net/node-udp.ts'
import { looksLikeRtcp } from '../src/protocol/rtp/header.ts'
import { readU32 } from '../src/protocol/rtp/octets.ts'
import type { AddressPort } from '../src/net/address.ts'
import type { UdpSocket } from '../src/net/udp.ts'
import { pause } from './_args.ts'

export type ChannelsOrder =
  | { readonly kind: 'connect'; readonly server: AddressPort; readonly certificate: string; readonly key: string; readonly clients: number; readonly atOnce: number }
  | { readonly kind: 'talk'; readonly on: boolean }
  | { readonly kind: 'count' }
  | { readonly kind: 'stop' }
export type ChannelsReport =
  | { readonly kind: 'connected'; readonly clients: number }
  | { readonly kind: 'counted'; readonly open: number; readonly pongs: number; readonly echoes: number }
  | { readonly kind: 'failed'; readonly message: string }

const SAY_MS = 5000
const TICK_MS = 20
const SOCKETS = 4

// As the server's processes: what starves is the bench otherwise.
preferVoice()

const report = (r: ChannelsReport): void => void process.send?.(r)
const clients: IdleClient[] = []
const byProbe = new Map<number, IdleClient>()
let talking = true
let next = 0
let saidAt = performance.now()

async function connect(o: Extract<ChannelsOrder, { kind: 'connect' }>): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => nodeUdp({ bufferOctets: 4 << 20 }).bind({ address: '127.0.0.1', port: 0 })))
  for (const s of sockets) s.onMessage((data, from) => {
    if (data.length >= 8 && looksLikeRtcp(data, data.length)) byProbe.get(readU32(data, 4))?.media.take(data, from)
  })
  setInterval(say, TICK_MS)
  // Who was turned away, or was cut off while others took the processor, begins anew: the server wants to hear of each every 15 s.
  for (let missing = o.clients; missing > 0; missing = o.clients - clients.length) {
    await connectMore(o, sockets, missing)
    while (unproved().length > 0) {
      for (const c of unproved()) c.media.probe()
      await pause(500)
    }
    for (const c of clients.splice(0)) {
      if (c.open) clients.push(c)
      else byProbe.delete(c.media.spec.probe)
    }
  }
  report({ kind: 'connected', clients: clients.length })
}
const unproved = (): IdleClient[] => clients.filter((c) => c.open && c.media.messages.length === 0)

async function connectMore(o: Extract<ChannelsOrder, { kind: 'connect' }>, sockets: readonly UdpSocket[], wanted: number): Promise<void> {
  let begun = 0
  const worker = async (): Promise<void> => {
    while (begun < wanted) {
      const n = begun++
      const client = await openIdle(o, { ...sockets[n % SOCKETS]!, onMessage: () => {} }).catch(() => undefined)
      if (client === undefined) continue
      clients.push(client)
      byProbe.set(client.media.spec.probe, client)
      client.media.probe()
    }
  }
  await Promise.all(Array.from({ length: o.atOnce }, worker))
}
/** Spread evenly, one after the other, by the time that has passed: ticks come late while others connect. */
function say(): void {
  const now = performance.now()
  let due = Math.min(clients.length, ((now - saidAt) * clients.length) / SAY_MS)
  saidAt = now
  if (!talking) return
  for (; due > 0 && (due >= 1 || Math.random() < due); due--) {
    const c = clients[next++ % clients.length]!
    c.ping()
    c.media.probe()
  }
}

process.on('message', (o: ChannelsOrder) => {
  if (o.kind === 'connect') connect(o).catch((e: unknown) => report({ kind: 'failed', message: e instanceof Error ? (e.stack ?? e.message) : String(e) }))
  else if (o.kind === 'talk') talking = o.on
  else if (o.kind === 'count') report({ kind: 'counted', open: clients.filter((c) => c.open).length, pongs: clients.reduce((n, c) => n + c.pongs, 0), echoes: clients.reduce((n, c) => n + c.media.messages.length, 0) })
  else process.exit(0)
})
process.on('disconnect', () => process.exit(0))
