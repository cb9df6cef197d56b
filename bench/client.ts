/**
 * `npm run bench -- client [--part rooms,calls] [--seconds 10] [--warmup 10] [--members 2,5,20] [--rounds 3] [--profile DIR]`: processor time of one client
 * with a SIP phone, all its threads together. `rooms`: while the others of the room are stubs in other processes. `calls`: in a call of two through a
 * provider, plain and sealed by turns. What is called once per tick is compiled for good after 3000 calls, so a client is warm after a minute.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { must } from '../src/base/result.ts'
import { createNodeCrypto } from '../src/crypto/node/index.ts'
import { Child } from '../src/demo/child.ts'
import { freePort } from '../src/demo/ports.ts'
import { setStage, type Stage } from '../src/demo/stage.ts'
import { babble } from '../test/kit/audio.ts'
import { listOption, numberOption, option, pause, round } from './_args.ts'
import { measureCalls } from './_calls.ts'
import { childrenOf, cpuMs, Gauge, load, memoryMiB, threadMs } from './_cpu.ts'
import { SyntheticPhone } from './_sip-phone.ts'
import type { StubOrder, StubReport } from './_stubs.ts'
import type { BenchTable } from './run.ts'

const ROOM = '100'
const UP_MS = 30_000
const entry = fileURLToPath(new URL('../src/cli/demo-process.ts', import.meta.url))
const serverEntry = fileURLToPath(new URL('./_server.ts', import.meta.url))
const stubEntry = fileURLToPath(new URL('./_stubs.ts', import.meta.url))

export async function run(args: readonly string[]): Promise<BenchTable> {
  process.env['STC_BENCH_PATIENT'] = '1'
  const seconds = numberOption(args, 'seconds', 10)
  const warmUp = numberOption(args, 'warmup', 10)
  const rows: Record<string, string | number>[] = []
  const parts = (option(args, 'part') ?? 'rooms,calls').split(',')
  if (parts.includes('rooms')) for (const members of listOption(args, 'members', [2, 5, 20])) rows.push(...(await measureRoom(members, { seconds, warmUp, profile: option(args, 'profile') })))
  if (parts.includes('calls')) rows.push(...(await measureCalls({ seconds, warmUp, rounds: numberOption(args, 'rounds', 3) })))
  return { name: 'client', rows, remarks: [`${seconds} s each after ${warmUp} s; per cent of one core; gauge: CPU time of one G.722 frame meanwhile; load of the machine ${load()}`, 'calls: medians of their rounds'] }
}

interface Options {
  readonly seconds: number
  readonly warmUp: number
  readonly profile: string | undefined
}

async function measureRoom(members: number, { seconds, warmUp, profile }: Options): Promise<Record<string, string | number>[]> {
  const phonePort = await freePort(0)
  using stage = must(setStage(createNodeCrypto(), {
    serverPort: await freePort(0), names: Array.from({ length: members }, (_, i) => `member-${i}`),
    phones: [{ line: 'bench', address: '127.0.0.1', port: phonePort, transports: ['udp'], users: {}, srtp: 'off' }],
  }))
  const server = new Child('server', serverEntry, { role: 'server', configFile: stage.serverConfig })
  await server.next('up', UP_MS)
  const stubs = await startStubs(stage, members)
  const child = startMeasured(stage, profile)
  console.error(`${members} members: the client is process ${child.pid}`)
  const phone = await child.next('up', UP_MS).then(() => callFrom(phonePort))
  const rows: Record<string, string | number>[] = []
  for (const talking of [1, 5].filter((t) => t === 1 || t < members)) {
    stubs.send({ kind: 'talk', talking } satisfies StubOrder)
    // The first time only: afterwards it is buffers and levels that have to settle.
    await pause(rows.length === 0 ? warmUp * 1000 : 3000)
    rows.push(await measure(child, members, talking, seconds, phone))
  }
  await phone.hangup()
  await child.stop()
  stubs.kill()
  await server.stop()
  return rows
}

const vaultOf = (pid: number, of: (pid: number) => number): number => childrenOf(pid).reduce((sum, child) => sum + of(child), 0)
const withVault = (pid: number, of: (pid: number) => number): number => of(pid) + vaultOf(pid, of)

async function startStubs(stage: Stage, members: number): Promise<ReturnType<typeof fork>> {
  const stubs = fork(stubEntry, [], { serialization: 'advanced', execArgv: [] })
  const config = (c: Stage['clients'][number]['config']) => ({ ...c, rooms: { default: { suite: 'x25519', codec: 'g722', forwarding: members > 16 ? 'loudest' : 'all', maximumMembers: members, admit: 'anchors' } } }) as const
  stubs.send({ kind: 'join', room: ROOM, members: stage.clients.slice(1).map((c) => ({ ...c, config: config(c.config) })) } satisfies StubOrder)
  const [report] = (await once(stubs, 'message')) as [StubReport]
  if (report.kind === 'failed') throw new Error(report.message)
  return stubs
}

function startMeasured(stage: Stage, profile: string | undefined): Child {
  const c = stage.clients[0]!
  const before = process.env['NODE_OPTIONS']
  if (profile !== undefined) process.env['NODE_OPTIONS'] = `--cpu-prof --cpu-prof-interval=500 --cpu-prof-dir=${profile}`
  const child = new Child(c.name, entry, { role: 'member', name: c.name, config: c.config, configFile: c.configFile, voices: [], room: ROOM, record: false })
  if (before === undefined) delete process.env['NODE_OPTIONS']
  else process.env['NODE_OPTIONS'] = before
  return child
}

const speech = babble(320 * 500, 99)
const callFrom = (port: number): Promise<SyntheticPhone> => SyntheticPhone.call({ address: '127.0.0.1', port }, `8${ROOM}`, {
  speak: (out, n) => out.set(speech.subarray((n % 500) * 320, (n % 500) * 320 + 320)),
})

async function measure(child: Child, members: number, talking: number, seconds: number, phone: SyntheticPhone): Promise<Record<string, string | number>> {
  const { pid } = child
  const gauge = new Gauge()
  const received = async (): Promise<number> => (await child.next('stats', 5000)).senders.reduce((n, x) => n + x.received, 0)
  const before = { frames: await received(), at: performance.now(), cpu: withVault(pid, cpuMs), vault: vaultOf(pid, cpuMs), threads: threadMs(pid), packets: phone.received }
  for (let s = 0; s < seconds - 1; s++) {
    gauge.sample()
    await pause(1000)
  }
  const frames = await received()
  const elapsed = performance.now() - before.at
  const share = (ms: number): number => round((100 * ms) / elapsed, 2)
  const threads = [...threadMs(pid)].map(([name, ms]) => [name, share(ms - (before.threads.get(name) ?? 0))] as const).filter(([, s]) => s > 0.01)
  return {
    members, talking, 'CPU %': share(withVault(pid, cpuMs) - before.cpu), 'of it vault': share(vaultOf(pid, cpuMs) - before.vault), ...Object.fromEntries(threads),
    'frames in /s': Math.round(((frames - before.frames) * 1000) / elapsed), 'RTP out /s': Math.round(((phone.received - before.packets) * 1000) / elapsed),
    MiB: Math.round(withVault(pid, memoryMiB)), 'gauge µs': round(gauge.median),
  }
}
