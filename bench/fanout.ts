/**
 * `npm run bench -- fanout [--rounds 3] [--seconds 2] [--rooms 5x40,200:5] [--variants native,room5] [--suite gcm|gcm256|sha1]`:
 * cost of one protected packet that the media plane sends, in rooms where everything is forwarded (`MEMBERSxROOMS`) and in large
 * ones with a few forwarded (`LISTENERS:TALKERS`, `LISTENERS:TALKERSxROOMS`). Other variants: gather2, gather5, segment1, portable. Plane on core 0, generator and sink on core 1, variants alternating.
 */
import type { Ssrc } from '../src/base/brand.ts'
import type { StartPlaneOptions } from '../src/media/plane-host.ts'
import type { LegId } from '../src/media/plane/types.ts'
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
  readonly clients: number
  readonly talking: number
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
const WARM_UP_MS = 5000
const LIMIT_MS = 60_000

function shape(text: string): Shape {
  const [size = '', count = '1'] = text.split('x')
  const [members = 5, some] = size.split(':').map(Number)
  const [rooms, talkers] = [Number(count), some ?? members]
  // Those who talk come first: who is in one room with them is found by remainder.
  const room = (n: number): number[] => Array.from({ length: members }, (_, i) => (i < talkers ? n * talkers + i : rooms * talkers + n * (members - talkers) + i - talkers))
  return {
    name: `${rooms === 1 ? '' : `${rooms} rooms of `}${members}${some === undefined ? '' : `, ${talkers} talk`}`, clients: members * rooms, talking: talkers * rooms,
    receivers: (t) => room(Math.floor(t / talkers)).filter((i) => i !== t),
  }
}

interface Run extends LoadFigures {
  readonly planeMs: number
  readonly kernelMs: number
  readonly drops: number
  readonly instructions: Instructions | undefined
  /** Packets in one piece for one receiver. */
  readonly segments: number
}

async function sends(plane: BenchProcess<PlaneOrder, PlaneAnswer>): Promise<{ datagrams: number; messages: number }> {
  plane.order({ kind: 'stats' })
  return (await plane.next('stats', LIMIT_MS)).sends ?? { datagrams: 0, messages: 0 }
}

async function once(s: Shape, variant: string, suite: keyof typeof SUITES, seconds: number): Promise<Run> {
  const plane = new BenchProcess<PlaneOrder, PlaneAnswer>('./_plane.ts')
  const clients = new BenchProcess<LoadOrder, LoadReport>('./_media-load.ts')
  try {
    pin(plane.pid, 0)
    pin(clients.pid, 1)
    const { holdMs, ...options } = VARIANTS[variant]!
    plane.order({ kind: 'start', options: { bind: { address: '127.0.0.1', port: 0 }, ...options } })
    const { local } = await plane.next('started', LIMIT_MS)
    clients.order({ kind: 'prepare', plan: { clients: s.clients, talking: s.talking, suite: SUITES[suite], sample: SAMPLE } })
    const { specs } = await clients.next('prepared', LIMIT_MS)
    plane.order({ kind: 'legs', specs })
    const { legs } = await plane.next('legs', LIMIT_MS)
    clients.order({ kind: 'settle', server: local })
    await clients.next('settled', LIMIT_MS)
    plane.order({ kind: 'routes', routes: Array.from({ length: s.talking }, (_, t) => ({ from: legs[t]!, ssrc: streamOf(t) as Ssrc, to: s.receivers(t).map((i) => legs[i]!) satisfies LegId[], ...(holdMs !== undefined && { options: { holdMs } }) })) })
    await plane.next('done', LIMIT_MS)
    // What is called once per packet is compiled for good by then.
    clients.order({ kind: 'run', ms: WARM_UP_MS })
    await clients.next('ran', LIMIT_MS)
    const sendsBefore = await sends(plane)
    const before = { all: schedulerMs(plane.pid), kernel: kernelMs(plane.pid) }
    const counted = await countInstructions(plane.pid)
    clients.order({ kind: 'run', ms: seconds * 1000 })
    const figures = await clients.next('ran', LIMIT_MS + seconds * 1000)
    const used = { instructions: await counted(), planeMs: schedulerMs(plane.pid) - before.all, kernelMs: kernelMs(plane.pid) - before.kernel, drops: socketDrops([local.port]) }
    const after = await sends(plane)
    return { ...figures, ...used, segments: (after.datagrams - sendsBefore.datagrams) / (after.messages - sendsBefore.messages) }
  } finally {
    await Promise.all([plane.stop(), clients.stop()])
  }
}

export async function run(args: readonly string[]): Promise<BenchTable> {
  const rounds = numberOption(args, 'rounds', 3)
  const seconds = numberOption(args, 'seconds', 2)
  const suite = (option(args, 'suite') ?? 'gcm') as keyof typeof SUITES
  const shapes = (option(args, 'rooms') ?? '5x40,200:5').split(',').map(shape)
  const variants = (option(args, 'variants') ?? 'native,room5').split(',')
  const rows: Record<string, string | number>[] = []
  for (const s of shapes) {
    const runs = new Map<string, Run[]>(variants.map((v) => [v, []]))
    for (let r = 0; r < rounds; r++) for (const v of variants) runs.get(v)!.push(await once(s, v, suite, seconds))
    for (const [v, list] of runs) rows.push(row(s, v, list))
  }
  return { name: `fanout, ${SUITES[suite]}`, rows, remarks: [`medians of ${rounds} alternating runs of ${seconds} s; delay: from the generator's call to the sink's; a row is worth nothing where packets were lost because the load or what is measured did not get its core; load of the machine ${load()}`] }
}

/** Of the plane for one packet that it sends. */
function instructionsPer(runs: readonly Run[]): Record<string, number> {
  const per = (which: keyof Instructions): number => Math.round(median(runs.flatMap((r) => (r.instructions === undefined ? [] : [r.instructions[which] / r.received]))))
  return Number.isNaN(per('user')) ? {} : { 'instructions, user': per('user'), 'and kernel': per('kernel') }
}

function row(s: Shape, variant: string, runs: readonly Run[]): Record<string, string | number> {
  const expected = (r: Run): number => Array.from({ length: s.talking }, (_, t) => s.receivers(t).length).reduce((a, b) => a + b, 0) * (r.sent / s.talking)
  const us = median(runs.map((r) => (r.planeMs * 1000) / r.received))
  const lost = runs.reduce((n, r) => n + expected(r) - r.received, 0)
  return {
    room: s.name, plane: variant, 'packets/s': Math.round(median(runs.map((r) => (r.received * 1000) / r.elapsedMs))), 'µs/packet': round(us, 2), 'of it kernel': round(median(runs.map((r) => (r.kernelMs * 1000) / r.received)), 2), ...instructionsPer(runs), 'per core': Math.round(1e6 / us), 'packets/piece': round(median(runs.map((r) => r.segments)), 2),
    'plane CPU %': round(median(runs.map((r) => (100 * r.planeMs) / r.elapsedMs))), 'load CPU %': round(median(runs.map((r) => (100 * r.cpuMs) / r.elapsedMs))),
    'delay ms': round(median(runs.map((r) => r.delayMedianMs)), 2), 'p99 ms': round(median(runs.map((r) => r.delayP99Ms)), 2),
    lost, 'lost by the port': runs.reduce((n, r) => n + r.drops, 0), opened: runs.reduce((n, r) => n + r.opened, 0), wrong: runs.reduce((n, r) => n + r.wrong, 0),
  }
}
