/** The runner of the tests itself: several files in one process, and no failure that gets lost in it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { planOf } from '../../runner/lanes.ts'
import { PeerQueue } from '../../runner/peers.ts'

const RUN = fileURLToPath(new URL('../../run.ts', import.meta.url))

function run(...patterns: string[]): { readonly code: number | null; readonly out: string } {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stdout } = spawnSync(process.execPath, [RUN, ...patterns], { env, encoding: 'utf8' })
  return { code: status, out: stdout }
}

test('every failure fails the run and names its file, and whatever one file does the others run', () => {
  const { code, out } = run('runner/samples/*.ts')
  assert.equal(code, 1, out)
  for (const line of [
    /✔ one that uses what stands below it/, /seed 7/, /closed/, /✔ a suite/,
    /✖ one that fails/, /test at .*b-fails\.ts:4:1/, /﹣ one that is left out.*because/,
    /✖ .*c-ends\.ts/, /its process ended before its tests did/,
    /✖ .*d-cannot-load\.ts/, /this file cannot be loaded/,
    /✔ one after a file that ended the process/,
    /tests 7\n.*suites 1\n.*pass 3\n.*fail 3\n.*cancelled 0\n.*skipped 1\n/,
  ]) assert.match(out, line)
})

test('what runs beside each other has ports of its own', () => {
  assert.match(run('runner/samples/a-passes.ts').out, /my ports: lane \d of \d/)
  const kit = JSON.stringify(new URL('../../kit/free-ports.ts', import.meta.url).href)
  const portsOf = (lane: string) => spawnSync(process.execPath, ['-e', `import(${kit}).then(async (m) => console.log(m.ownPorts, await m.freePorts(4)))`], { env: { ...process.env, STC_TEST_LANE: lane }, encoding: 'utf8' })
  for (const wrong of ['1', '3/3']) assert.match(portsOf(wrong).stderr, /STC_TEST_LANE is "[13/]+", not n\/m/)
  const parts = ['0/3', '1/3', '2/3'].map((lane) => {
    const { stdout, stderr } = portsOf(lane)
    const [, first, last, got] = (/(\d+)-(\d+) (\d+)/.exec(stdout) ?? assert.fail(stderr)).map(Number)
    assert.ok(got! >= first! && got! + 3 <= last!, stdout)
    return { first: first!, last: last! }
  })
  for (const [i, p] of parts.entries()) assert.ok(i === 0 || p.first > parts[i - 1]!.last)
})

test('what passes is success, one file alone too', () => {
  for (const patterns of [['runner/samples/a-passes.ts', 'runner/samples/e-*.ts'], ['runner/samples/a-passes.ts']]) {
    const { code, out } = run(...patterns)
    assert.equal(code, 0, out)
    assert.match(out, patterns.length === 2 ? /tests 3\n.*suites 1\n.*pass 3\n/ : /tests 2\n.*suites 1\n.*pass 2\n/)
  }
  assert.equal(run('runner/samples/b-fails.ts').code, 1)
  assert.equal(run('runner/samples/nothing.ts').code, 1)
})

test('what fails after its test has passed, or at the end of the process, fails the run', () => {
  for (const folder of ['late', 'dying']) {
    const { code, out } = run(`runner/${folder}/*.ts`)
    assert.equal(code, 1, out)
    assert.match(out, /✖ .*a-(late|dies)\.ts/)
    assert.match(out, /left something behind that failed after its tests/)
  }
})

test('a plan has every file once', () => {
  const files = ['e2e/a.ts', 'port/vault.test.ts', 'laws.test.ts', ...Array.from({ length: 30 }, (_, i) => `unit/base/${i}.ts`), 'scenario/x.ts', 'scenario/relay/y.ts']
  const { computing, waiting } = planOf(files)
  assert.deepEqual([...computing, ...waiting].flat().sort(), files.toSorted())
  assert.deepEqual(computing[0], ['scenario/x.ts', 'scenario/relay/y.ts'])
  assert.deepEqual(waiting, [['port/vault.test.ts'], ['e2e/a.ts']])
})

test('files with peers: every one once, who is done helps the other, what needs the machine comes last', () => {
  const files = ['codecs', 'host', 'lan', 'page-views', 'relay', 'terminal'].map((n) => `interop/${n}.test.ts`)
  const queue = new PeerQueue(files)
  assert.deepEqual([0, 1, 1, 1, 0, 0, 1].map((lane) => queue.next(lane as 0 | 1)?.slice(8, -8)), ['codecs', 'lan', 'relay', 'terminal', 'page-views', undefined, undefined])
  assert.deepEqual(queue.alone, ['interop/host.test.ts'])
})
