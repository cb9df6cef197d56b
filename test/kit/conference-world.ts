/**
 * Whole conferences in virtual time: real membership machines, vaults, media sessions, media plane and room machine,
 * over a simulated network. `toMember` and `toServer` let a test play the hostile server.
 */
import { type Der, instant, type RoomName, type Ssrc } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { CryptoPort } from '../../src/crypto/port.ts'
import type { Identity, KeyProtection } from '../../src/model/identity.ts'
import type { Acquaintance } from '../../src/model/roster.ts'
import type { RevocationProof } from '../../src/model/trust.ts'
import { issueRevocationList } from '../../src/pki/authority.ts'
import { parseCertificate } from '../../src/protocol/x509/certificate.ts'
import { portablePlane } from '../../src/media/plane/portable.ts'
import type { LegId, MediaPlane } from '../../src/media/plane/types.ts'
import { type NewRoom, ALL_FORWARDED_LIMIT } from '../../src/model/policy.ts'
import { type RoomLimits, RoomMachine, ROOM_LIMITS, type RoomOut, type RoomRequest, type Stream } from '../../src/protocol/room/index.ts'
import type { ClientMessage, ServerMessage } from '../../src/protocol/wire/messages.ts'
import { Shelf } from '../../src/server/shelf.ts'
import { toHex } from '../../src/base/bytes.ts'
import type { EnclaveOptions } from '../../src/vault/api/options.ts'
import type { Quoter } from '../../src/vault/inside/identity-keeper.ts'
import { createVault } from '../../src/vault/inside/create.ts'
import type { FrameCommand } from '../../src/vault/inside/frame-commands.ts'
import { leakyVault } from './leaky-vault.ts'
import { legSpec } from './media-client.ts'
import { People, REALM } from './people.ts'
import { SeededNumbers } from './seeded-random.ts'
import { type SimHost, SimNet } from './sim-net.ts'
import { VirtualClock } from './virtual-clock.ts'
import { WrongClock } from './skewed-clock.ts'
import { ROOM, WorldMember } from './world-member.ts'

export { ROOM, WorldMember }

export interface WorldOptions {
  readonly seed?: number
  readonly policy?: Partial<NewRoom>
  readonly limits?: Partial<RoomLimits>
  /** Who makes processors in this world. */
  readonly processorRoot?: Der
  readonly enclaves?: EnclaveOptions
  /** Without sound: membership alone, for rooms of many. */
  readonly media?: boolean
  /** Another room of the same server: one clock, one network, one authority. */
  readonly beside?: ConferenceWorld
  readonly room?: RoomName
  /** The authority's certificates name a revocation list; what the server hands out of them: `publish`. */
  readonly lists?: boolean
}

interface Branch {
  readonly machine: RoomMachine
  readonly sessions: Set<string>
  cancelWake: () => void
}

export interface ArriveOptions {
  /** The tone it says. */
  readonly hz?: number
  /** Another authority. */
  readonly from?: People
  /** The same person as this one, on another machine. */
  readonly as?: WorldMember
  /** What it remembers from before, as its data folder would. */
  readonly memory?: Uint8Array
  /** The client of this member of another room, with its one vault. */
  readonly client?: WorldMember
  /** Seconds by which its clock is wrong. */
  readonly clockAhead?: number
  /** Remembers whom it met, as a client's data folder does. */
  readonly meet?: (identity: Identity) => Acquaintance
  readonly keyProtection?: KeyProtection
  /** A certificate of its own making. */
  readonly identity?: WorldMember['identity']
  /** Of its certificate. */
  readonly lifetimeDays?: number
  /** Lists about revocation that it knows at its start; all that were published unless given. */
  readonly proofs?: readonly RevocationProof[]
  /** It lets in people who hold no keys. */
  readonly kind?: 'member' | 'gateway'
  /** The enclave that its vault runs in, and the program. */
  readonly quoter?: Quoter
  readonly measurement?: string
  /** Which enclaves it believes; the world's unless given. */
  readonly enclaves?: EnclaveOptions
  /** A hostile member: what it does not check. Its media keys go to `leak`. */
  readonly hostile?: { readonly trusts?: People; readonly leak?: (c: FrameCommand) => void }
}

export class ConferenceWorld {
  readonly clock: VirtualClock
  readonly crypto: CryptoPort
  readonly room: RoomName
  readonly numbers: SeededNumbers
  readonly net: SimNet
  readonly people: People
  readonly policy: NewRoom
  /** What the server keeps of standing rooms. */
  readonly shelf: Shelf
  readonly withMedia: boolean
  readonly members: WorldMember[] = []
  readonly notes: string[] = []
  readonly limits: RoomLimits
  readonly processorRoot: Der | undefined
  readonly #enclaves: EnclaveOptions | undefined
  readonly machine: RoomMachine
  plane!: MediaPlane
  streams: readonly Stream[] = []
  latencyMs = 10
  /** Every message that the server ordered or sent, for replays. */
  readonly log: { to: string; message: ServerMessage }[] = []
  /** Return other messages (or none) to send instead. */
  toMember: (m: WorldMember, message: ServerMessage) => readonly ServerMessage[] = (_, message) => [message]
  toServer: (m: WorldMember, message: ClientMessage) => readonly ClientMessage[] = (_, message) => [message]
  /** Changes the streams that flow, as a server could. */
  flow: (streams: readonly Stream[]) => readonly Stream[] = (s) => s
  readonly server: SimHost
  /** Everything that the authority published about revocation. */
  readonly published: RevocationProof[] = []
  readonly #address: string
  readonly #trunk: Branch
  readonly #branches: Branch[] = []
  #nextSsrc = 5000
  #nextProbe = 1
  #connections = 0
  #arrivals = 0
  #routed = new Set<Ssrc>()

  constructor(options: WorldOptions = {}) {
    const { seed = 1, beside, room = ROOM } = options
    this.room = room
    this.clock = beside?.clock ?? new VirtualClock()
    this.crypto = beside?.crypto ?? createNodeCrypto()
    this.numbers = new SeededNumbers(`world ${seed}`)
    this.net = beside?.net ?? new SimNet(this.clock, seed)
    this.#address = beside === undefined ? '192.0.2.1' : '192.0.2.2'
    this.server = this.net.host(beside === undefined ? 'server' : 'server-2', this.#address)
    this.people = beside?.people ?? new People(this.clock.unix(), this.crypto, 'Test CA', options.lists === true ? 'http://ca.test.example/list.crl' : undefined)
    this.withMedia = options.media ?? true
    this.processorRoot = options.processorRoot
    this.#enclaves = options.enclaves
    this.limits = { ...ROOM_LIMITS, ...options.limits }
    this.policy = {
      room, realm: REALM, hosts: [], admit: 'anchors', suite: 'x25519', codec: 'g722', forwarding: 'all',
      maximumMembers: ALL_FORWARDED_LIMIT, gatewaysAllowed: false, ...options.policy,
    }
    this.shelf = new Shelf({ crypto: this.crypto, clock: this.clock, realm: REALM, authorities: [toHex(this.crypto.hash('sha256', this.people.ca.signer.spki))] })
    this.machine = new RoomMachine(room, this.limits)
    this.#trunk = { machine: this.machine, sessions: new Set(), cancelWake: () => {} }
    if (options.lists === true) this.publish()
  }
  static async start(options: WorldOptions = {}): Promise<ConferenceWorld> {
    const w = new ConferenceWorld(options)
    w.plane = portablePlane({ socket: await w.server.bind({ address: w.#address, port: 7443 }), udp: w.server, scheduler: w.clock, crypto: w.crypto })
    return w
  }
  /** The authority's next list, which the server hands to everybody: these are revoked. */
  publish(...revoked: readonly WorldMember[]): void {
    const now = this.clock.unix()
    const entries = revoked.map((m) => ({ serial: must(parseCertificate(m.identity.chain[0]!)).serial, when: now }))
    const proof = { kind: 'crl' as const, der: issueRevocationList(this.people.ca, entries, this.published.length + 1, now) }
    this.published.push(proof)
    for (const m of this.members) for (const x of this.toMember(m, { k: 'revocation', proofs: [proof] })) this.send(m, x)
  }
  /** A person with a client, connected to the server and not yet in the room. */
  async arrive(name: string, options: ArriveOptions = {}): Promise<WorldMember> {
    const people = options.from ?? this.people
    const identity = options.identity ?? (options.as ?? options.client)?.identity ?? people.person(name, options.lifetimeDays === undefined ? {} : { lifetimeDays: options.lifetimeDays })
    const { chain, pkcs8 } = identity
    const trusted = [this.people, people, ...(options.hostile?.trusts === undefined ? [] : [options.hostile.trusts])]
    const { keyProtection, measurement, quoter } = options
    const enclaves = options.enclaves ?? this.#enclaves
    const vaultOptions = {
      ...(options.memory === undefined ? {} : { memory: options.memory }), kind: options.kind ?? 'member', chain, pkcs8, anchors: [...new Set(trusted.map((p) => p.ca.certificate))], realm: REALM,
      revocation: { proofs: options.proofs ?? this.published }, ...(keyProtection === undefined ? {} : { keyProtection }),
      ...(measurement === undefined ? {} : { measurement }), ...(enclaves === undefined ? {} : { enclaves }),
    }
    const vaultWorld = {
      crypto: this.crypto, clock: options.clockAhead === undefined ? this.clock : new WrongClock(this.clock, options.clockAhead),
      ...(quoter === undefined ? {} : { quoter }), ...(this.processorRoot === undefined ? {} : { processorRoot: this.processorRoot }),
    }
    const leaky = options.hostile === undefined ? undefined : leakyVault(vaultWorld, vaultOptions, options.hostile.leak ?? (() => {}))
    const vault = options.client?.vault ?? leaky?.vault ?? must(createVault(vaultWorld, vaultOptions))
    const n = ++this.#arrivals
    const host = this.net.host(`${this.room}-${name}-${n}`, `198.${this.#address === '192.0.2.1' ? 51 : 18}.${100 + (n >> 8)}.${n & 255}`)
    const m = new WorldMember(this, name, `s${n}`, vault, identity, host, options.hz)
    if (leaky !== undefined) m.group = leaky.group
    if (options.meet !== undefined) m.meet = options.meet
    m.clock = vaultWorld.clock
    this.members.push(m)
    if (this.withMedia) this.openHop(m)
    return m
  }
  /** A fresh leg for a member, as a new connection would give. */
  openHop(m: WorldMember): void {
    const spec = legSpec(this.crypto, this.#nextProbe++, 1)
    const before = m.leg
    m.leg = must(this.plane.open(spec))
    if (before !== undefined) this.plane.close(before)
    m.media?.command({ op: 'hop.open', hop: 1, generation: this.#nextProbe, remotes: [this.plane.local], receive: spec.send, send: spec.receive, probe: spec.probe })
  }
  async join(name: string, options: ArriveOptions & { limitMs?: number } = {}): Promise<WorldMember> {
    const m = await this.arrive(name, options)
    m.dial()
    await this.until(() => m.joinedAt !== undefined || m.over !== undefined, options.limitMs ?? 20_000, `${name} in the room`)
    return m
  }
  run(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }
  until(condition: () => boolean, limitMs: number, what: string): Promise<void> {
    return this.clock.until(condition, limitMs, what)
  }
  /** Everybody sees the same roster, complete and confirmed. */
  agreed(members: readonly WorldMember[] = this.members): boolean {
    const names = members.map((m) => m.name).sort().join()
    const first = members[0]?.roster.securityCode
    return members.every((m) => m.roster.phase === 'member' && m.names.join() === names && m.roster.securityCode === first)
  }
  fromMember(m: WorldMember, message: ClientMessage): void {
    const { session } = m
    for (const x of this.toServer(m, message)) {
      m.later('up', this.latencyMs + m.lagMs + m.stallMs, () => {
        if (m.connected && m.session === session) this.#take(m, x)
      })
    }
  }
  #take(m: WorldMember, x: ClientMessage): void {
    if (x.k === 'room-policy') this.shelf.keepPolicy(x.room, x)
    else if (x.k === 'notice') this.handOutNotice(x.notice, m.keyId)
    else this.step({ kind: 'message', session: m.session, keyId: m.keyId, message: x as RoomRequest, ssrc: this.#nextSsrc++ })
  }
  /** A block notice reaches the server: kept if it may be, and told to everybody. */
  handOutNotice(notice: Uint8Array, from: string): void {
    const kept = this.shelf.keepNotice(notice, from)
    if (!kept.ok || kept.value === undefined) return
    for (const m of this.members) {
      // Without a call the client itself takes it.
      if (m.call === undefined || m.over !== undefined) void m.vault.call('notice.learn', { notice })
      else for (const x of this.toMember(m, { k: 'notice', notice })) this.send(m, x)
    }
  }
  /** A client that is no whole member: what it says, and what it gets through `light`. */
  fromSession(session: string, keyId: string, message: RoomRequest): void {
    this.clock.at(instant(this.clock.now() + this.latencyMs), () => this.step({ kind: 'message', session, keyId, message, ssrc: this.#nextSsrc++ }))
  }
  readonly light = new Map<string, (m: ServerMessage) => void>()
  /** The connection breaks. Both sides learn it at once, or the server does not yet. */
  cut(m: WorldMember, serverKnows = true): void {
    m.connected = false
    if (serverKnows) this.step({ kind: 'gone', session: m.session })
    m.call.input({ kind: 'channel', up: false, reason: 'cut' })
  }
  /** A new connection: another session, other hop keys. */
  mend(m: WorldMember): void {
    m.connected = true
    m.session = `${m.session.split('.')[0]}.${++this.#connections}`
    if (this.withMedia) this.openHop(m)
    this.#route()
    m.call.input({ kind: 'channel', up: true })
  }
  step(input: Parameters<RoomMachine['step']>[0]): void {
    this.#stepBranch(this.#branchOf('session' in input ? input.session : undefined), input)
  }
  /** The room's delivery splits: these members live on in a copy of their own, and neither side hears of the other's. */
  fork(members: readonly WorldMember[]): RoomMachine {
    const machine = new RoomMachine(this.room, this.limits, structuredClone(this.machine.state))
    const branch = { machine, sessions: new Set(members.map((m) => m.session)), cancelWake: () => {} }
    this.#branches.push(branch)
    this.#stepBranch(branch, { kind: 'tick' })
    return machine
  }
  /** Somebody who comes later, into a half. */
  assign(m: WorldMember, machine: RoomMachine): void {
    this.#branches.find((b) => b.machine === machine)?.sessions.add(m.session)
  }
  #branchOf(session: string | undefined): Branch {
    return this.#branches.find((b) => session !== undefined && b.sessions.has(session)) ?? this.#trunk
  }
  #stepBranch(branch: Branch, input: Parameters<RoomMachine['step']>[0]): void {
    const { out, wakeAt } = branch.machine.step(input, this.clock.now())
    branch.cancelWake()
    branch.cancelWake = wakeAt === undefined ? () => {} : this.clock.at(wakeAt, () => this.#stepBranch(branch, { kind: 'tick' }))
    for (const o of out) if (o.kind !== 'send' || this.#branchOf(o.session) === branch) this.#carryOut(o)
  }
  send(m: WorldMember, message: ServerMessage): void {
    const { session } = m
    m.later('down', this.latencyMs + m.lagMs + m.stallMs, () => {
      if (!m.connected || m.session !== session) return
      if (message.k === 'revocation') m.learn(message.proofs)
      else if (m.call !== undefined) m.call.onWire(message)
    })
  }
  /** The server begins to route anew, for a test that changed `flow`. */
  reroute(): void {
    this.#route()
  }
  stop(): void {
    for (const m of this.members) {
      m.media?.stop()
      void m.vault.close()
    }
    this.plane?.stop()
  }
  #carryOut(o: RoomOut): void {
    if (o.kind === 'note') this.notes.push(o.text)
    else if (o.kind === 'send') {
      this.log.push({ to: o.session, message: o.message })
      const m = this.members.find((x) => x.session === o.session)
      const policy = o.message.k === 'room-info' ? this.shelf.policyOf(this.room) : undefined
      const message = policy !== undefined && o.message.k === 'room-info' ? { ...o.message, policy: { ...policy } } : o.message
      if (m !== undefined) for (const x of this.toMember(m, message)) this.send(m, x)
      const light = this.light.get(o.session)
      if (light !== undefined) this.clock.at(instant(this.clock.now() + this.latencyMs), () => light(o.message))
    } else if (o.kind === 'streams') {
      this.streams = o.streams
      if (this.withMedia) this.#route()
    }
  }
  #route(): void {
    const streams = this.flow(this.streams)
    const legOf = (session: string): LegId | undefined => this.members.find((m) => m.session === session)?.leg
    const now = new Set<Ssrc>()
    for (const s of streams) {
      const from = legOf(s.session)
      if (from === undefined) continue
      now.add(s.ssrc as Ssrc)
      must(this.plane.route(from, s.ssrc as Ssrc, streams.flatMap((o) => (o.session === s.session ? [] : (legOf(o.session) ?? [])))))
    }
    for (const old of this.#routed) if (!now.has(old)) for (const m of this.members) if (m.leg !== undefined) this.plane.unroute(m.leg, old)
    this.#routed = now
  }
}
