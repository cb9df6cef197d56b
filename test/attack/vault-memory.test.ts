/**
 * Another program of the same user reads the memory of a client in a conference and a sealed call, living and as a core dump: it finds a canary and none of
 * the vault's keys. Of the vault itself the kernel lets it read nothing. Which keys there are the test learns from a vault that
 * has a leak for it.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { chmodSync, chownSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run, type Running, until, within } from '../kit/processes.ts'
import { RealWorld } from '../kit/real-room.ts'
import { type ScanOrder, type ScanReport, scanMemory } from '../kit/memory-scan.ts'
import { papersFor } from '../kit/real-server.ts'

const NOBODY = 65_534
const kit = (file: string): string => fileURLToPath(new URL(`../kit/${file}`, import.meta.url))
const { bundleVault, writeWhole, ROOT } = (await import(new URL('../../bin/bundle-vault.mjs', import.meta.url).href)) as {
  bundleVault(root: string, entry: string): Promise<{ code: Uint8Array; hash: string }>
  writeWhole(file: string, code: Uint8Array): void
  ROOT: string
}
const isRoot = process.getuid?.() === 0

function unfit(): string | false {
  if (process.platform !== 'linux') return 'it reads /proc'
  if (!isRoot) return false
  if (spawnSync('setpriv', ['--version']).status !== 0) return 'root is never refused, and setpriv(1) is not there to become somebody else'
  const may = spawnSync('setpriv', [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', process.execPath, '-e', `require('node:fs').accessSync(${JSON.stringify(kit('memory-scan.ts'))})`])
  return may.status === 0 ? false : 'root is never refused, and nobody else can read this folder'
}
/** Why the system puts no core file of these programs into the folder where they run. */
function noCores(): string | false {
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'latin1').trim()
  if (!/^core(\.%p)?$/.test(pattern)) return `no core file is made here: kernel.core_pattern is ${pattern}`
  return spawnSync('sh', ['-c', 'ulimit -c 8000000']).status === 0 ? false : 'no core file is made here: the size of one is limited'
}
/** The command as an ordinary user. */
const asUser = (command: readonly string[]): string[] => (isRoot ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', ...command] : [...command])

class Scanner {
  readonly #process: Running
  readonly #waiting = new Map<number, (r: ScanReport) => void>()
  readonly joined: Promise<{ readonly pid: number; readonly vault: number; readonly canary: string }>
  #next = 1

  readonly ended: Promise<ScanReport>

  /** Core files go into `folder`, where the system makes any; with holes for what was never used. */
  constructor(t: TestContext, folder: string, client: readonly string[]) {
    const command = asUser([process.execPath, kit('memory-scan.ts'), process.execPath, ...client])
    this.#process = run('sh', ['-c', 'ulimit -c 8000000; cd "$0" && exec "$@"', folder, ...command])
    this.ended = new Promise((resolve) => this.#waiting.set(0, resolve))
    t.after(() => this.#process.stop())
    this.joined = new Promise((resolve) => {
      this.#process.onLine((line) => {
        if (!line.startsWith('{')) return
        const report = JSON.parse(line) as ScanReport & { joined?: true } & Awaited<Scanner['joined']>
        if (report.joined) resolve(report)
        else this.#waiting.get(report.id)?.(report)
      })
    })
  }
  tail = (): string => this.#process.tail()
  scan(order: Omit<ScanOrder, 'id'>): Promise<ScanReport> {
    const id = this.#next++
    const answer = new Promise<ScanReport>((resolve) => this.#waiting.set(id, resolve))
    this.#process.child.stdin.write(`${JSON.stringify({ id, ...order })}\n`)
    return within(120_000, 'report of the scan', answer, this.tail)
  }
}

test('of a client in a conference and a sealed call everybody of the same user finds the canary, nobody a key of the vault', { skip: unfit() }, async (t) => {
  const w = await RealWorld.start(t)
  const ben = await w.member('Ben', { hz: 800 })
  await ben.dial()
  const leaky = await bundleVault(ROOT, 'test/kit/leaky-main.ts')
  const bundle = { file: path.join(w.folder, 'leaky.cjs'), hash: leaky.hash }
  writeWhole(bundle.file, leaky.code)
  const own = papersFor(w.ca, { name: 'Ann' })
  const configFile = path.join(w.folder, 'ann.json')
  writeFileSync(configFile, JSON.stringify({ server: { host: '127.0.0.1', port: w.port }, identity: w.files('Ann', own) }))
  chmodSync(w.folder, 0o755)
  if (isRoot) for (const f of ['', ...readdirSync(w.folder)]) chownSync(path.join(w.folder, f), NOBODY, NOBODY)

  const scanner = new Scanner(t, w.folder, [kit('scanned-client.ts'), JSON.stringify({ configFile, bundle })])
  const ann = await within(30_000, 'Ann in the room', scanner.joined, scanner.tail)
  await ben.hears(500)

  const scalar = Buffer.from((createPrivateKey({ key: Buffer.from(own.pkcs8), format: 'der', type: 'pkcs8' }).export({ format: 'jwk' }) as { d: string }).d, 'base64url')
  const leaked = await until(10_000, 'keys', () => {
    const lines = readFileSync(`${bundle.file}.leak`, 'utf8').trim().split('\n')
    return lines.some((l) => l.startsWith('SFrame')) ? lines : undefined
  })
  const keys: [string, string][] = [['the certificate\'s key', scalar.toString('hex')], ...leaked.map((l, i): [string, string] => [`${l.slice(0, l.lastIndexOf(' '))} (${i})`, l.slice(l.lastIndexOf(' ') + 1)])]
  // As octets, and as whatever text somebody may have made of them.
  const needles: [string, string][] = keys.flatMap(([name, hex]) => [[name, hex], [`${name} in hex`, Buffer.from(hex).toString('hex')], [`${name} in base64`, Buffer.from(Buffer.from(hex, 'hex').toString('base64').slice(0, -4)).toString('hex')]])
  const canary: [string, string] = ['canary', ann.canary]
  for (const kind of ['SFrame base key', 'MLS signature key', 'MLS exporterSecret', 'MLS path key', 'sealed call\'s key to send', 'sealed call\'s key to receive', 'sealed call\'s mask to send']) assert.ok(keys.some(([name]) => name.startsWith(kind)), kind)

  const living = await scanner.scan({ pid: ann.pid, needles: [canary, ...needles] })
  assert.equal(living.refused, undefined)
  assert.deepEqual(living.found, ['canary'])
  const refused = await scanner.scan({ pid: ann.vault, needles })
  assert.match(refused.refused ?? 'it could be read', /EACCES|EPERM|permission|not permitted/i)
  // The control: whom the kernel lets, root, finds the keys there. So these are the ones to look for.
  if (isRoot) {
    const there = scanMemory(ann.vault, needles)
    assert.ok(there.found.includes('the certificate\'s key') && ['SFrame base key', 'sealed call\'s key'].every((k) => there.found.some((n) => n.startsWith(k))), there.found.join())
  }
  // Both dump core, as far as the kernel lets them.
  for (const pid of [ann.vault, ann.pid]) process.kill(pid, 'SIGABRT')
  await within(60_000, 'end of the client', scanner.ended, scanner.tail)
  await t.test('nor in the core file of the client, and the vault makes none', { skip: noCores() }, async (t) => {
    const cores = readdirSync(w.folder).filter((f) => /^core(\.\d+)?$/.test(f))
    assert.equal(cores.length, 1, cores.join() || 'none')
    const dump = await scanner.scan({ pid: ann.pid, needles: [canary, ...needles], core: path.join(w.folder, cores[0]!) })
    assert.deepEqual([dump.refused, dump.found], [undefined, ['canary']])
    t.diagnostic(`${dump.octets >> 20} MiB`)
  })
  t.diagnostic(`${keys.length} keys looked for in ${living.octets >> 20} MiB`)
})
