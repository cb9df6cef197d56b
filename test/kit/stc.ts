/** The product as its users run it: real processes of `stc server` and `stc client`, and certificates for them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { unixTime } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { initCa, issueToFiles } from '../../src/pki/ca-directory.ts'
import { caFiles } from '../../src/pki/ca-files.ts'
import type { Authority } from '../../src/pki/authority.ts'
import { freePorts } from './free-ports.ts'
import { run, until } from './processes.ts'
import type { Running } from './processes.ts'

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const launcher = fileURLToPath(new URL('../../bin/stc.mjs', import.meta.url))
const host = '127.0.0.1'

export interface Papers {
  readonly certificate: string
  readonly key: string
  readonly anchors: readonly string[]
}

/** A certificate authority in a folder of its own. */
export class TestAuthority {
  readonly anchor: string
  readonly #folder: string
  readonly #ca: Authority

  constructor(folder: string, name: string) {
    this.#folder = path.join(folder, name)
    this.#ca = must(initCa(createNodeCrypto(), this.#folder, { name, now: daysFromNow(-10) }))
    this.anchor = caFiles(this.#folder).certificate
  }

  /** `issuedDaysAgo` with a lifetime of one day: expired. */
  member(name: string, o: { issuedDaysAgo?: number; lifetimeDays?: number } = {}): Papers {
    return this.#issue(name, { name, emails: [`${name}@example.org`], kind: 'member', now: daysFromNow(-(o.issuedDaysAgo ?? 0)), ...(o.lifetimeDays === undefined ? {} : { lifetimeDays: o.lifetimeDays }) })
  }
  server(...addresses: readonly string[]): Papers {
    return this.#issue('server', { name: 'server', hosts: [host, 'localhost', ...addresses], kind: 'server', now: daysFromNow(0) })
  }
  #issue(file: string, request: Parameters<typeof issueToFiles>[2]): Papers {
    const issued = must(issueToFiles(this.#ca, this.#folder, request, path.join(this.#folder, file)))
    return { certificate: issued.certificateFile, key: issued.keyFile, anchors: [this.anchor] }
  }
}

const daysFromNow = (days: number) => unixTime(Math.floor(Date.now() / 1000) + days * 86_400)

export interface StcServer {
  readonly port: number
  readonly process: Running
  /** As a power cut: nothing is said to anybody. */
  kill(): Promise<void>
  /** After `kill` or `stop`: the same again. */
  start(): Promise<void>
  stop(): Promise<void>
}

export async function startServer(folder: string, papers: Papers, more: Readonly<Record<string, unknown>> = {}, env: NodeJS.ProcessEnv = {}): Promise<StcServer> {
  const port = await freePorts(2)
  const file = config(folder, 'server', { listen: { address: host, port }, identity: papers, ...more })
  let running: Running
  const start = async (): Promise<void> => {
    const started = (running = run(process.execPath, [program, 'server', '--config', file], { env: { ...process.env, ...env } }))
    await until(20_000, `stc server on ${port}`, () => alive(started) && listens(port), started.tail)
  }
  await start()
  return {
    port, start,
    get process() {
      return running
    },
    stop: () => running.stop(5000),
    async kill() {
      running.signal('SIGKILL')
      await running.exit
    },
  }
}

export interface StcClient {
  /** Where its phone registers. */
  readonly sip: { readonly address: string; readonly port: number }
  readonly process: Running
  /** Resolves when its terminal has shown this. */
  shows(what: RegExp, timeoutMs?: number): Promise<RegExpExecArray>
  stop(): Promise<void>
}

export interface ClientOptions {
  /** Merged over the configuration. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly phone?: Readonly<Record<string, unknown>>
  /** As from the shell, by the launcher that looks for a fitting Node. */
  readonly launched?: true
  readonly env?: NodeJS.ProcessEnv
  /** A program that runs it, and its arguments. */
  readonly inside?: readonly string[]
}

export async function startClient(folder: string, name: string, server: number, papers: Papers, o: ClientOptions = {}): Promise<StcClient> {
  const port = await freePorts(4)
  const file = config(folder, name, {
    server: { host, port: server },
    identity: papers,
    phones: [{ line: name, address: host, port, ...o.phone }],
    // Not its usual port: that is for whom a test starts as users do.
    page: { port: 0 },
    ...o.config,
  })
  const [command, ...args] = [...(o.inside ?? []), globalThis.process.execPath, o.launched ? launcher : program, 'client', '--config', file]
  const process = run(command!, args, { env: { ...globalThis.process.env, ...o.env } })
  // TCP beside UDP on the same port shows that the phone's side is up.
  await until(20_000, `phone side of stc client ${name}`, () => alive(process) && listens(port), process.tail)
  return {
    sip: { address: host, port },
    process,
    shows: (what, timeoutMs = 20_000) => until(timeoutMs, `${what} on the terminal of ${name}`, () => alive(process) && (what.exec(process.output()) ?? undefined), process.tail),
    stop: () => process.stop(5000),
  }
}

function config(folder: string, name: string, content: unknown): string {
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, `${name}.yaml`)
  writeFileSync(file, stringify(content))
  return file
}

function alive(process: Running): true {
  if (process.ended) throw new Error(`stc ended:\n${process.tail()}`)
  return true
}

const listens = (port: number): Promise<true | undefined> =>
  new Promise((resolve) => {
    const socket = connect(port, host)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(undefined))
  })
