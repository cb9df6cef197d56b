/** Runs the tests: `npm test` everything that needs npm packages alone, `npm run test:interop` the real peers. */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Batch, planOf } from './runner/lanes.ts'
import { Report } from './runner/report.ts'
import { runBatch } from './runner/run-batch.ts'

/** More would load the same sources more often than they save. */
const MOST_LANES = 8

const here = fileURLToPath(new URL('.', import.meta.url))
const wanted = process.argv.slice(2)
const interop = wanted[0] === 'interop'
const patterns = interop
  ? wanted.slice(1).length > 0 ? wanted.slice(1) : ['interop/**/*.test.ts']
  : wanted.length > 0 ? wanted : ['{unit,port,vectors,scenario,attack,fuzz,e2e}/**/*.test.ts', '*.test.ts']
const files = [...new Set(patterns.flatMap((p) => globSync(p, { cwd: here })).map((f) => f.replaceAll('\\', '/')))].filter((f) => f.endsWith('.ts')).sort()
if (files.length === 0) {
  console.error(`no test file matches ${patterns.join(' ')} below test/`)
  process.exit(1)
}
// Every process and every thread of the tests loads the same sources: stripped of their types once.
process.env['NODE_COMPILE_CACHE'] ??= path.join(tmpdir(), 'stc-compile-cache')
if (interop) process.exitCode = await withPeers()
// What an aborted process left behind may hold our end of its pipe.
else process.exit(await withPackages())

/** As many processes that compute as there are processors, two at least, and one that waits more than it computes. */
async function withPackages(): Promise<number> {
  const report = new Report()
  const { computing, waiting } = planOf(files)
  const lane = async (...lists: Batch[][]): Promise<void> => {
    for (const list of lists) {
      for (let batch = list.shift(); batch !== undefined; batch = list.shift()) await runBatch(batch.map((f) => here + f), report)
    }
  }
  const lanes = Math.min(MOST_LANES, Math.max(2, availableParallelism()))
  await Promise.all([...Array.from({ length: lanes }, () => lane(computing, waiting)), lane(waiting)])
  await report.end()
  return report.failed ? 1 : 0
}

async function withPeers(): Promise<number> {
  /** Tests with peers that wait more than they compute: they run beside the others, each lane one file at a time. */
  const WAITING = /interop\/(asterisk|lan|openssl-\w+|package|pbx-(admission|clients|doctor|failures|restarts|roster)|provider|relay|relay-wire|sealed-(kamailio|states)|sipp|strangers)\.test\.ts$/
  /** Tests that need the whole machine: a group of six programs, what a picture costs. They run when the lanes are done. */
  const ALONE = /interop\/(host|page-frames)\.test\.ts$/
  const whole = wanted.length === 1
  const beside = files.filter((f) => !ALONE.test(f))
  const lanes = whole ? [beside.filter((f) => !WAITING.test(f)), beside.filter((f) => WAITING.test(f))] : [files]
  const runs = lanes.map((lane, n) => runPeers(lane, lanes.length > 1, n))
  const codes = await Promise.all(runs.map((r) => r.done))
  // Both lanes in the terminal at once could not be read.
  for (const { kept } of runs) if (kept.length > 0) process.stdout.write(Buffer.concat(kept))
  if (whole) codes.push(await runPeers(files.filter((f) => ALONE.test(f)), true, 0).done)
  return codes.find((code) => code !== 0) ?? 0
}

/** The first lane speaks at once, what others say is kept. */
function runPeers(lane: readonly string[], several: boolean, n: number): { readonly done: Promise<number>; readonly kept: readonly Buffer[] } {
  // Tests with peers want the processor's attention: one at a time in a lane.
  const flags = ['--test', '--test-concurrency=1', '--test-force-exit', '--test-reporter=spec']
  // Lanes take ports of their own.
  const env = { ...process.env, ...(several ? { STC_TEST_LANE: `${n}` } : {}) }
  const kept: Buffer[] = []
  const child = spawn(process.execPath, [...flags, ...lane.map((f) => here + f)], { stdio: n === 0 ? 'inherit' : ['ignore', 'pipe', 'pipe'], env })
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece: Buffer) => kept.push(piece))
  return { done: new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1))), kept }
}
