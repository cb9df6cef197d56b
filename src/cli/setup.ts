/** `stc setup`: from nothing to a running client, in the page. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { sameBytes } from '../base/bytes.ts'
import { err, type Fault, makeFault, ok, type Result } from '../base/result.ts'
import { type ClientConfig, clientConfig } from '../client/config.ts'
import type { Page, SetupPort } from '../client/web-api/index.ts'
import { freePort } from '../demo/ports.ts'
import type { Issued } from '../pki/enrolment/join.ts'
import { parseLink } from '../pki/enrolment/link.ts'
import { replaceFile } from '../store/atomic-file.ts'
import { systemPlaces } from '../store/protect-key.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { authorityAsker, reach } from './authority.ts'
import { Attended } from './attended.ts'
import { runClient } from './client.ts'
import { HOME_CONFIG } from './config-file.ts'
import type { RealClient } from './compose-client.ts'
import type { JoinDraft } from './join-draft.ts'
import { endAnyway } from './last-resort.ts'
import { currentTime } from './options.ts'
import { coded, complain, EXIT, fail, interrupted, say } from './output.ts'
import { clientWithPage, pageAlone, sessionsFile } from './page.ts'
import { preferVoice } from './priority.ts'
import { forgetIdentity, identityFiles, keepIdentity, placeFor } from './setup-files.ts'
import { type SortedIdentity, sortIdentity } from './setup-identity.ts'
import { Invited, onPage } from './setup-invited.ts'

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

export class Setup implements SetupPort {
  readonly #page: Page
  readonly #file: string
  #server: ServerAddress | undefined
  client: RealClient | undefined
  #attended: Attended | undefined
  readonly #invited: Invited
  /** By an invitation; kept on the disk. */
  #enrolled: { readonly own: SortedIdentity; readonly settings: Issued['settings']; readonly draft: JoinDraft } | undefined

  constructor(page: Page, file: string) {
    this.#page = page
    this.#file = file
    const crypto = createNodeCrypto()
    this.#invited = new Invited({
      crypto, ask: authorityAsker(crypto), now: currentTime, folder: path.dirname(file), show: (setup) => {
        page.hub.setup = setup
      }, place: (pkcs8) => this.#place(pkcs8), issued: (issued, draft) => this.#issued(issued, draft),
    })
    page.windows.setup = this
    page.hub.setup = { step: 'server' }
  }

  async stop(): Promise<void> {
    this.#invited.stop()
    await this.#attended?.[Symbol.asyncDispose]()
    await (this.client?.stop() ?? this.#page.close())
  }

  get #busy(): boolean {
    return this.client !== undefined || this.#page.hub.setup?.step === 'starting'
  }

  async server(text: string): Promise<Result<void>> {
    if (this.#busy) return err('PAGE_SET_UP')
    const invitation = parseLink(text.trim())
    if (invitation.ok) {
      this.#server = undefined
      return this.#invited.begin(invitation.value)
    }
    const address = parseServer(text)
    if (address === undefined) return err('SETUP_ADDRESS', text.slice(0, 64))
    const reached = await reach(address)
    if (!reached.ok) return reached
    reached.value.destroy()
    // Meanwhile another window may have gone on.
    if (this.#busy) return err('PAGE_SET_UP')
    this.#invited.stop()
    if (this.#enrolled !== undefined) {
      const started = await this.#startEnrolled(address)
      // The address is right, and that did not help: files of one's own may.
      if (!started.ok) this.#certificate(address, started.fault)
      return started
    }
    this.#certificate(address)
    return ok(undefined)
  }
  #certificate(server: ServerAddress, fault?: Fault): void {
    this.#server = server
    this.#page.hub.setup = { step: 'certificate', server: server.host, ...(fault === undefined ? {} : onPage(fault)) }
  }

  /** Back to the address or another link; the key of the invitation stays for when its link comes again. */
  async back(): Promise<Result<void>> {
    const step = this.#page.hub.setup?.step
    if (this.client !== undefined || (step !== 'invited' && step !== 'certificate')) return err('PAGE_SET_UP')
    this.#invited.stop()
    this.#server = undefined
    this.#page.hub.setup = { step: 'server' }
    return ok(undefined)
  }
  /** Another link than the one that brought an identity takes its place. */
  #place(pkcs8: Uint8Array): Result<void> {
    if (this.#enrolled !== undefined && !sameBytes(this.#enrolled.own.pkcs8, pkcs8)) this.#forgetEnrolled()
    return placeFor(this.#file, { pkcs8, passphrase: undefined }, systemPlaces())
  }
  /** Its key lies in the draft as well: the same link brings it back. */
  #forgetEnrolled(): void {
    if (this.#enrolled === undefined) return
    this.#enrolled = undefined
    forgetIdentity(this.#file)
  }
  /** The identity is kept before anything else is looked at: the link works once. The draft goes when a configuration names it. */
  async #issued({ chain, root, settings }: Issued, draft: JoinDraft): Promise<Result<unknown>> {
    const own = { chain, pkcs8: draft.joining.pkcs8, passphrase: undefined, anchors: [root] }
    const kept = keepIdentity(this.#file, own, systemPlaces())
    if (!kept.ok) return kept
    this.#enrolled = { own, settings, draft }
    if (settings.server !== undefined) return await this.#startEnrolled({ host: settings.server, port: settings.serverPort ?? SERVER_PORT })
    this.#page.hub.setup = { step: 'server', ...onPage(makeFault('SETUP_NO_SERVER')) }
    return ok(undefined)
  }
  async #startEnrolled(server: ServerAddress): Promise<Result<void>> {
    const { own, settings, draft } = this.#enrolled!
    this.#page.hub.setup = { step: 'starting', server: server.host }
    const started = await this.#start(server, own, settings)
    if (!started.ok) {
      this.#page.hub.setup = { step: 'server', ...onPage(started.fault) }
      return started
    }
    own.pkcs8.fill(0)
    this.#enrolled = undefined
    const { client, written } = started.value
    // Without a configuration that names it, the next set-up begins with the link again.
    if (written) draft.remove()
    this.#finish(client)
    return ok(undefined)
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
    this.#forgetEnrolled()
    const fresh = !existsSync(path.join(path.dirname(this.#file), identityFiles(this.#file).key))
    const started = await this.#start(server, sorted.value)
    sorted.value.pkcs8.fill(0)
    if (!started.ok) {
      // Other files may be chosen now, with another key.
      if (fresh) forgetIdentity(this.#file)
      this.#certificate(server, started.fault)
      return started
    }
    this.#finish(started.value.client)
    return ok(undefined)
  }
  #finish(client: RealClient): void {
    this.client = client
    this.#page.windows.setup = undefined
    this.#page.hub.setup = undefined
    say(`set up: ${this.#file}`)
  }

  /** `written`: the next start finds a configuration. */
  async #start(server: ServerAddress, own: SortedIdentity, { realm, journal }: Pick<Issued['settings'], 'realm' | 'journal'> = {}): Promise<Result<{ readonly client: RealClient; readonly written: boolean }>> {
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
    return ok({ client: started.value, written: written.ok })
  }
}

/** `host`, `host:port`, `[v6]:port`. */
export function parseServer(text: string): ServerAddress | undefined {
  const m = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?))(?::(\d{1,5}))?$/i.exec(text.trim())
  const port = Number(m?.[3] ?? SERVER_PORT)
  return m === null || port < 1 || port > 65_535 ? undefined : { host: (m[1] ?? m[2])!.toLowerCase(), port }
}

