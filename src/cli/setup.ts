/** `stc setup`: from nothing to a running client, in the page. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { err, ok, type Result } from '../base/result.ts'
import { type ClientConfig, clientConfig } from '../client/config.ts'
import type { Page, SetupPort } from '../client/web-api/index.ts'
import { freePort } from '../demo/ports.ts'
import type { Ask } from '../pki/enrolment/ask.ts'
import { type Issued, Joining } from '../pki/enrolment/join.ts'
import { type Invitation, parseLink } from '../pki/enrolment/link.ts'
import { replaceFile } from '../store/atomic-file.ts'
import { systemPlaces } from '../store/protect-key.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { authorityAsker, reach } from './authority.ts'
import { Attended } from './attended.ts'
import { runClient } from './client.ts'
import { HOME_CONFIG } from './config-file.ts'
import type { RealClient } from './compose-client.ts'
import { endAnyway } from './last-resort.ts'
import { currentTime } from './options.ts'
import { coded, complain, EXIT, fail, interrupted, say } from './output.ts'
import { clientWithPage, pageAlone, sessionsFile } from './page.ts'
import { preferVoice } from './priority.ts'
import { identityFiles, keepIdentity } from './setup-files.ts'
import { type SortedIdentity, sortIdentity } from './setup-identity.ts'

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
  const page = await pageAlone({ port: PAGE_PORT, sessionsFile: sessionsFile(file) })
  if (!page.ok) return fail(page.fault)
  const setup = new Setup(page.value, file)
  if (server !== undefined) {
    const known = await setup.server(server)
    if (!known.ok) complain(`stc: ${coded(known.fault)}`)
  }
  say('open this page in your browser:')
  say(`  ${page.value.url}`)
  await interrupted()
  say('leaving')
  await setup.stop()
  endAnyway()
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
    reached.value.destroy()
    this.#server = address
    this.#page.hub.setup = { step: 'certificate', server: address.host }
    return ok(undefined)
  }

  /** The key is made here; the code goes, by voice, to whoever invited, and the certificate comes when they have confirmed it. */
  async #invited(invitation: Invitation): Promise<Result<void>> {
    const crypto = createNodeCrypto()
    const joining = new Joining(crypto, invitation)
    const ask = authorityAsker(crypto)
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
    return await this.#finish(await this.#start(server, { chain, pkcs8: joining.pkcs8, passphrase: undefined, anchors: [root] }, settings))
  }

  async unlock(): Promise<Result<void>> {
    return err('PAGE_SET_UP')
  }

  /** Everything is checked by starting a client with it; only then the page goes on. */
  async identity(files: readonly Uint8Array[], passphrase: string): Promise<Result<void>> {
    const server = this.#server
    if (server === undefined || this.#page.hub.setup?.step === 'starting') return err('PAGE_NOT_SET_UP')
    if (this.client !== undefined) return err('PAGE_SET_UP')
    const sorted = sortIdentity(files, passphrase, currentTime())
    if (!sorted.ok) return sorted
    this.#page.hub.setup = { step: 'starting', server: server.host }
    const started = await this.#start(server, sorted.value)
    sorted.value.pkcs8.fill(0)
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

  async #start(server: ServerAddress, own: SortedIdentity, { realm, journal }: Pick<Issued['settings'], 'realm' | 'journal'> = {}): Promise<Result<RealClient>> {
    const config = {
      server: { host: server.host, port: server.port },
      ...(realm === undefined ? {} : { realm }), ...(journal === undefined ? {} : { journal }),
      identity: identityFiles(this.#file),
      phones: [{ line: 'phone', port: await freePort(PHONE_PORT) }],
    }
    // An invitation brings some of it.
    const checked = clientConfig.safeParse(config)
    if (!checked.success) return err('CONFIG_WRONG', checked.error.issues[0]?.message)
    const parsed = checked.data as ClientConfig
    const kept = keepIdentity(this.#file, own, systemPlaces())
    if (!kept.ok) return kept
    if (kept.value === 'open') complain('stc: there is no keyring here: the key lies open on the disk, guarded by the mode of its file alone ("stc key protect" locks it)')
    // What opens the key is in no file: asked for at the next start.
    const now: ClientConfig = kept.value === 'passphrase' ? { ...parsed, identity: { ...parsed.identity, passphrase: own.passphrase! } } : parsed
    this.#attended ??= new Attended(parsed, this.#file)
    const started = await clientWithPage(this.#page, now, this.#file, this.#attended.extras(parsed, '', {}))
    if (!started.ok) {
      this.#attended = undefined
      return started
    }
    await this.#attended.open([started.value], this.#page.url)
    // Last: a set-up that did not work is done again, not run.
    const written = replaceFile(this.#file, Buffer.from(stringify(config)))
    if (!written.ok) complain(`stc: ${coded(written.fault)}`)
    return started
  }
}

/** `host`, `host:port`, `[v6]:port`. */
export function parseServer(text: string): ServerAddress | undefined {
  const m = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?))(?::(\d{1,5}))?$/i.exec(text.trim())
  const port = Number(m?.[3] ?? SERVER_PORT)
  return m === null || port < 1 || port > 65_535 ? undefined : { host: (m[1] ?? m[2])!.toLowerCase(), port }
}

