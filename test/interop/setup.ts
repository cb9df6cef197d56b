/**
 * Fetches the real peers of the interop tests from Debian's packages, when one is missing and this
 * user may install (Asterisk goes into a cache folder, without installing); says in one sentence what stands in the way otherwise. Also a program:
 * `node bin/launch.mjs test/interop/setup.ts`.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fetchAsterisk, timeLeft } from './fetch-asterisk.ts'

/** Program on the path → Debian package that brings it. */
const packages = {
  baresip: 'baresip-core',
  linphonec: 'linphone-cli',
  sipp: 'sip-tester',
  sox: 'sox',
  'espeak-ng': 'espeak-ng',
  ffmpeg: 'ffmpeg',
  tshark: 'tshark',
  chromium: 'chromium',
  ip: 'iproute2',
  kamailio: 'kamailio',
  rtpengine: 'rtpengine-daemon',
  iptables: 'iptables',
  openssl: 'openssl',
} as const
export type Tool = keyof typeof packages

const allTools = Object.keys(packages) as Tool[]
const runnable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
const searchPath = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin', '/sbin'].filter((d) => d !== '')

/** Absolute path of a program, or undefined where it is not installed. */
export const findTool = (tool: string): string | undefined => searchPath.map((d) => path.join(d, tool)).find(runnable)

export const missingTools = (tools: readonly Tool[] = allTools): Tool[] => tools.filter((t) => findTool(t) === undefined)

let refusal: string | undefined
let tried = false

/** Installs what is missing, once per process. Returns why it could not, or undefined. */
export function install(): string | undefined {
  const wanted = missingTools().map((t) => packages[t])
  if (tried || wanted.length === 0) return refusal
  tried = true
  refusal = apt(wanted)
  return refusal
}

function apt(wanted: readonly string[]): string | undefined {
  const by = `install them with: apt-get install --no-install-recommends ${wanted.join(' ')}`
  if (findTool('apt-get') === undefined) return `this system has no apt-get; the tests need ${wanted.join(', ')} from Debian`
  if (process.getuid?.() !== 0) return `installing Debian packages needs root; ${by}`
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // A mirror that is busy, and another who installs something right now.
  const patient = ['-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=120']
  for (const args of [['update', '-q', ...patient], ['install', ...patient, '-y', '-q', '--no-install-recommends', ...wanted]]) {
    const done = spawnSync('apt-get', args, { env, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', timeout: timeLeft() })
    if (done.status !== 0) {
      const last = `${done.stderr ?? ''}${done.error?.message ?? ''}`.trim().split('\n').at(-1) ?? ''
      return `apt-get ${args[0]} failed (${last}); ${by}`
    }
  }
  return undefined
}

/**
 * True when every tool is there, installing it if possible. Otherwise the test is skipped with the
 * reason, or fails where CI=true: there, a test that did not run has not passed.
 */
export function needs(t: TestContext, ...tools: Tool[]): boolean {
  const why = missingTools(tools).length === 0 ? undefined : install()
  const missing = missingTools(tools)
  if (missing.length === 0) return true
  return skip(t, `${missing.join(', ')} missing: ${why ?? 'the packages do not bring it'}`)
}

/** The same for Asterisk. */
export function needsAsterisk(t: TestContext): boolean {
  const why = fetchAsterisk()
  return why === undefined || skip(t, why)
}

/** Skips with a reason; a failure where CI=true. Always returns false. */
export function skip(t: TestContext, reason: string): false {
  if (process.env['CI'] === 'true') throw new Error(`skipped in CI: ${reason}`)
  t.skip(reason)
  return false
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === path.resolve(process.argv[1])) {
  const why = install()
  const missing = missingTools()
  console.log(missing.length === 0 ? `interop tools are there: ${allTools.join(', ')}` : `missing: ${missing.join(', ')}; ${why ?? 'the packages do not bring them'}`)
  const asterisk = fetchAsterisk()
  console.log(asterisk ?? 'Asterisk 22 is there')
  process.exit(missing.length === 0 && asterisk === undefined ? 0 : 1)
}
