/**
 * The one file that a vault process runs. The package brings it; in a checkout it is made when it is first needed, and again when
 * a source has changed since.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Result, err, ok } from '../../base/result.ts'

export interface Bundle {
  readonly file: string
  /** SHA-256, hex. */
  readonly hash: string
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const packaged = path.join(root, 'dist', 'vault.cjs')
const cache = path.join(root, 'node_modules', '.cache', 'stc')
const MAKE_MS = 60_000

export function findBundle(): Result<Bundle> {
  const inCheckout = import.meta.url.endsWith('.ts')
  const file = inCheckout ? made() : ok(packaged)
  return file.ok ? hashed(file.value) : file
}

/** The copy that an enclave was built from. */
export const bundleIn = (folder: string): Result<Bundle> => hashed(path.join(folder, 'vault.cjs'))

function hashed(file: string): Result<Bundle> {
  try {
    return ok({ file, hash: createHash('sha256').update(readFileSync(file)).digest('hex') })
  } catch (e) {
    return err('VAULT_START', `${file} cannot be read (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
  }
}

function made(): Result<string> {
  const file = path.join(cache, 'vault.cjs')
  const list = path.join(cache, 'vault.json')
  if (isCurrent(file, list)) return ok(file)
  const run = spawnSync(process.execPath, [path.join(root, 'bin', 'bundle-vault.mjs'), file, list], { encoding: 'utf8', timeout: MAKE_MS, stdio: ['ignore', 'ignore', 'pipe'] })
  if (run.status === 0) return ok(file)
  return err('VAULT_START', `its program could not be bundled, "npm install" brings what is needed: ${run.stderr.trim().split('\n').at(-1) ?? run.error?.message ?? ''}`)
}

/** No source is newer than the bundle. */
function isCurrent(file: string, list: string): boolean {
  try {
    if (!existsSync(list)) return false
    const at = statSync(file).mtimeMs
    const { inputs } = JSON.parse(readFileSync(list, 'utf8')) as { readonly inputs: readonly string[] }
    return ['package-lock.json', 'bin/bundle-vault.mjs', ...inputs].every((i) => statSync(path.join(root, i)).mtimeMs < at)
  } catch {
    return false
  }
}
