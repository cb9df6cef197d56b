/**
 * `npm run bench -- idle [--clients 5000] [--seconds 10] [--generators 2]`: what silent clients cost a whole server: each has its channel
 * (TLS with its certificate) and its media hop, and says every 5 s on both that it is there. And the media plane alone, with as many clients:
 * `--planes native,portable`.
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
import { pin, schedulerMs } from './_pinned.ts'
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
const serverEntry = fileURLToPath(new URL('../src/cli/demo-process.ts', import.meta.url))

type Row = Record<string, string | number>

export async function run(args: readonly string[]): Promise<BenchTable> {
  const clients = numberOption(args, 'clients', 5000)
  const seconds = numberOption(args, 'seconds', 10)
  const planes = option(args, 'planes')
  const rows: Row[] = []
  if (planes === undefined) rows.push(await wholeServer(clients, seconds, numberOption(args, 'generators', 2)))
  else for (const choice of planes.split(',') as PlaneChoice[]) rows.push(await planeAlone(choice, clients, seconds))
  return { name: 'idle', rows, remarks: [`per cent of one core, all threads of the server; resident memory; ${seconds} s; load of the machine ${load()}`] }
}

async function wholeServer(clients: number, seconds: number, generators: number): Promise<Row> {
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
    const asked = await share(server.pid, seconds * 1000)
    for (const c of channels) c.order({ kind: 'talk', on: false })
    await pause(500)
    const silent = await share(server.pid, MOST_SILENT_MS)
    for (const c of channels) c.order({ kind: 'talk', on: true })
    const counts = await Promise.all(channels.map((c) => {
      c.order({ kind: 'count' })
      return c.next('counted', LIMIT_MS)
    }))
    const full = memoryMiB(server.pid)
    return {
      clients, open: counts.reduce((n, c) => n + c.open, 0), 'CPU %, nothing said': silent.all, 'CPU %, both asked every 5 s': asked.all, 'of it media': asked.media,
      'kB each': round(((full - empty) * 1024) / clients), 'MiB empty': Math.round(empty), 'MiB full': Math.round(full), 'connecting, ms of CPU each': round(connecting.cpu / clients, 2), 'in s': round(connecting.ms / 1000),
    }
  } finally {
    await Promise.all(channels.map((c) => c.stop()))
    await server.stop()
  }
}

/** Of one core. Threads are known by their names: the first is the server's own, and who is called like it. */
async function share(pid: number, ms: number): Promise<{ all: number; media: number }> {
  const before = { all: schedulerMs(pid), threads: threadMs(pid), at: performance.now() }
  await pause(ms)
  const elapsed = performance.now() - before.at
  const media = [...threadMs(pid)].filter(([name]) => /worker|media|plane/i.test(name)).reduce((sum, [name, used]) => sum + used - (before.threads.get(name) ?? 0), 0)
  return { all: round((100 * (schedulerMs(pid) - before.all)) / elapsed, 2), media: round((100 * media) / elapsed, 2) }
}

async function planeAlone(choice: PlaneChoice, clients: number, seconds: number): Promise<Row> {
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
    const quiet = await during(plane.pid, ends, { kind: 'run', ms: seconds * 1000 }, seconds)
    const asked = await during(plane.pid, ends, { kind: 'idle', ms: seconds * 1000 }, seconds)
    return {
      plane: choice, clients, 'CPU %, nothing said': quiet, 'CPU %, asking every 5 s': asked, 'kB each': round(((memoryMiB(plane.pid) - empty) * 1024) / clients),
      'MiB empty': Math.round(empty), 'MiB full': Math.round(memoryMiB(plane.pid)),
    }
  } finally {
    await Promise.all([plane.stop(), ends.stop()])
  }
}

async function during(pid: number, ends: BenchProcess<LoadOrder, LoadReport>, order: LoadOrder, seconds: number): Promise<number> {
  const before = schedulerMs(pid)
  ends.order(order)
  await ends.next('ran', LIMIT_MS + seconds * 1000)
  return round((schedulerMs(pid) - before) / seconds / 10, 2)
}
