/** The server's doors with real TLS on loopback: who gets in, who does not, and what each side says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MessagePort } from 'node:worker_threads'
import { connect } from 'node:tls'
import { must } from '../../src/base/result.ts'
import { openMediaPath, openServerChannel } from '../../src/client/channel/index.ts'
import { realScheduler } from '../../src/net/scheduler.ts'
import { encodeCbor } from '../../src/protocol/wire/cbor.ts'
import { encodeClientMessage } from '../../src/protocol/wire/codec.ts'
import { MESSAGE_LIMIT } from '../../src/protocol/wire/limits.ts'
import { unixTime } from '../../src/base/brand.ts'
import { DAY_S, newAuthority, papersFor, type Raw, type RawClient, rawConnect, realServer, vaultOf } from '../kit/real-server.ts'

const TIME_LIMIT = { timeout: 60_000 }
const daysAgo = (days: number) => unixTime(Math.floor(Date.now() / 1000) - days * DAY_S)

function opened(r: Raw): RawClient {
  assert.equal(r.kind, 'open', JSON.stringify(r))
  return (r as Extract<Raw, { kind: 'open' }>).client
}

function sendAll(c: RawClient, messages: readonly Uint8Array[]): void {
  for (const m of messages) c.ws.send(m)
}

test('strangers get nowhere and both ends say why', TIME_LIMIT, async (t) => {
  const s = await realServer(t)
  const strangers: [string, Parameters<typeof rawConnect>[1], string][] = [
    ['another authority', papersFor(newAuthority('Other CA')), 'IDENTITY_UNKNOWN_ISSUER'],
    ['expired', papersFor(s.ca, { now: daysAgo(10), lifetimeDays: 5 }), 'IDENTITY_EXPIRED'],
    ['not yet valid', papersFor(s.ca, { now: daysAgo(-10) }), 'IDENTITY_NOT_YET_VALID'],
    ['a server', papersFor(s.ca, { kind: 'server', hosts: ['x.example'] }), 'IDENTITY_'],
    ['none', undefined, 'CHANNEL_NO_CERTIFICATE'],
  ]
  for (const [who, papers, code] of strangers) {
    s.log.length = 0
    for (const path of ['/', '/media?session=00']) {
      const r = await rawConnect(s.port, papers, { path })
      assert.equal(r.kind, 'refused', `${who}: ${JSON.stringify(r)}`)
      if (r.kind !== 'refused') continue
      assert.equal(r.status, 403)
      assert.ok(r.body.code.startsWith(code), `${who}: ${r.body.code}`)
      assert.ok(r.body.message.length > 20)
      assert.ok(s.log.some((l) => l.code === r.body.code && l.text === r.body.message), `${who} in the server's log`)
    }
  }
})

test('our client shows the server\'s reason', TIME_LIMIT, async (t) => {
  const s = await realServer(t)
  const other = newAuthority('Other CA')
  const vault = vaultOf(papersFor(other), other, s.ca)
  t.after(() => vault.close())
  const r = await openServerChannel({ vault, scheduler: realScheduler(), server: { host: '127.0.0.1', port: s.port, name: 'localhost' } })
  assert.ok(!r.ok)
  assert.equal(r.fault.code, 'CHANNEL_REFUSED')
  assert.equal(r.fault.cause?.code, 'IDENTITY_UNKNOWN_ISSUER')
  assert.match(r.fault.message, /IDENTITY_UNKNOWN_ISSUER/)
})

test('a server of another authority or name, and no server at all', TIME_LIMIT, async (t) => {
  const s = await realServer(t)
  const other = newAuthority('Other CA')
  const distrustful = vaultOf(papersFor(other), other)
  const vault = vaultOf(papersFor(s.ca), s.ca)
  t.after(async () => {
    await distrustful.close()
    await vault.close()
  })
  const scheduler = realScheduler()
  const foreign = await openServerChannel({ vault: distrustful, scheduler, server: { host: '127.0.0.1', port: s.port, name: 'localhost' } })
  assert.ok(!foreign.ok && foreign.fault.code === 'CHANNEL_TLS', JSON.stringify(foreign))
  const named = await openServerChannel({ vault, scheduler, server: { host: '127.0.0.1', port: s.port, name: 'other.example' } })
  assert.ok(!named.ok && named.fault.code === 'CHANNEL_TLS')
  await s.server.close()
  const nobody = await openServerChannel({ vault, scheduler, server: { host: '127.0.0.1', port: s.port, name: 'localhost' } })
  assert.ok(!nobody.ok && nobody.fault.code === 'CHANNEL_UNREACHABLE')
})

test('TLS 1.3 alone, our groups alone, no session is ever resumed', TIME_LIMIT, async (t) => {
  const s = await realServer(t)
  const papers = papersFor(s.ca)
  assert.equal((await rawConnect(s.port, papers, { tls: { maxVersion: 'TLSv1.2' } })).kind, 'failed')
  for (const [ecdhCurve, kind] of [['P-256', 'failed'], ['X25519', 'open'], ['X25519MLKEM768', 'open']] as const) assert.equal((await rawConnect(s.port, papers, { tls: { ecdhCurve } })).kind, kind, ecdhCurve)
  const hybrid = await realServer(t, { hybrid: 'required' })
  const member = papersFor(hybrid.ca)
  for (const [ecdhCurve, kind] of [['X25519', 'failed'], ['X25519MLKEM768', 'open']] as const) assert.equal((await rawConnect(hybrid.port, member, { tls: { ecdhCurve } })).kind, kind, `required: ${ecdhCurve}`)
  const handshake = (session?: Buffer): Promise<{ protocol: string | null; reused: boolean; session: Buffer | undefined }> =>
    new Promise((resolve, reject) => {
      let ticket: Buffer | undefined
      const socket = connect({ host: '127.0.0.1', port: s.port, rejectUnauthorized: false, ...(session === undefined ? {} : { session }) }, () => {
        const found = { protocol: socket.getProtocol(), reused: socket.isSessionReused() }
        // The answer to a request comes after every ticket that there is.
        socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
        socket.once('close', () => resolve({ ...found, session: ticket }))
        socket.resume()
      })
      socket.on('session', (b) => {
        ticket = b
      })
      socket.once('error', reject)
    })
  const first = await handshake()
  assert.equal(first.protocol, 'TLSv1.3')
  const second = await handshake(first.session)
  assert.equal(second.reused, false)
})

test('whoever does not keep to the channel is told and cut off; others are not disturbed', TIME_LIMIT, async (t) => {
  const s = await realServer(t)
  const papers = papersFor(s.ca)
  const witness = opened(await rawConnect(s.port, papersFor(s.ca, { name: 'Witness' })))
  await witness.hello()
  const hello = must(encodeClientMessage({ k: 'hello', minVersion: 1, maxVersion: 1, capabilities: [], agent: 'x' }))
  const ping = must(encodeClientMessage({ k: 'ping', n: 1 }))
  const offences: [string, (c: RawClient) => void, string | undefined, number][] = [
    ['bad CBOR', (c) => c.ws.send(new Uint8Array([0xff, 0xff])), 'CHANNEL_BAD_CBOR', 1008],
    ['unknown kind', (c) => c.ws.send(encodeCbor({ k: 'burn' })), 'CHANNEL_UNKNOWN_KIND', 1008],
    ['wrong field', (c) => c.ws.send(encodeCbor({ k: 'ping', n: 'x' })), 'CHANNEL_BAD_MESSAGE', 1008],
    ['before hello', (c) => c.ws.send(ping), 'CHANNEL_ORDER', 1008],
    ['hello twice', (c) => sendAll(c, [hello, hello]), 'CHANNEL_ORDER', 1008],
    ['no common version', (c) => c.say({ k: 'hello', minVersion: 7, maxVersion: 9, capabilities: [], agent: 'x' }), 'CHANNEL_VERSION', 1008],
    ['text', (c) => c.ws.send('hello'), undefined, 1003],
    ['too long', (c) => c.ws.send(new Uint8Array(MESSAGE_LIMIT + 1)), undefined, 1009],
    ['flood', (c) => sendAll(c, [hello, ...new Array<Uint8Array>(1500).fill(ping)]), 'CHANNEL_FLOOD', 1008],
  ]
  for (const [what, offend, code, closeCode] of offences) {
    const c = opened(await rawConnect(s.port, papers))
    offend(c)
    assert.equal(await c.closed, closeCode, what)
    if (code !== undefined) assert.equal((await c.next('fault')).code, code, what)
  }
  witness.say({ k: 'ping', n: 77 })
  assert.equal((await witness.next('pong')).n, 77)
  witness.ws.close()
})

test('another path, protocol or plain HTTP', TIME_LIMIT, async (t) => {
  const s = await realServer(t)
  const papers = papersFor(s.ca)
  for (const o of [{ path: '/other' }, { protocol: 'chat' }, { path: '/media?session=nobody', protocol: 'stc.media.v1' }]) {
    const r = await rawConnect(s.port, papers, o)
    assert.ok(r.kind === 'refused' && r.status === 403, JSON.stringify(o))
    assert.match(r.body.code, /^CHANNEL_(NOT_STC|VERSION|UNKNOWN_SESSION)$/)
  }
})

test('greeting, hop keys by the vault and a room, through our own client', TIME_LIMIT, async (t) => {
  const s = await realServer(t)
  const vault = vaultOf(papersFor(s.ca), s.ca)
  t.after(() => vault.close())
  const channel = must(await openServerChannel({ vault, scheduler: realScheduler(), server: { host: '127.0.0.1', port: s.port, name: 'localhost' } }))
  const queue: Parameters<Parameters<typeof channel.onMessage>[0]>[0][] = []
  let wake = (): void => {}
  channel.onMessage((m) => {
    queue.push(m)
    wake()
  })
  const next = async () => {
    while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    return queue.shift()!
  }
  must(channel.send({ k: 'hello', minVersion: 1, maxVersion: 3, capabilities: [], agent: 'test' }))
  const welcome = await next()
  assert.ok(welcome.k === 'welcome' && welcome.version === 1 && welcome.realm === 'stc')
  assert.deepEqual(welcome.udp, [s.server.media])
  const offer = must(await vault.call('hop.offer', { pipe: channel.pipe, generation: 1, suites: ['AEAD_AES_128_GCM'] }))
  must(channel.send({ k: 'hop-offer', generation: 1, message: offer.message }))
  const answer = await next()
  assert.ok(answer.k === 'hop-answer' && answer.generation === 1 && answer.probe > 0)
  must(await vault.call('hop.finish', { pipe: channel.pipe, answer: answer.message }))
  // A generation is taken once.
  must(channel.send({ k: 'hop-offer', generation: 1, message: offer.message }))
  const refused = await next()
  assert.ok(refused.k === 'fault' && refused.code === 'HOP_GENERATION')
  must(channel.send({ k: 'room-create', room: 'r', generation: 1, groupId: new Uint8Array(16), suite: 'x-wing', forwarding: 'all', maximumMembers: 4 }))
  const created = await next()
  assert.ok(created.k === 'room-created' && created.ssrc !== answer.probe)
  const status = await s.server.status()
  assert.equal(status.sessions, 1)
  assert.deepEqual(status.rooms.map((r) => [r.room, r.members]), [['r', 1]])
  assert.equal(status.legs.length, 1)
  const over = new Promise((resolve) => channel.onClose(resolve))
  await s.server.close()
  await over
  assert.ok(!channel.send({ k: 'ping', n: 1 }).ok)
})

test('our client opens the way for media over TLS, and takes it back', TIME_LIMIT, async (t) => {
  const s = await realServer(t)
  const vault = vaultOf(papersFor(s.ca), s.ca)
  t.after(() => vault.close())
  const server = { host: '127.0.0.1', port: s.port, name: 'localhost' }
  const scheduler = realScheduler()
  const channel = must(await openServerChannel({ vault, scheduler, server }))
  const offer = must(await vault.call('hop.offer', { pipe: channel.pipe, generation: 1, suites: ['AEAD_AES_128_GCM'] }))
  must(channel.send({ k: 'hello', minVersion: 1, maxVersion: 1, capabilities: [], agent: 'test' }))
  must(channel.send({ k: 'hop-offer', generation: 1, message: offer.message }))
  let session = ''
  await new Promise<void>((resolve) => channel.onMessage((m) => {
    if (m.k === 'welcome') session = m.session
    if (m.k === 'hop-answer') resolve()
  }))
  const { stop, port } = await new Promise<{ stop: () => void; port: MessagePort }>((resolve, reject) => {
    const opened = openMediaPath({ vault, server, session, hop: 1, scheduler, media: (c) => {
      if (c.op === 'hop.tls' && c.port !== undefined) void opened.then((stop) => resolve({ stop, port: c.port as unknown as MessagePort }), reject)
    } })
  })
  const closed = new Promise((resolve) => port.once('close', resolve))
  stop()
  await closed
  channel.close()
})

test('media over TLS belongs to the certificate of its session', TIME_LIMIT, async (t) => {
  const s = await realServer(t)
  const vault = vaultOf(papersFor(s.ca), s.ca)
  t.after(() => vault.close())
  const channel = must(await openServerChannel({ vault, scheduler: realScheduler(), server: { host: '127.0.0.1', port: s.port, name: 'localhost' } }))
  must(channel.send({ k: 'hello', minVersion: 1, maxVersion: 1, capabilities: [], agent: 'test' }))
  const session = await new Promise<string>((resolve) => channel.onMessage((m) => {
    if (m.k === 'welcome') resolve(m.session)
  }))
  const path = `/media?session=${session}`
  // Another member of the realm who learnt the number; and the owner before it has hop keys.
  const thief = await rawConnect(s.port, papersFor(s.ca, { name: 'Thief' }), { path, protocol: 'stc.media.v1' })
  assert.ok(thief.kind === 'refused' && thief.body.code === 'CHANNEL_UNKNOWN_SESSION')
  channel.close()
})

test('the limit of connections holds', TIME_LIMIT, async (t) => {
  const s = await realServer(t, { connections: 2 })
  const papers = papersFor(s.ca)
  const a = opened(await rawConnect(s.port, papers))
  const b = opened(await rawConnect(s.port, papers))
  const vault = vaultOf(papersFor(s.ca), s.ca)
  t.after(() => vault.close())
  const third = await openServerChannel({ vault, scheduler: realScheduler(), server: { host: '127.0.0.1', port: s.port, name: 'localhost' } })
  assert.ok(!third.ok && third.fault.code === 'CHANNEL_TLS')
  assert.match(third.fault.message, /closed the connection/)
  assert.ok(s.log.some((l) => l.code === 'CHANNEL_TOO_MANY'))
  a.ws.close()
  b.ws.close()
})
