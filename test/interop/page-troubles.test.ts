/**
 * What goes wrong is shown as what it is and goes away without a reload. How soon is measured and printed; that it is soon enough is shown where no
 * stall of a machine stands between: unit/web/trouble and connection, unit/client/server-channel.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { unixTime } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { issueRevocationList } from '../../src/pki/authority.ts'
import { loadCa } from '../../src/pki/ca-directory.ts'
import { parseCertificate } from '../../src/protocol/x509/certificate.ts'
import { decodePem, encodePem } from '../../src/protocol/x509/pem.ts'
import { becomes, startBrowser, type TestBrowser } from '../kit/browser.ts'
import { freePorts } from '../kit/free-ports.ts'
import { type Running, run, until } from '../kit/processes.ts'
import { type Papers, startClient, startServer, type StcClient, type StcServer, TestAuthority } from '../kit/stc.ts'
import { needs } from './setup.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-troubles-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const authority = new TestAuthority(folder, 'ca')
const serverPapers = authority.server()
const DAY_S = 86_400

interface Scene {
  readonly own: string
  readonly server: StcServer
  readonly client: StcClient
  readonly b: TestBrowser
  /** The banner with this cause; says how long it took. */
  shows(cause: string): Promise<void>
  recovers(): Promise<void>
}

async function scene(t: TestContext, papers: Papers | (() => Papers), serverConfig: Record<string, unknown> = {}, around: () => Disposable = () => ({ [Symbol.dispose]: () => {} }), clientConfig: (server: number) => Record<string, unknown> = () => ({})): Promise<Scene> {
  const own = path.join(folder, t.name.replace(/\W+/g, '-'))
  const server = await startServer(own, serverPapers, serverConfig)
  t.after(() => server.stop())
  const port = await freePorts(2)
  const started = async (): Promise<StcClient> => {
    using _ = around()
    return await startClient(own, 'anna', server.port, typeof papers === 'function' ? papers() : papers, { config: { page: { port }, ...clientConfig(server.port) } })
  }
  const client = await started()
  t.after(() => client.stop())
  const b = await startBrowser(t)
  await b.page.goto((await client.shows(/page: (http:\S+)/))[1]!)
  await b.page.getByText('Connected to').waitFor()
  await b.page.evaluate('globalThis.stcMark = true')
  return {
    own, server, client, b,
    async shows(cause) {
      const since = performance.now()
      await b.page.locator(`.trouble[data-cause="${cause}"]`).waitFor()
      t.diagnostic(`${cause}: shown after ${Math.round(performance.now() - since)} ms`)
    },
    recovers: async () => {
      await b.page.locator('.trouble').waitFor({ state: 'detached' })
      await b.page.getByText(/^Connected to/).waitFor()
      assert.equal(await b.page.evaluate('globalThis.stcMark'), true, 'the page was loaded anew')
    },
  }
}
const again = (t: TestContext, role: 'server' | 'client', file: string): Running => {
  const process = run(globalThis.process.execPath, [program, role, '--config', file])
  t.after(() => process.stop())
  return process
}

/** For what is started while it holds. */
function withNodeOptions(options: string): Disposable {
  const before = process.env['NODE_OPTIONS']
  process.env['NODE_OPTIONS'] = options
  return { [Symbol.dispose]: () => {
    if (before === undefined) delete process.env['NODE_OPTIONS']
    else process.env['NODE_OPTIONS'] = before
  } }
}
const rewritten = (file: string, change: (text: string) => string): string => {
  const text = readFileSync(file, 'utf8')
  assert.notEqual(change(text), text)
  writeFileSync(file, change(text))
  return file
}

test('a dead server', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const s = await scene(t, authority.member('anna'))
  s.server.process.signal('SIGKILL')
  await s.shows('server-gone')
  again(t, 'server', path.join(s.own, 'server.yaml'))
  await s.recovers()
})

test('a server that falls silent: its machine, its cable', { timeout: 300_000, skip: process.platform === 'win32' ? 'no process is stopped there' : false }, async (t) => {
  if (!needs(t, 'chromium')) return
  const s = await scene(t, authority.member('silvia'))
  s.server.process.signal('SIGSTOP')
  t.after(() => s.server.process.signal('SIGCONT'))
  // Nothing has ended the connection yet.
  await s.shows('server-silent')
  s.server.process.signal('SIGCONT')
  await s.recovers()
})

test('a dead client', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const s = await scene(t, authority.member('berta'))
  s.client.process.signal('SIGKILL')
  await s.shows('client-gone')
  again(t, 'client', path.join(s.own, 'anna.yaml'))
  await s.recovers()
})

test('a revoked certificate', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const papers = authority.member('bella')
  const certificate = must(parseCertificate(decodePem(readFileSync(papers.certificate, 'latin1'))[0]!.bytes!))
  using ca = must(loadCa(createNodeCrypto(), path.join(folder, 'ca')))
  const list = path.join(folder, 'revoked.pem')
  const now = unixTime(Math.floor(Date.now() / 1000))
  const publish = (revoked: readonly string[], number: number): void =>
    writeFileSync(list, encodePem('X509 CRL', issueRevocationList(ca, revoked.map((serial) => ({ serial, when: now })), number, now)))
  publish([], 1)
  const s = await scene(t, papers, { revocation: { lists: [list] } })
  publish([certificate.serial], 2)
  await s.client.shows(/not connected: .*IDENTITY_REVOKED/, 30_000)
  await s.shows('certificate-revoked')
  // With another certificate in its place it goes on, in the same window.
  const fresh = authority.member('bella-again')
  await s.client.stop()
  again(t, 'client', rewritten(path.join(s.own, 'anna.yaml'), (text) => text.replaceAll(papers.certificate, fresh.certificate).replaceAll(papers.key, fresh.key)))
  await s.recovers()
})

test('a certificate that ends', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  // Issued a day ago for a day, when its client starts: it ends a minute later, when the browser is open on the slowest machine.
  const s = await scene(t, () => authority.member('carla', { issuedDaysAgo: 1 - 60 / DAY_S, lifetimeDays: 1 }))
  await s.client.shows(/not connected: .*EXPIRED/, 120_000)
  await s.shows('certificate-expired')
})

test('a network that blocks UDP', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const nobody = await freePorts(1)
  const s = await scene(t, authority.member('dora'), { advertise: [{ address: '127.0.0.1', port: nobody }] })
  await s.client.shows(/media to the server: tls/, 30_000)
  await s.shows('udp-blocked')
  await s.server.process.stop(5000)
  await s.shows('server-gone')
  again(t, 'server', rewritten(path.join(s.own, 'server.yaml'), (text) => text.replace(`port: ${nobody}`, `port: ${s.server.port}`)))
  await s.recovers()
})

test('a network that lets no voice through at all: no UDP, and TLS is not wanted', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const nobody = await freePorts(1)
  const s = await scene(t, authority.member('frida'), { advertise: [{ address: '127.0.0.1', port: nobody }] }, undefined, (port) => ({ server: { host: '127.0.0.1', port, mediaOverTls: 'never' } }))
  // In no call nothing is said: nothing is missed.
  await becomes('no trouble', () => s.b.page.locator('.trouble').count(), 0)
  await s.b.page.getByRole('button', { name: 'Try it' }).click()
  await s.b.page.locator('.trouble[data-cause="no-voice"]').waitFor({ timeout: 60_000 })
  await s.server.process.stop(5000)
  await s.shows('server-gone')
})

test('a wrong clock', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const wrong = path.join(folder, 'the-clock-is-wrong')
  writeFileSync(wrong, '')
  const code = `import{existsSync as e}from"node:fs";const n=Date.now;Date.now=()=>n()+(e(${JSON.stringify(wrong)})?36e5:0)`
  const s = await scene(t, authority.member('emma'), {}, () => withNodeOptions(`--import=data:text/javascript,${encodeURIComponent(code)}`))
  await s.shows('clock')
  await until(10_000, 'the hour', async () => ((await s.b.page.locator('.trouble').allInnerTexts()).join().includes('60 minutes') ? true : undefined))
  // Set right by its user, and wrong again: neither the client nor the window is started anew, and the connection stands.
  rmSync(wrong)
  await s.recovers()
  writeFileSync(wrong, '')
  await s.shows('clock')
  rmSync(wrong)
  await s.recovers()
})
