/** CPU time of another process and of its threads, from Linux's /proc, and how much that time is worth just now. */
import { readdirSync, readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { g722Codec } from '../src/audio/codec.ts'
import { babble } from '../test/kit/audio.ts'

/** USER_HZ: 100 on every Linux that Node runs on. */
const TICK_MS = 10

/** User and system time of all threads, ended ones too, and of children that were waited for, ms. */
export function cpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The name in brackets may have spaces; utime is field 14 (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, f) => sum + Number(f), 0) * TICK_MS
}

/** Time on a processor of each living thread by its name, ms; threads of one name are added up. */
export function threadMs(pid: number): Map<string, number> {
  const byName = new Map<string, number>()
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      const name = readFileSync(`/proc/${pid}/task/${task}/comm`, 'latin1').trim()
      const [nanoseconds = '0'] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')
      byName.set(name, (byName.get(name) ?? 0) + Number(nanoseconds) / 1e6)
    } catch {
      // It ended in between.
    }
  }
  return byName
}

/** Processes that this one has started and that still run: a client's vault. */
export const childrenOf = (pid: number): number[] => readdirSync(`/proc/${pid}/task`).flatMap((task) => {
  try {
    return readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter((c) => c !== '').map(Number)
  } catch {
    return []
  }
})

/** Resident memory, MiB. */
export const memoryMiB = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1024

/** What else the machine does: others' work makes every figure larger. */
export const load = (): string => loadavg().map((x) => x.toFixed(1)).join(' ')

const codec = g722Codec()
const frames = Array.from({ length: 300 }, (_, i) => babble(320, i + 1))

/**
 * CPU time of one G.722 frame, µs, every time it is asked: the same work each time, so it shows how fast the
 * processor is with whatever else runs on it (shared caches, and time that a hypervisor gives to others).
 */
export class Gauge {
  readonly #samples: number[] = []
  constructor() {
    for (let i = 0; i < 5; i++) this.#run()
  }
  #run(): number {
    const from = process.threadCpuUsage()
    for (const f of frames) codec.encode(f)
    const { user, system } = process.threadCpuUsage(from)
    return (user + system) / frames.length
  }
  sample(): void {
    this.#samples.push(this.#run())
  }
  get median(): number {
    const sorted = [...this.#samples].sort((a, b) => a - b)
    return sorted[sorted.length >> 1] ?? 0
  }
}
