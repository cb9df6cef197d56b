/**
 * A member that really joins (vault, channel, group, hop) but whose sound is prepared: every 20 ms it
 * seals and sends a frame made beforehand, and looks at nothing that comes in. Many fit in one process.
 */
import { g722Codec } from '../src/audio/codec.ts'
import { frameLevel } from '../src/audio/levels.ts'
import { chance } from '../src/base/chance.ts'
import { instant, type RoomName, type Ssrc, unixTime } from '../src/base/brand.ts'
import { must, ok, type Result } from '../src/base/result.ts'
import { openServerChannel } from '../src/client/channel/index.ts'
import { Client } from '../src/client/client.ts'
import type { ClientObserver, MediaThread } from '../src/client/options.ts'
import { type ClientConfig, dialPlanOf, roomConfig } from '../src/client/config.ts'
import { PcmHandset } from '../src/client/handset/pcm.ts'
import { conferenceKind } from '../src/client/kinds/conference/index.ts'
import { createNodeCrypto } from '../src/crypto/node/index.ts'
import type { OpenChannel } from '../src/client/connection.ts'
import type { ServerAddress } from '../src/client/channel/dial.ts'
import type { ServerMessage } from '../src/protocol/wire/messages.ts'
import type { MediaCommand, MediaEvent } from '../src/media/api.ts'
import { Hop } from '../src/media/session/hop.ts'
import { nodeUdp } from '../src/net/node-udp.ts'
import { realScheduler } from '../src/net/scheduler.ts'
import type { UdpPort } from '../src/net/udp.ts'
import { looksLikeRtcp } from '../src/protocol/rtp/header.ts'
import { besideConfig } from '../src/store/config.ts'
import { readCertificates, readIdentity } from '../src/store/identity-file.ts'
import type { Vault } from '../src/vault/api/calls.ts'
import { createVault } from '../src/vault/inside/create.ts'
import { systemClock } from '../src/vault/inside/system-clock.ts'
import { babble } from '../test/kit/audio.ts'

export const crypto = createNodeCrypto()
export const scheduler = realScheduler()
const PAYLOAD_TYPE = 96

/** Level ‖ codec frame, as the vault takes it. */
function prepare(pcm: Int16Array): Uint8Array[] {
  using codec = g722Codec()
  return Array.from({ length: pcm.length / 320 }, (_, i) => {
    const frame = pcm.subarray(320 * i, 320 * i + 320)
    return Uint8Array.of(frameLevel(frame), ...codec.encode(frame))
  })
}
const silence = prepare(new Int16Array(320 * 50))

/**
 * Sound is dropped before it costs anything; the hop's own messages pass, but a challenge is never answered: without
 * a proved address the server sends this member nothing, which in a room of twenty is most of its work.
 */
const deafUdp: UdpPort = {
  async bind(at) {
    const socket = await nodeUdp().bind(at)
    let answering = false
    return {
      ...socket,
      send: (data, to) => {
        if (!answering) socket.send(data, to)
      },
      onMessage: (listener) => socket.onMessage((data, from) => {
        if (!looksLikeRtcp(data, data.length)) return
        answering = true
        listener(data, from)
        answering = false
      }),
    }
  },
}

export class StubMedia implements MediaThread {
  readonly #vault: Vault
  readonly #speech: readonly Uint8Array[]
  readonly #listeners = new Set<(e: MediaEvent) => void>()
  #hop: Hop | undefined
  #room: { ssrc: Ssrc; session: number } | undefined
  #sending = false
  #frame = 0
  #next = 0
  #stopTick: () => void = () => {}
  talking = false
  sent = 0
  /** When a frame of somebody else could be opened last. */
  openedAt = 0
  readonly #listens: boolean

  constructor(vault: Vault, seed: number, listens: boolean) {
    this.#vault = vault
    this.#listens = listens
    this.#speech = prepare(babble(320 * 250, seed))
    // Members of one process speak spread over the 20 ms, as members on different machines do.
    this.#next = scheduler.now() + 20 * ((seed * 0.618) % 1)
  }
  subscribe(listener: (e: MediaEvent) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }
  #emit(e: MediaEvent): void {
    for (const listener of this.#listeners) listener(e)
  }
  command(c: MediaCommand): void {
    switch (c.op) {
      case 'hop.open':
        this.#hop ??= new Hop({ id: c.hop, udp: this.#listens ? nodeUdp() : deafUdp, scheduler, crypto, emit: (e) => this.#emit(e), onMedia: (ssrc, timestamp, data) => void this.#listen(ssrc, timestamp, data) })
        this.#hop.open(c)
        return
      case 'hop.close':
        this.#hop?.close()
        this.#hop = undefined
        return
      case 'phone.open':
        queueMicrotask(() => this.#emit({ op: 'phone.opened', phone: c.phone, local: { address: '', port: 0 } }))
        return
      case 'conference.open':
        this.#room = { ssrc: c.ssrc, session: c.session }
        this.#tick()
        return
      case 'conference.send':
        this.#sending = c.on
        return
      case 'conference.close':
        this.#stop()
        return
      case 'stop':
        this.#stop()
        this.#hop?.close()
        this.#hop = undefined
        return
      default:
    }
  }
  async #listen(from: Ssrc, timestamp: number, data: Uint8Array): Promise<void> {
    const at = scheduler.now()
    if (this.#room === undefined) return
    const opened = await this.#vault.frames({ op: 'open', session: this.#room.session, frames: [{ ssrc: from, timestamp, data }] })
    if (opened.frames[0]?.fault === undefined) this.openedAt = at
  }
  #stop(): void {
    this.#room = undefined
    this.#stopTick()
  }
  #tick(): void {
    const now = scheduler.now()
    while (this.#next <= now) {
      this.#next += 20
      this.#frame++
      void this.#speak(this.#frame)
    }
    this.#stopTick = scheduler.at(instant(this.#next), () => this.#tick())
  }
  async #speak(n: number): Promise<void> {
    const room = this.#room
    if (room === undefined || !this.#sending) return
    const source = this.talking ? this.#speech : silence
    const timestamp = (n * 160) >>> 0
    const sealed = await this.#vault.frames({ op: 'seal', session: room.session, frames: [{ ssrc: room.ssrc, timestamp, data: source[n % source.length]! }] })
    const frame = sealed.frames[0]!
    if (frame.fault !== undefined) return
    this.#hop?.send(room.ssrc, PAYLOAD_TYPE, timestamp, frame.data)
    this.sent++
  }
}

export interface StubPapers {
  readonly name: string
  readonly config: ClientConfig
  readonly configFile: string
}

/** The identity's own vault, in this thread. */
export function stubVault({ config, configFile }: StubPapers): Vault {
  const { certificate, key, anchors } = config.identity
  const now = unixTime(Math.floor(Date.now() / 1000))
  using identity = must(readIdentity(crypto, { certificateFile: besideConfig(configFile, certificate), keyFile: besideConfig(configFile, key) }, now))
  return must(createVault({ crypto, clock: systemClock }, {
    chain: identity.chain, pkcs8: identity.pkcs8.reveal().slice(), anchors: anchors.flatMap((a) => must(readCertificates(besideConfig(configFile, a)))), realm: config.realm,
  }))
}

export class StubMember {
  readonly name: string
  readonly client: Client
  readonly media: StubMedia
  readonly #handset: PcmHandset
  readonly #prefix: string
  #joined: () => void = () => {}
  #failed: (why: Error) => void = () => {}

  #withhold: ((m: ServerMessage) => unknown) | undefined

  constructor(papers: StubPapers, seed: number, options: { readonly listens?: boolean } = {}) {
    const { name, config } = papers
    this.name = name
    this.#prefix = config.dialPlan.roomPrefix
    const vault = stubVault(papers)
    this.media = new StubMedia(vault, seed, options.listens ?? false)
    this.#handset = new PcmHandset(name, { kind: 'pcm', speech: new Int16Array(0), record: false })
    const server = { host: config.server!.host, port: config.server!.port, name: config.server!.name ?? config.server!.host }
    const up = Promise.withResolvers<void>()
    this.up = up.promise
    const observer: ClientObserver = {
      onServer: (is, { fault }) => (is ? up.resolve() : up.reject(new Error(`${name}: ${fault?.message}`))),
      onJoined: () => this.#joined(),
      onOver: (_, reason) => this.#failed(new Error(`${name}: ${reason}`)),
    }
    this.client = new Client({
      vault, media: this.media, crypto, scheduler, agent: 'bench', dialPlan: dialPlanOf(config), observer,
      kinds: [conferenceKind({ sha256: (b) => crypto.hash('sha256', b), chance: () => chance(crypto), unix: () => scheduler.unix(), newRoom: (room) => newRoom(config, room) })],
      connection: { open: () => this.#open(vault, server), suites: ['AEAD_AES_128_GCM'], fallback: { address: server.host, port: server.port } },
    })
    this.client.addHandset(this.#handset)
    this.client.start()
  }
  readonly up: Promise<void>
  /** The group's messages go to `instead` from now on: it keeps the keys that it has. */
  cling(instead: (m: ServerMessage) => unknown): void {
    this.#withhold = instead
  }
  async #open(vault: Vault, server: ServerAddress): Promise<Result<OpenChannel>> {
    const opened = await openServerChannel({ vault, server, scheduler })
    if (!opened.ok) return opened
    const channel = opened.value
    return ok({
      ...channel,
      onMessage: (listener) => channel.onMessage((m) => void (this.#withhold === undefined || !m.k.startsWith('room-') ? listener(m) : this.#withhold(m))),
    })
  }
  join(room: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#joined = resolve
      this.#failed = reject
      this.#handset.dial(this.#prefix + room)
    })
  }
}

export function newRoom(config: ClientConfig, room: string) {
  const { suite, codec, forwarding, maximumMembers, admit } = roomConfig(config, room)
  return { room: room as RoomName, realm: config.realm, hosts: [], admit, suite, codec, forwarding, maximumMembers, gatewaysAllowed: false }
}
