/**
 * `npm run bench -- packets [--rooms 10:5x22,200/5,200:5] [--calls 500] [--suite gcm|gcm256|sha1] [--seconds 10]`: what the media plane does in user mode
 * for one packet, as instructions counted by the processor (`perf`): in one thread, in simulated time, without waiting for anything, so that others' work on the
 * machine hardly changes it. Rooms as in `fanout`; calls are bridged, both ways. Packets go out by real sockets to one that nobody reads;
 * those of one tick more are opened and compared.
 */
import { must } from '../src/base/result.ts'
import { instant, type Ssrc, unixTime } from '../src/base/brand.ts'
import { createNativeCrypto } from '../src/crypto/native/index.ts'
import { portablePlane } from '../src/media/plane/portable.ts'
import type { LegId, MediaPlane } from '../src/media/plane/types.ts'
import type { AddressPort } from '../src/net/address.ts'
import { NativeLoop, type NativeSocket } from '../src/net/native/index.ts'
import { writeAudioLevel } from '../src/protocol/rtp/extension.ts'
import { LEVEL_EXTENSION, steppedLevel } from '../src/protocol/rtp/level-steps.ts'
import type { BuildingSocket, UdpPort } from '../src/net/udp.ts'
import { MediaClient, legSpec } from '../test/kit/media-client.ts'
import { numberOption, option, round } from './_args.ts'
import { countInstructions } from './_instructions.ts'
import type { BenchTable } from './run.ts'

const SUITES = { gcm: 'AEAD_AES_128_GCM', gcm256: 'AEAD_AES_256_GCM', sha1: 'AES_CM_128_HMAC_SHA1_80' } as const
const PAYLOAD = new Uint8Array(180).fill(9)
const TICK_MS = 20
const MESSAGES = 16
const WARM_UP = 100
const LAST_PORT = 65_535
/** −dBov. */
const LOUD = 20
const SILENT = 127

type Row = Record<string, string | number>
type Suite = keyof typeof SUITES

/** The plane's world: its sockets are real to send by, what it receives is handed to it. */
class Stage {
  readonly loop = must(NativeLoop.open({ sendSlots: 2048 }))
  readonly crypto = must(createNativeCrypto())
  readonly sink: NativeSocket
  readonly socket: BuildingSocket
  /** Of every socket bound so far, by its port. */
  readonly listeners = new Map<number, (data: Uint8Array, from: AddressPort) => void>()
  readonly clients = new Map<number, MediaClient>()
  readonly plane: MediaPlane
  sent = 0
  now = 0
  /** What is sent is handed to whom it is for as well. */
  checking = false

  constructor() {
    for (const m of [this.loop.incoming.memory, this.loop.outgoing.memory]) this.crypto.handleInPlace(m)
    this.sink = this.#bind()
    this.socket = this.#wrapped()
    const udp: UdpPort = { bind: async (at) => this.#wrapped(at) }
    this.plane = portablePlane({ socket: this.socket, udp, crypto: this.crypto, scheduler: { now: () => instant(this.now), unix: () => unixTime(1_800_000_000), at: () => () => {} } })
  }
  #bind(at: AddressPort = { address: '127.0.0.1', port: 0 }): NativeSocket {
    const bound = this.loop.bind(at, { bufferOctets: 1 << 16 })
    if (!bound.ok) throw new Error(bound.fault.message)
    return bound.value
  }
  /** Path messages go to the client that they are for; voice goes where nobody reads it. */
  #wrapped(at?: AddressPort): BuildingSocket {
    const real = this.#bind(at)
    return {
      local: real.local, slot: () => real.slot(), close: () => real.close(),
      sendSlot: (length, to) => {
        this.sent++
        if (this.checking) this.clients.get(to.port)?.take(real.slot().slice(0, length), real.local)
        real.sendSlot(length, this.sink.local)
      },
      send: (data, to) => this.clients.get(to.port)?.take(data.slice(), real.local),
      onMessage: (listener) => void this.listeners.set(real.local.port, listener),
    }
  }
  /** A client at a place of its own, which it has proved. */
  client(n: number, suite: Suite): { readonly leg: LegId; readonly media: MediaClient; readonly at: AddressPort } {
    const spec = legSpec(this.crypto, 0x2000_0000 + n, 1, SUITES[suite])
    const at = { address: `127.0.${1 + (n >> 14)}.1`, port: LAST_PORT - (n & 0x3fff) }
    const media: MediaClient = new MediaClient(this.crypto, { local: at, send: (data) => this.give(this.socket.local.port, data, at), onMessage: () => {}, close: () => {} }, this.socket.local, spec)
    this.clients.set(at.port, media)
    const leg = must(this.plane.open(spec))
    media.probe()
    return { leg, media, at }
  }
  /** As if the system had received it. */
  give(port: number, data: Uint8Array, from: AddressPort): void {
    const room = this.loop.incoming.memory.bytes
    room.set(data)
    this.listeners.get(port)!(this.#views[data.length] ??= room.subarray(0, data.length), from)
  }
  readonly #views: Uint8Array[] = []
  flush(): void {
    this.loop.flush()
  }
  close(): void {
    this.plane.stop()
    this.sink.close()
    this.loop.close()
  }
}

interface Packet {
  readonly port: number
  readonly data: Uint8Array
  readonly from: AddressPort
}

/** `packets(tick)`: all of one tick. They are made before anything is counted. */
async function measure(stage: Stage, ticks: number, packets: (tick: number) => Packet[]): Promise<Row> {
  const play = (all: readonly Packet[][]): void => {
    for (const tick of all) {
      stage.now += TICK_MS
      let waiting = 0
      for (const p of tick) {
        stage.give(p.port, p.data, p.from)
        if (++waiting % MESSAGES === 0) stage.flush()
      }
      stage.flush()
    }
  }
  const all = Array.from({ length: WARM_UP + ticks + 1 }, (_, t) => packets(t))
  const check = all.splice(WARM_UP + ticks)
  play(all.slice(0, WARM_UP))
  const before = stage.sent
  const counted = await countInstructions(process.pid)
  const used = process.cpuUsage()
  play(all.slice(WARM_UP))
  const { user, system } = process.cpuUsage(used)
  const instructions = await counted()
  const sent = stage.sent - before
  const expected = all.slice(WARM_UP).reduce((n, t) => n + t.length, 0)
  stage.checking = true
  play(check)
  const heard = [...stage.clients.values()].flatMap((c) => c.heard)
  const wrong = heard.filter((h) => h.payload.length !== PAYLOAD.length || h.payload.some((v) => v !== PAYLOAD[0])).length + [...stage.clients.values()].reduce((n, c) => n + c.unopened, 0)
  return {
    'in': expected, out: sent, 'µs user': round(user / sent, 2), 'µs kernel': round(system / sent, 2),
    ...(instructions !== undefined && { 'instructions, user, each out': Math.round(instructions.user / sent), 'and kernel': Math.round(instructions.kernel / sent) }),
    opened: heard.length, wrong,
  }
}

async function rooms(text: string, suite: Suite, seconds: number): Promise<Row> {
  const [size = '', count = '1'] = text.split('x')
  const [members = 5, talkers = members] = size.split(/[:/]/).map(Number)
  const loudest = size.includes('/')
  const stage = new Stage()
  try {
    const sending: { readonly media: MediaClient; readonly at: AddressPort; readonly ssrc: number; readonly level: number }[] = []
    for (let room = 0; room < Number(count); room++) {
      const inside = Array.from({ length: members }, (_, i) => stage.client(room * members + i, suite))
      for (const [i, { leg, media, at }] of inside.slice(0, loudest ? members : talkers).entries()) {
        const ssrc = 0x1000_0000 + room * members + i
        must(stage.plane.route(leg, ssrc as Ssrc, inside.filter((m) => m.leg !== leg).map((m) => m.leg), loudest ? { loudest: { group: room, count: talkers } } : {}))
        sending.push({ media, at, ssrc, level: steppedLevel(i < talkers ? LOUD : SILENT) })
      }
    }
    const { port } = stage.socket.local
    const perTick = Number(count) * talkers * (members - 1)
    const packet = ({ media, ssrc, level }: (typeof sending)[number], tick: number): Uint8Array => media.rtpWith(ssrc, tick * 160, (buf, at) => {
      const from = loudest ? writeAudioLevel(buf, at, LEVEL_EXTENSION, level, false) : at
      buf.set(PAYLOAD, from)
      return from + PAYLOAD.length
    })
    const row = await measure(stage, Math.ceil((seconds * 20_000) / perTick), (tick) => sending.map((t) => ({ port, from: t.at, data: packet(t, tick) })))
    return { what: `${Number(count) > 1 ? `${count} rooms of ` : 'room of '}${members}, ${loudest ? `all send, the ${talkers} loudest pass` : `${talkers} of them send`}`, ...row }
  } finally {
    stage.close()
  }
}

async function calls(number: number, suite: Suite, seconds: number): Promise<Row> {
  const stage = new Stage()
  try {
    const all = await Promise.all(Array.from({ length: number }, async (_, n) => {
      const client = stage.client(n, suite)
      const peer = { address: '127.0.0.1', port: 20_000 + 2 * n }
      const plain = must(await stage.plane.openPlain({ bind: '127.0.0.1', peer: { rtp: peer, clockRate: 8000 } }))
      const [receive, send] = [0x1000_0000 + n, 0x3000_0000 + n]
      must(stage.plane.bridge(plain.leg, { kind: 'hop', leg: client.leg, receive: receive as Ssrc, send: send as Ssrc }))
      return { ...client, receive, peer, plain: plain.rtp.port }
    }))
    const { port } = stage.socket.local
    const plain = (n: number, tick: number): Uint8Array => {
      const packet = new Uint8Array(12 + PAYLOAD.length)
      const view = new DataView(packet.buffer)
      view.setUint32(0, (0x80 << 24) | (tick & 0xffff))
      view.setUint32(4, tick * 160)
      view.setUint32(8, 0x5000_0000 + n)
      packet.set(PAYLOAD, 12)
      return packet
    }
    const row = await measure(stage, Math.ceil((seconds * 10_000) / number), (tick) => all.flatMap((c, n) => [
      { port, from: c.at, data: c.media.rtp(c.receive, tick * 160, PAYLOAD) }, { port: c.plain, from: c.peer, data: plain(n, tick) },
    ]))
    return { what: `${number} bridged calls`, ...row }
  } finally {
    stage.close()
  }
}

export async function run(args: readonly string[]): Promise<BenchTable> {
  const suite = (option(args, 'suite') ?? 'gcm') as Suite
  const seconds = numberOption(args, 'seconds', 10)
  const rows: Row[] = []
  for (const shape of (option(args, 'rooms') ?? '10:5x22,10x11,50/5x4,200/5,200:5,1000/5,1000:5').split(',').filter((s) => s !== '')) rows.push(await rooms(shape, suite, seconds))
  const bridged = numberOption(args, 'calls', 500)
  if (bridged > 0) rows.push(await calls(bridged, suite, seconds))
  return { name: `packets, ${SUITES[suite]}`, rows, remarks: ['one thread, everything at once; what the socket that nobody reads drops is counted as sent'] }
}
