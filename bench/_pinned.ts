/** Processes of the media benches: what is measured on one core, generator and sink on another. */
import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import { readFileSync } from 'node:fs'
import { threadMs } from './_cpu.ts'

/** All threads that a process will have; without `taskset` nothing is pinned. */
export function pin(pid: number, core: number): void {
  if (cpus().length > 1) spawnSync('taskset', ['-acp', String(core % cpus().length), String(pid)], { stdio: 'ignore' })
}

/** CPU time of all threads of a process by the scheduler's accounting, ms. */
export const schedulerMs = (pid: number): number => [...threadMs(pid).values()].reduce((a, b) => a + b, 0)

/** Of a process's CPU time, how much the kernel used, ms in steps of 10. */
export function kernelMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[12]) * 10
}

/** Datagrams that UDP ports of this machine lost for want of room, since they were opened. */
export function socketDrops(ports: readonly number[]): number {
  const wanted = new Set(ports)
  let drops = 0
  for (const file of ['/proc/net/udp', '/proc/net/udp6']) {
    for (const line of readFileSync(file, 'latin1').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/)
      if (wanted.has(Number.parseInt(fields[1]?.split(':')[1] ?? '', 16))) drops += Number(fields.at(-1))
    }
  }
  return drops
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
