/** The built page: beside the compiled program, or, in a checkout, built when it is first wanted. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { PageFile, PageFiles } from '../client/web-api/index.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.webmanifest': 'application/manifest+json',
}
const BUILD_MS = 120_000
const root = fileURLToPath(new URL('../../', import.meta.url))
const sources = path.join(root, 'src')
const run = promisify(execFile)

/** Built at the first call, once; a build that failed is tried again. */
export function pageFiles(): PageFiles {
  let files: Promise<ReadonlyMap<string, PageFile>> | undefined
  return () => (files ??= load().catch((e: unknown) => {
    files = undefined
    throw e
  }))
}

async function load(): Promise<ReadonlyMap<string, PageFile>> {
  // Compiled: dist/web is beside dist/cli.
  const packed = fileURLToPath(new URL('../web/', import.meta.url))
  const folder = import.meta.url.endsWith('.ts') ? await built() : packed
  return new Map(globSync('**/*.*', { cwd: folder }).map((name) => {
    const file: PageFile = { type: TYPES[path.extname(name)] ?? 'application/octet-stream', body: readFileSync(path.join(folder, name)), immutable: name.startsWith('assets') }
    return [name === 'index.html' ? '/' : `/${name.replaceAll('\\', '/')}`, file]
  }))
}

/** In a folder that is named after what it was built from. */
async function built(): Promise<string> {
  const hash = createHash('sha256')
  for (const f of globSync(['web/**/*.*', 'model/*.ts', 'base/faults/**/*.ts'], { cwd: sources }).sort()) hash.update(f).update(readFileSync(path.join(sources, f)))
  const folder = path.join(root, 'node_modules', '.cache', 'stc-page', hash.digest('hex').slice(0, 16))
  if (!existsSync(path.join(folder, 'index.html'))) await run(process.execPath, [path.join(root, 'bin', 'build-page.mjs'), folder], { timeout: BUILD_MS, cwd: root })
  return folder
}
