/**
 * Bridged calls seen from both sides, generator and sink in one process: SRTP clients at one end of a relay, plain peers at
 * the other, 50 packets a second each way at random phases. Plain packets are all checked, protected ones by sample.
 */
import { must } from '../src/base/result.ts'
import { createNativeCrypto } from '../src/crypto/native/index.ts'
import type { SrtpKeys } from '../src/media/api.ts'
import { CHALLENGE, PROBE, readPathMessage, RESPONSE, writePathMessage } from '../src/media/hop/path-message.ts'
import type { LegSpec } from '../src/media/plane/types.ts'
import type { AddressPort } from '../src/net/address.ts'
import { NativeLoop } from '../src/net/native/index.ts'
import type { NativeSocket } from '../src/net/native/socket.ts'
import { looksLikeRtcp } from '../src/protocol/rtp/header.ts'
import { readU32, writeU16, writeU32 } from '../src/protocol/rtp/octets.ts'
import { createSrtpReceiver, type SrtpReceiver } from '../src/protocol/srtp/receiver.ts'
import { createSrtpSender, type SrtpSender } from '../src/protocol/srtp/sender.ts'
import { legSpec } from '../test/kit/media-client.ts'
import { quantile } from './_args.ts'
import type { LoadFigures } from './_media-load.ts'

export const upOf = (call: number): number => 0x1000_0000 + call
export const probeOf = (call: number): number => 0x2000_0000 + call
export const downOf = (call: number): number => 0x3000_0000 + call

/** Where the relay takes one call's packets; `keys`: what it protects with, where it chose that itself. */
export interface CallPlaces {
  readonly hop: AddressPort
  readonly plain: AddressPort
  readonly keys?: SrtpKeys
}
export type BridgeOrder =
  | { readonly kind: 'prepare'; readonly calls: number; readonly suite: SrtpKeys['suite']; readonly sample: number }
  | { readonly kind: 'connect'; readonly places: readonly CallPlaces[]; readonly probe: boolean }
  | { readonly kind: 'run'; readonly ms: number }
  | { readonly kind: 'stop' }
export type BridgeReport =
  | { readonly kind: 'prepared'; readonly calls: readonly { readonly spec: LegSpec; readonly client: AddressPort; readonly peer: AddressPort }[] }
  | { readonly kind: 'connected' }
  | ({ readonly kind: 'ran' } & LoadFigures)
  | { readonly kind: 'failed'; readonly message: string }

const PERIOD_MS = 20
const PAYLOAD = 160
const PACKET = 12 + PAYLOAD
const SHARED = 8
const MAX_DELAYS = 400_000

interface Call {
  readonly n: number
  readonly spec: LegSpec
  readonly client: NativeSocket
  readonly peer: NativeSocket
  readonly sender: SrtpSender
  receiver: SrtpReceiver
  readonly sampled: boolean
  places: CallPlaces
  sequence: number
  settled: boolean
}
interface Due {
  readonly phaseMs: number
  readonly call: Call
  readonly up: boolean
}

const crypto = must(createNativeCrypto())
const loop = must(NativeLoop.open({ gatherMs: 0, sendSlots: 8192 }))
for (const m of [loop.incoming.memory, loop.outgoing.memory]) crypto.handleInPlace(m)
let calls: Call[] = []
let due: Due[] = []
let received = 0
let opened = 0
let wrong = 0
let delays: number[] = []
const clock = new DataView(new ArrayBuffer(8))
const now = (): number => loop.exactNow()

function prepare(count: number, suite: SrtpKeys['suite'], sample: number): void {
  const bind = (): NativeSocket => must(loop.bind({ address: '127.0.0.1', port: 0 }, { bufferOctets: 32 << 20 }))
  const clients = Array.from({ length: SHARED }, bind)
  const peers = Array.from({ length: SHARED }, bind)
  const nowhere = { address: '127.0.0.1', port: 9 }
  const step = Math.max(1, Math.floor(count / sample))
  calls = Array.from({ length: count }, (_, n) => {
    const spec = legSpec(crypto, probeOf(n), 1, suite)
    return {
      n, spec, client: clients[n % SHARED]!, peer: peers[n % SHARED]!, sampled: n % step === 0, places: { hop: nowhere, plain: nowhere }, sequence: 1, settled: false,
      sender: must(createSrtpSender(crypto, spec.receive)), receiver: must(createSrtpReceiver(crypto, spec.send)),
    }
  })
  due = calls.flatMap((call) => [true, false].map((up) => ({ call, up, phaseMs: Math.random() * PERIOD_MS }))).sort((a, b) => a.phaseMs - b.phaseMs)
  for (const c of clients) c.onMessage((data) => (data.length >= 8 && looksLikeRtcp(data, data.length) ? control(data) : fromHop(data)))
  for (const p of peers) p.onMessage((data) => (data.length >= 8 && looksLikeRtcp(data, data.length) ? undefined : plain(data, data.length)))
}
function fromHop(data: Uint8Array): void {
  const call = data.length < 12 ? undefined : calls[readU32(data, 8) - downOf(0)]
  if (call === undefined) {
    wrong++
    return
  }
  if (!call.sampled) {
    received++
    return
  }
  opened++
  plain(data, call.receiver.unprotect(data, data.length))
}
/** Time of sending (8) ‖ call (4) ‖ the call's own octet. */
function plain(data: Uint8Array, length: number): void {
  received++
  const n = length === PACKET ? readU32(data, 20) : -1
  let good = calls[n] !== undefined
  const filler = n & 0xff
  for (let i = 24; good && i < PACKET; i++) good = data[i] === filler
  if (!good) {
    wrong++
    return
  }
  for (let i = 0; i < 8; i++) clock.setUint8(i, data[12 + i]!)
  if (delays.length < MAX_DELAYS) delays.push(now() - clock.getFloat64(0))
}

const message = new Uint8Array(128)
function control(data: Uint8Array): void {
  const c = calls[readU32(data, 4) - probeOf(0)]
  if (c === undefined) return
  const length = c.receiver.unprotectRtcp(data, data.length)
  const m = length < 0 ? undefined : readPathMessage(data.subarray(0, length))
  if (m?.ok !== true) return
  if (m.value.subtype === CHALLENGE) say(c, RESPONSE, m.value.token)
  else c.settled = true
}
function say(c: Call, subtype: typeof PROBE | typeof RESPONSE, token: Uint8Array): void {
  const length = c.sender.protectRtcp(message, writePathMessage(message, { subtype, ssrc: c.spec.probe, token, use: true }))
  c.client.send(message.subarray(0, length), c.places.hop)
}
function connect(places: readonly CallPlaces[], probe: boolean): void {
  for (const c of calls) {
    c.places = places[c.n]!
    if (c.places.keys !== undefined) c.receiver = must(createSrtpReceiver(crypto, c.places.keys))
  }
  const end = now() + 60_000
  const token = new Uint8Array(8)
  for (const again of probe ? [false, true] : []) {
    if (again) for (const c of calls) c.settled = false
    while (calls.some((c) => !c.settled)) {
      if (now() > end) throw new Error(`${calls.filter((c) => !c.settled).length} clients did not get through`)
      for (const c of calls) if (!c.settled) say(c, PROBE, token)
      const pause = now() + 120
      while (now() < pause) loop.turn(5)
    }
  }
}

function sendOne({ call: c, up }: Due): void {
  const socket = up ? c.client : c.peer
  const slot = socket.slot()
  slot[0] = 0x80
  slot[1] = 0
  writeU16(slot, 2, c.sequence & 0xffff)
  writeU32(slot, 4, (c.sequence * 160) >>> 0)
  writeU32(slot, 8, up ? upOf(c.n) : downOf(c.n))
  clock.setFloat64(0, now())
  for (let k = 0; k < 8; k++) slot[12 + k] = clock.getUint8(k)
  writeU32(slot, 20, c.n)
  slot.fill(c.n & 0xff, 24, PACKET)
  socket.sendSlot(up ? c.sender.protect(slot, PACKET) : PACKET, up ? c.places.hop : c.places.plain)
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
    while (next < due.length && due[next]!.phaseMs <= at) {
      sendOne(due[next++]!)
      sent++
    }
    if (next === due.length && at >= PERIOD_MS) {
      next = 0
      period += PERIOD_MS
      for (const c of calls) c.sequence++
      continue
    }
    loop.turn(1)
  }
  const drained = now() + 300
  while (now() < drained) loop.turn(5)
  const { user, system } = process.cpuUsage(cpu)
  return { sent, received, cpuMs: (user + system) / 1000, opened, wrong, delayMedianMs: quantile(delays, 0.5), delayP99Ms: quantile(delays, 0.99), elapsedMs: now() - begin - 300 }
}

function obey(o: BridgeOrder): BridgeReport | undefined {
  switch (o.kind) {
    case 'prepare':
      prepare(o.calls, o.suite, o.sample)
      return { kind: 'prepared', calls: calls.map((c) => ({ spec: c.spec, client: c.client.local, peer: c.peer.local })) }
    case 'connect':
      connect(o.places, o.probe)
      return { kind: 'connected' }
    case 'run': return { kind: 'ran', ...run(o.ms) }
    case 'stop':
      process.disconnect?.()
      return undefined
  }
}

if (process.send !== undefined) {
  process.on('message', (o: BridgeOrder) => {
    try {
      const r = obey(o)
      if (r !== undefined) process.send!(r)
    } catch (e) {
      process.send!({ kind: 'failed', message: String(e) } satisfies BridgeReport)
    }
  })
}
