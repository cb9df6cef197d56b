#!/usr/bin/env node
// Compiles src/ to dist/ for the npm package: Node does not strip types below node_modules.
import { cpSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { buildPage } from './build-page.mjs'
import { bundleVault, writeWhole } from './bundle-vault.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = path.join(root, 'src')
const target = path.join(root, 'dist')

rmSync(target, { recursive: true, force: true })
const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile)
const { fileNames, options, errors } = ts.parseJsonConfigFileContent({ ...config, include: ['src'] }, ts.sys, root)
const program = ts.createProgram(fileNames, { ...options, rootDir: source, outDir: target, noEmitOnError: true, declaration: false })
const emitted = program.emit()
const faults = [...errors, ...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics]
if (faults.length > 0) {
  const host = { getCanonicalFileName: (f) => f, getCurrentDirectory: () => root, getNewLine: () => '\n' }
  console.error(ts.formatDiagnostics(ts.sortAndDeduplicateDiagnostics(faults), host))
  process.exit(1)
}

// What the compiler leaves: data beside the sources.
const isPage = (file) => path.relative(source, file).split(path.sep)[0] === 'web'
cpSync(source, target, { recursive: true, filter: (file) => !file.endsWith('.ts') && !isPage(file) })
await buildPage(path.join(target, 'web'))
const vault = await bundleVault()
writeWhole(path.join(target, 'vault.cjs'), vault.code)
console.log(`vault ${vault.code.length} octets, SHA-256 ${vault.hash}`)
console.log(`compiled ${fileNames.length} files to dist/`)
