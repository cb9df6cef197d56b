import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { connectTo, parseProxy, proxyFor } from '../../../src/net/http-connect.ts'
import { startProxy } from '../../kit/connect-proxy.ts'

const at = (host: string, port = 443) => ({ host, port })
const env = { HTTPS_PROXY: 'http://proxy.example.org:3128', NO_PROXY: 'intern.example.org, .lab.example.org,10.0.0.5,special.example.org:7443' }
const proxyHost = (setting: string, target: { host: string; port: number }, e: NodeJS.ProcessEnv = env): string | undefined => must(proxyFor(setting, target, e))?.host

test('the proxy is that of the setting, or of the environment with its exceptions', () => {
  assert.equal(proxyHost('auto', at('talk.example.org')), 'proxy.example.org')
  assert.equal(proxyHost('auto', at('talk.example.org'), {}), undefined)
  assert.equal(proxyHost('none', at('talk.example.org')), undefined)
  assert.equal(proxyHost('http://other.example.org', at('intern.example.org')), 'other.example.org')
  for (const own of ['localhost', '127.0.0.1', '::1']) assert.equal(proxyHost('auto', at(own)), undefined)
  for (const excepted of ['intern.example.org', 'a.intern.example.org', 'x.lab.example.org', '10.0.0.5']) assert.equal(proxyHost('auto', at(excepted)), undefined, excepted)
  assert.equal(proxyHost('auto', at('notintern.example.org')), 'proxy.example.org')
  assert.equal(proxyHost('auto', at('special.example.org', 443)), 'proxy.example.org')
  assert.equal(proxyHost('auto', at('special.example.org', 7443)), undefined)
  assert.equal(proxyHost('auto', at('a.example.org'), { https_proxy: 'x:1', no_proxy: '*' }), undefined)
})

test('addresses of proxies', () => {
  assert.deepEqual(must(parseProxy('http://me:p%40ss@[::1]:3128')), { host: '::1', port: 3128, secure: false, authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}` })
  assert.deepEqual(must(parseProxy('proxy:8080')), { host: 'proxy', port: 8080, secure: false })
  assert.deepEqual(must(parseProxy('https://proxy')), { host: 'proxy', port: 443, secure: true })
  for (const bad of ['socks5://x', 'http://', 'http://a:b:c:d', 'http://bob:50%off@proxy:3128']) assert.equal(parseProxy(bad).ok, false, bad)
})

test('through a proxy, octets pass both ways and what it refuses is told as what it is', async (t) => {
  const echo = createServer((s) => {
    s.on('error', () => {})
    // At once, before it is asked: must not get lost behind the proxy's answer.
    s.write('hello ')
    s.pipe(s)
  })
  await new Promise<void>((resolve) => void echo.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise((resolve) => echo.close(resolve)))
  const proxy = await startProxy({ 'inside.example:7443': (echo.address() as AddressInfo).port }, 'me:secret')
  t.after(() => proxy.close())
  const through = (auth: string, target = at('inside.example', 7443)) => connectTo(target, must(parseProxy(`http://${auth}127.0.0.1:${proxy.port}`)))
  const socket = must(await through('me:secret@'))
  socket.write('world')
  let text = ''
  for await (const more of socket) if ((text += String(more)).length >= 11) break
  assert.equal(text, 'hello world')
  for (const [auth, target, code] of [['', undefined, 'CHANNEL_PROXY_PASSWORD'], ['me:wrong@', undefined, 'CHANNEL_PROXY_REFUSED_US'], ['me:secret@', at('elsewhere.example'), 'CHANNEL_PROXY']] as const) {
    const r = await through(auth, target)
    assert.equal(r.ok ? '' : r.fault.code, code)
    assert.ok(r.ok || !JSON.stringify(r.fault).includes('secret'))
  }
  const nobody = await connectTo(at('x'), { host: '127.0.0.1', port: 1, secure: false })
  assert.equal(nobody.ok ? '' : nobody.fault.code, 'CHANNEL_PROXY_UNREACHABLE')
})

test('a proxy that speaks no HTTP, or without end, is given up', async (t) => {
  for (const answer of ['SSH-2.0-x\r\n\r\n', 'x'.repeat(20_000)]) {
    const server = createServer((s) => {
      s.on('error', () => {}).on('close', () => s.destroy())
      s.resume()
      s.write(answer)
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    t.after(() => new Promise((resolve) => server.close(resolve)))
    const r = await connectTo(at('x'), { host: '127.0.0.1', port: (server.address() as AddressInfo).port, secure: false })
    assert.equal(r.ok ? '' : r.fault.code, 'CHANNEL_PROXY')
  }
})
