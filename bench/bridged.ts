/**
 * `npm run bench -- bridged [--part client,server,lines,roster] [--seconds 20] [--warmup 30] [--calls 100] [--lines 30]`: bridged calls through a real Asterisk.
 * `client`: processor time of one client with one call, on either plane. `server`: that of the server with many calls, next to Asterisk's own.
 * `lines`: memory and processor time of one client with many lines. `roster`: from Asterisk's word that somebody came or went to the line on each client's terminal.
 */
import { listOption, numberOption, option, pause, quantile, round } from './_args.ts'
import { BridgedStage, type Plane, treeCpuMs, treeMiB, watchConferences } from './_bridged-stage.ts'
import { cpuMs, Gauge, load, threadMs } from './_cpu.ts'
import type { SyntheticPhone } from './_sip-phone.ts'
import type { BenchTable } from './run.ts'
import { freePorts } from '../test/kit/free-ports.ts'
import { until } from '../test/kit/processes.ts'

type Row = Record<string, string | number>
const PLANES: readonly Plane[] = ['native', 'portable']
const PARTS = ['client', 'server', 'lines', 'roster'] as const
/** A client may begin so many calls at once, and two a second then. */
const CALLS_OF_CLIENT = 15

export async function run(args: readonly string[]): Promise<BenchTable> {
  const seconds = numberOption(args, 'seconds', 20)
  const warmUp = numberOption(args, 'warmup', 30)
  const wanted = option(args, 'part')?.split(',') ?? PARTS
  const gauge = new Gauge()
  const rows: Row[] = []
  const parts: Record<(typeof PARTS)[number], () => Promise<Row[]>> = {
    client: () => clientWithOneCall(seconds, warmUp),
    server: () => serverWithCalls(numberOption(args, 'calls', 100), seconds, warmUp),
    lines: () => clientWithLines(listOption(args, 'lines', [1, 30]), seconds),
    roster: () => rosterChanges(numberOption(args, 'clients', 10), numberOption(args, 'rounds', 20)),
  }
  for (const p of PARTS) {
    if (!wanted.includes(p)) continue
    gauge.sample()
    rows.push(...(await parts[p]()))
  }
  return { name: 'bridged', rows, remarks: [`per cent of one core over ${seconds} s after ${warmUp} s; a client with its vaults; CPU time of one G.722 frame meanwhile ${round(gauge.median)} µs; load of the machine ${load()}`] }
}

/** Shares of one core. */
async function shares(seconds: number, of: Readonly<Record<string, () => number>>): Promise<Record<string, number>> {
  const before = Object.entries(of).map(([name, cpu]) => [name, cpu, cpu()] as const)
  const from = performance.now()
  await pause(seconds * 1000)
  const elapsed = performance.now() - from
  return Object.fromEntries(before.map(([name, cpu, was]) => [name, round((100 * (cpu() - was)) / elapsed, 2)]))
}

async function clientWithOneCall(seconds: number, warmUp: number): Promise<Row[]> {
  const stage = await BridgedStage.set('native', 4)
  const rows: Row[] = []
  for (const plane of PLANES) {
    const client = await stage.client(plane, { mediaPlane: plane })
    const { pid } = client.process
    const idle = await shares(seconds, { idle: () => treeCpuMs(pid) })
    const phone = await stage.call(client.sip, '600')
    await pause(warmUp * 1000)
    const heard = phone.received
    const threads = threadMs(pid)
    const busy = await shares(seconds, { call: () => treeCpuMs(pid) })
    const ofThreads = [...threadMs(pid)].map(([name, ms]) => [name, round((ms - (threads.get(name) ?? 0)) / (10 * seconds), 2)] as const).filter(([, share]) => share >= 0.02)
    rows.push({ part: 'client', plane, calls: 1, 'CPU %': busy['call']!, 'idle %': idle['idle']!, ...Object.fromEntries(ofThreads), 'RTP to the phone /s': Math.round((phone.received - heard) / seconds), MiB: treeMiB(pid) })
    await phone.hangup()
    await client.stop()
  }
  await stage.stop()
  return rows
}

async function serverWithCalls(calls: number, seconds: number, warmUp: number): Promise<Row[]> {
  const rows: Row[] = []
  for (const plane of PLANES) {
    const stage = await BridgedStage.set(plane, calls)
    const phones: SyntheticPhone[] = []
    for (let c = 0; phones.length < calls; c++) {
      const client = await stage.client(`client-${c}`)
      for (let i = 0; i < CALLS_OF_CLIENT && phones.length < calls; i++) phones.push(await stage.call(client.sip, '600'))
    }
    await pause(warmUp * 1000)
    const heard = phones.reduce((n, p) => n + p.received, 0)
    const cpu = await shares(seconds, { server: () => cpuMs(stage.server.process.pid), asterisk: () => cpuMs(stage.asterisk.pid) })
    const rate = Math.round((phones.reduce((n, p) => n + p.received, 0) - heard) / seconds)
    rows.push({ part: 'server', plane, calls, 'CPU %': cpu['server']!, 'Asterisk CPU %': cpu['asterisk']!, 'RTP to the phones /s': rate, MiB: treeMiB(stage.server.process.pid) })
    await Promise.all(phones.map((p) => p.hangup()))
    await stage.stop()
  }
  return rows
}

async function clientWithLines(counts: readonly number[], seconds: number): Promise<Row[]> {
  const stage = await BridgedStage.set('native', 40)
  const rows: Row[] = []
  for (const lines of counts) {
    const more = await Promise.all(Array.from({ length: lines - 1 }, async (_, i) => ({ identity: stage.papers(`desk-${lines}-${i}`), phones: [{ line: `desk-${i}`, address: '127.0.0.1', port: await freePorts(4) }] })))
    const client = await stage.client(`lines-${lines}`, { lines: more })
    await until(120_000, 'all lines', () => client.process.output().split('connected to').length > lines || undefined, client.process.tail, 200)
    const { pid } = client.process
    const idle = await shares(seconds, { idle: () => treeCpuMs(pid) })
    const phones = await Promise.all([client.sip, ...more.map((l) => l.phones[0]!)].map((at) => stage.call(at, '600')))
    await pause(5000)
    const busy = await shares(seconds, { calls: () => treeCpuMs(pid) })
    rows.push({ part: 'lines', lines, calls: phones.length, 'CPU %': busy['calls']!, 'idle %': idle['idle']!, MiB: treeMiB(pid) })
    await Promise.all(phones.map((p) => p.hangup()))
    await client.stop()
  }
  await stage.stop()
  return rows
}

/** A plain phone comes and goes; every client has a call in the conference. */
async function rosterChanges(clients: number, rounds: number): Promise<Row[]> {
  const stage = await BridgedStage.set('native', clients + 4)
  const lines: { at: number; text: string }[][] = []
  const phones: SyntheticPhone[] = []
  for (let i = 0; i < clients; i++) {
    const client = await stage.client(`client-${i}`)
    const mine: { at: number; text: string }[] = []
    lines.push(mine)
    client.process.onLine((text) => mine.push({ at: performance.now(), text }))
    phones.push(await stage.call(client.sip, '700'))
  }
  let told: { event: string; at: number } | undefined
  const unwatch = watchConferences(stage.asterisk, (event, at) => (told = { event, at }))
  await pause(3000)
  told = undefined
  const delays: number[] = []
  const seen = async (event: string, what: RegExp): Promise<void> => {
    await until(10_000, event, () => told?.event === event || undefined)
    const at = told!.at
    for (const mine of lines) delays.push(await until(5000, `${what} on a terminal`, () => mine.find((l) => l.at >= at - 50 && what.test(l.text))?.at).then((t) => Math.max(0, t - at)))
    for (const mine of lines) mine.length = 0
    told = undefined
  }
  for (let r = 0; r < rounds; r++) {
    const plain = await stage.call({ address: stage.asterisk.address, port: stage.asterisk.sip }, '700')
    await seen('ConfbridgeJoin', /unverified caller .*joined/)
    await plain.hangup()
    await seen('ConfbridgeLeave', /unverified caller .*left/)
    await pause(300)
  }
  unwatch()
  await Promise.all(phones.map((p) => p.hangup()))
  await stage.stop()
  return [{ part: 'roster', clients, changes: delays.length / clients, 'median ms': round(quantile(delays, 0.5)), 'p95 ms': round(quantile(delays, 0.95)), 'worst ms': round(Math.max(...delays)) }]
}
