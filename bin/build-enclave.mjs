#!/usr/bin/env node
// Puts the vault's program, Node and a manifest for Gramine into a folder, measures them and signs the enclave:
//   node bin/build-enclave.mjs FOLDER [--key FILE]
// Needs gramine-manifest, gramine-sgx-sign and gramine-sgx-sigstruct-view of Gramine (1.6 or later); the machine itself needs no SGX for this.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleVault, ROOT, writeWhole } from './bundle-vault.mjs'

export const NAME = 'stc-vault'
const TEMPLATE = path.join(ROOT, 'enclave', `${NAME}.manifest.template`)
const LIBRARIES = { x64: '/lib/x86_64-linux-gnu' }

/** What the enclave is made of, before Gramine looks at it. The bundle is the very one that runs outside. */
export async function layOut(folder) {
  mkdirSync(folder, { recursive: true })
  const packaged = path.join(ROOT, 'dist', 'vault.cjs')
  const code = existsSync(path.join(ROOT, 'src')) ? (await bundleVault()).code : readFileSync(packaged)
  writeWhole(path.join(folder, 'vault.cjs'), code)
  copyFileSync(process.execPath, path.join(folder, 'node'))
  copyFileSync(TEMPLATE, path.join(folder, `${NAME}.manifest.template`))
}

function run(folder, program, ...args) {
  const done = spawnSync(program, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  if (done.error?.code === 'ENOENT') {
    console.error(`${program} is not installed: it comes with Gramine (https://gramine.readthedocs.io, "Install Gramine"). Program, Node and manifest are in ${folder}.`)
    process.exit(69)
  }
  if (done.status !== 0) {
    console.error(`${program} failed`)
    process.exit(1)
  }
  return done.stdout
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === path.resolve(process.argv[1])) {
  const [folder, ...rest] = process.argv.slice(2)
  const libraries = LIBRARIES[process.arch]
  if (folder === undefined || process.platform !== 'linux' || libraries === undefined) {
    console.error('node bin/build-enclave.mjs FOLDER [--key FILE], on Linux on x86-64')
    process.exit(64)
  }
  await layOut(folder)
  const key = rest[0] === '--key' && rest[1] !== undefined ? ['--key', path.resolve(rest[1])] : []
  run(folder, 'gramine-manifest', `-Darch_libdir=${libraries}`, `${NAME}.manifest.template`, `${NAME}.manifest`)
  run(folder, 'gramine-sgx-sign', ...key, '--manifest', `${NAME}.manifest`, '--output', `${NAME}.manifest.sgx`)
  console.log(run(folder, 'gramine-sgx-sigstruct-view', `${NAME}.sig`).trim())
}
