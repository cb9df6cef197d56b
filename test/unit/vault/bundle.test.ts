/** The one file that the vault process runs: the same everywhere, small, and made of what we think it is. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { must } from '../../../src/base/result.ts'
import { findBundle } from '../../../src/vault/host/bundle.ts'

interface Bundled {
  readonly code: Uint8Array
  readonly hash: string
  /** Octets of the bundle by the file that they come from. */
  readonly inputs: Readonly<Record<string, number>>
  readonly all: readonly string[]
}
const script = new URL('../../../bin/bundle-vault.mjs', import.meta.url).href
const { bundleVault, ROOT } = (await import(script)) as { bundleVault(root?: string): Promise<Bundled>; ROOT: string }

/** With all that they import, octets. */
const BUDGET = 750_000
const PACKAGES = ['@noble/curves', '@noble/hashes', 'ts-mls']

const packageOf = (file: string): string | undefined => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]

test('it has the size and the packages that it is known to have', async (t) => {
  const { code, inputs } = await bundleVault()
  const shares = new Map<string, number>()
  for (const [file, octets] of Object.entries(inputs)) if (octets > 0) shares.set(packageOf(file) ?? 'our own', (shares.get(packageOf(file) ?? 'our own') ?? 0) + octets)
  t.diagnostic(`${code.length} octets: ${[...shares].map(([name, octets]) => `${name} ${octets}`).join(', ')}`)
  assert.ok(code.length <= BUDGET, `${code.length} octets`)
  assert.deepEqual([...shares.keys()].filter((name) => name !== 'our own').sort(), PACKAGES)
})

test('two builds in different folders are the same, octet for octet', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-bundle-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const here = await bundleVault()
  for (const file of here.all) {
    cpSync(path.join(ROOT, file), path.join(folder, file))
    const name = packageOf(file)
    const manifest = name === undefined ? 'package.json' : `${file.slice(0, file.lastIndexOf(`node_modules/${name}/`))}node_modules/${name}/package.json`
    if (!existsSync(path.join(folder, manifest))) cpSync(path.join(ROOT, manifest), path.join(folder, manifest))
  }
  const there = await bundleVault(folder)
  assert.equal(Buffer.compare(here.code, there.code), 0)
  assert.equal(there.hash, here.hash)
  assert.ok(!Buffer.from(here.code).includes(fileURLToPath(new URL('../../..', import.meta.url))), 'the folder is named in it')
})

test('what is started is what is measured', async () => {
  const { file, hash } = must(findBundle())
  assert.equal(createHash('sha256').update(readFileSync(file)).digest('hex'), hash)
  assert.equal(hash, (await bundleVault()).hash)
})
