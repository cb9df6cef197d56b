/** Runs the tests: `npm test` everything that needs npm packages alone, `npm run test:interop` the real peers. */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const wanted = process.argv.slice(2)
const interop = wanted[0] === 'interop'
const patterns = interop
  ? wanted.slice(1).length > 0 ? wanted.slice(1) : ['interop/**/*.test.ts']
  : wanted.length > 0 ? wanted : ['{unit,port,vectors,scenario,attack,fuzz,e2e}/**/*.test.ts', '*.test.ts']
const files = patterns.flatMap((p) => globSync(p, { cwd: here })).sort().map((f) => here + f)
if (files.length === 0) {
  console.error(`no test file matches ${patterns.join(' ')} below test/`)
  process.exit(1)
}
// Interop tests share ports, sound files and the processor: one at a time.
const flags = ['--test', `--test-concurrency=${interop ? 1 : 2}`, '--test-force-exit', '--test-reporter=spec']
// Every test file and every thread in it loads the same sources: stripped of their types once.
const env = { NODE_COMPILE_CACHE: path.join(tmpdir(), 'stc-compile-cache'), ...process.env }
const child = spawn(process.execPath, [...flags, ...files], { stdio: 'inherit', env })
child.on('exit', (code) => process.exit(code ?? 1))
