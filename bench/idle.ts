/**
 * `npm run bench -- idle [--clients 5000] [--seconds 10] [--planes native,portable]`: what silent clients cost the media plane: each
 * has its keys and its place, asks every 5 s whether the way still works, and is answered.
 */
import type { PlaneChoice } from '../src/media/plane-choice.ts'
import { numberOption, option, round } from './_args.ts'
import { load, memoryMiB } from './_cpu.ts'
import type { LoadOrder, LoadReport } from './_media-load.ts'
import { pin, schedulerMs } from './_pinned.ts'
import type { PlaneAnswer, PlaneOrder } from './_plane.ts'
import { BenchProcess } from './_process.ts'
import type { BenchTable } from './run.ts'

const LIMIT_MS = 120_000

export async function run(args: readonly string[]): Promise<BenchTable> {
  const clients = numberOption(args, 'clients', 5000)
  const seconds = numberOption(args, 'seconds', 10)
  const rows: Record<string, string | number>[] = []
  for (const choice of (option(args, 'planes') ?? 'native,portable').split(',') as PlaneChoice[]) rows.push(await once(choice, clients, seconds))
  return { name: 'idle', rows, remarks: [`media plane only: the channel's TLS connections are not in it; ${seconds} s; load of the machine ${load()}`] }
}

async function once(choice: PlaneChoice, clients: number, seconds: number): Promise<Record<string, string | number>> {
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
    const quiet = await measure(plane.pid, ends, { kind: 'run', ms: seconds * 1000 }, seconds)
    const asked = await measure(plane.pid, ends, { kind: 'idle', ms: seconds * 1000 }, seconds)
    return {
      plane: choice, clients, 'CPU %, nothing said': quiet, 'CPU %, asking every 5 s': asked, 'kB each': round(((memoryMiB(plane.pid) - empty) * 1024) / clients),
      'MiB empty': Math.round(empty), 'MiB full': Math.round(memoryMiB(plane.pid)),
    }
  } finally {
    await Promise.all([plane.stop(), ends.stop()])
  }
}

async function measure(pid: number, ends: BenchProcess<LoadOrder, LoadReport>, order: LoadOrder, seconds: number): Promise<number> {
  const before = schedulerMs(pid)
  ends.order(order)
  await ends.next('ran', LIMIT_MS + seconds * 1000)
  return round((schedulerMs(pid) - before) / seconds / 10, 2)
}
