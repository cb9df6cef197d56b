/**
 * Asterisk 22 for the tests. Debian 12 has none, so it is taken from forky's packages, unpacked into a
 * folder of its own and run through its own loader: the host's package set stays as it is, and no root is needed.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

const suite = 'forky'
const packages = ['asterisk', 'asterisk-modules', 'asterisk-core-sounds-en']
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const loaders: Partial<Record<NodeJS.Architecture, readonly [triplet: string, loader: string]>> = {
  x64: ['x86_64-linux-gnu', 'ld-linux-x86-64.so.2'],
  arm64: ['aarch64-linux-gnu', 'ld-linux-aarch64.so.1'],
}

/** Where things that the tests fetch outlive the checkout. */
export const cacheFolder = (): string => process.env['STC_TEST_CACHE'] ?? path.join(homedir(), '.cache', 'stc-test')

export interface AsteriskTree {
  /** Program and arguments that start it, in front of Asterisk's own. */
  readonly command: readonly [string, ...string[]]
  readonly modules: string
  readonly data: string
}

/** The unpacked Asterisk, or undefined where there is none yet. */
export function findAsterisk(): AsteriskTree | undefined {
  const root = path.join(cacheFolder(), `asterisk-${suite}`)
  const [triplet, loader] = loaders[process.arch] ?? []
  if (triplet === undefined || loader === undefined || !existsSync(path.join(root, 'complete'))) return undefined
  const libraries = path.join(root, 'usr/lib', triplet)
  return {
    command: [path.join(libraries, loader), '--library-path', libraries, path.join(root, 'usr/sbin/asterisk')],
    modules: path.join(libraries, 'asterisk/modules'),
    data: path.join(root, 'usr/share/asterisk'),
  }
}

/** For all that is fetched: less than the step of `.ci/run` has, so that it can be said what failed. */
const FETCH_MS = 330_000
let deadline: number | undefined
export function timeLeft(): number {
  deadline ??= performance.now() + FETCH_MS
  return Math.max(1, Math.floor(deadline - performance.now()))
}

let tried: string | undefined

/** Fetches and unpacks Asterisk unless it is there (about 80 MB, 20 s). Returns in one sentence why it could not, or undefined. */
export function fetchAsterisk(): string | undefined {
  if (findAsterisk() !== undefined) return undefined
  tried ??= tryFetch()
  return tried === '' ? undefined : tried
}

function tryFetch(): string {
  if (loaders[process.arch] === undefined) return `Debian's Asterisk is fetched for x64 and arm64 alone, and this is ${process.arch}`
  for (const need of ['/usr/bin/apt-get', '/usr/bin/dpkg', keyring]) if (!existsSync(need)) return `fetching Asterisk from Debian needs ${need}`
  let work: string | undefined
  try {
    mkdirSync(cacheFolder(), { recursive: true })
    accessSync(cacheFolder(), constants.W_OK)
    work = mkdtempSync(path.join(cacheFolder(), 'fetching-'))
    return fetchInto(work)
  } catch (e) {
    return `fetching Asterisk into ${cacheFolder()} failed (${(e as Error).message})`
  } finally {
    if (work !== undefined) rmSync(work, { recursive: true, force: true })
  }
}

function fetchInto(work: string): string {
  const env = { ...process.env, APT_CONFIG: privateApt(work), DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [['update', '-q'], ['install', '-q', '-y', '--download-only', ...packages]]) {
    const why = failure('apt-get', args, env)
    if (why !== undefined) return `Asterisk from Debian ${suite} could not be had: ${why}`
  }
  const root = path.join(work, 'root')
  const archives = path.join(work, 'cache/archives')
  for (const deb of readdirSync(archives).filter((f) => f.endsWith('.deb'))) {
    const why = failure('dpkg', ['-x', path.join(archives, deb), root], env)
    if (why !== undefined) return `${deb} could not be unpacked: ${why}`
  }
  // What the package's alternatives would do on a real system.
  symlinkSync('en_US_f_Allison', path.join(root, 'usr/share/asterisk/sounds/en'))
  writeFileSync(path.join(root, 'complete'), '')
  const final = path.join(cacheFolder(), `asterisk-${suite}`)
  // Another process may have been faster: its tree is as good.
  if (findAsterisk() === undefined) {
    rmSync(final, { recursive: true, force: true })
    renameSync(root, final)
  }
  return ''
}

/** An apt that knows nothing of the host but its mirror and its archive keys. Returns its APT_CONFIG. */
function privateApt(work: string): string {
  for (const folder of ['etc/apt.conf.d', 'etc/preferences.d', 'state/lists/partial', 'cache/archives/partial', 'log']) mkdirSync(path.join(work, folder), { recursive: true })
  const at = (name: string): string => path.join(work, name)
  writeFileSync(at('status'), '')
  writeFileSync(at('sources.list'), `deb [signed-by=${keyring}] ${mirror()} ${suite} main\n`)
  const settings = {
    'Dir::Etc': at('etc/'), 'Dir::Etc::sourcelist': at('sources.list'), 'Dir::Etc::sourceparts': at('none'), 'Dir::Etc::main': at('apt.conf'),
    'Dir::State': at('state/'), 'Dir::State::status': at('status'), 'Dir::Cache': at('cache/'), 'Dir::Log': at('log/'),
    'APT::Install-Recommends': 'false', 'APT::Sandbox::User': '', 'Acquire::Languages': 'none', 'Acquire::Check-Valid-Until': 'false', 'Acquire::Retries': '3',
  }
  writeFileSync(at('apt.conf'), Object.entries(settings).map(([k, v]) => `${k} "${v}";\n`).join(''))
  return at('apt.conf')
}

/** The mirror that this host itself uses for Debian. */
function mirror(): string {
  const asked = spawnSync('apt-get', ['indextargets', '--format', '$(ORIGIN) $(LABEL) $(REPO_URI)'], { encoding: 'utf8' })
  const own = /^Debian Debian (https?:\S+)$/m.exec(asked.stdout ?? '')?.[1]
  if (own === undefined) throw new Error('this host has no mirror of Debian among its package sources')
  return own
}

/** Runs a program; its last words where it failed. */
function failure(program: string, args: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  const done = spawnSync(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', timeout: timeLeft() })
  if (done.status === 0) return undefined
  return `${program} ${args[0]}: ${`${done.stderr ?? ''}${done.error?.message ?? ''}`.trim().split('\n').at(-1) ?? 'failed'}`
}
