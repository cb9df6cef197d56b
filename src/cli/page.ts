/** The page of a client that this process runs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { uptime } from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { ok, type Result } from '../base/result.ts'
import { type ClientConfig, dialPlanOf } from '../client/config.ts'
import { observeAll } from '../client/observers.ts'
import { type Page, type PeopleMemory, type SessionStore, startPage } from '../client/web-api/index.ts'
import type { ClientObserver } from '../client/options.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { emergencyNumbers } from '../model/emergency.ts'
import type { PagePhone, PageSnapshot } from '../model/page.ts'
import { realScheduler } from '../net/scheduler.ts'
import { pairwiseCode } from '../protocol/x509/pairwise-code.ts'
import { keptKeys } from './attended.ts'
import { startRealClient, type ClientExtras, type RealClient } from './compose-client.ts'
import { pageFiles } from './page-files.ts'
import { version } from './version.ts'

export interface PageChoice {
  readonly port: number
  /** Where open windows are remembered over a start; none: they are not. */
  readonly sessionsFile?: string
}

/** The door and its windows, before there is a client behind them. */
export async function pageAlone(choice: PageChoice): Promise<Result<Page>> {
  const files = pageFiles()
  const page = await startPage({
    crypto: createNodeCrypto(), clock: realScheduler(), elapsed: () => uptime() * 1000, files, port: choice.port,
    ...(choice.sessionsFile === undefined ? {} : { sessions: sessionStore(choice.sessionsFile) }),
    hub: { version, server: '', roomPrefix: '8', emergencyNumbers: emergencyNumbers(), rooms: [], phones: [] },
  })
  // Built, where it has to be, before somebody looks.
  if (page.ok) void files().catch(() => {})
  return page
}

/** A client with its page. What the page is told, `extras.observer` is told as well. */
export async function clientWithPage(page: Page, config: ClientConfig, configFile: string, extras: ClientExtras = {}): Promise<Result<RealClient>> {
  const { hub } = page
  hub.configure(describe(config))
  const observer = observeAll(...[hub.observer, extras.observer].filter((o): o is ClientObserver => o !== undefined))
  const started = await startRealClient(config, configFile, { ...extras, observer, handsets: [...(extras.handsets ?? []), page.handset], roomNames: { [hub.echoNumber]: hub.echoRoom } })
  if (!started.ok) return started
  const { client, media, identity, phones, warnings } = started.value
  Object.assign(hub, { client, media, warnings, keys: keysOf(started.value.vault.report) })
  client.watched = () => page.windows.any
  page.windows.onOpen = () => client.attend()
  client.attend()
  Object.assign(hub.people, { client, memory: peopleMemory(started.value.memory, () => hub.identity?.keyId) })
  hub.configure({ phones: phonesOf(config, phones) })
  hub.line.begin()
  void identity().then((own) => {
    hub.identity = own
    hub.configure({})
  })
  const stop = async (): Promise<void> => {
    await started.value.stop()
    await page.close()
  }
  return ok({ ...started.value, stop })
}

function keysOf(report: RealClient['vault']['report']): NonNullable<PageSnapshot['keys']> {
  if (report === undefined) return { protection: 'in-process', locks: [] }
  return { protection: keptKeys(report), program: report.measurement, locks: report.locks }
}

function describe(config: ClientConfig): { server: string; roomPrefix: string; emergencyNumbers: readonly string[]; rooms: PageSnapshot['rooms'] } {
  const prefix = config.dialPlan.roomPrefix
  const named = Object.entries(config.dialPlan.names).map(([dial, name]) => ({ name, dial }))
  const own = Object.keys(config.rooms).filter((name) => name !== 'default').map((name) => ({ name, dial: `${prefix}${name}` }))
  return { server: config.server?.host ?? 'no server', roomPrefix: prefix, emergencyNumbers: dialPlanOf(config).emergencyNumbers, rooms: [...named, ...own].slice(0, 200) }
}

/** Passwords stay in the configuration: the page only says that there is one. */
function phonesOf(config: ClientConfig, open: RealClient['phones']): Omit<PagePhone, 'registered'>[] {
  return config.phones.map((p, i) => ({
    line: p.line, address: open[i]?.address ?? `${p.address}:${p.port}`, user: Object.keys(p.users)[0] ?? p.line, password: Object.keys(p.users).length > 0, transports: p.transports,
  }))
}

/** What is remembered of people and calls; the code with somebody needs to know who we are. */
function peopleMemory({ peers, history }: RealClient['memory'], own: () => string | undefined): PeopleMemory {
  const clock = realScheduler(false)
  const crypto = createNodeCrypto()
  return {
    get past() {
      return history.all
    },
    get people() {
      return peers.all.toSorted((a, b) => b.lastSeen - a.lastSeen).map((p) => ({
        name: p.name, to: p.keyId, lastSeen: p.lastSeen, compared: p.compared, changed: p.changed, blocked: p.blocked === true, ...(p.comparedAt === undefined ? {} : { comparedAt: p.comparedAt }),
      }))
    },
    add: (call) => history.add(call), clear: () => history.clear(),
    standing: (i) => peers.standing(i), compared: (keyId) => peers.compared(keyId, clock.unix()),
    block: (keyId, on) => peers.block(keyId, on), blocked: (keyId) => peers.blocked(keyId),
    pairwise: (keyId) => {
      const self = own()
      return self === undefined || self === keyId ? undefined : pairwiseCode(crypto, self, keyId)
    },
  }
}

const stored = z.array(z.strictObject({ cookie: z.string().length(64), token: z.string().length(64), until: z.number() })).max(64)

/** Where the windows of this configuration's page are remembered: beside it, and no other's in the same folder. */
export const sessionsFile = (configFile: string): string => path.join(path.dirname(configFile), `.${path.basename(configFile)}-page.json`)

/** Hashes only: whoever reads the file cannot open the page with it. */
function sessionStore(file: string): SessionStore {
  return {
    read: () => {
      try {
        const checked = stored.safeParse(JSON.parse(readFileSync(file, 'utf8')))
        return checked.success ? checked.data : []
      } catch {
        return []
      }
    },
    write: (sessions) => {
      try {
        // Before a set-up its folder may be missing.
        mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
        writeFileSync(file, JSON.stringify(sessions), { mode: 0o600 })
      } catch {
        // Then windows do not outlive the client.
      }
    },
  }
}
