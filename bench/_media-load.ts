/**
 * Clients of a media plane, generator and sink in one process of its own: each talking client sends 50 packets a second at
 * a random phase. What arrives is counted; a sample of the clients opens everything it gets and compares it.
 */
import { must } from '../src/base/result.ts'
import type { LegSpec } from '../src/media/plane/types.ts'
import { createNativeCrypto } from '../src/crypto/native/index.ts'
import type { SrtpKeys } from '../src/media/api.ts'
import { CHALLENGE, PROBE, readPathMessage, RESPONSE, writePathMessage } from '../src/media/hop/path-message.ts'
import type { AddressPort } from '../src/net/address.ts'
import { NativeLoop } from '../src/net/native/index.ts'
import type { NativeSocket } from '../src/net/native/socket.ts'
import { looksLikeRtcp } from '../src/protocol/rtp/header.ts'
import { readU32, writeU16, writeU32 } from '../src/protocol/rtp/octets.ts'
import { createSrtpReceiver, type SrtpReceiver } from '../src/protocol/srtp/receiver.ts'
import { createSrtpSender, type SrtpSender } from '../src/protocol/srtp/sender.ts'
import { legSpec } from '../test/kit/media-client.ts'
import { quantile } from './_args.ts'

export interface LoadPlan {
  readonly clients: number
  /** The first so many talk. */
  readonly talking: number
  readonly suite: SrtpKeys['suite']
  /** Clients whose packets are opened and compared. */
  readonly sample: number
}
export type LoadOrder =
  | { readonly kind: 'prepare'; readonly plan: LoadPlan }
  | { readonly kind: 'settle'; readonly server: AddressPort }
  | { readonly kind: 'run'; readonly ms: number }
  /** Nobody talks; everybody asks every 5 s whether the way works. */
  | { readonly kind: 'idle'; readonly ms: number }
  | { readonly kind: 'stop' }
export type LoadReport =
  | { readonly kind: 'prepared'; readonly specs: readonly LegSpec[] }
  | { readonly kind: 'settled' }
  | ({ readonly kind: 'ran' } & LoadFigures)
  | { readonly kind: 'failed'; readonly message: string }

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

const PERIOD_MS = 20
const PROBE_MS = 5000
const PAYLOAD = 180
const SHARED_SOCKETS = 8
const MAX_DELAYS = 200_000
export const streamOf = (client: number): number => 0x1000_0000 + client
const probeOf = (client: number): number => 0x2000_0000 + client

interface Client {
  readonly spec: LegSpec
  readonly socket: NativeSocket
  readonly sender: SrtpSender
  readonly receiver: SrtpReceiver
  readonly sampled: boolean
  readonly phaseMs: number
  sequence: number
  settled: boolean
}

const crypto = must(createNativeCrypto())
const loop = must(NativeLoop.open({ gatherMs: 0, sendSlots: 8192 }))
for (const m of [loop.incoming.memory, loop.outgoing.memory]) crypto.handleInPlace(m)
let clients: Client[] = []
let talkers: Client[] = []
let server: AddressPort = { address: '127.0.0.1', port: 0 }
let received = 0
let opened = 0
let wrong = 0
let delays: number[] = []
const now = (): number => loop.exactNow()

function prepare(plan: LoadPlan): void {
  const bind = (): NativeSocket => must(loop.bind({ address: '127.0.0.1', port: 0 }, { bufferOctets: 32 << 20 }))
  const shared = Array.from({ length: SHARED_SOCKETS }, bind)
  const step = Math.max(1, Math.floor(plan.clients / Math.max(1, plan.sample)))
  clients = Array.from({ length: plan.clients }, (_, i) => {
    const spec = legSpec(crypto, probeOf(i), 1, plan.suite)
    const sampled = i % step === 0 && i / step < plan.sample
    return {
      spec, sampled, socket: sampled ? bind() : shared[i % SHARED_SOCKETS]!, sequence: 1, settled: false, phaseMs: Math.random() * PERIOD_MS,
      sender: must(createSrtpSender(crypto, spec.receive)), receiver: must(createSrtpReceiver(crypto, spec.send)),
    }
  })
  talkers = clients.slice(0, plan.talking).sort((a, b) => a.phaseMs - b.phaseMs)
  for (const s of new Set(clients.map((c) => c.socket))) {
    const owner = clients.find((c) => c.sampled && c.socket === s)
    s.onMessage((data) => arrived(data, owner))
  }
}

const clock = new DataView(new ArrayBuffer(8))
function arrived(data: Uint8Array, owner: Client | undefined): void {
  if (data.length >= 8 && looksLikeRtcp(data, data.length)) return control(data)
  received++
  if (owner === undefined) return
  const length = owner.receiver.unprotect(data, data.length)
  opened++
  if (length !== 12 + PAYLOAD) {
    wrong++
    return
  }
  // Timestamp of sending ‖ the stream's own octet.
  for (let i = 0; i < 8; i++) clock.setUint8(i, data[12 + i]!)
  const filler = data[11]! & 0xff
  for (let i = 20; i < length; i++) if (data[i] !== filler) {
    wrong++
    return
  }
  if (delays.length < MAX_DELAYS) delays.push(now() - clock.getFloat64(0))
}

const message = new Uint8Array(128)
function control(data: Uint8Array): void {
  const c = clients[readU32(data, 4) - probeOf(0)]
  if (c === undefined) return
  const length = c.receiver.unprotectRtcp(data, data.length)
  const m = length < 0 ? undefined : readPathMessage(data.subarray(0, length))
  if (m?.ok !== true) return
  if (m.value.subtype === CHALLENGE) say(c, RESPONSE, m.value.token)
  else c.settled = true
}
function say(c: Client, subtype: typeof PROBE | typeof RESPONSE, token: Uint8Array): void {
  const length = c.sender.protectRtcp(message, writePathMessage(message, { subtype, ssrc: c.spec.probe, token, use: true }))
  c.socket.send(message.subarray(0, length), server)
}

function settle(): void {
  const token = new Uint8Array(8)
  const end = now() + 60_000
  for (const c of clients) {
    say(c, PROBE, token)
    loop.turn(0)
  }
  // The second probe comes from an address that was proved: its answer says so.
  for (const again of [false, true]) {
    if (again) for (const c of clients) c.settled = false
    while (clients.some((c) => !c.settled)) {
      if (now() > end) throw new Error(`${clients.filter((c) => !c.settled).length} clients did not get through`)
      for (const c of clients) if (!c.settled) say(c, PROBE, token)
      const pause = now() + 120
      while (now() < pause) loop.turn(5)
    }
  }
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
  clock.setFloat64(0, now())
  for (let k = 0; k < 8; k++) slot[12 + k] = clock.getUint8(k)
  slot.fill(streamOf(i) & 0xff, 20, 12 + PAYLOAD)
  c.socket.sendSlot(c.sender.protect(slot, 12 + PAYLOAD), server)
}

function idle(ms: number): void {
  const token = new Uint8Array(8)
  const begin = now()
  let next = 0
  while (now() < begin + ms) {
    while (next < ((now() - begin) / PROBE_MS) * clients.length) say(clients[next++ % clients.length]!, PROBE, token)
    loop.turn(2)
  }
}

function run(ms: number): LoadFigures {
  received = opened = wrong = 0
  delays = []
  let sent = 0
  const cpu = process.cpuUsage()
  const begin = now()
  let period = begin
  let next = 0
  while (period + PERIOD_MS <= begin + ms + 0.001) {
    const at = now() - period
    while (next < talkers.length && talkers[next]!.phaseMs <= at) {
      sendOne(talkers[next++]!)
      sent++
    }
    if (next === talkers.length && at >= PERIOD_MS) {
      next = 0
      period += PERIOD_MS
      continue
    }
    loop.turn(1)
  }
  const drained = now() + 300
  while (now() < drained) loop.turn(5)
  const { user, system } = process.cpuUsage(cpu)
  return { sent, received, cpuMs: (user + system) / 1000, opened, wrong, delayMedianMs: quantile(delays, 0.5), delayP99Ms: quantile(delays, 0.99), elapsedMs: now() - begin - 300 }
}

function obey(o: LoadOrder): LoadReport | undefined {
  switch (o.kind) {
    case 'prepare':
      prepare(o.plan)
      return { kind: 'prepared', specs: clients.map((c) => c.spec) }
    case 'settle':
      server = o.server
      settle()
      return { kind: 'settled' }
    case 'run': return { kind: 'ran', ...run(o.ms) }
    case 'idle':
      idle(o.ms)
      return { kind: 'ran', ...run(0) }
    case 'stop':
      process.disconnect?.()
      return undefined
  }
}

if (process.send !== undefined) {
  process.on('message', (o: LoadOrder) => {
    try {
      const r = obey(o)
      if (r !== undefined) process.send!(r)
    } catch (e) {
      process.send!({ kind: 'failed', message: String(e) } satisfies LoadReport)
    }
  })
}
