/** Runs the tests: `npm test` everything that needs npm packages alone, `npm run test:interop` the real peers. */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Batch, planOf } from './runner/lanes.ts'
import { PeerQueue } from './runner/peers.ts'
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
  const lanes = Math.min(MOST_LANES, Math.max(2, availableParallelism()))
  const lane = async (n: number, ...lists: Batch[][]): Promise<void> => {
    for (const list of lists) {
      for (let batch = list.shift(); batch !== undefined; batch = list.shift()) await runBatch(batch.map((f) => here + f), report, `${n}/${lanes + 1}`)
    }
  }
  await Promise.all([...Array.from({ length: lanes }, (_, n) => lane(n, computing, waiting)), lane(lanes, waiting)])
  await report.end()
  return report.failed ? 1 : 0
}

async function withPeers(): Promise<number> {
  // Some files by name: one after the other, on the terminal as they go.
  if (wanted.length > 1) return (await runPeers(files, 'inherit')).code
  const queue = new PeerQueue(files)
  const failed: string[] = []
  const lane = async (n: 0 | 1): Promise<void> => {
    for (let file = queue.next(n); file !== undefined; file = queue.next(n)) await one(file, n)
  }
  const one = async (file: string, n: 0 | 1): Promise<void> => {
    // Two files at once on the terminal could not be read: each is shown when it is done. Of one that never is, its name stands there.
    console.log(`begins: ${file}`)
    const { code, said } = await runPeers([file], 'pipe', n)
    process.stdout.write(said)
    if (code !== 0) failed.push(file)
  }
  await Promise.all([lane(0), lane(1)])
  for (const file of queue.alone) await one(file, 0)
  console.log(failed.length === 0 ? `all ${files.length} files passed` : `failed: ${failed.join(', ')}`)
  return failed.length === 0 ? 0 : 1
}

/** `lane`: which half of the ports its tests take (test/kit/free-ports.ts). */
function runPeers(these: readonly string[], stdio: 'inherit' | 'pipe', lane?: 0 | 1): Promise<{ readonly code: number; readonly said: Buffer }> {
  // Tests with peers want the processor's attention: one at a time.
  const flags = ['--test', '--test-concurrency=1', '--test-force-exit', '--test-reporter=spec']
  const env = { ...process.env, ...(lane === undefined ? {} : { STC_TEST_LANE: `${lane}/2` }) }
  const said: Buffer[] = []
  const child = spawn(process.execPath, [...flags, ...these.map((f) => here + f)], { stdio: [stdio === 'inherit' ? 'inherit' : 'ignore', stdio, stdio], env })
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece: Buffer) => said.push(piece))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code: code ?? 1, said: Buffer.concat(said) })))
}
