/** The npm package: packed, installed in an empty folder elsewhere, and run from there by the Node that is on the path. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { before, after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { must } from '../../src/base/result.ts'
import { findBundle } from '../../src/vault/host/bundle.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const version = (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }).version
let folder = ''

/** As typed by a user: without what an npm that runs this test leaves in the environment. */
function run(cwd: string, timeoutMs: number, command: string, ...args: string[]): { code: number | null; out: string; err: string } {
  const env = Object.fromEntries(Object.entries(process.env).filter(([k]) => !/^(npm_(package|lifecycle)_|npm_config_local_prefix$|NODE_TEST_CONTEXT$)/.test(k)))
  const done = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: timeoutMs, maxBuffer: 1 << 26 })
  return { code: done.status, out: done.stdout ?? '', err: `${done.stderr ?? ''}${done.error?.message ?? ''}` }
}

before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'stc-package-'))
  const packed = run(root, 240_000, 'npm', 'pack', '--pack-destination', folder)
  assert.equal(packed.code, 0, packed.err)
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
  const install = () => run(folder, 240_000, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', `./stc-${version}.tgz`)
  let installed = install()
  // The network's fault is not the package's.
  for (let more = 2; more > 0 && installed.code !== 0 && /ECONN|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|ERR_SOCKET|network/.test(installed.err); more--) installed = install()
  assert.equal(installed.code, 0, installed.err)
})
after(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true })
})

test('the package holds the compiled program and none of the sources', () => {
  const files = readdirSync(path.join(folder, 'node_modules/stc'), { recursive: true, encoding: 'utf8' }).filter((f) => !f.startsWith('node_modules'))
  assert.ok(files.includes('dist/cli/main.js'))
  assert.ok(files.includes('dist/vault.cjs'))
  assert.deepEqual(files.filter((f) => f.endsWith('.ts') || f.startsWith('test')), [])
})

test('stc --version and --help answer', () => {
  const asked = run(folder, 120_000, 'npx', '--no-install', 'stc', '--version')
  assert.equal(asked.code, 0, asked.err)
  assert.equal(asked.out.trim(), version)
  const help = run(folder, 120_000, 'npx', '--no-install', 'stc', '--help')
  assert.equal(help.code, 0, help.err)
  for (const command of ['client', 'server', 'ca', 'demo']) assert.match(help.out, new RegExp(`^\\s+${command}\\b`, 'm'))
})

test('stc vault measure prints what the sources give', () => {
  const asked = run(folder, 120_000, 'npx', '--no-install', 'stc', 'vault', 'measure')
  assert.equal(asked.code, 0, asked.err)
  assert.equal(asked.out.trim(), must(findBundle()).hash)
})

test('stc demo --check holds a conference from the installed package', () => {
  const check = run(folder, 360_000, 'npx', '--no-install', 'stc', 'demo', '--check')
  const verdict = check.out.trim().split('\n').at(-1) ?? ''
  assert.equal(check.code, 0, `${check.err}\n${verdict}`)
  const { members, codesEqual } = JSON.parse(verdict) as { members: unknown[]; codesEqual: boolean }
  assert.ok(members.length >= 3)
  assert.equal(codesEqual, true)
})
