/** Others on this machine, and pages of others in the user's browser, at the door of the page. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { PAGE_PROTOCOL } from '../../src/model/page.ts'
import { openDoor } from '../kit/page-door.ts'

test('control: the user\'s own page gets a session and the roster', async (t) => {
  const d = await openDoor(t)
  assert.equal((await d.ask({})).status, 200)
  const w = await d.window()
  assert.equal((await w.next('snapshot')).server.name, 'server.test')
})

test('a name that somebody else\'s DNS points at us is refused, for files, sessions and sockets', async (t) => {
  const d = await openDoor(t)
  const { cookie, token } = await d.session()
  for (const host of [`evil.test:${d.port}`, 'evil.test', `127.0.0.1.evil.test:${d.port}`, '127.0.0.1', `127.0.0.1:${d.port + 1}`, `localhost:${d.port}.evil.test`]) {
    assert.equal((await d.ask({ headers: { host } })).status, 421, host)
    assert.equal((await d.ask({ path: '/session', method: 'POST', body: d.key, headers: { host, origin: `http://${host}` } })).status, 421, host)
    assert.equal(await d.socket({ headers: { host, cookie }, origin: `http://${host}`, protocols: [PAGE_PROTOCOL, `token.${token}`] }), 421, host)
  }
})

test('a page of another origin gets no session and no socket, even with the cookie that browsers would send', async (t) => {
  const d = await openDoor(t)
  const { cookie, token } = await d.session()
  const protocols = [PAGE_PROTOCOL, `token.${token}`]
  for (const origin of ['http://evil.test', 'null', `http://127.0.0.1:${d.port + 1}`, `https://127.0.0.1:${d.port}`, `http://localhost:${d.port}`, undefined]) {
    assert.equal(await d.socket({ headers: { cookie }, origin, protocols }), 403, `socket from ${origin}`)
    const a = await d.ask({ path: '/session', method: 'POST', body: d.key, headers: origin === undefined ? {} : { origin } })
    assert.equal(a.status, 403, `session from ${origin}`)
    assert.equal(a.headers['set-cookie'], undefined)
  }
  // What the browser says of the request counts too, whatever stands in Origin.
  assert.equal(await d.socket({ headers: { cookie, 'sec-fetch-site': 'cross-site' }, origin: d.origin, protocols }), 403)
  assert.equal(await d.socket({ headers: { cookie, 'sec-fetch-site': 'same-site' }, origin: d.origin, protocols }), 403)
})

test('neither half of a session opens anything alone, nor do halves of two', async (t) => {
  const d = await openDoor(t)
  const [a, b] = [await d.session(), await d.session()]
  const tries: { readonly cookie?: string; readonly token?: string }[] = [{}, { cookie: a.cookie }, { token: a.token }, { cookie: a.cookie, token: b.token }, { cookie: a.cookie, token: '' }, { cookie: a.cookie, token: d.key }]
  for (const { cookie, token } of tries) {
    const protocols = token === undefined ? [PAGE_PROTOCOL] : [PAGE_PROTOCOL, `token.${token}x`.slice(0, -1)].filter((p) => p !== 'token.')
    assert.equal(await d.socket({ ...(cookie === undefined ? {} : { headers: { cookie } }), origin: d.origin, protocols }), 401)
  }
})

test('the secret cannot be guessed: after ten wrong ones even the right one waits', async (t) => {
  const d = await openDoor(t)
  const ask = (body: string): Promise<number> => d.ask({ path: '/session', method: 'POST', headers: { origin: d.origin }, body }).then((a) => a.status)
  assert.equal(await ask(d.key), 200)
  for (let i = 0; i < 10; i++) assert.equal(await ask('0'.repeat(64)), 401)
  assert.equal(await ask(d.key), 401)
})

test('the cookie is out of reach of scripts and of other sites, and no answer holds the secret', async (t) => {
  const d = await openDoor(t)
  const a = await d.ask({ path: '/session', method: 'POST', headers: { origin: d.origin }, body: d.key })
  assert.match(String(a.headers['set-cookie']), /; HttpOnly; SameSite=Strict; Path=\/$/)
  for (const path of ['/', '/session', '/socket', '/nothing', `/${d.key}`]) {
    const { body, headers } = await d.ask({ path })
    assert.ok(!`${body}${JSON.stringify(headers)}`.includes(d.key))
  }
})

test('no other page can hold ours in a frame, load parts of it, or run code in it', async (t) => {
  const d = await openDoor(t)
  const { headers } = await d.ask({})
  const policy = String(headers['content-security-policy'])
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /unsafe|\*|https?:/)
  assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
  assert.equal((await d.ask({ headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' } })).status, 403)
  assert.equal((await d.ask({ headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' } })).status, 403)
})

test('paths lead to nothing but the page', async (t) => {
  const d = await openDoor(t)
  for (const path of ['/../package.json', '/%2e%2e/package.json', '/..%2fpackage.json', '//etc/passwd', '/index.html/../../x', '/constructor', '/__proto__']) assert.equal((await d.ask({ path })).status, 404, path)
  for (const method of ['PUT', 'DELETE', 'OPTIONS', 'POST']) assert.equal((await d.ask({ method, path: '/' })).status, 405, method)
})

test('only loopback can be reached', async (t) => {
  const d = await openDoor(t)
  const { networkInterfaces } = await import('node:os')
  const outside = Object.values(networkInterfaces()).flatMap((l) => l ?? []).find((a) => a.family === 'IPv4' && !a.internal)?.address
  if (outside === undefined) return t.skip('this machine has loopback alone')
  const refused = await new Promise<boolean>((resolve) => {
    connect(d.port, outside).once('error', () => resolve(true)).once('connect', () => resolve(false))
  })
  assert.ok(refused)
})

test('a window that sends what is no command, or too much, is closed; the others go on', async (t) => {
  const d = await openDoor(t)
  const [bad, flood, good] = [await d.window(), await d.window(), await d.window()]
  const closed = (w: typeof bad): Promise<number> => new Promise((resolve) => w.ws.once('close', resolve))
  const codes = [closed(bad), closed(flood)]
  bad.ws.send('{"ref":')
  for (let i = 0; i < 700; i++) flood.ws.send(JSON.stringify({ ref: i, c: 'nothing' }))
  assert.deepEqual(await Promise.all(codes), [1008, 1008])
  assert.equal((await good.command('hangup')).fault, undefined)
})

test('more windows than a person has are refused', async (t) => {
  const d = await openDoor(t)
  for (let i = 0; i < 8; i++) await d.window()
  const { cookie, token } = await d.session()
  assert.equal(await d.socket({ headers: { cookie }, origin: d.origin, protocols: [PAGE_PROTOCOL, `token.${token}`] }), 503)
})

test('requests that never end are ended', async (t) => {
  const d = await openDoor(t)
  const answer = await d.ask({ path: '/session', method: 'POST', headers: { origin: d.origin }, body: 'x'.repeat(100_000) }).then((a) => a.status, () => 0)
  assert.notEqual(answer, 200)
})
