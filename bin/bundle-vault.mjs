#!/usr/bin/env node
// Makes the one file that a vault process runs: the same octets in every folder, for the same sources and packages.
import { createHash } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** A checkout of the sources, with its node_modules. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url))
export const ENTRY = 'src/vault/inside/process/main.ts'

/**
 * The bundle as octets, its SHA-256 in hex, and the files that went into it with their share of it.
 * Paths are relative to `root`, so nothing of the folder's own name gets into the file.
 */
export async function bundleVault(root = ROOT, entry = ENTRY) {
  const { build, stop } = await import('esbuild')
  const built = await build({
    absWorkingDir: root, entryPoints: [entry], write: false, metafile: true, bundle: true, outfile: 'vault.cjs',
    platform: 'node', format: 'cjs', target: 'node26', charset: 'utf8', legalComments: 'none', logLevel: 'silent', sourcemap: false, treeShaking: true,
    // What a user's environment or tsconfig says must not show.
    tsconfigRaw: { compilerOptions: { target: 'esnext', useDefineForClassFields: true, verbatimModuleSyntax: true } }, define: {}, mainFields: ['module', 'main'], conditions: ['node', 'import'],
  })
  await stop()
  const code = built.outputFiles[0].contents
  const [output] = Object.values(built.metafile.outputs)
  const inputs = Object.fromEntries(Object.entries(output.inputs).map(([file, { bytesInOutput }]) => [file, bytesInOutput]))
  return { code, hash: createHash('sha256').update(code).digest('hex'), inputs, all: Object.keys(built.metafile.inputs) }
}

/** Whole or not at all: others may be starting from it. */
export function writeWhole(file, octets) {
  mkdirSync(path.dirname(file), { recursive: true })
  const half = `${file}.${process.pid}`
  writeFileSync(half, octets)
  renameSync(half, file)
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === path.resolve(process.argv[1])) {
  const [file, list] = process.argv.slice(2)
  const { code, hash, all } = await bundleVault()
  writeWhole(file, code)
  // For whoever asks whether the bundle is still that of the sources.
  if (list !== undefined) writeWhole(list, `${JSON.stringify({ hash, inputs: all })}\n`)
  console.log(hash)
}
