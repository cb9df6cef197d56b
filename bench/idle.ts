/**
 * `npm run bench -- idle [--clients 5000] [--seconds 10] [--rounds 5] [--generators 2]`: what silent clients cost a whole server: each has its channel
 * (TLS with its certificate) and its media hop, and says every 5 s on both that it is there. And the media plane alone, with as many clients:
 * `--planes native,portable`. Medians of as many windows as there are rounds, silent and asking ones by turns.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { must } from '../src/base/result.ts'
import { createNodeCrypto } from '../src/crypto/node/index.ts'
import { Child } from '../src/demo/child.ts'
import { freePort } from '../src/demo/ports.ts'
import { setStage } from '../src/demo/stage.ts'
import type { PlaneChoice } from '../src/media/plane-choice.ts'
import { besideConfig } from '../src/store/config.ts'
import { numberOption, option, pause, round } from './_args.ts'
import type { ChannelsOrder, ChannelsReport } from './_channels.ts'
import { load, memoryMiB, threadMs } from './_cpu.ts'
import type { LoadOrder, LoadReport } from './_media-load.ts'
import { median, pin, schedulerMs } from './_pinned.ts'
import type { PlaneAnswer, PlaneOrder } from './_plane.ts'
import { BenchProcess } from './_process.ts'
import type { BenchTable } from './run.ts'

const LIMIT_MS = 120_000
const CONNECT_LIMIT_MS = 1_200_000
/** Handshakes at a time, of each generator. */
const AT_ONCE = 8
const SETTLE_MS = 6000
/** The server ends a channel of which it hears nothing for 15 s, and each may have been silent for 5 s before and after. */
const MOST_SILENT_MS = 4000
/** Of the server's media threads (media/plane-host.ts). */
const MEDIA_THREAD = 'stc-plane'
const serverEntry = fileURLToPath(new URL('../src/cli/demo-process.ts', import.meta.url))

type Row = Record<string, string | number>

export async function run(args: readonly string[]): Promise<BenchTable> {
  const clients = numberOption(args, 'clients', 5000)
  const seconds = numberOption(args, 'seconds', 10)
  const rounds = numberOption(args, 'rounds', 5)
  const planes = option(args, 'planes')
  const rows: Row[] = []
  if (planes === undefined) rows.push(await wholeServer(clients, seconds, rounds, numberOption(args, 'generators', 2)))
  else for (const choice of planes.split(',') as PlaneChoice[]) rows.push(await planeAlone(choice, clients, seconds, rounds))
  return { name: 'idle', rows, remarks: [`per cent of one core, all threads of the server; resident memory; medians of ${rounds} windows of ${seconds} s, of ${MOST_SILENT_MS / 1000} s when whole clients say nothing; load of the machine ${load()}`] }
}

async function wholeServer(clients: number, seconds: number, rounds: number, generators: number): Promise<Row> {
  const port = await freePort(0)
  using stage = must(setStage(createNodeCrypto(), { serverPort: port, names: ['member'], phones: [] }))
  writeFileSync(stage.serverConfig, JSON.stringify({ ...JSON.parse(readFileSync(stage.serverConfig, 'utf8')), connections: clients + 100 }))
  const server = new Child('server', serverEntry, { role: 'server', configFile: stage.serverConfig })
  const channels = Array.from({ length: generators }, () => new BenchProcess<ChannelsOrder, ChannelsReport>('./_channels.ts'))
  try {
    await server.next('up', LIMIT_MS)
    const empty = memoryMiB(server.pid)
    const { config, configFile } = stage.clients[0]!
    const read = (file: string): string => readFileSync(besideConfig(configFile, file), 'utf8')
    const begin = performance.now()
    const cpu = schedulerMs(server.pid)
    for (const c of channels) c.order({ kind: 'connect', server: { address: '127.0.0.1', port }, certificate: read(config.identity.certificate), key: read(config.identity.key), clients: Math.ceil(clients / generators), atOnce: AT_ONCE })
    await Promise.all(channels.map((c) => c.next('connected', CONNECT_LIMIT_MS)))
    const connecting = { ms: performance.now() - begin, cpu: schedulerMs(server.pid) - cpu }
    await pause(SETTLE_MS)
    const generatorPids = channels.map((c) => c.pid)
    const [asked, silent]: Share[][] = [[], []]
    for (let r = 0; r < rounds; r++) {
      asked!.push(await share(server.pid, seconds * 1000, generatorPids))
      for (const c of channels) c.order({ kind: 'talk', on: false })
      await pause(500)
      silent!.push(await share(server.pid, MOST_SILENT_MS, generatorPids))
      for (const c of channels) c.order({ kind: 'talk', on: true })
      await pause(SETTLE_MS)
    }
    const of = (windows: readonly Share[] | undefined, which: keyof Share): number => median((windows ?? []).map((w) => w[which]))
    const counts = await Promise.all(channels.map((c) => {
      c.order({ kind: 'count' })
      return c.next('counted', LIMIT_MS)
    }))
    const full = memoryMiB(server.pid)
    const open = counts.reduce((n, c) => n + c.open, 0)
    return {
      clients, open, 'CPU %, nothing said': of(silent, 'all'), 'CPU %, both asked every 5 s': of(asked, 'all'), 'of it media': of(asked, 'media'), 'load CPU %': of(asked, 'load'),
      'answers in': counts.reduce((n, c) => n + c.pongs + c.echoes, 0), 'kB each': round(((full - empty) * 1024) / Math.max(1, open)), 'MiB empty': Math.round(empty), 'MiB full': Math.round(full), 'connecting, ms of CPU each': round(connecting.cpu / clients, 2), 'in s': round(connecting.ms / 1000),
    }
  } finally {
    await Promise.all(channels.map((c) => c.stop()))
    await server.stop()
  }
}

/** Per cent of one core: all of the server, its media threads, and the generators. */
interface Share {
  readonly all: number
  readonly media: number
  readonly load: number
}

/** Threads are known by their names. */
async function share(pid: number, ms: number, generators: readonly number[]): Promise<Share> {
  const media = (): number => threadMs(pid).get(MEDIA_THREAD) ?? 0
  const load = (): number => generators.reduce((n, g) => n + schedulerMs(g), 0)
  const before = { all: schedulerMs(pid), media: media(), load: load(), at: performance.now() }
  await pause(ms)
  const percent = (used: number): number => round((100 * used) / (performance.now() - before.at), 2)
  return { all: percent(schedulerMs(pid) - before.all), media: percent(media() - before.media), load: percent(load() - before.load) }
}

async function planeAlone(choice: PlaneChoice, clients: number, seconds: number, rounds: number): Promise<Row> {
  const plane = new BenchProcess<PlaneOrder, PlaneAnswer>('./_plane.ts')
  const ends = new BenchProcess<LoadOrder, LoadReport>('./_media-load.ts')
  try {
    pin(plane.pid, 0)
    pin(ends.pid, 1)
    plane.order({ kind: 'start', options: { bind: { address: '127.0.0.1', port: 0 }, choice } })
    const { local } = await plane.next('started', LIMIT_MS)
    ends.order({ kind: 'prepare', plan: { clients, talking: 0, suite: 'AEAD_AES_128_GCM', sample: 0 } })
    const { specs } = await ends.next('prepared', LIMIT_MS)
    const empty = memoryMiB(plane.pid)
    plane.order({ kind: 'legs', specs })
    await plane.next('legs', LIMIT_MS)
    ends.order({ kind: 'settle', server: local })
    await ends.next('settled', LIMIT_MS)
    // Without anything to do at all, then with the questions that clients ask.
    const [quiet, asked]: Share[][] = [[], []]
    for (let r = 0; r < rounds; r++) {
      quiet!.push(await during(plane.pid, ends, { kind: 'run', ms: seconds * 1000 }))
      asked!.push(await during(plane.pid, ends, { kind: 'idle', ms: seconds * 1000 }))
    }
    const of = (windows: readonly Share[] | undefined, which: keyof Share): number => median((windows ?? []).map((w) => w[which]))
    return {
      plane: choice, clients, 'CPU %, nothing said': of(quiet, 'all'), 'CPU %, asking every 5 s': of(asked, 'all'), 'load CPU %': of(asked, 'load'), 'kB each': round(((memoryMiB(plane.pid) - empty) * 1024) / clients),
      'MiB empty': Math.round(empty), 'MiB full': Math.round(memoryMiB(plane.pid)),
    }
  } finally {
    await Promise.all([plane.stop(), ends.stop()])
  }
}

/** The window is what the order takes, emptying what is on its way included. */
async function during(pid: number, ends: BenchProcess<LoadOrder, LoadReport>, order: LoadOrder): Promise<Share> {
  const before = { all: schedulerMs(pid), load: schedulerMs(ends.pid), at: performance.now() }
  ends.order(order)
  await ends.next('ran', LIMIT_MS)
  const percent = (used: number): number => round((100 * used) / (performance.now() - before.at), 2)
  const all = percent(schedulerMs(pid) - before.all)
  return { all, media: all, load: percent(schedulerMs(ends.pid) - before.load) }
}
