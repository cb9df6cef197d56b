/**
 * `npm run bench -- rebind [--workers 1,4] [--rooms 5x8] [--moves 40] [--every 100] [--rounds 5]`: members of rooms whose address changes in
 * mid-call, without a word to the server, as behind a NAT that forgot them. Streams are spread over all media threads. How long it takes until the
 * server's challenge is answered, and what went to the old address later than a packet's time after that: nothing may.
 */
import type { Ssrc } from '../src/base/brand.ts'
import { numberOption, option, listOption, round } from './_args.ts'
import { load } from './_cpu.ts'
import { type LoadOrder, type LoadReport, type MoveFigures, streamOf } from './_media-load.ts'
import type { LoadFigures } from './_ends.ts'
import { median, schedulerMs } from './_pinned.ts'
import type { PlaneAnswer, PlaneOrder } from './_plane.ts'
import { BenchProcess } from './_process.ts'
import type { BenchTable } from './run.ts'

const LIMIT_MS = 120_000
const WARM_UP_MS = 3000
const MOVABLE = 20

export async function run(args: readonly string[]): Promise<BenchTable> {
  const [members = 5, rooms = 20] = (option(args, 'rooms') ?? '5x8').split('x').map(Number)
  const moves = numberOption(args, 'moves', 40)
  const everyMs = numberOption(args, 'every', 100)
  const rounds = numberOption(args, 'rounds', 5)
  const all = listOption(args, 'workers', [1, 4])
  const runs = new Map<number, Run[]>(all.map((w) => [w, []]))
  for (let r = 0; r < rounds; r++) for (const workers of all) runs.get(workers)!.push(await once(workers, members, rooms, moves * everyMs + 1000, everyMs))
  return {
    name: 'rebind', rows: all.map((w) => row(w, members, rooms, runs.get(w)!)),
    remarks: [`medians of ${rounds} alternating runs, packets lost, opened and wrong in all of them; "lost after the challenge": sent to an old address more than 20 ms after the challenge was answered, or never challenged; load of the machine ${load()}`],
  }
}

type Run = LoadFigures & MoveFigures & { readonly planeMs: number }

function row(workers: number, members: number, rooms: number, runs: readonly Run[]): Record<string, string | number> {
  const of = (pick: (r: Run) => number): number => median(runs.map(pick))
  const sum = (pick: (r: Run) => number): number => runs.reduce((n, r) => n + pick(r), 0)
  return {
    workers, room: `${rooms} rooms of ${members}`, moves: sum((r) => r.moves), 'challenge answered after ms': round(of((r) => r.challengedMedianMs), 2), 'p99 ms': round(of((r) => r.challengedP99Ms), 2),
    'to old addresses, each move': round(of((r) => r.toOld / r.moves), 1), 'lost after the challenge': sum((r) => r.lost), 'lost in all': sum((r) => r.sent * (members - 1) - r.received),
    'plane CPU %': round(of((r) => (100 * r.planeMs) / r.elapsedMs)), 'load CPU %': round(of((r) => (100 * r.cpuMs) / r.elapsedMs)), opened: sum((r) => r.opened), wrong: sum((r) => r.wrong),
  }
}

async function once(workers: number, members: number, rooms: number, ms: number, everyMs: number): Promise<Run> {
  const plane = new BenchProcess<PlaneOrder, PlaneAnswer>('./_plane.ts')
  const ends = new BenchProcess<LoadOrder, LoadReport>('./_media-load.ts')
  const clients = members * rooms
  try {
    plane.order({ kind: 'start', options: { bind: { address: '127.0.0.1', port: 0 }, choice: 'native', workers } })
    const { local } = await plane.next('started', LIMIT_MS)
    ends.order({ kind: 'prepare', plan: { clients, talking: clients, suite: 'AEAD_AES_128_GCM', sample: Math.min(MOVABLE, clients) } })
    const { specs } = await ends.next('prepared', LIMIT_MS)
    plane.order({ kind: 'legs', specs })
    const { legs } = await plane.next('legs', LIMIT_MS)
    ends.order({ kind: 'settle', server: local })
    await ends.next('settled', LIMIT_MS)
    const others = (t: number) => Array.from({ length: members }, (_, i) => t - (t % members) + i).filter((i) => i !== t)
    plane.order({ kind: 'routes', routes: legs.map((from, t) => ({ from, ssrc: streamOf(t) as Ssrc, to: others(t).map((i) => legs[i]!) })) })
    await plane.next('done', LIMIT_MS)
    ends.order({ kind: 'run', ms: WARM_UP_MS })
    await ends.next('ran', LIMIT_MS)
    const before = schedulerMs(plane.pid)
    ends.order({ kind: 'rebind', ms, everyMs })
    const figures = await ends.next('moved', LIMIT_MS + ms)
    return { ...figures, planeMs: schedulerMs(plane.pid) - before }
  } finally {
    await Promise.all([plane.stop(), ends.stop()])
  }
}
