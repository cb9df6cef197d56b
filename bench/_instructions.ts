/** Instructions of a process by the processor's own counters (`perf`, where it is installed and allowed): a figure that others' work hardly changes. */
import { spawn, spawnSync } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

export interface Instructions {
  readonly user: number
  readonly kernel: number
}

const EVENTS = 'instructions:u,instructions:k'
const there = spawnSync('perf', ['stat', '-e', EVENTS, 'true'], { stdio: 'ignore' }).status === 0

/** Of all threads that it has now, until the returned function is called; undefined: nobody counts here. */
export async function countInstructions(pid: number): Promise<() => Promise<Instructions | undefined>> {
  if (!there) return () => Promise.resolve(undefined)
  // Counts nothing before it is told to, and says when it does.
  const perf = spawn('perf', ['stat', '-x', ',', '-e', EVENTS, '-D', '-1', '--control', 'fd:3,4', '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] })
  let text = ''
  perf.stderr!.setEncoding('utf8').on('data', (t: string) => (text += t))
  const ended = new Promise<void>((resolve) => perf.once('close', () => resolve()))
  const counting = new Promise<void>((resolve) => (perf.stdio[4] as Readable).once('data', () => resolve()))
  ;(perf.stdio[3] as Writable).write('enable\n')
  await Promise.race([counting, ended])
  return async () => {
    perf.kill('SIGINT')
    await ended
    const of = (event: string): number => Number(text.split('\n').find((l) => l.includes(event))?.split(',')[0])
    const counted = { user: of('instructions:u'), kernel: of('instructions:k') }
    return Number.isFinite(counted.user) && Number.isFinite(counted.kernel) ? counted : undefined
  }
}
