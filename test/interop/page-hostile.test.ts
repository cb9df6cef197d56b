/** A page of another origin, open in the user's browser beside ours: it can neither read the roster nor start a call. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { WebSocket } from 'ws'
import { PAGE_PROTOCOL } from '../../src/model/page.ts'
import { startBrowser } from '../kit/browser.ts'
import { startClient, startServer, TestAuthority } from '../kit/stc.ts'
import { needs } from './setup.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-hostile-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Runs in the hostile page. Resolves with what got through. */
const ATTACK = `async (target) => {
  const through = []
  const attempt = async (name, run) => {
    try {
      const got = await Promise.race([run(), new Promise((r) => setTimeout(() => r(undefined), 3000))])
      if (got !== undefined && got !== false) through.push(name + ': ' + String(got).slice(0, 80))
    } catch {}
  }
  const ws = (protocols) => new Promise((r) => {
    const s = new WebSocket('ws://' + target + '/socket', protocols)
    s.onopen = () => s.send(JSON.stringify({ ref: 1, c: 'dial', number: '8100' }))
    s.onmessage = (e) => r(e.data)
    s.onerror = () => r(undefined)
  })
  await attempt('socket', () => ws([]))
  await attempt('socket with our protocol', () => ws(['${PAGE_PROTOCOL}']))
  await attempt('socket with a guess', () => ws(['${PAGE_PROTOCOL}', 'token.' + '0'.repeat(64)]))
  for (const path of ['/', '/session', '/socket']) for (const method of ['GET', 'POST']) {
    await attempt(method + ' ' + path, async () => (await fetch('http://' + target + path, { method, credentials: 'include', ...(method === 'POST' ? { body: 'x' } : {}) })).text())
    await attempt('no-cors ' + method + ' ' + path, async () => (await (await fetch('http://' + target + path, { method, mode: 'no-cors', credentials: 'include' })).text()) || undefined)
  }
  await attempt('frame', () => new Promise((r) => {
    const f = document.createElement('iframe')
    f.src = 'http://' + target + '/'
    f.onload = () => { try { r(f.contentDocument && f.contentDocument.body.innerText ? 'read' : undefined) } catch { r(undefined) } }
    document.body.append(f)
  }))
  await attempt('window', async () => {
    const w = window.open('http://' + target + '/')
    // Until it has gone there it is an empty one of ours; then each look throws.
    for (let i = 0; i < 100; i++) {
      await new Promise((r) => setTimeout(r, 100))
      const text = w.document.body.innerText
      if (text !== '') return text
    }
    throw new Error('it never went there')
  })
  await attempt('script', () => new Promise((r) => {
    const s = document.createElement('script')
    s.src = 'http://' + target + '/'
    s.onload = () => r('loaded')
    s.onerror = () => r(undefined)
    document.head.append(s)
  }))
  return through
}`

test('a hostile page gets nothing, from the same machine and from elsewhere', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const authority = new TestAuthority(folder, 'ca')
  const server = await startServer(folder, authority.server())
  t.after(() => server.stop())
  const client = await startClient(folder, 'anna', server.port, authority.member('anna'), { config: { page: { port: 0 } } })
  t.after(() => client.stop())
  const url = (await client.shows(/page: (http:\S+)/))[1]!
  const target = new URL(url).host

  const cookies: string[] = []
  const hostile = createServer((q, a) => {
    cookies.push(q.headers.cookie ?? '')
    a.setHeader('Content-Type', 'text/html')
    a.end('<!doctype html><title>nice</title><body>')
  })
  hostile.listen(0, '127.0.0.1')
  await once(hostile, 'listening')
  t.after(() => hostile.close())
  const { port } = hostile.address() as AddressInfo

  const b = await startBrowser(t)
  await b.page.goto(url)
  await b.page.getByText(/^Connected to/).waitFor()
  // Another port of the same host is the same site to a browser; `localhost` is another.
  for (const origin of [`http://127.0.0.1:${port}`, `http://localhost:${port}`]) {
    const bad = await b.context.newPage()
    await bad.goto(origin)
    assert.deepEqual(await bad.evaluate(`(${ATTACK})(${JSON.stringify(target)})`), [], origin)
    await bad.close()
  }
  // The other port was shown our cookie, as browsers do: its server tries for itself.
  const stolen = cookies.find((c) => c.includes('stc-page-')) ?? assert.fail('the browser showed no cookie: the attack was not played')
  const status = await new Promise((resolve) => {
    const ws = new WebSocket(`ws://${target}/socket`, [PAGE_PROTOCOL], { headers: { cookie: stolen }, origin: `http://${target}` })
    ws.on('unexpected-response', (_, a) => resolve(a.statusCode)).on('open', () => resolve('open')).on('error', () => {})
  })
  assert.equal(status, 401)
  assert.doesNotMatch(client.process.output(), /dials/)
  // Control: the user's own window is as it was, and may.
  await b.page.getByLabel('Room or number').fill('100')
  await b.page.keyboard.press('Enter')
  await client.shows(/dials 8100/)
})
