/** What the load processes of the media benches share: the loop, path messages, packets that carry their time, and the run. */
import { must } from '../src/base/result.ts'
import { createNativeCrypto } from '../src/crypto/native/index.ts'
import { CHALLENGE, PROBE, readPathMessage, RESPONSE, writePathMessage } from '../src/media/hop/path-message.ts'
import type { LegSpec } from '../src/media/plane/types.ts'
import type { AddressPort } from '../src/net/address.ts'
import { NativeLoop, type NativeSocket } from '../src/net/native/index.ts'
import { looksLikeRtcp } from '../src/protocol/rtp/header.ts'
import { readU32 } from '../src/protocol/rtp/octets.ts'
import type { SrtpReceiver } from '../src/protocol/srtp/receiver.ts'
import type { SrtpSender } from '../src/protocol/srtp/sender.ts'
import { quantile } from './_args.ts'

export interface LoadFigures {
  readonly sent: number
  readonly received: number
  /** CPU of generator and sink, ms. */
  readonly cpuMs: number
  readonly opened: number
  readonly wrong: number
  /** From the generator's call to the sink's, ms. */
  readonly delayMedianMs: number
  readonly delayP99Ms: number
  readonly elapsedMs: number
}

/** Something that is sent once in each period, so long after its begin. */
export interface Due {
  readonly phaseMs: number
}
/** A client of a hop. */
export interface HopClient {
  readonly spec: LegSpec
  readonly socket: NativeSocket
  readonly sender: SrtpSender
  receiver: SrtpReceiver
  settled: boolean
}

export const PERIOD_MS = 20
const MAX_DELAYS = 400_000
const SETTLE_MS = 120_000
/** Between sockets that nothing comes to. */
const QUIET_MS = 300
const DRAIN_MS = 20_000

export const crypto = must(createNativeCrypto())
export const loop = must(NativeLoop.open({ gatherMs: 0, sendSlots: 8192 }))
for (const m of [loop.incoming.memory, loop.outgoing.memory]) crypto.handleInPlace(m)
export const now = (): number => loop.exactNow()
export const bind = (bufferOctets = 32 << 20): NativeSocket => must(loop.bind({ address: '127.0.0.1', port: 0 }, { bufferOctets }))
export const byPhase = <T extends Due>(all: readonly T[]): T[] => [...all].sort((a, b) => a.phaseMs - b.phaseMs)
export const isRtcp = (data: Uint8Array): boolean => data.length >= 8 && looksLikeRtcp(data, data.length)

/** Of the run at hand. */
export const count = { received: 0, opened: 0, wrong: 0 }
let delays: number[] = []
const clock = new DataView(new ArrayBuffer(8))

/** The time of now in eight octets, at the beginning of a payload. */
export function stamp(slot: Uint8Array, at: number): void {
  clock.setFloat64(0, now())
  for (let k = 0; k < 8; k++) slot[at + k] = clock.getUint8(k)
}
export function stampedAt(data: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) clock.setUint8(i, data[at + i]!)
  return clock.getFloat64(0)
}
/** A good packet that was sent then. */
export function delivered(sentAt: number): void {
  if (delays.length < MAX_DELAYS) delays.push(now() - sentAt)
}

const message = new Uint8Array(128)
export function say(c: HopClient, subtype: typeof PROBE | typeof RESPONSE, token: Uint8Array, to: AddressPort): void {
  const length = c.sender.protectRtcp(message, writePathMessage(message, { subtype, ssrc: c.spec.probe, token, use: true }))
  c.socket.send(message.subarray(0, length), to)
}
/** A path message for one of these clients; true: it was a challenge, and is answered. */
export function control(data: Uint8Array, clientOf: (probe: number) => HopClient | undefined, serverOf: (c: HopClient) => AddressPort): boolean {
  const c = clientOf(readU32(data, 4))
  const length = c === undefined ? -1 : c.receiver.unprotectRtcp(data, data.length)
  const m = length < 0 ? undefined : readPathMessage(data.subarray(0, length))
  if (c === undefined || m?.ok !== true) return false
  c.settled = m.value.subtype !== CHALLENGE
  if (m.value.subtype === CHALLENGE) say(c, RESPONSE, m.value.token, serverOf(c))
  return m.value.subtype === CHALLENGE
}
/** Everybody proves where it is. The second probe comes from an address that was proved: its answer says so. */
export function settle(clients: readonly HopClient[], serverOf: (c: HopClient) => AddressPort): void {
  const token = new Uint8Array(8)
  const end = now() + SETTLE_MS
  for (let round = 0; round < 2; round++) {
    for (const c of clients) c.settled = false
    while (clients.some((c) => !c.settled)) {
      if (now() > end) throw new Error(`${clients.filter((c) => !c.settled).length} clients did not get through`)
      for (const [i, c] of clients.entries()) {
        if (!c.settled) say(c, PROBE, token, serverOf(c))
        if (i % 64 === 0) loop.turn(0)
      }
      wait(120)
    }
  }
}
export function wait(ms: number): void {
  const end = now() + ms
  while (now() < end) loop.turn(5)
}
/** Until nothing has come for a while: what a run left in buffers is not the next one's. */
function drain(): void {
  const end = now() + DRAIN_MS
  let before = -1
  while (count.received !== before && now() < end) {
    before = count.received
    wait(QUIET_MS)
  }
}

/** Everybody sends once in `periodMs`, `ms` long. `each` is called after every period. */
export function run<T extends Due>(ms: number, due: readonly T[], send: (d: T) => void, each: () => void = () => {}, periodMs = PERIOD_MS): LoadFigures {
  Object.assign(count, { received: 0, opened: 0, wrong: 0 })
  delays = []
  let sent = 0
  const cpu = process.cpuUsage()
  const begin = now()
  let period = begin
  let next = 0
  while (period + periodMs <= begin + ms + 0.001) {
    const at = now() - period
    while (next < due.length && due[next]!.phaseMs <= at) {
      send(due[next++]!)
      sent++
    }
    if (next === due.length && at >= periodMs) {
      next = 0
      period += periodMs
      each()
      continue
    }
    loop.turn(1)
  }
  const elapsedMs = now() - begin
  drain()
  const { user, system } = process.cpuUsage(cpu)
  return { sent, ...count, cpuMs: (user + system) / 1000, delayMedianMs: quantile(delays, 0.5), delayP99Ms: quantile(delays, 0.99), elapsedMs }
}

/** Orders of the bench that started this process, one answer each. */
export function serve<Order extends { readonly kind: string }, Report>(obey: (o: Order) => Report | undefined): void {
  if (process.send === undefined) return
  process.on('message', (o: Order) => {
    if (o.kind === 'stop') return void process.disconnect?.()
    try {
      const r = obey(o)
      if (r !== undefined) process.send!(r)
    } catch (e) {
      process.send!({ kind: 'failed', message: String(e) })
    }
  })
}
