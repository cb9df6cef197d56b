/** A client renews its certificate by itself: when, by whom, and what it says when that fails. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test, type TestContext } from 'node:test'
import { type Der, unixTime } from '../../../src/base/brand.ts'
import { renewal, renewIfDue } from '../../../src/cli/renewal.ts'
import { dataFiles, keptEvidence } from '../../../src/cli/room-memory.ts'
import { type ClientConfig, clientConfig } from '../../../src/client/config.ts'
import { type Authority, createSubordinate, issueCertificate, issueRevocationList } from '../../../src/pki/authority.ts'
import { type replaceable, unwritable } from '../../../src/pki/files.ts'
import { parseCertificate } from '../../../src/protocol/x509/certificate.ts'
import { Evidence } from '../../../src/protocol/x509/evidence.ts'
import { encodePem } from '../../../src/protocol/x509/pem.ts'
import { parseConfig } from '../../../src/store/config.ts'
import { must } from '../../../src/base/result.ts'
import { DAY_S, testCa } from '../../kit/certificates.ts'

const program = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const now = Math.floor(Date.now() / 1000)
const DOOR = 'https://ca.example.org:7444/list.crl'

interface Wanted {
  readonly ageDays: number
  readonly days: number
  readonly door?: boolean
  readonly passphrase?: string
  readonly place?: typeof replaceable
  /** An authority below a root, and a list that the client has kept. */
  readonly below?: { readonly issuing: Authority; readonly root: Der; readonly list: (chain: readonly Der[]) => Der | undefined }
  /** What the process that renews ends with. */
  readonly ends?: number
}

/** In the place of our own program, one that writes down what it was asked for. */
function prepared(t: TestContext, { ageDays, days, door = true, passphrase, ends = 0, below }: Wanted): { readonly folder: string; readonly config: ClientConfig; asked(): readonly string[] | undefined } {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-renewal-'))
  const issuedAt = unixTime(now - ageDays * DAY_S)
  const ca = below?.issuing ?? { ...testCa({ now: issuedAt }), ...(door ? { listAddress: DOOR } : {}) }
  const { chain } = issueCertificate(ca, { name: 'Ann', kind: 'member', now: issuedAt, lifetimeDays: days })
  writeFileSync(path.join(folder, 'ann.pem'), chain.map((der) => encodePem('CERTIFICATE', der)).join(''))
  if (below !== undefined) writeFileSync(path.join(folder, 'ca.pem'), encodePem('CERTIFICATE', below.root))
  const told = path.join(folder, 'told.json')
  writeFileSync(path.join(folder, 'fake.mjs'), `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(told)}, JSON.stringify(process.argv.slice(2)))\nif (${ends}) console.error('the door is shut')\nprocess.exit(${ends})\n`)
  const config = must(parseConfig(`server: { host: h }\nidentity: { certificate: ann.pem, key: ann.key, anchors: [ca.pem]${passphrase === undefined ? '' : `, passphrase: ${passphrase}`} }\n`, clientConfig, 'ann.yaml'))
  const kept = below?.list(chain)
  if (kept !== undefined) {
    mkdirSync(dataFiles(config, path.join(folder, 'ann.yaml')).folder, { recursive: true })
    must(keptEvidence(config, path.join(folder, 'ann.yaml')).learn([{ kind: 'crl', der: kept }]))
  }
  const program = process.argv[1]!
  process.argv[1] = path.join(folder, 'fake.mjs')
  t.after(() => {
    process.argv[1] = program
    rmSync(folder, { recursive: true, force: true })
  })
  return { folder, config, asked: () => (existsSync(told) ? (JSON.parse(readFileSync(told, 'utf8')) as string[]) : undefined) }
}

async function renewed(t: TestContext, wanted: Wanted): Promise<{ readonly done: boolean; readonly asked: readonly string[] | undefined; readonly folder: string }> {
  const { folder, config, asked } = prepared(t, wanted)
  const done = await renewIfDue(config, path.join(folder, 'ann.yaml'), wanted.place)
  return { done, folder, asked: asked() }
}

/** An issuing authority below a root, and the root's list that revokes it. */
function revokedAuthority() {
  const root = testCa({ now: unixTime(now - DAY_S), pathLength: 1 })
  const issuing = { ...createSubordinate(root, { name: 'Issuing', now: unixTime(now - DAY_S), pathLength: 0 }), listAddress: DOOR }
  return { issuing, root: root.certificate, list: issueRevocationList(root, [{ serial: must(parseCertificate(issuing.certificate)).serial, when: unixTime(now) }], 1, unixTime(now)) }
}

test('when two thirds of its time are over it is renewed, by a process of its own that reads the key', async (t) => {
  const { done, asked, folder } = await renewed(t, { ageDays: 61, days: 90 })
  assert.equal(done, true)
  assert.deepEqual(asked, ['identity', 'renew', '--certificate', path.join(folder, 'ann.pem'), '--key', path.join(folder, 'ann.key'), '--anchor', path.join(folder, 'ca.pem')])
})

test('before that, after its end, without a door of ours, or with a passphrase that only its user has: nobody is asked', async (t) => {
  for (const wanted of [{ ageDays: 59, days: 90 }, { ageDays: 91, days: 90 }, { ageDays: 61, days: 90, door: false }, { ageDays: 61, days: 90, passphrase: 'secret' }] satisfies Wanted[]) {
    const { done, asked } = await renewed(t, wanted)
    assert.deepEqual([done, asked], [false, undefined], JSON.stringify(wanted))
  }
})

test('a certificate of an authority that was revoked is renewed whatever its age, and not for another\'s sake', async (t) => {
  for (const whose of ['its own', 'another', 'none', 'the certificate itself'] as const) {
    const root = testCa({ now: unixTime(now - DAY_S), pathLength: 1 })
    const below = { ...createSubordinate(root, { name: 'Issuing', now: unixTime(now - DAY_S), pathLength: 0 }), listAddress: DOOR }
    const serial = (der: Uint8Array): string => must(parseCertificate(der)).serial
    const gone = (chain: readonly Uint8Array[]) => ({ 'its own': issueRevocationList(root, [{ serial: serial(below.certificate), when: unixTime(now) }], 1, unixTime(now)), another: issueRevocationList(root, [{ serial: 'abcd', when: unixTime(now) }], 1, unixTime(now)), none: undefined, 'the certificate itself': issueRevocationList(below, [{ serial: serial(chain[0]!), when: unixTime(now) }], 1, unixTime(now)) })[whose]
    const { asked, folder } = await renewed(t, { ageDays: 1, days: 90, below: { issuing: below, root: root.certificate, list: gone } })
    assert.equal(asked !== undefined, whose === 'its own', whose)
    if (asked !== undefined) assert.deepEqual(asked.slice(-2), ['--lists', path.join(folder, 'ann-data', 'ann', 'evidence.stc')], 'the thief may stand at its door')
  }
})

test('a running client looks half a minute after its start at what has come since, and at nothing for a certificate that does not renew itself', { timeout: 60_000 }, async (t) => {
  const { issuing, root, list } = revokedAuthority()
  const evidence = must(Evidence.of([{ kind: 'crl', der: list }]))
  let looks = 0
  const known = { get evidence() { looks += 1; return evidence } }
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (const wanted of [{ ageDays: 1, days: 90, passphrase: 'secret' }, { ageDays: 1, days: 90, door: false }] satisfies Wanted[]) {
    const { folder, config, asked } = prepared(t, wanted)
    const { stop } = renewal([{ config, known }], path.join(folder, 'ann.yaml'), () => true)
    for (let i = 0; i < 80; i++) {
      t.mock.timers.tick(300_000)
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    stop()
    assert.deepEqual([looks, asked()], [0, undefined])
  }
  const { folder, config, asked } = prepared(t, { ageDays: 1, days: 90, below: { issuing, root, list: () => undefined } })
  const { due } = renewal([{ config, known }], path.join(folder, 'ann.yaml'), () => true)
  t.mock.timers.tick(30_000)
  await due
  assert.equal(asked()?.at(-1), path.join(folder, 'ann-data', 'ann', 'evidence.stc'))
})

test('a key that is sealed for this machine renews, with the service\'s passphrase or out of the keyring', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-renewal-sealed-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const at = (name: string): string => path.join(folder, name)
  const issuedAt = unixTime(now - DAY_S)
  // Nobody is at that door: it is knocked at only once the key is open.
  const ca = { ...testCa({ now: issuedAt }), listAddress: 'https://127.0.0.1:9/list.crl' }
  const { chain, pkcs8 } = issueCertificate(ca, { name: 'Ann', kind: 'member', now: issuedAt, lifetimeDays: 30 })
  writeFileSync(at('ann.pem'), encodePem('CERTIFICATE', chain[0]!))
  writeFileSync(at('ca.pem'), encodePem('CERTIFICATE', ca.certificate))
  writeFileSync(at('stc-passphrase'), 'four words are better\n')
  // A keyring of one secret, as the desktop's tool answers.
  writeFileSync(at('secret-tool'), `#!/bin/sh\nif [ "$1" = store ]; then cat > '${at('kept')}'; else cat '${at('kept')}'; fi\n`, { mode: 0o755 })
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}`, XDG_STATE_HOME: at('state'), NO_PROXY: '*' }
  const stc = (more: NodeJS.ProcessEnv, ...args: readonly string[]) => spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env: { ...env, ...more } }).stderr
  const renew = (more: NodeJS.ProcessEnv = {}) => /\[?(IDENTITY_[A-Z_]+|CA_[A-Z_]+|ENROL[A-Z_]+|NET_[A-Z_]+)/.exec(stc(more, 'identity', 'renew', '--certificate', at('ann.pem'), '--key', at('ann.key'), '--anchor', at('ca.pem')))?.[1]
  writeFileSync(at('ann.yaml'), JSON.stringify({ server: { host: '127.0.0.1' }, identity: { certificate: at('ann.pem'), key: at('ann.key'), anchors: [at('ca.pem')] } }))
  writeFileSync(at('ann.key'), encodePem('PRIVATE KEY', pkcs8), { mode: 0o600 })
  const unreached = renew()
  assert.doesNotMatch(unreached ?? 'nothing', /PASSPHRASE|OTHER_MACHINE|nothing/)
  assert.equal(stc({}, 'key', 'protect', '-c', at('ann.yaml'), '--passphrase-file', at('stc-passphrase')), '')
  assert.equal(renew(), 'IDENTITY_PASSPHRASE_NEEDED')
  assert.equal(renew({ CREDENTIALS_DIRECTORY: folder }), unreached)
  if (process.platform !== 'linux') return t.diagnostic('the keyring is tried on Linux alone')
  writeFileSync(at('ann.key'), encodePem('PRIVATE KEY', pkcs8), { mode: 0o600 })
  assert.equal(stc({}, 'key', 'protect', '-c', at('ann.yaml'), '--keyring'), '')
  assert.equal(renew(), unreached)
})

test('a folder that the client may not write into is named from the first day on, and nobody is asked', async (t) => {
  const said: string[] = []
  t.mock.method(process.stderr, 'write', (text: string) => said.push(text) > 0)
  for (const ageDays of [1, 61]) {
    const { done, asked, folder } = await renewed(t, { ageDays, days: 90, place: (file) => unwritable(file, { code: 'EROFS' }) })
    assert.deepEqual([done, asked], [false, undefined])
    assert.match(said.pop() ?? '', new RegExp(`the certificate cannot be renewed and ends on \\d{4}.*may not write into ${folder}.*/var/lib/stc`))
  }
})

test('where it fails the client goes on with the old one', async (t) => {
  const { done, asked } = await renewed(t, { ageDays: 61, days: 90, ends: 1 })
  assert.equal(done, false)
  assert.ok(asked !== undefined)
})
