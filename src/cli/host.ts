/** `stc host`: authority, server and invitations for a group, in one command and one process. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { type Fault, ok, type Result } from '../base/result.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import type { CryptoPort } from '../crypto/port.ts'
import { lanAddress } from '../demo/lan.ts'
import { everyAddress } from '../net/any-address.ts'
import { realScheduler } from '../net/scheduler.ts'
import type { Authority } from '../pki/authority.ts'
import { appendAudit } from '../pki/audit.ts'
import { clearUnfinished, initCa, issueToFiles, loadCa, readRoot } from '../pki/ca-directory.ts'
import { type AuthoritySettings, caFiles, readSettings, writeSettings } from '../pki/ca-files.ts'
import { openDoor } from '../pki/enrolment/door.ts'
import { Invitations, type InvitationState } from '../pki/enrolment/invitations.ts'
import { formatLink, newSecret } from '../pki/enrolment/link.ts'
import { PUBLIC_MODE, unwritable, writeNew } from '../pki/files.ts'
import { RevocationFetcher } from '../pki/source.ts'
import { publishList } from '../pki/revoked.ts'
import { pinoLog, readServerConfig, startServer } from '../server/index.ts'
import { decide, warnOfEnd } from './ca.ts'
import { currentTime, hostAndPort, portNumber } from './options.ts'
import { endAnyway } from './last-resort.ts'
import { answer, fail, interrupted, say } from './output.ts'
import { preferVoice } from './priority.ts'

const SERVER_PORT = 7443
const DOOR_PORT = 7444
const INVITED_DAYS = 7
const CERTIFICATE_DAYS = 90
const LOOK_MS = 500

interface Options {
  readonly dir: string
  readonly at?: { host: string; port: number }
  readonly door: number
  readonly group: string
  readonly confirmed?: boolean
}

export function registerHost(program: Command): void {
  program
    .command('host')
    .description('set a group up and run it: authority, server, and an invitation for each name; again later, run it and invite more')
    .argument('[names...]', 'who is invited')
    .option('-d, --dir <folder>', 'folder for all of it, created when missing', 'stc-group')
    .option('--at <host:port>', 'what this machine is called by the others; its address in the local network unless given', hostAndPort(SERVER_PORT))
    .option('--door <port>', 'TCP port where the invited get their certificates', portNumber, DOOR_PORT)
    .option('--group <name>', 'what the group is called', 'stc group')
    .option('--confirmed', 'let in whoever uses a link first, without comparing a code')
    .action((names: string[], o: Options) => host(names, o))
}

async function host(names: readonly string[], o: Options): Promise<void> {
  preferVoice()
  const stopped = interrupted()
  const ca = path.join(o.dir, 'ca')
  const config = path.join(o.dir, 'server.yaml')
  if (!existsSync(config)) {
    const made = setUp(o, ca, config)
    if (!made.ok) return fail(made.fault)
  }
  const opened = loadCa(createNodeCrypto(), ca)
  if (!opened.ok) return fail(opened.fault)
  using authority = opened.value
  warnOfEnd(ca)
  const running = await run(authority, ca, config)
  if (!running.ok) return fail(running.fault)
  for (const name of names) {
    const invited = invite(ca, name, o.confirmed === true)
    if (!invited.ok) {
      fail(invited.fault)
      break
    }
  }
  if (names.length > 0) say('Send each link by a way that only that person reads. It works once.')
  say(`The group runs: server port ${running.value.server}, door port ${running.value.door}. Ctrl-C ends it; "stc host -d ${o.dir}" runs it again.`)
  const end = new AbortController()
  const asking = o.confirmed === true ? Promise.resolve() : askForEach(ca, end.signal)
  const broken = await Promise.race([stopped, running.value.broken])
  end.abort()
  await running.value.close()
  if (broken !== undefined) {
    fail(broken)
    endAnyway()
  }
  await asking.catch(() => {})
}

/** Everything that does not have to run. What an earlier try made, before it was stopped, is gone on with: the configuration comes last. */
export function setUp(o: Options, ca: string, config: string): Result<undefined> {
  const crypto = createNodeCrypto()
  const now = currentTime()
  mkdirSync(o.dir, { recursive: true, mode: 0o700 })
  const there = existsSync(caFiles(ca).certificate)
  const before = there ? readSettings(ca) : ok({})
  if (!before.ok) return before
  const settings = settingsOf(o, before.value)
  const cleared = clearUnfinished(ca)
  if (!cleared.ok) return cleared
  const made = there ? goOn(crypto, ca, settings) : initCa(crypto, ca, { name: o.group, now, settings })
  if (!made.ok) return made
  using authority = made.value
  const published = publishList(authority, ca, now)
  if (!published.ok) return published
  const { server: name, serverPort } = settings
  // The certificate is the last of the two: a key alone is one that nothing was ever issued for.
  if (!existsSync(path.join(o.dir, 'server.pem'))) {
    const gone = removed(path.join(o.dir, 'server.key'))
    if (!gone.ok) return gone
    const issued = issueToFiles(authority, ca, { name, emails: [], hosts: [...new Set([name, 'localhost', '127.0.0.1'])], kind: 'server', now }, path.join(o.dir, 'server'))
    if (!issued.ok) return issued
  }
  const text = stringify({
    listen: { port: serverPort }, identity: { certificate: 'server.pem', key: 'server.key', anchors: ['ca/ca.pem'] },
    // In the same folder: no way over the network to its own door.
    revocation: { lists: [path.relative(o.dir, caFiles(ca).list)], fetch: false }, data: 'server-data', log: 'warn',
  })
  const written = writeNew(config, text, PUBLIC_MODE)
  if (!written.ok) return written
  say(`Made the group "${o.group}" in ${o.dir}, for ${name}. Move ${caFiles(ca).rootKey} to a stick and lock that away.`)
  return ok(undefined)
}

function removed(file: string): Result<void> {
  try {
    rmSync(file, { force: true })
    return ok(undefined)
  } catch (e) {
    return unwritable(file, e)
  }
}

type GroupSettings = AuthoritySettings & { readonly server: string; readonly serverPort: number }

/** Where the group is. What the authority's certificates name already stays. */
function settingsOf(o: Options, before: AuthoritySettings): GroupSettings {
  const at = o.at ?? { host: lanAddress() ?? '127.0.0.1', port: SERVER_PORT }
  return { host: at.host, port: o.door, server: at.host, serverPort: at.port, ...before }
}

function goOn(crypto: CryptoPort, ca: string, settings: AuthoritySettings): Result<Authority> {
  const written = writeSettings(ca, settings)
  return written.ok ? loadCa(crypto, ca) : written
}

interface RunningGroup {
  readonly server: number
  readonly door: number
  readonly broken: Promise<Fault>
  close(): Promise<void>
}

async function run(authority: Authority, ca: string, config: string): Promise<Result<RunningGroup>> {
  const root = readRoot(ca)
  if (!root.ok) return root
  const settings = readSettings(ca)
  if (!settings.ok) return settings
  const parsed = readServerConfig(config)
  if (!parsed.ok) return parsed
  const log = pinoLog(parsed.value.log)
  const fetcher = parsed.value.revocation.fetch ? new RevocationFetcher(createNodeCrypto(), realScheduler(), (fault) => log.warn({ code: fault.code }, fault.message)) : undefined
  const server = await startServer(parsed.value, log, fetcher)
  if (!server.ok) return server
  const { host = 'localhost', port = DOOR_PORT } = settings.value
  const door = await openDoor({ ca: authority, root: root.value, dir: ca, settings: settings.value, now: currentTime, hosts: [host, ...(host === 'localhost' ? [] : ['localhost'])], bind: { address: await everyAddress(parsed.value.listen.address), port }, note: say })
  if (!door.ok) {
    await server.value.close()
    return door
  }
  return ok({
    server: server.value.address.port, door: door.value.port, broken: server.value.broken,
    close: async () => {
      await door.value.close()
      await server.value.close()
    },
  })
}

function invite(ca: string, name: string, confirmed: boolean): Result<undefined> {
  const crypto = createNodeCrypto()
  const root = readRoot(ca)
  if (!root.ok) return root
  const settings = readSettings(ca)
  if (!settings.ok) return settings
  const { host = 'localhost', port = DOOR_PORT } = settings.value
  const secret = newSecret(crypto)
  const made = new Invitations(ca).make(crypto, secret, { name, emails: [], validDays: INVITED_DAYS, lifetimeDays: CERTIFICATE_DAYS, confirmed }, currentTime())
  if (!made.ok) return made
  appendAudit(crypto, caFiles(ca).audit, { what: 'invite', name, until: made.value.until }, currentTime())
  const link = formatLink({ host, port, secret, fingerprint: crypto.hash('sha256', root.value) })
  answer({ name, link }, [`${name}:`, `  stc join '${link}'`])
  return ok(undefined)
}

/** Whoever used a link is let in when the code that they read out is ours. Without a terminal, "stc ca confirm" does it. */
async function askForEach(ca: string, signal: AbortSignal): Promise<void> {
  if (process.stdin.isTTY !== true) return
  const ask = createInterface({ input: process.stdin, output: process.stdout })
  // A Ctrl-C at the question is one for all of it.
  ask.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    while (!signal.aborted) {
      for (const state of waiting(ca)) {
        const typed = await ask.question(`${state.invitation.name} used the link, from ${state.use!.from}. Ask them, by voice if you can, for the code that they see:\n\n  ${state.use!.code}\n\nThe same? Let in? [y/N] `, { signal })
        decide(ca, state, /^y(es)?$/i.test(typed.trim()))
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  } finally {
    ask.close()
  }
}
const waiting = (ca: string): InvitationState[] => new Invitations(ca).all().filter((s) => s.use !== undefined && s.verdict === undefined && !s.invitation.confirmed && !s.issued)
