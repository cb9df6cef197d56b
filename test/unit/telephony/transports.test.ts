/** The transports over real sockets on loopback. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { fromUtf8, utf8 } from '../../../src/base/bytes.ts'
import { instant, unixTime } from '../../../src/base/brand.ts'
import { must } from '../../../src/base/result.ts'
import type { AddressPort } from '../../../src/net/address.ts'
import { nodeUdp } from '../../../src/net/node-udp.ts'
import { localHostFor } from '../../../src/telephony/local-address.ts'
import { SourceLimit } from '../../../src/telephony/source-limit.ts'
import { openPbxTransport } from '../../../src/telephony/outgoing.ts'
import { realScheduler } from '../../../src/net/scheduler.ts'
import { openStreamTransport, sourceOf } from '../../../src/telephony/stream-transport.ts'
import type { SipFlow, SipTransport } from '../../../src/telephony/transport.ts'
import { openUdpTransport } from '../../../src/telephony/udp-transport.ts'
import { createCa, issueCertificate } from '../../../src/pki/authority.ts'
import { encodePem } from '../../../src/protocol/x509/pem.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import { until } from '../../kit/processes.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

const here = { address: '127.0.0.1', port: 0 }
const message = (body = ''): string => `OPTIONS sip:a SIP/2.0\r\nContent-Length: ${body.length}\r\n\r\n${body}`

/** What arrives, as promises in order. */
function inbox(transport: SipTransport) {
  const got: { text: string; flow: SipFlow }[] = []
  const waiting: ((m: { text: string; flow: SipFlow }) => void)[] = []
  const lost: Promise<SipFlow> = new Promise((resolve) => transport.listen({
    message: (data, flow) => {
      const m = { text: fromUtf8(data)!, flow }
      const next = waiting.shift()
      if (next === undefined) got.push(m)
      else next(m)
    },
    lost: resolve,
  }))
  return { lost, next: () => new Promise<{ text: string; flow: SipFlow }>((resolve) => (got.length > 0 ? resolve(got.shift()!) : waiting.push(resolve))) }
}

test('TCP: messages cut anywhere, an answer on the same connection, a pong for a ping, the end is told', async (t) => {
  const transport = must(await openStreamTransport(here))
  t.after(() => transport.close())
  const box = inbox(transport)
  const socket = net.connect(transport.local.port, '127.0.0.1')
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  const bytes = message('hello') + message()
  socket.write(bytes.slice(0, 20))
  socket.write(bytes.slice(20, 70))
  socket.write(bytes.slice(70))
  const first = await box.next()
  assert.equal(first.text, message('hello'))
  assert.equal((await box.next()).text, message())
  assert.deepEqual([first.flow.transport, first.flow.remote.port, first.flow.local.port], ['TCP', socket.localPort, transport.local.port])
  const [data] = await Promise.all([once(socket, 'data'), transport.send(utf8('SIP/2.0 200 OK\r\n\r\n'), first.flow)])
  assert.equal(String(data[0]), 'SIP/2.0 200 OK\r\n\r\n')
  socket.write('\r\n\r\n')
  assert.equal(String((await once(socket, 'data'))[0]), '\r\n')
  socket.destroy()
  assert.equal((await box.lost).connection, first.flow.connection)
  assert.equal(transport.send(utf8('x'), first.flow), false)
})

test('TCP: a connection whose framing is lost is closed, others go on', async (t) => {
  const transport = must(await openStreamTransport(here))
  t.after(() => transport.close())
  const box = inbox(transport)
  const bad = net.connect(transport.local.port, '127.0.0.1')
  const good = net.connect(transport.local.port, '127.0.0.1')
  t.after(() => good.destroy())
  await Promise.all([once(bad, 'connect'), once(good, 'connect')])
  bad.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(bad, 'close')
  good.write(message())
  assert.equal((await box.next()).text, message())
})

test('TCP: one source has 32 connections at most', async (t) => {
  const transport = must(await openStreamTransport(here))
  t.after(() => transport.close())
  const box = inbox(transport)
  const join = (): net.Socket => {
    const socket = net.connect(transport.local.port, '127.0.0.1')
    t.after(() => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.write(message())
    return socket
  }
  for (let i = 0; i < 32; i++) {
    join()
    await box.next()
  }
  const more = join()
  assert.equal(await Promise.race([once(more, 'close').then(() => 'closed'), box.next().then(() => 'served')]), 'closed')
})

test('TCP: line ends hold no place: without a message a connection ends by the clock, with one it stays', async (t) => {
  const transport = must(await openStreamTransport(here, { patience: { firstMessageMs: 2000 } }))
  t.after(() => transport.close())
  const box = inbox(transport)
  const [idler, phone] = [net.connect(transport.local.port, '127.0.0.1'), net.connect(transport.local.port, '127.0.0.1')]
  t.after(() => [idler, phone].forEach((s) => void s.destroy()))
  const keeping = setInterval(() => idler.write('\r\n'), 20)
  t.after(() => clearInterval(keeping))
  const ended = new Promise<void>((resolve) => void idler.on('error', () => {}).on('close', () => resolve()))
  phone.write(message())
  await box.next()
  await ended
  phone.write(message('again'))
  assert.equal((await box.next()).text, message('again'))
})

test('an IPv6 host of the Internet is one source, with all addresses of its network; phones of a LAN share theirs', () => {
  for (const [address, source] of [
    ['192.0.2.7', '192.0.2.7'], ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'], ['2001:DB8:1:2::9', '2001:db8:1:2::/64'], ['2001:db8:1:2:ffff::', '2001:db8:1:2::/64'], ['2001:db8:1:3::9', '2001:db8:1:3::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'], ['::1', '0:0:0:0::/64'], ['fe80::1%eth0', 'fe80:0:0:0::/64'], ['64:ff9b::192.0.2.33', '64:ff9b:0:0::/64'],
  ] as const) {
    assert.equal(sourceOf(address, true), source, address)
    assert.equal(sourceOf(address, false), address)
  }
})

test('TLS: 1.2 and 1.3, not 1.1; a bad key is a fault', async (t) => {
  // Real time: Node's own verification knows no other.
  const now = unixTime(Math.floor(Date.now() / 1000))
  const ca = createCa(createNodeCrypto(), { name: 'Test', now })
  const { chain, pkcs8 } = issueCertificate(ca, { name: 'desk', kind: 'server', hosts: ['127.0.0.1'], now })
  const identity = { key: encodePem('PRIVATE KEY', pkcs8), cert: chain.map((c) => encodePem('CERTIFICATE', c)).join('') }
  const transport = must(await openStreamTransport(here, { identity }))
  t.after(() => transport.close())
  const box = inbox(transport)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = tls.connect({ port: transport.local.port, host: '127.0.0.1', ca: encodePem('CERTIFICATE', ca.certificate), minVersion: version, maxVersion: version })
    t.after(() => socket.destroy())
    await once(socket, 'secureConnect')
    socket.write(message(version))
    const got = await box.next()
    assert.equal(got.text, message(version))
    assert.equal(got.flow.transport, 'TLS')
  }
  const old = tls.connect({ port: transport.local.port, host: '127.0.0.1', ca: encodePem('CERTIFICATE', ca.certificate), minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
  await once(old, 'error')
  const refused = await openStreamTransport(here, { identity: { key: 'x', cert: 'y' } })
  assert.equal(refused.ok ? '' : refused.fault.code, 'SIP_TLS')
})

test('UDP towards a PBX: what comes from another address is nobody', async (t) => {
  const [pbx, stranger] = [must(await openUdpTransport(nodeUdp(), here)), must(await openUdpTransport(nodeUdp(), { address: '127.0.0.2', port: 0 }))]
  const ours = must(await openPbxTransport({ transport: 'UDP', remotes: [pbx.local], bind: here, scheduler: realScheduler() }))
  t.after(() => [pbx, stranger, ours].forEach((x) => void x.close()))
  const box = inbox(ours)
  const to = (local: typeof pbx.local) => ({ transport: 'UDP', local, remote: ours.local }) as const
  for (let i = 0; i < 5; i++) stranger.send(utf8(message()), to(stranger.local))
  pbx.send(utf8(message()), to(pbx.local))
  const first = await box.next()
  assert.deepEqual(first.flow.remote, pbx.local)
})

test('UDP: datagrams both ways, keep-alives are swallowed; a taken port is a fault, for TCP too', async (t) => {
  const a = must(await openUdpTransport(nodeUdp(), here))
  const b = must(await openUdpTransport(nodeUdp(), here))
  t.after(() => [a, b].forEach((x) => void x.close()))
  const box = inbox(a)
  const back = inbox(b)
  const toA = { transport: 'UDP', local: b.local, remote: a.local } as const
  b.send(utf8('\r\n\r\n'), toA)
  b.send(utf8(message()), toA)
  const got = await box.next()
  assert.deepEqual([got.text, got.flow.remote], [message(), b.local])
  assert.ok(a.send(utf8('answer'), got.flow))
  assert.equal((await back.next()).text, 'answer')
  const taken = await openUdpTransport(nodeUdp(), a.local)
  assert.equal(taken.ok ? '' : taken.fault.code, 'SIP_BIND')
  const tcp = must(await openStreamTransport(here))
  t.after(() => tcp.close())
  const takenTcp = await openStreamTransport(tcp.local)
  assert.equal(takenTcp.ok ? '' : takenTcp.fault.code, 'SIP_BIND')
})

test('a source has its own bucket, which fills again', () => {
  const limit = new SourceLimit(1000, 2000)
  const admitted = (address: string, at: number, n: number): number => Array.from({ length: n }, () => limit.admit(address, instant(at))).filter(Boolean).length
  assert.equal(admitted('a', 0, 5000), 2000)
  assert.equal(admitted('b', 0, 10), 10)
  assert.equal(admitted('a', 100, 5000), 100)
})

test('our host for a peer: the bound address, or the interface of its network', () => {
  const flow = (local: string, remote: string): SipFlow => ({ transport: 'UDP', local: { address: local, port: 1 }, remote: { address: remote, port: 2 } })
  assert.equal(localHostFor(flow('192.0.2.7', '192.0.2.8')), '192.0.2.7')
  assert.equal(localHostFor(flow('2001:db8::1', '2001:db8::2')), '[2001:db8::1]')
  assert.equal(localHostFor(flow('0.0.0.0', '127.0.0.1')), '127.0.0.1')
  assert.equal(localHostFor(flow('0.0.0.0', '127.5.5.5')), '127.0.0.1')
})

test('towards a PBX over TLS: a way where authority and name are right, and none otherwise', async (t) => {
  const clock = realScheduler()
  const crypto = createNodeCrypto()
  const now = clock.unix()
  const [ours, foreign] = [createCa(crypto, { name: 'Ours', now }), createCa(crypto, { name: 'Foreign', now })]
  const paper = issueCertificate(ours, { name: 'pbx', hosts: ['localhost', '127.0.0.1'], kind: 'server', now })
  const pem = (der: Uint8Array): string => encodePem('CERTIFICATE', der)
  const server = tls.createServer({ cert: paper.chain.map(pem).join(''), key: encodePem('PRIVATE KEY', paper.pkcs8) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const remote = { address: '127.0.0.1', port: (server.address() as net.AddressInfo).port }
  const wayWith = async (anchor: Uint8Array, name: string): Promise<boolean> => {
    const transport = must(await openPbxTransport({ transport: 'TLS', remotes: [remote], bind: here, tls: { anchors: [pem(anchor)], name }, scheduler: clock }))
    // The connection closes where the certificate is refused, and stays where it is not; it is told apart by what is sent next.
    const decided = new Promise<void>((resolve) => server.once('connection', (socket) => {
      socket.once('close', () => resolve())
      const look = setInterval(() => {
        if (transport.way() !== undefined) resolve()
      }, 5)
      socket.once('close', () => clearInterval(look))
      t.after(() => clearInterval(look))
    }))
    transport.listen({ message: () => {}, lost: () => {} })
    await decided
    const way = transport.way() !== undefined
    transport.close()
    return way
  }
  server.on('tlsClientError', () => {})
  server.on('secureConnection', (socket) => socket.on('error', () => {}))
  assert.deepEqual([await wayWith(ours.certificate, 'localhost'), await wayWith(foreign.certificate, 'localhost'), await wayWith(ours.certificate, 'pbx.example')], [true, false, false])
  assert.deepEqual([await wayWith(ours.certificate, '127.0.0.1'), await wayWith(foreign.certificate, '127.0.0.1'), await wayWith(ours.certificate, '127.0.0.2')], [true, false, false], 'by its address')
})

test('UDP, two places: the next one when nothing at all has come from the first for three seconds, and back when that one is silent', async (t) => {
  const clock = new VirtualClock()
  const [first, second] = [must(await openUdpTransport(nodeUdp(), here)), must(await openUdpTransport(nodeUdp(), here))]
  const ours = must(await openPbxTransport({ transport: 'UDP', remotes: [first.local, second.local], bind: here, scheduler: clock }))
  t.after(() => [first, second, ours].forEach((x) => void x.close()))
  const silent: { readonly place: AddressPort; readonly forMs: number }[] = []
  const got: string[] = []
  let arrived: () => void = () => {}
  ours.listen({
    message: (data) => {
      got.push(fromUtf8(data)!)
      arrived()
    },
    lost: () => assert.fail('nothing has ended'),
    silent: (flow, forMs) => silent.push({ place: flow.remote, forMs }),
  })
  const place = (): number => [first, second].findIndex((p) => p.local.port === ours.way()!.remote.port)
  let requests = 0
  const send = (method: string, o: { readonly to?: string; readonly callId?: string } = {}): boolean => ours.send(utf8([
    `${method} sip:a@example.org SIP/2.0`, `Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK${++requests}`, 'Max-Forwards: 70', 'From: <sip:b@example.org>;tag=b', `To: ${o.to ?? '<sip:a@example.org>'}`,
    `Call-ID: ${o.callId ?? `call-${requests}`}`, `CSeq: 1 ${method}`, 'Content-Length: 0', '', '',
  ].join('\r\n')), ours.way()!)
  const says = async (from: SipTransport): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    arrived = resolve
    from.send(utf8('SIP/2.0 200 OK\r\n\r\n'), { transport: 'UDP', local: from.local, remote: ours.local })
    await promise
  }
  assert.equal(place(), 0)
  ours.send(utf8('SIP/2.0 200 OK\r\n\r\n'), ours.way()!)
  send('ACK')
  for (const method of ['MESSAGE', 'SUBSCRIBE', 'BYE']) send(method)
  send('INVITE', { to: '<sip:a@example.org>;tag=a' })
  clock.advanceSync(60_000)
  assert.equal(place(), 0, 'an answer is not answered, and what is asked end to end says nothing about the place')
  send('OPTIONS')
  clock.advanceSync(2000)
  await says(second)
  await says(first)
  clock.advanceSync(60_000)
  assert.deepEqual([place(), silent.length], [0, 0], 'it said something')
  send('OPTIONS', { callId: 'unanswerable' })
  clock.advanceSync(2000)
  send('OPTIONS')
  await says(second)
  clock.advanceSync(1100)
  assert.deepEqual([place(), silent], [1, [{ place: first.local, forMs: 3000 }]])
  await says(second)
  send('OPTIONS', { callId: 'unanswerable' })
  clock.advanceSync(60_000)
  assert.deepEqual([place(), silent.length], [1, 2], 'not back where it was not answered either; what waited in the first place is told so')
  send('REGISTER')
  clock.advanceSync(3100)
  assert.deepEqual([place(), silent.length, silent.at(-1)!.place], [0, 3, second.local])
  assert.equal(got.length, 4, 'both may say something all the time')
})

test('TCP and TLS, two places: the next one at once where nobody is, after eight seconds where nobody says anything', async (t) => {
  const clock = new VirtualClock()
  const closed = must(await openStreamTransport(here))
  closed.close()
  const [mute, pbx] = [net.createServer(), net.createServer()]
  for (const s of [mute, pbx]) {
    s.listen(0, '127.0.0.1')
    await once(s, 'listening')
    t.after(() => s.close())
  }
  const portOf = (s: net.Server) => ({ address: '127.0.0.1', port: (s.address() as net.AddressInfo).port })
  const tcp = must(await openPbxTransport({ transport: 'TCP', remotes: [closed.local, portOf(pbx)], bind: here, scheduler: clock }))
  t.after(() => tcp.close())
  tcp.listen({ message: () => {}, lost: () => {} })
  const ways: boolean[] = []
  tcp.watch?.((up) => ways.push(up))
  const [there] = (await once(pbx, 'connection')) as [net.Socket]
  await until(10_000, 'a way', () => tcp.way())
  assert.deepEqual(tcp.way()?.remote, portOf(pbx))
  assert.deepEqual(ways, [true])
  there.destroy()
  await until(10_000, 'the loss', () => ways.at(1))
  assert.deepEqual([ways, tcp.way()], [[true, false], undefined])
  const overTls = must(await openPbxTransport({ transport: 'TLS', remotes: [portOf(mute), portOf(pbx)], bind: here, tls: { name: 'localhost' }, scheduler: clock }))
  t.after(() => overTls.close())
  overTls.listen({ message: () => {}, lost: () => {} })
  const [held] = (await once(mute, 'connection')) as [net.Socket]
  t.after(() => held.destroy())
  const next = once(pbx, 'connection')
  clock.advanceSync(7900)
  assert.equal(held.destroyed, false)
  held.resume()
  clock.advanceSync(200)
  const [other] = (await next) as [net.Socket]
  t.after(() => other.destroy())
})
