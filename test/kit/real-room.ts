/** Whole clients and a whole server in this process, over real sockets and threads: robots that say a tone each. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { z } from 'zod'
import { heardTone } from '../../src/audio/heard-tone.ts'
import { joinPcm } from '../../src/audio/join-pcm.ts'
import { type Fault, must, type Result } from '../../src/base/result.ts'
import { type RealClient, startRealClient } from '../../src/cli/compose-client.ts'
import type { RunningCall } from '../../src/client/calls.ts'
import { clientConfig } from '../../src/client/config.ts'
import { PcmHandset } from '../../src/client/handset/pcm.ts'
import type { MediaEvent } from '../../src/media/api.ts'
import type { Roster } from '../../src/model/roster.ts'
import type { Authority, CertificateRequest } from '../../src/pki/authority.ts'
import { type Log, type Server, type ServerConfig, serverConfig, startServer } from '../../src/server/index.ts'
import { freePorts } from './free-ports.ts'
import { OwnEcho } from './own-echo.ts'
import { until } from './processes.ts'
import { newAuthority, type Papers, papersFor, pem } from './real-server.ts'
import { tone } from './room-tones.ts'

type ClientInput = z.input<typeof clientConfig>

export interface MemberOptions {
  /** What its robot says; without it there is none, and no robot in the room. */
  readonly hz?: number
  readonly server?: Partial<ClientInput['server']>
  readonly rooms?: ClientInput['rooms']
  readonly phones?: ClientInput['phones']
  readonly papers?: Papers
  readonly request?: Partial<CertificateRequest>
  /** Instead of the world's own authority. */
  readonly trusted?: readonly Authority[]
}

export class RealWorld {
  readonly folder: string
  readonly ca: Authority = newAuthority()
  readonly log: { code?: string; text: string }[] = []
  readonly members: RealMember[] = []
  readonly #t: TestContext
  readonly #listen: string
  #papers = 0
  server!: Server
  #config!: ServerConfig

  private constructor(t: TestContext, listen: string) {
    this.#t = t
    this.#listen = listen
    this.folder = mkdtempSync(path.join(tmpdir(), 'stc-e2e-'))
    t.after(async () => {
      await Promise.all(this.members.map((m) => m.stop()))
      await this.server.close()
      rmSync(this.folder, { recursive: true, force: true })
    })
  }
  /** `port`: 0 for any, that of media another than that of the channel then. */
  static async start(t: TestContext, change: Partial<z.input<typeof serverConfig>> = {}, listen = '127.0.0.1', port?: number): Promise<RealWorld> {
    const w = new RealWorld(t, listen)
    const own = papersFor(w.ca, { name: 'server', kind: 'server', hosts: ['localhost', '127.0.0.1', '::1'] })
    w.#config = serverConfig.parse({ listen: { address: listen, port: 1 }, identity: w.files('server', own), log: 'silent', ...change })
    await w.open(port)
    return w
  }
  get port(): number {
    return this.server.address.port
  }
  /** Starts the server; after a `server.close()` once more, at the same port, which nobody else's outgoing connection takes meanwhile. */
  async open(port?: number): Promise<void> {
    const keep = (fields: object, text: string): void => void this.log.push({ ...fields, text })
    const memory: Log = { info: keep, warn: keep }
    this.server = must(await startServer({ ...this.#config, listen: { address: this.#listen, port: port ?? (await freePorts()) } }, memory))
  }
  /** The names of the files, as a configuration has them. */
  files(name: string, own: Papers, trusted: readonly Authority[] = [this.ca]): ClientInput['identity'] {
    const write = (file: string, text: string): string => {
      writeFileSync(path.join(this.folder, file), text, { mode: 0o600 })
      return path.join(this.folder, file)
    }
    const n = `${name}-${this.#papers++}`
    return {
      certificate: write(`${n}.pem`, own.chain.map((d) => pem('CERTIFICATE', d)).join('')),
      key: write(`${n}.key`, pem('PRIVATE KEY', own.pkcs8)), anchors: trusted.map((ca, i) => write(`${n}-ca${i}.pem`, pem('CERTIFICATE', ca.certificate))),
    }
  }
  async member(name: string, o: MemberOptions = {}): Promise<RealMember> {
    const m = new RealMember(name, o)
    m.start(must(await this.tryMember(m)))
    this.members.push(m)
    this.#t.after(() => m.stop())
    return m
  }
  tryMember(m: RealMember): Promise<Result<RealClient>> {
    const { server, rooms = {}, phones = [], papers, request, trusted } = m.options
    const config = clientConfig.parse({
      server: { host: this.#listen, port: this.port, ...server },
      identity: this.files(m.name, papers ?? papersFor(this.ca, { name: m.name, ...request }), trusted), rooms, phones,
    })
    return startRealClient(config, path.join(this.folder, `${m.name}.yaml`), m.extras)
  }
  /** All of them in one room: same people, all confirmed. */
  agreed(members: readonly RealMember[] = this.members, limitMs = 15_000): Promise<true> {
    const as = (m: RealMember): string => `${m.roster?.securityCode} ${m.roster?.members.map((x) => x.state).join()}`
    const wanted = members.map(() => 'member').join()
    return until(limitMs, 'agreement of all members', () => (members.every((m) => as(m) === as(members[0]!) && as(m).endsWith(` ${wanted}`)) ? true : undefined), () => members.map((m) => `${m.name}: ${as(m)} ${m.notes.join('; ')}`).join('\n'))
  }
}

export class RealMember {
  readonly name: string
  readonly options: MemberOptions
  readonly robot: PcmHandset | undefined
  readonly events: MediaEvent[] = []
  /** Notes and faults, for messages of failed tests. */
  readonly notes: string[] = []
  readonly faults: Fault[] = []
  readonly #heard: Int16Array[] = []
  #client: RealClient | undefined
  #stopped: Promise<void> | undefined
  up = 0
  call: RunningCall | undefined

  constructor(name: string, options: MemberOptions) {
    this.name = name
    this.options = options
    if (options.hz !== undefined) this.robot = new PcmHandset(name, { kind: 'pcm', speech: tone(options.hz), record: true })
  }
  get extras(): Parameters<typeof startRealClient>[2] {
    return {
      handsets: this.robot === undefined ? [] : [this.robot],
      observer: {
        onServer: (up, d) => {
          if (up) this.up++
          if (d.fault !== undefined) this.faults.push(d.fault)
        },
        onVault: (fault) => void this.notes.push(`${fault.code} ${fault.message}`),
        onEvent: (call, e) => {
          this.call = call
          if (e.kind === 'note') this.notes.push(`${e.code} ${e.text}`)
        },
        onOver: (_, reason) => void this.notes.push(`over: ${reason}`),
        onMedia: (e) => {
          if (e.op === 'phone.heard') this.#heard.push(e.pcm)
          else this.events.push(e)
          if (e.op === 'fault') this.notes.push(`${e.code} ${e.message}`)
        },
      },
    }
  }
  start(client: RealClient): void {
    this.#client = client
  }
  get client(): RealClient {
    return this.#client!
  }
  get roster(): Roster | undefined {
    return this.call?.roster
  }
  get path(): 'none' | 'udp' | 'tls' {
    return this.events.findLast((e) => e.op === 'hop.path')?.path ?? 'none'
  }
  async connected(): Promise<void> {
    await until(15_000, `connection of ${this.name}`, () => (this.up > 0 ? true : undefined), () => this.faults.map((f) => f.message).join('\n'))
  }
  async dial(room = '100'): Promise<void> {
    await this.connected()
    this.robot!.dial(`8${room}`)
    await until(15_000, `place of ${this.name} in the room`, () => (this.roster?.phase === 'member' ? true : undefined), () => this.notes.join('\n'))
  }
  /** Resolves as soon as this member has heard this tone in so large a part of a second, and nothing of the other in the same one; fails where the other stays. */
  async hears(hz: number, limitMs = 15_000, share = 1, not?: number): Promise<void> {
    this.#heard.length = 0
    const echo = new OwnEcho()
    const good = (): boolean => {
      const [whole, own] = [shareOf(hz, this.#heard) >= share, not !== undefined && shareOf(not, this.#heard) > 0]
      if (echo.heard(this.#heard.reduce((n, x) => n + x.length, 0), 16_000, whole, own)) throw new Error(`${this.name} hears ${not} Hz beside ${hz} Hz`)
      return whole && !own
    }
    await until(limitMs, `${hz} Hz at ${this.name}${not === undefined ? '' : ` without ${not} Hz`}`, () => good() || undefined, () => this.notes.join('\n'), 100)
  }
  /** In the last second. */
  hearsNot(hz: number): boolean {
    return shareOf(hz, this.#heard) === 0
  }
  stop(): Promise<void> {
    return (this.#stopped ??= this.#client?.stop() ?? Promise.resolve())
  }
}

/** Share of the windows of the last second in which a tone is heard; 0 before a second was heard at all. */
export function shareOf(hz: number, heard: readonly Int16Array[]): number {
  const all = joinPcm(heard)
  if (all.length < 16_000) return 0
  const h = heardTone(hz, all.subarray(all.length - 16_000))
  return h.ok ? h.value.share : 0
}

/** Two robots in one room, each heard by the other and not by itself. */
export async function conversation(a: RealMember, b: RealMember, w: RealWorld): Promise<void> {
  await a.dial()
  await b.dial()
  await w.agreed([a, b])
  await hearEachOther(a, b)
}
export async function hearEachOther(a: RealMember, b: RealMember): Promise<void> {
  await Promise.all([[a, b] as const, [b, a] as const].map(([m, other]) => m.hears(other.options.hz!, 15_000, 1, m.options.hz!)))
}
