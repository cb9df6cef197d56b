import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../../../src/media/compile-early.ts', import.meta.url))
/** How often `work` is called until it is compiled for good; bit 5 of %GetOptimizationStatus (kTurboFanned). */
const script = (early: boolean) => `
${early ? `(await import(${JSON.stringify(source)})).compileEarly()` : ''}
const work = (a, b) => { let x = a; for (let i = 0; i < 8; i++) x = (x * 31 + b + i) | 0; return x }
const turns = (n) => new Promise((r) => setTimeout(r, n))
for (let i = 0, x = 0; i < 2500 && (%GetOptimizationStatus(work) & 32) === 0; i++) { x = work(x, i); if (i % 100 === 0) await turns(20) }
// Compiled beside the program, by a thread that a busy machine lets wait.
for (let k = 0; ${early} && k < 300 && (%GetOptimizationStatus(work) & 32) === 0; k++) { work(k, k); await turns(50) }
console.log((%GetOptimizationStatus(work) & 32) !== 0)
`
const run = (early: boolean) => spawnSync(process.execPath, ['--allow-natives-syntax', '--input-type=module', '-e', script(early)], { encoding: 'utf8' })

test('what is called 50 times a second is compiled for good after seconds, and nothing is said about it', () => {
  const [plain, early] = [run(false), run(true)]
  assert.deepEqual([early.stderr, early.stdout, plain.stdout], ['', 'true\n', 'false\n'])
})
