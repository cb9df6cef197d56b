/** The kept connection towards a PBX over real sockets, its timers in virtual time: where it comes from, and when its way is dead. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Fault } from '../../../src/base/result.ts'
import { must } from '../../../src/base/result.ts'
import { openPbxTransport } from '../../../src/telephony/outgoing.ts'
import type { PbxTransport, PbxTransportOptions } from '../../../src/telephony/pbx-transport.ts'
import { freePorts } from '../../kit/free-ports.ts'
import { until } from '../../kit/processes.ts'
import { sipPapers, tlsPbx } from '../../kit/tls-pbx.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

const message = 'OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n'
const PATIENCE = 60_000

interface World {
  readonly clock: VirtualClock
  readonly transport: PbxTransport
  readonly got: string[]
  readonly faults: Fault[]
  /** Where connections came from. */
  readonly from: number[]
  /** The PBX's end of the newest one. */
  there(): net.Socket
  /** What came over it. */
  heard(): string
}

async function world(t: TestContext, o: Partial<PbxTransportOptions>): Promise<World> {
  const clock = new VirtualClock()
  const papers = sipPapers()
  const from: number[] = []
  let socket: net.Socket | undefined
  let text = ''
  const remote = await tlsPbx(t, papers, (s) => {
    socket = s
    text = ''
    from.push(s.remotePort ?? 0)
    s.on('data', (d) => (text += String(d)))
  })
  const faults: Fault[] = []
  const got: string[] = []
  const transport = must(await openPbxTransport({ transport: 'TLS', remotes: [remote], bind: { address: '127.0.0.1', port: 0 }, tls: papers.trust, scheduler: clock, report: (f) => faults.push(f), ...o }))
  t.after(() => transport.close())
  transport.listen({ message: (data) => got.push(String(Buffer.from(data))), lost: () => {} })
  const w: World = { clock, transport, got, faults, from, there: () => socket!, heard: () => text }
  await until(PATIENCE, 'the way', () => (transport.way() !== undefined && socket !== undefined) || undefined)
  return w
}
/** Timers of tries are virtual, their connections real. */
const again = (w: World, what: string, connections: number): Promise<true> => until(PATIENCE, what, () => {
  w.clock.advanceSync(500)
  return (w.from.length >= connections && w.transport.way() !== undefined) || undefined
}, undefined, 20)

test('over TLS the way comes from the same port again after a loss', async (t) => {
  const port = await freePorts(2)
  const w = await world(t, { fixed: true, bind: { address: '127.0.0.1', port } })
  for (let i = 2; i <= 4; i++) {
    w.there().destroy()
    await until(PATIENCE, 'the loss', () => w.transport.way() === undefined || undefined)
    await again(w, 'the way again', i)
    assert.equal(w.transport.way()?.local.port, port)
  }
  assert.deepEqual([w.from.every((p) => p === port), w.faults], [true, []], w.from.join())
})

test('a port that somebody else has is tried some times, then the PBX is reached from another, and that is said', async (t) => {
  const holder = net.createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  t.after(() => holder.close())
  const { port } = holder.address() as net.AddressInfo
  const clock = new VirtualClock()
  const papers = sipPapers()
  const from: number[] = []
  const remote = await tlsPbx(t, papers, (s) => from.push(s.remotePort ?? 0))
  const faults: Fault[] = []
  const transport = must(await openPbxTransport({ transport: 'TLS', fixed: true, remotes: [remote], bind: { address: '127.0.0.1', port }, tls: papers.trust, scheduler: clock, report: (f) => faults.push(f) }))
  t.after(() => transport.close())
  transport.listen({ message: () => {}, lost: () => {} })
  await until(PATIENCE, 'a way', () => {
    clock.advanceSync(500)
    return transport.way()
  }, undefined, 20)
  assert.notEqual(transport.way()?.local.port, port)
  assert.deepEqual(faults.map((f) => f.code), ['SIP_BIND'])
  assert.ok(clock.now() >= 3500, `${clock.now()} ms`)
})

test('who answered a keep-alive once and does not any more within 10 s is dead; one that never did is not', async (t) => {
  const w = await world(t, {})
  const ping = async (): Promise<void> => {
    const before = w.heard().length
    w.clock.advanceSync(60_000)
    await until(PATIENCE, 'a keep-alive', () => w.heard().slice(before) === '\r\n\r\n' || undefined)
  }
  await ping()
  w.clock.advanceSync(10_000)
  await w.clock.advance(1)
  assert.notEqual(w.transport.way(), undefined, 'it may be one that knows no pong')
  await ping()
  w.there().write('\r\n')
  // Behind the pong, so that it is known to be there.
  await until(PATIENCE, 'a message', () => {
    if (w.got.length === 0) w.there().write(message)
    return w.got.length > 0 || undefined
  }, undefined, 100)
  w.clock.advanceSync(10_000)
  await w.clock.advance(1)
  assert.notEqual(w.transport.way(), undefined)
  await ping()
  const closed = new Promise((resolve) => w.there().once('close', resolve))
  w.clock.advanceSync(9900)
  assert.notEqual(w.transport.way(), undefined)
  w.clock.advanceSync(200)
  await closed
  await until(PATIENCE, 'the loss', () => w.transport.way() === undefined || undefined)
  await again(w, 'a new connection', 2)
})

test('where the PBX can be asked it is dead when it answers nothing at all, and asked only where nothing came', async (t) => {
  const asked: number[] = []
  let answers = true
  const w = await world(t, { alive: async (withinMs) => {
    asked.push(withinMs)
    return answers
  } })
  const round = async (): Promise<void> => {
    w.clock.advanceSync(60_000)
    w.clock.advanceSync(10_000)
    await w.clock.advance(1)
  }
  await round()
  assert.deepEqual([asked, w.transport.way() !== undefined], [[10_000], true])
  // What comes meanwhile is an answer of its own.
  w.clock.advanceSync(60_000)
  w.there().write(message)
  await until(PATIENCE, 'a message', () => w.got.length > 0 || undefined)
  w.clock.advanceSync(10_000)
  await w.clock.advance(1)
  assert.equal(asked.length, 1)
  answers = false
  const closed = new Promise((resolve) => w.there().once('close', resolve))
  await round()
  await closed
  await until(PATIENCE, 'the loss', () => w.transport.way() === undefined || undefined)
})

test('an end of ours leaves no port behind: the connection is reset, after what was said last', async (t) => {
  const port = await freePorts(2)
  for (const how of ['closed', 'framing'] as const) {
    const w = await world(t, { fixed: true, bind: { address: '127.0.0.1', port } })
    const there = w.there()
    let code = ''
    there.once('error', (e: NodeJS.ErrnoException) => (code = e.code ?? ''))
    const ended = new Promise((resolve) => there.once('close', resolve))
    if (how === 'closed') {
      w.transport.send(Buffer.from(message), w.transport.way()!)
      w.transport.close()
    } else there.write('no SIP at all\r\n\r\n')
    await ended
    assert.equal(code, 'ECONNRESET', how)
    if (how === 'closed') assert.equal(w.heard(), message)
    w.transport.close()
  }
})
