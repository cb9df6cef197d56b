/**
 * `npm run bench -- fanout [--rounds 5] [--seconds 3] [--warmup 6] [--rooms 5x40,200/5] [--variants native,room5] [--suite gcm|gcm256|sha1]`:
 * cost of one protected packet that the media plane sends. Rooms where everything is forwarded (`MEMBERS`, `MEMBERSxROOMS`); `loudest` rooms in which
 * everybody sends and carries a level, and so many are loud and forwarded (`MEMBERS/LOUD`); rooms of listeners with a few who send at all (`MEMBERS:TALKERS`).
 * `@RATE` behind it: packets a second of each member instead of 50. Other variants: gather2, gather5, segment1, portable. Plane on core 0, generator and sink on
 * core 1. Each variant has its processes for all rounds, warmed up once, and rests while another is measured: runs alternate.
 */
import type { Ssrc } from '../src/base/brand.ts'
import type { StartPlaneOptions } from '../src/media/plane-host.ts'
import type { LegId, RouteOptions } from '../src/media/plane/types.ts'
import { numberOption, option, round } from './_args.ts'
import { load } from './_cpu.ts'
import { countInstructions, type Instructions } from './_instructions.ts'
import type { LoadFigures } from './_ends.ts'
import { type LoadOrder, type LoadReport, streamOf } from './_media-load.ts'
import { kernelMs, median, pin, schedulerMs, socketDrops } from './_pinned.ts'
import type { PlaneAnswer, PlaneOrder } from './_plane.ts'
import { BenchProcess } from './_process.ts'
import type { BenchTable } from './run.ts'

interface Shape {
  readonly name: string
  readonly sends: string
  readonly clients: number
  readonly talking: number
  /** Where everybody sends, and this many of each room are forwarded. */
  readonly loudest: number | undefined
  readonly periodMs: number
  roomOf(talker: number): number
  receivers(talker: number): number[]
}

/** `holdMs`: asked for by the room. */
const VARIANTS: Readonly<Record<string, Omit<StartPlaneOptions, 'bind'> & { readonly holdMs?: number }>> = {
  native: { choice: 'native' },
  gather2: { choice: 'native', gatherMs: 2 },
  gather5: { choice: 'native', gatherMs: 5, segment: true },
  room5: { choice: 'native', holdMs: 5 },
  segment1: { choice: 'native', gatherMs: 1, segment: true },
  portable: { choice: 'portable' },
}
const SUITES = { gcm: 'AEAD_AES_128_GCM', gcm256: 'AEAD_AES_256_GCM', sha1: 'AES_CM_128_HMAC_SHA1_80' } as const
const SAMPLE = 4
const LIMIT_MS = 60_000

function shape(text: string): Shape {
  const [what = '', rate] = text.split('@')
  const [size = '', count = '1'] = what.split('x')
  const [members = 5, some] = size.split(/[:/]/).map(Number)
  const [rooms, talkers] = [Number(count), some ?? members]
  // Those who talk come first: who is in one room with them is found by remainder.
  const room = (n: number): number[] => Array.from({ length: members }, (_, i) => (i < talkers ? n * talkers + i : rooms * talkers + n * (members - talkers) + i - talkers))
  const roomOf = (t: number): number => (t < rooms * talkers ? Math.floor(t / talkers) : Math.floor((t - rooms * talkers) / (members - talkers)))
  const loudest = size.includes('/') ? talkers : undefined
  return {
    name: `${rooms === 1 ? '' : `${rooms} rooms of `}${members}`, sends: `${some === undefined ? 'all' : loudest === undefined ? `${talkers} of them` : `all, the ${talkers} loudest pass`}, ${rate ?? 50}/s each`,
    clients: members * rooms, talking: talkers * rooms, loudest, periodMs: 1000 / Number(rate ?? 50), roomOf,
    receivers: (t) => room(roomOf(t)).filter((i) => i !== t),
  }
}

interface Run extends LoadFigures {
  readonly planeMs: number
  readonly kernelMs: number
  readonly drops: number
  readonly instructions: Instructions | undefined
  /** What the plane gave the system; not known of the portable one. */
  readonly datagrams: number
  /** Packets in one piece for one receiver. */
  readonly segments: number
}

/** One variant with its room, ready to be measured. */
class Stage {
  readonly #plane = new BenchProcess<PlaneOrder, PlaneAnswer>('./_plane.ts')
  readonly #clients = new BenchProcess<LoadOrder, LoadReport>('./_media-load.ts')
  #port = 0

  async begin(s: Shape, variant: string, suite: keyof typeof SUITES, warmUpMs: number): Promise<void> {
    const [plane, clients] = [this.#plane, this.#clients]
    pin(plane.pid, 0)
    pin(clients.pid, 1)
    const { holdMs, ...options } = VARIANTS[variant]!
    plane.order({ kind: 'start', options: { bind: { address: '127.0.0.1', port: 0 }, ...options } })
    const { local } = await plane.next('started', LIMIT_MS)
    this.#port = local.port
    const sending = s.loudest === undefined ? undefined : s.clients
    clients.order({ kind: 'prepare', plan: { clients: s.clients, talking: s.talking, ...(sending !== undefined && { sending }), periodMs: s.periodMs, suite: SUITES[suite], sample: SAMPLE } })
    const { specs } = await clients.next('prepared', LIMIT_MS)
    plane.order({ kind: 'legs', specs })
    const { legs } = await plane.next('legs', LIMIT_MS)
    clients.order({ kind: 'settle', server: local })
    await clients.next('settled', LIMIT_MS)
    const optionsOf = (t: number): RouteOptions => ({ ...(holdMs !== undefined && { holdMs }), ...(s.loudest !== undefined && { loudest: { group: s.roomOf(t), count: s.loudest } }) })
    plane.order({ kind: 'routes', routes: Array.from({ length: sending ?? s.talking }, (_, t) => ({ from: legs[t]!, ssrc: streamOf(t) as Ssrc, to: s.receivers(t).map((i) => legs[i]!) satisfies LegId[], options: optionsOf(t) })) })
    await plane.next('done', LIMIT_MS)
    // What is called once per packet is compiled for good by then, and the loudest are found.
    clients.order({ kind: 'run', ms: warmUpMs })
    await clients.next('ran', LIMIT_MS)
  }
  async measure(seconds: number): Promise<Run> {
    const [plane, clients] = [this.#plane, this.#clients]
    const [sendsBefore, dropsBefore] = [await this.#sends(), socketDrops([this.#port])]
    const before = { all: schedulerMs(plane.pid), kernel: kernelMs(plane.pid) }
    const counted = await countInstructions(plane.pid)
    clients.order({ kind: 'run', ms: seconds * 1000 })
    const figures = await clients.next('ran', LIMIT_MS + seconds * 1000)
    const used = { instructions: await counted(), planeMs: schedulerMs(plane.pid) - before.all, kernelMs: kernelMs(plane.pid) - before.kernel, drops: socketDrops([this.#port]) - dropsBefore }
    const after = await this.#sends()
    const datagrams = after.datagrams - sendsBefore.datagrams
    return { ...figures, ...used, datagrams, segments: datagrams / (after.messages - sendsBefore.messages) }
  }
  async #sends(): Promise<{ datagrams: number; messages: number }> {
    this.#plane.order({ kind: 'stats' })
    return (await this.#plane.next('stats', LIMIT_MS)).sends ?? { datagrams: 0, messages: 0 }
  }
  async stop(): Promise<void> {
    await Promise.all([this.#plane.stop(), this.#clients.stop()])
  }
}

export async function run(args: readonly string[]): Promise<BenchTable> {
  const rounds = numberOption(args, 'rounds', 5)
  const seconds = numberOption(args, 'seconds', 3)
  const warmUp = numberOption(args, 'warmup', 6)
  const suite = (option(args, 'suite') ?? 'gcm') as keyof typeof SUITES
  const shapes = (option(args, 'rooms') ?? '5,16,5x40,16x4,10x11,50/5x4,200/5,200:5,1000/5@10').split(',').map(shape)
  const variants = (option(args, 'variants') ?? 'native,room5').split(',')
  const rows: Record<string, string | number>[] = []
  for (const s of shapes) {
    const runs = new Map<string, Run[]>(variants.map((v) => [v, []]))
    const stages = variants.map((v) => [v, new Stage()] as const)
    try {
      for (const [v, stage] of stages) await stage.begin(s, v, suite, warmUp * 1000)
      for (let r = 0; r < rounds; r++) for (const [v, stage] of stages) runs.get(v)!.push(await stage.measure(seconds))
    } finally {
      await Promise.all(stages.map(([, stage]) => stage.stop()))
    }
    for (const [v, list] of runs) rows.push(row(s, v, list))
  }
  return { name: `fanout, ${SUITES[suite]}`, rows, remarks: [`medians of ${rounds} alternating runs of ${seconds} s after ${warmUp} s; delay: from the generator's call to the sink's; a row is worth nothing where packets were lost because the load or what is measured did not get its core; load of the machine ${load()}`] }
}

/** Of the plane for one packet that it sends. */
function instructionsPer(runs: readonly Run[]): Record<string, number> {
  const per = (which: keyof Instructions): number => Math.round(median(runs.flatMap((r) => (r.instructions === undefined ? [] : [r.instructions[which] / r.received]))))
  return Number.isNaN(per('user')) ? {} : { 'instructions, user': per('user'), 'and kernel': per('kernel') }
}

function row(s: Shape, variant: string, runs: readonly Run[]): Record<string, string | number> {
  // Who is let in at a run's begin brings a few packets from before with it: which streams passed, only the plane knows.
  const expected = (r: Run): number => s.loudest !== undefined && r.datagrams > 0 ? r.datagrams : Array.from({ length: s.talking }, (_, t) => s.receivers(t).length).reduce((a, b) => a + b, 0) * (r.sent / (s.loudest === undefined ? s.talking : s.clients))
  const us = median(runs.map((r) => (r.planeMs * 1000) / r.received))
  const lost = runs.reduce((n, r) => n + expected(r) - r.received, 0)
  return {
    room: s.name, sends: s.sends, plane: variant, 'packets/s': Math.round(median(runs.map((r) => (r.received * 1000) / r.elapsedMs))), 'µs/packet': round(us, 2), 'of it kernel': round(median(runs.map((r) => (r.kernelMs * 1000) / r.received)), 2), ...instructionsPer(runs), 'per core': Math.round(1e6 / us), 'packets/piece': round(median(runs.map((r) => r.segments)), 2),
    'plane CPU %': round(median(runs.map((r) => (100 * r.planeMs) / r.elapsedMs))), 'load CPU %': round(median(runs.map((r) => (100 * r.cpuMs) / r.elapsedMs))),
    'delay ms': round(median(runs.map((r) => r.delayMedianMs)), 2), 'p99 ms': round(median(runs.map((r) => r.delayP99Ms)), 2),
    lost, 'lost by the port': runs.reduce((n, r) => n + r.drops, 0), opened: runs.reduce((n, r) => n + r.opened, 0), wrong: runs.reduce((n, r) => n + r.wrong, 0),
  }
}
