/** `stc setup`: from nothing to a running client, in the page. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { err, ok, type Result } from '../base/result.ts'
import { type ClientConfig, clientConfig } from '../client/config.ts'
import type { Page, SetupPort } from '../client/web-api/index.ts'
import { freePort } from '../demo/ports.ts'
import { type Ask, asker } from '../pki/enrolment/ask.ts'
import { type Issued, Joining } from '../pki/enrolment/join.ts'
import { type Invitation, parseLink } from '../pki/enrolment/link.ts'
import { encodePem } from '../protocol/x509/pem.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { Attended } from './attended.ts'
import { runClient } from './client.ts'
import { HOME_CONFIG } from './config-file.ts'
import type { RealClient } from './compose-client.ts'
import { currentTime } from './options.ts'
import { EXIT, complain, fail, interrupted, say } from './output.ts'
import { clientWithPage, pageAlone } from './page.ts'
import { preferVoice } from './priority.ts'
import { sortIdentity } from './setup-identity.ts'

const REACH_MS = 5000
const ASK_AGAIN_MS = 2000
const PAGE_PORT = 7480
const PHONE_PORT = 5060
const SERVER_PORT = 7443

export function registerSetup(program: Command): void {
  program
    .command('setup')
    .description('set a client up in the browser, and run it; runs it at once when it is set up')
    .option('-c, --config <file>', 'where its configuration is, or will be', HOME_CONFIG)
    .option('--server <address>', 'the server, where it is known already')
    .action((o: { config: string; server?: string }) => runSetup(path.resolve(o.config), o.server))
}

async function runSetup(file: string, server: string | undefined): Promise<void> {
  if (existsSync(file)) return runClient(file)
  preferVoice()
  const page = await pageAlone({ port: PAGE_PORT, sessionsFile: path.join(path.dirname(file), '.stc-page.json') })
  if (!page.ok) return fail(page.fault)
  const setup = new Setup(page.value, file)
  if (server !== undefined) {
    const known = await setup.server(server)
    if (!known.ok) complain(`stc: ${known.fault.message} [${known.fault.code}]`)
  }
  say('open this page in your browser:')
  say(`  ${page.value.url}`)
  await interrupted()
  say('leaving')
  await setup.stop()
  process.exitCode = EXIT.ok
}

interface ServerAddress {
  readonly host: string
  readonly port: number
}

class Setup implements SetupPort {
  readonly #page: Page
  readonly #file: string
  #server: ServerAddress | undefined
  client: RealClient | undefined
  #attended: Attended | undefined

  constructor(page: Page, file: string) {
    this.#page = page
    this.#file = file
    page.windows.setup = this
    page.hub.setup = { step: 'server' }
  }

  async stop(): Promise<void> {
    await this.#attended?.[Symbol.asyncDispose]()
    await (this.client?.stop() ?? this.#page.close())
  }

  async server(text: string): Promise<Result<void>> {
    if (this.client !== undefined) return err('PAGE_SET_UP')
    const invitation = parseLink(text.trim())
    if (invitation.ok) return this.#invited(invitation.value)
    const address = parseServer(text)
    if (address === undefined) return err('SETUP_ADDRESS', text.slice(0, 64))
    const reached = await reach(address)
    if (!reached.ok) return reached
    this.#server = address
    this.#page.hub.setup = { step: 'certificate', server: address.host }
    return ok(undefined)
  }

  /** The key is made here; the code goes, by voice, to whoever invited, and the certificate comes when they have confirmed it. */
  async #invited(invitation: Invitation): Promise<Result<void>> {
    const crypto = createNodeCrypto()
    const joining = new Joining(crypto, invitation)
    const ask = asker(crypto)
    const first = await joining.ask(ask, currentTime())
    if (!first.ok) return first
    void this.#enrol(joining, ask, first)
    return ok(undefined)
  }
  async #enrol(joining: Joining, ask: Ask, first: Result<Issued | undefined>): Promise<void> {
    let answer = first
    while (answer.ok && answer.value === undefined) {
      this.#page.hub.setup = { step: 'invited', code: joining.code }
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS).unref())
      const next = await joining.ask(ask, currentTime())
      // Whoever cannot be reached now is asked again with the same key; a refusal is final.
      if (next.ok || next.fault.code !== 'IDENTITY_ENROLMENT_UNREACHABLE') answer = next
    }
    const started = answer.ok && answer.value !== undefined ? await this.#withIssued(answer.value, joining) : answer
    joining.pkcs8.fill(0)
    if (!started.ok) this.#page.hub.setup = { step: 'server', fault: { code: started.fault.code, message: started.fault.message } }
  }
  async #withIssued({ chain, root, settings }: Issued, joining: Joining): Promise<Result<unknown>> {
    if (settings.server === undefined) return err('SETUP_ADDRESS', 'the invitation names no server')
    const server = { host: settings.server, port: settings.serverPort ?? SERVER_PORT }
    this.#page.hub.setup = { step: 'starting', server: server.host }
    const pem = (list: readonly Uint8Array[]): string => list.map((der) => encodePem('CERTIFICATE', der)).join('')
    const own = { chain: pem(chain), key: encodePem('PRIVATE KEY', joining.pkcs8), anchors: pem([root]) }
    return await this.#finish(await this.#start(server, own, '', settings))
  }

  /** Everything is checked by starting a client with it; only then the page goes on. */
  async identity(files: readonly Uint8Array[], passphrase: string): Promise<Result<void>> {
    const server = this.#server
    if (server === undefined || this.#page.hub.setup?.step === 'starting') return err('PAGE_NOT_SET_UP')
    if (this.client !== undefined) return err('PAGE_SET_UP')
    const sorted = sortIdentity(files, passphrase)
    if (!sorted.ok) return sorted
    this.#page.hub.setup = { step: 'starting', server: server.host }
    const started = await this.#start(server, sorted.value, passphrase)
    if (!started.ok) {
      this.#page.hub.setup = { step: 'certificate', server: server.host, fault: { code: started.fault.code, message: started.fault.message } }
      return started
    }
    return this.#finish(started)
  }
  #finish(started: Result<RealClient>): Result<void> {
    if (!started.ok) return started
    this.client = started.value
    this.#page.windows.setup = undefined
    this.#page.hub.setup = undefined
    say(`set up: ${this.#file}`)
    return ok(undefined)
  }

  async #start(server: ServerAddress, own: { readonly chain: string; readonly key: string; readonly anchors: string }, passphrase: string, { realm, journal }: Pick<Issued['settings'], 'realm' | 'journal'> = {}): Promise<Result<RealClient>> {
    const folder = path.dirname(this.#file)
    const config = {
      server: { host: server.host, port: server.port },
      ...(realm === undefined ? {} : { realm }), ...(journal === undefined ? {} : { journal }),
      identity: { certificate: 'certificate.pem', key: 'key.pem', anchors: ['anchors.pem'], ...(own.key.includes('ENCRYPTED') ? { passphrase } : {}) },
      phones: [{ line: 'phone', port: await freePort(PHONE_PORT) }],
    }
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const write = (name: string, text: string): void => writeFileSync(path.join(folder, name), text, { mode: 0o600 })
      write('certificate.pem', own.chain)
      write('key.pem', own.key)
      write('anchors.pem', own.anchors)
      const parsed = clientConfig.parse(config) as ClientConfig
      this.#attended ??= new Attended(parsed, this.#file)
      const started = await clientWithPage(this.#page, parsed, this.#file, this.#attended.extras(parsed, '', {}))
      if (started.ok) await this.#attended.open([started.value], this.#page.url)
      else this.#attended = undefined
      // Last: a set-up that did not work is done again, not run.
      if (started.ok) write(path.basename(this.#file), stringify(config))
      return started
    } catch (e) {
      return err('IDENTITY_FILE_UNWRITABLE', e instanceof Error ? e.message : String(e))
    }
  }
}

/** `host`, `host:port`, `[v6]:port`. */
export function parseServer(text: string): ServerAddress | undefined {
  const m = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?))(?::(\d{1,5}))?$/i.exec(text.trim())
  const port = Number(m?.[3] ?? SERVER_PORT)
  return m === null || port < 1 || port > 65_535 ? undefined : { host: (m[1] ?? m[2])!.toLowerCase(), port }
}

/** Somebody answers there; who it is, the certificates will show. */
function reach({ host, port }: ServerAddress): Promise<Result<void>> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: REACH_MS })
    const end = (r: Result<void>): void => {
      socket.destroy()
      resolve(r)
    }
    socket.once('connect', () => end(ok(undefined)))
    socket.once('timeout', () => end(err('CHANNEL_UNREACHABLE', `${host}:${port} (no answer)`)))
    socket.once('error', (e: NodeJS.ErrnoException) => end(err('CHANNEL_UNREACHABLE', `${host}:${port} (${e.code ?? e.message})`)))
  })
}
