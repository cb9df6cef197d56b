/**
 * Clients of a media plane, generator and sink in one process of its own: each sending client sends its packets, 50 a second as a rule, at
 * a random phase. What arrives is counted; a sample of the clients opens everything it gets and compares it.
 */
import { must } from '../src/base/result.ts'
import type { LegSpec } from '../src/media/plane/types.ts'
import type { SrtpKeys } from '../src/media/api.ts'
import { PROBE } from '../src/media/hop/path-message.ts'
import type { AddressPort } from '../src/net/address.ts'
import type { NativeSocket } from '../src/net/native/index.ts'
import { LEVEL_EXTENSION, steppedLevel } from '../src/protocol/rtp/level-steps.ts'
import { writeAudioLevel } from '../src/protocol/rtp/extension.ts'
import { readU32, writeU16, writeU32 } from '../src/protocol/rtp/octets.ts'
import { createSrtpReceiver } from '../src/protocol/srtp/receiver.ts'
import { createSrtpSender } from '../src/protocol/srtp/sender.ts'
import { legSpec } from '../test/kit/media-client.ts'
import { quantile } from './_args.ts'
import { bind, byPhase, control, count, crypto, delivered, type Due, type HopClient, isRtcp, type LoadFigures, loop, now, PERIOD_MS, run, say, serve, settle, stamp, stampedAt } from './_ends.ts'

export interface LoadPlan {
  readonly clients: number
  /** The first so many talk. */
  readonly talking: number
  /** So many send, at the same rate and, as members of a `loudest` room do, with a level; those who do not talk send silence. Left out: who talks, without a level. */
  readonly sending?: number
  /** Between the packets of one client; left out: 20. */
  readonly periodMs?: number
  readonly suite: SrtpKeys['suite']
  /** Clients whose packets are opened and compared; these can move. */
  readonly sample: number
}
export type LoadOrder =
  | { readonly kind: 'prepare'; readonly plan: LoadPlan }
  | { readonly kind: 'settle'; readonly server: AddressPort }
  | { readonly kind: 'run'; readonly ms: number }
  /** Everybody talks, and one after the other of the sample gets another address without a word, one each `everyMs`. */
  | { readonly kind: 'rebind'; readonly ms: number; readonly everyMs: number }
  /** Nobody talks; everybody asks every 5 s whether the way works. */
  | { readonly kind: 'idle'; readonly ms: number }
  | { readonly kind: 'stop' }
export type LoadReport =
  | { readonly kind: 'prepared'; readonly specs: readonly LegSpec[] }
  | { readonly kind: 'settled' }
  | ({ readonly kind: 'ran' } & LoadFigures)
  | ({ readonly kind: 'moved' } & LoadFigures & MoveFigures)
  | { readonly kind: 'failed'; readonly message: string }

export interface MoveFigures {
  readonly moves: number
  /** From the first packet by the new address to the answered challenge, ms. */
  readonly challengedMedianMs: number
  readonly challengedP99Ms: number
  /** Packets that still went to old addresses, and those of them that were sent later than one packet's time after the challenge was answered. */
  readonly toOld: number
  readonly lost: number
}

const PROBE_MS = 5000
const PAYLOAD = 180
const SHARED_SOCKETS = 8
/** −dBov. */
const LOUD = 20
const SILENT = 127
export const streamOf = (client: number): number => 0x1000_0000 + client
const probeOf = (client: number): number => 0x2000_0000 + client

interface Client extends HopClient, Due {
  socket: NativeSocket
  readonly sampled: boolean
  sequence: number
  movedAt: number
  answeredAt: number
}

let clients: Client[] = []
let senders: Client[] = []
let periodMs = PERIOD_MS
/** Each client's level where there is one. */
let levels: readonly number[] | undefined
let server: AddressPort = { address: '127.0.0.1', port: 0 }
const serverOf = (): AddressPort => server
const moved = { challenged: [] as number[], toOld: 0, lost: 0, moves: 0 }

function prepare(plan: LoadPlan): void {
  const shared = Array.from({ length: SHARED_SOCKETS }, () => bind())
  const step = Math.max(1, Math.floor(plan.clients / Math.max(1, plan.sample)))
  periodMs = plan.periodMs ?? PERIOD_MS
  levels = plan.sending === undefined ? undefined : Array.from({ length: plan.clients }, (_, i) => steppedLevel(i < plan.talking ? LOUD : SILENT))
  clients = Array.from({ length: plan.clients }, (_, i) => {
    const spec = legSpec(crypto, probeOf(i), 1, plan.suite)
    const sampled = i % step === 0 && i / step < plan.sample
    return {
      spec, sampled, socket: sampled ? bind() : shared[i % SHARED_SOCKETS]!, sequence: 1, settled: false, phaseMs: Math.random() * periodMs, movedAt: 0, answeredAt: 0,
      sender: must(createSrtpSender(crypto, spec.receive)), receiver: must(createSrtpReceiver(crypto, spec.send)),
    }
  })
  senders = byPhase(clients.slice(0, plan.sending ?? plan.talking))
  for (const s of shared) s.onMessage((data) => (isRtcp(data) ? path(data) : void count.received++))
  for (const c of clients) if (c.sampled) listen(c)
}
function listen(c: Client): void {
  const { socket } = c
  socket.onMessage((data) => (isRtcp(data) ? path(data) : arrived(data, c, socket)))
}
function path(data: Uint8Array): void {
  const c = clients[readU32(data, 4) - probeOf(0)]
  if (control(data, () => c, serverOf) && c !== undefined && c.movedAt > 0 && c.answeredAt < c.movedAt) {
    c.answeredAt = now()
    moved.challenged.push(c.answeredAt - c.movedAt)
  }
}
/** Time of sending (8) ‖ the stream's own octet. */
function arrived(data: Uint8Array, c: Client, socket: NativeSocket): void {
  count.received++
  count.opened++
  const length = c.receiver.unprotect(data, data.length)
  const filler = data[11]! & 0xff
  let good = length === 12 + PAYLOAD
  for (let i = 20; good && i < length; i++) good = data[i] === filler
  if (!good) {
    count.wrong++
    return
  }
  const at = stampedAt(data, 12)
  delivered(at)
  if (socket === c.socket) return
  moved.toOld++
  if (c.answeredAt > c.movedAt && at > c.answeredAt + PERIOD_MS) moved.lost++
}

function sendOne(c: Client): void {
  const slot = c.socket.slot()
  const i = c.spec.probe - probeOf(0)
  slot[0] = 0x80
  slot[1] = 96
  writeU16(slot, 2, c.sequence & 0xffff)
  writeU32(slot, 4, (c.sequence * 160) >>> 0)
  writeU32(slot, 8, streamOf(i))
  c.sequence++
  const at = levels === undefined ? 12 : writeAudioLevel(slot, 12, LEVEL_EXTENSION, levels[i]!, false)
  stamp(slot, at)
  slot.fill(streamOf(i) & 0xff, at + 8, at + PAYLOAD)
  c.socket.sendSlot(c.sender.protect(slot, at + PAYLOAD), server)
}

function idle(ms: number): void {
  const token = new Uint8Array(8)
  const begin = now()
  let next = 0
  while (now() < begin + ms) {
    while (next < ((now() - begin) / PROBE_MS) * clients.length) say(clients[next++ % clients.length]!, PROBE, token, server)
    loop.turn(2)
  }
}

/** Old sockets stay: what still goes there is counted, not lost sight of. */
function rebind(ms: number, everyMs: number): LoadFigures & MoveFigures {
  Object.assign(moved, { challenged: [], toOld: 0, lost: 0, moves: 0 })
  const movable = clients.filter((c) => c.sampled && senders.includes(c))
  const begin = now()
  const figures = run(ms, senders, sendOne, () => {
    // The last ones have time to arrive.
    if (now() - begin < moved.moves * everyMs || now() - begin > ms - 500) return
    const c = movable[moved.moves++ % movable.length]!
    c.socket = bind(1 << 20)
    listen(c)
    c.movedAt = now()
  })
  return { ...figures, moves: moved.moves, challengedMedianMs: quantile(moved.challenged, 0.5), challengedP99Ms: quantile(moved.challenged, 0.99), toOld: moved.toOld, lost: moved.lost + moved.moves - moved.challenged.length }
}

serve<LoadOrder, LoadReport>((o) => {
  switch (o.kind) {
    case 'prepare':
      prepare(o.plan)
      return { kind: 'prepared', specs: clients.map((c) => c.spec) }
    case 'settle':
      server = o.server
      settle(clients, serverOf)
      return { kind: 'settled' }
    case 'run': return { kind: 'ran', ...run(o.ms, senders, sendOne, () => {}, periodMs) }
    case 'rebind': return { kind: 'moved', ...rebind(o.ms, o.everyMs) }
    case 'idle':
      idle(o.ms)
      return { kind: 'ran', ...run(0, senders, sendOne) }
    case 'stop': return undefined
  }
})
