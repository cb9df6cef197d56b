/**
 * Bridged calls seen from both sides, generator and sink in one process: SRTP clients at one end of a relay, plain peers at
 * the other, 50 packets a second each way at random phases. Plain packets are all checked, protected ones by sample.
 */
import { must } from '../src/base/result.ts'
import type { SrtpKeys } from '../src/media/api.ts'
import type { LegSpec } from '../src/media/plane/types.ts'
import type { AddressPort } from '../src/net/address.ts'
import type { NativeSocket } from '../src/net/native/index.ts'
import { readU32, writeU16, writeU32 } from '../src/protocol/rtp/octets.ts'
import { createSrtpReceiver } from '../src/protocol/srtp/receiver.ts'
import { createSrtpSender } from '../src/protocol/srtp/sender.ts'
import { legSpec } from '../test/kit/media-client.ts'
import { bind, byPhase, control, count, crypto, delivered, type Due, type HopClient, isRtcp, type LoadFigures, PERIOD_MS, run, serve, settle, stamp, stampedAt } from './_ends.ts'

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

const PAYLOAD = 160
const PACKET = 12 + PAYLOAD
const SHARED = 8

interface Call extends HopClient {
  readonly n: number
  readonly peer: NativeSocket
  readonly sampled: boolean
  places: CallPlaces
  sequence: number
}
interface Packet extends Due {
  readonly call: Call
  readonly up: boolean
}

let calls: Call[] = []
let due: Packet[] = []
const serverOf = (c: HopClient): AddressPort => (c as Call).places.hop

function prepare(number: number, suite: SrtpKeys['suite'], sample: number): void {
  const clients = Array.from({ length: SHARED }, () => bind())
  const peers = Array.from({ length: SHARED }, () => bind())
  const nowhere = { address: '127.0.0.1', port: 9 }
  const step = Math.max(1, Math.floor(number / sample))
  calls = Array.from({ length: number }, (_, n) => {
    const spec = legSpec(crypto, probeOf(n), 1, suite)
    return {
      n, spec, socket: clients[n % SHARED]!, peer: peers[n % SHARED]!, sampled: n % step === 0, places: { hop: nowhere, plain: nowhere }, sequence: 1, settled: false,
      sender: must(createSrtpSender(crypto, spec.receive)), receiver: must(createSrtpReceiver(crypto, spec.send)),
    }
  })
  due = byPhase(calls.flatMap((call) => [true, false].map((up) => ({ call, up, phaseMs: Math.random() * PERIOD_MS }))))
  for (const c of clients) c.onMessage((data) => (isRtcp(data) ? void control(data, (probe) => calls[probe - probeOf(0)], serverOf) : fromHop(data)))
  for (const p of peers) p.onMessage((data) => (isRtcp(data) ? undefined : plain(data, data.length)))
}
function fromHop(data: Uint8Array): void {
  const call = data.length < 12 ? undefined : calls[readU32(data, 8) - downOf(0)]
  if (call === undefined) {
    count.wrong++
    return
  }
  if (!call.sampled) {
    count.received++
    return
  }
  count.opened++
  plain(data, call.receiver.unprotect(data, data.length))
}
/** Time of sending (8) ‖ call (4) ‖ the call's own octet. */
function plain(data: Uint8Array, length: number): void {
  count.received++
  const n = length === PACKET ? readU32(data, 20) : -1
  let good = calls[n] !== undefined
  const filler = n & 0xff
  for (let i = 24; good && i < PACKET; i++) good = data[i] === filler
  if (good) delivered(stampedAt(data, 12))
  else count.wrong++
}

function connect(places: readonly CallPlaces[], probe: boolean): void {
  for (const c of calls) {
    c.places = places[c.n]!
    if (c.places.keys !== undefined) c.receiver = must(createSrtpReceiver(crypto, c.places.keys))
  }
  if (probe) settle(calls, serverOf)
}

function sendOne({ call: c, up }: Packet): void {
  const socket = up ? c.socket : c.peer
  const slot = socket.slot()
  slot[0] = 0x80
  slot[1] = 0
  writeU16(slot, 2, c.sequence & 0xffff)
  writeU32(slot, 4, (c.sequence * 160) >>> 0)
  writeU32(slot, 8, up ? upOf(c.n) : downOf(c.n))
  stamp(slot, 12)
  writeU32(slot, 20, c.n)
  slot.fill(c.n & 0xff, 24, PACKET)
  socket.sendSlot(up ? c.sender.protect(slot, PACKET) : PACKET, up ? c.places.hop : c.places.plain)
}

serve<BridgeOrder, BridgeReport>((o) => {
  switch (o.kind) {
    case 'prepare':
      prepare(o.calls, o.suite, o.sample)
      return { kind: 'prepared', calls: calls.map((c) => ({ spec: c.spec, client: c.socket.local, peer: c.peer.local })) }
    case 'connect':
      connect(o.places, o.probe)
      return { kind: 'connected' }
    case 'run': return { kind: 'ran', ...run(o.ms, due, sendOne, () => {
      for (const c of calls) c.sequence++
    }) }
    case 'stop': return undefined
  }
})
