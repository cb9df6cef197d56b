/** A real Asterisk, our coupling to it, and phones: each either plain, or standing for one behind an stc client. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { unixTime } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { PlaneHandle } from '../../src/media/plane/types.ts'
import { realScheduler } from '../../src/net/scheduler.ts'
import { ROOM_LIMITS } from '../../src/protocol/room/index.ts'
import { decodeServerMessage, encodeClientMessage } from '../../src/protocol/wire/codec.ts'
import type { ServerMessage, ServerWire } from '../../src/protocol/wire/messages.ts'
import type { PbxAct, PbxMember } from '../../src/protocol/wire/pbx-messages.ts'
import { verifyPath } from '../../src/protocol/x509/path.ts'
import { ServerCore } from '../../src/server/index.ts'
import { asteriskBlocks } from '../../src/server/pbx/asterisk-config.ts'
import { type Pbx, pbxConfig, startPbx } from '../../src/server/pbx/index.ts'
import { type Asterisk, endpoint, startAsterisk } from './asterisk.ts'
import { FakeTransport } from './fake-transport.ts'
import { freePorts } from './free-ports.ts'
import { People } from './people.ts'
import { type Baresip, startBaresip } from './phones/baresip.ts'
import { withinOwnTime } from './own-time.ts'
import { until } from './processes.ts'
import { TcpSwitch } from './tcp-switch.ts'

const crypto = createNodeCrypto()
const YEAR_S = 365 * 86_400
const NAMES = ['anna', 'bert', 'carl', 'dora'] as const
type Name = (typeof NAMES)[number]

export interface Seen extends Omit<ServerWire['pbx-roster'], 'members'> {
  /** `who`: the common name of the certificate, verified here; undefined for unverified ones. */
  readonly members: readonly (PbxMember & { readonly who?: string })[]
}

export interface CoupledOptions {
  readonly microphone: string
  readonly conferences?: Readonly<Record<string, unknown>>
}

export class Coupled {
  readonly asterisk: Asterisk
  /** Between the server and Asterisk's manager interface. */
  readonly ami: TcpSwitch
  readonly people = new People(realScheduler().unix())
  readonly log: { code?: string; text: string }[] = []
  readonly agi: number
  readonly #o: CoupledOptions
  core!: ServerCore
  pbx!: Pbx
  readonly phones: CoupledPhone[] = []
  /** User part of the phone's contact → its session. */
  readonly legs = new Map<string, CoupledPhone>()
  readonly secretFile: string

  private constructor(o: CoupledOptions, asterisk: Asterisk, agi: number, ami: TcpSwitch) {
    this.#o = o
    this.ami = ami
    this.asterisk = asterisk
    this.agi = agi
    this.secretFile = path.join(asterisk.folder, 'ami.secret')
    writeFileSync(this.secretFile, 'only for tests\n')
  }
  static async start(o: CoupledOptions): Promise<Coupled> {
    const agi = await freePorts(2)
    const blocks = asteriskBlocks({
      ami: { user: 'stc', secret: 'only for tests', permit: ['127.0.0.1/32'] }, agi: { address: '127.0.0.1', port: agi }, conferences: ['_8XX'], phones: [],
    })
    const asterisk = await startAsterisk({
      config: () => ({
        'manager.conf': blocks.manager, 'confbridge.conf': blocks.confbridge, 'pjsip.conf': NAMES.map((n) => endpoint(n)).join('\n'),
        'extensions.conf': `${blocks.extensions}\n[phones]\ninclude => stc-conferences\nexten => 112,1,Answer()\n same => n,Echo()\nexten => _[a-z].,1,Dial(PJSIP/\${EXTEN},20,Tt)\n`,
      }),
    })
    const world = new Coupled(o, asterisk, agi, await TcpSwitch.to(asterisk.ami))
    await world.startServer()
    return world
  }

  /** Our side, also after `stopServer`; clients have to come again. */
  async startServer(wait = true): Promise<void> {
    const keep = (fields: object, text: string): void => void this.log.push({ ...fields, text })
    // Rosters need no media.
    const plane = { local: { address: '127.0.0.1', port: 7443 } } as PlaneHandle
    this.core = new ServerCore({ crypto, scheduler: realScheduler(), plane, log: { info: keep, warn: keep }, agent: 'stc', realm: 'test', advertise: [], roomLimits: ROOM_LIMITS, maximumRooms: 10 })
    this.core.legs = {
      isOrphan: () => false,
      find: (q) => {
        const phone = this.legs.get(q.contactUser.split('-')[0]!)
        return phone?.session === undefined ? undefined : { session: phone.session, call: q.callId }
      },
    }
    const config = pbxConfig.parse({ ami: { port: this.ami.port, secretFile: this.secretFile }, agi: { port: this.agi }, conferences: this.#o.conferences ?? {} })
    this.pbx = must(await startPbx(config, this.core, () => this.core.legs))
    if (wait) await this.until('sight of Asterisk', () => this.pbx.status().current)
  }
  stopServer(): void {
    this.pbx.stop()
    this.core.stop()
  }
  async phone(name: Name, o: { client?: string } = {}): Promise<CoupledPhone> {
    const { address, sip } = this.asterisk
    const baresip = await startBaresip({ name, codecs: ['g722', 'pcmu'], microphone: this.#o.microphone, autoAnswer: true, registrar: { address, port: sip, password: `secret-${name}` } })
    const phone = new CoupledPhone(this, name, baresip)
    this.phones.push(phone)
    await baresip.events.next('registered')
    if (o.client !== undefined) phone.connect(o.client)
    return phone
  }
  async until(what: string, done: () => boolean | Promise<boolean>, ms = 10_000, detail: () => string = () => ''): Promise<void> {
    await until(ms, what, async () => (await done()) || undefined, () => `${detail()}\n${this.log.slice(-20).map((l) => JSON.stringify(l)).join('\n')}\n${this.asterisk.log().slice(-3000)}`)
  }
  async stop(): Promise<void> {
    await Promise.all(this.phones.map((p) => p.phone.kill().catch(() => {})))
    this.stopServer()
    this.ami.close()
    await this.asterisk.stop()
  }
}

export class CoupledPhone {
  readonly phone: Baresip
  readonly #world: Coupled
  readonly #name: string
  #transport = new FakeTransport()
  session: string | undefined
  #taken = 0
  #pings: NodeJS.Timeout | undefined

  constructor(world: Coupled, name: string, phone: Baresip) {
    this.#world = world
    this.#name = name
    this.phone = phone
  }
  /** A client's connection, by a certificate of this name. */
  connect(who: string): void {
    const { core, people } = this.#world
    const { chain } = people.person(who)
    const identity = must(verifyPath(crypto, chain, people.anchors, [], realScheduler().unix()))
    const address = { address: '127.0.0.1', port: 1 }
    const before = new Set(core.sessions.keys())
    this.#transport = new FakeTransport()
    this.#taken = 0
    core.connect({ identity, chain, remote: address, local: address, exporter: () => new Uint8Array(32) }, this.#transport, unixTime(realScheduler().unix() + YEAR_S))
    this.session = [...core.sessions.keys()].find((s) => !before.has(s))
    this.#world.legs.set(this.#name, this)
    this.#transport.receive(must(encodeClientMessage({ k: 'hello', minVersion: 1, maxVersion: 1, capabilities: ['pbx'], agent: 'test' })))
    const transport = this.#transport
    clearInterval(this.#pings)
    this.#pings = setInterval(() => transport.receive(must(encodeClientMessage({ k: 'ping', n: 1 }))), 5000).unref()
  }
  disconnect(): void {
    clearInterval(this.#pings)
    this.#transport.end(1006, 'gone')
  }
  get got(): ServerMessage[] {
    return this.#transport.sent.map((b) => must(decodeServerMessage(b)))
  }
  /** The newest roster. */
  get roster(): Seen | undefined {
    return this.rosters.at(-1)
  }
  /** All of this connection, certificates verified as a client does it. */
  get rosters(): Seen[] {
    const { people } = this.#world
    const all = this.got
    const known = new Map(all.flatMap((m) => {
      if (m.k !== 'pbx-certificate') return []
      const identity = verifyPath(crypto, m.chain as never, people.anchors, [], realScheduler().unix())
      return identity.ok ? [[identity.value.keyId, identity.value.subject] as const] : []
    }))
    return all.flatMap((r) => (r.k === 'pbx-roster' ? [{ ...r, members: r.members.map((m) => ({ ...m, ...(m.key === undefined ? {} : { who: known.get(m.key) ?? `nobody with ${m.key}` }) })) }] : []))
  }
  dial(extension: string): void {
    this.phone.dial(this.#world.asterisk.uri(extension))
  }
  hangup(): void {
    this.phone.hangup()
  }
  act(act: PbxAct, member?: number, conference = '800'): void {
    this.#transport.receive(must(encodeClientMessage({ k: 'pbx-act', conference, act, ...(member === undefined ? {} : { member }) })))
  }
  sees(what: string, check: (r: Seen) => boolean, ms = 10_000): Promise<void> {
    return this.#world.until(`${this.#name} sees ${what}`, () => this.roster !== undefined && check(this.roster), ms, () => `last roster: ${JSON.stringify(this.roster)}`)
  }
  /** Within what is promised, by the time that the server had, which runs in this process. */
  seesSoon(what: string, check: (r: Seen) => boolean, ms: number): Promise<void> {
    return withinOwnTime(ms, `${this.#name} sees ${what}`, () => this.roster !== undefined && check(this.roster), () => `last roster: ${JSON.stringify(this.roster)}`)
  }
  /** Also for a moment: in one of the rosters from the `from`th on. */
  saw(what: string, from: number, check: (r: Seen) => boolean, ms = 10_000): Promise<void> {
    return this.#world.until(`${this.#name} saw ${what}`, () => this.rosters.slice(from).some(check), ms, () => JSON.stringify(this.rosters.slice(from)))
  }
  sawSoon(what: string, from: number, check: (r: Seen) => boolean, ms: number): Promise<void> {
    return withinOwnTime(ms, `${this.#name} saw ${what}`, () => this.rosters.slice(from).some(check), () => JSON.stringify(this.rosters.slice(from)))
  }
  async fault(): Promise<Extract<ServerMessage, { k: 'fault' }>> {
    let found: ServerMessage | undefined
    await this.#world.until(`${this.#name} gets a fault`, () => {
      found = this.got.slice(this.#taken).find((m) => m.k === 'fault')
      return found !== undefined
    })
    this.#taken = this.got.length
    return found as Extract<ServerMessage, { k: 'fault' }>
  }
  left(conference: string): Promise<void> {
    return this.#world.until(`${this.#name} is told that it left`, () => this.got.some((m) => m.k === 'pbx-left' && m.conference === conference))
  }
}
