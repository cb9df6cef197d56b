#!/usr/bin/env node
// Builds the page (src/web) into the folder given, or dist/web. In a folder of its own first, so that nobody reads half a page.
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))

export async function buildPage(target) {
  const fresh = `${target}.${process.pid}`
  await build({
    root: path.join(root, 'src', 'web'),
    configFile: false,
    logLevel: 'error',
    clearScreen: false,
    base: '/',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: { outDir: fresh, emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
    worker: { format: 'es' },
  })
  rmSync(target, { recursive: true, force: true })
  mkdirSync(path.dirname(target), { recursive: true })
  try {
    renameSync(fresh, target)
  } catch (e) {
    // Another process built the same page at the same time.
    rmSync(fresh, { recursive: true, force: true })
    if (e.code !== 'ENOTEMPTY' && e.code !== 'EEXIST') throw e
  }
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === path.resolve(process.argv[1])) {
  await buildPage(path.resolve(process.argv[2] ?? path.join(root, 'dist', 'web')))
}
