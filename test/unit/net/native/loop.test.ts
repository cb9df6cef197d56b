import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../../src/base/brand.ts'
import { must } from '../../../../src/base/result.ts'
import { Memory } from '../../../../src/ffi/memory.ts'
import { NativeLoop } from '../../../../src/net/native/loop.ts'
import { IP_TOS, IPPROTO_IP, IPPROTO_IPV6, IPV6_TCLASS } from '../../../../src/net/native/layout.ts'
import { DSCP_EF, steeringProgram } from '../../../../src/net/native/socket.ts'
import { systemCalls } from '../../../../src/net/native/system.ts'
import { Waker } from '../../../../src/net/native/wake.ts'
import { nodeUdp } from '../../../../src/net/node-udp.ts'
import { realScheduler } from '../../../../src/net/scheduler.ts'
import { until as comes } from '../../../kit/processes.ts'
import { portZero } from '../../../kit/port-zero.ts'

const system = systemCalls()
const skip = system.ok ? false : system.fault.message
const at = { address: '127.0.0.1', port: 0 }
const BUFFERS = { bufferOctets: 1 << 18 }

function until(loop: NativeLoop, condition: () => boolean): void {
  const end = performance.now() + 10_000
  while (!condition()) {
    assert.ok(performance.now() < end, 'did not come within ten seconds')
    loop.turn(20)
  }
}

for (const address of ['127.0.0.1', '::1']) {
  test(`exchanges datagrams of every size with node:dgram (${address})`, { skip }, async (t) => {
    const loop = must(NativeLoop.open())
    const mine = must(loop.bind({ address, port: 0 }, BUFFERS))
    const other = await nodeUdp().bind({ address, port: 0 }).catch(() => undefined)
    if (other === undefined) return t.skip(`no ${address} here`)
    const got: { length: number; port: number; address: string }[] = []
    mine.onMessage((data, from) => {
      got.push({ length: data.length, port: from.port, address: from.address })
      mine.send(data, got.length % 2 === 0 ? from : { address: from.address, port: from.port })
    })
    const back: number[] = []
    other.onMessage((data) => back.push(data.length))
    const sizes = [0, 1, 12, 200, 1500, 1600, 2047, 2048, 2049, 9000, 60_000]
    for (const n of sizes) other.send(new Uint8Array(n).fill(n), mine.local)
    until(loop, () => got.length === sizes.length)
    assert.deepEqual(got.map((g) => g.length), sizes.map((n) => Math.min(n, 2048)))
    assert.ok(got.every((g) => g.port === other.local.port && g.address === address))
    loop.flush()
    await comes(5000, 'the echoes', () => back.length >= 6 || undefined)
    assert.deepEqual(back, [0, 1, 12, 200, 1500, 1600])
    assert.equal(loop.outgoing.refused, sizes.length - 6, 'longer than a slot')
    assert.ok(mine.granted.receive >= 1 << 17 && mine.granted.send >= 1 << 17)
    other.close()
    mine.close()
    mine.close()
    loop.close()
  })
}

test('datagrams carry the class of voice (RFC 3246), over IPv4 and IPv6', { skip }, () => {
  assert.ok(system.ok)
  const scratch = new Memory(system.value.library, 16)
  const loop = must(NativeLoop.open())
  for (const [address, level, name] of [['127.0.0.1', IPPROTO_IP, IP_TOS], ['::1', IPPROTO_IPV6, IPV6_TCLASS]] as const) {
    const socket = loop.bind({ address, port: 0 }, BUFFERS)
    if (!socket.ok) continue
    scratch.view.setUint32(4, 4, true)
    assert.equal(system.value.getsockopt(socket.value.fd, level, name, scratch.address(0, 4), scratch.address(4, 4)), 0)
    assert.equal(scratch.view.getInt32(0, true) >> 2, DSCP_EF)
    socket.value.close()
  }
  loop.close()
})

test('gathers at high rates alone, and never for longer than it may', { skip }, async (t) => {
  assert.ok(system.ok)
  // What the loop asks the system for, without waiting for it.
  const { nanosleep, library } = system.value
  const { addressOf } = library
  const blocks: { readonly base: number; readonly bytes: Uint8Array }[] = []
  const asked: number[] = []
  t.after(() => Object.assign(system.ok ? system.value : {}, { nanosleep, library: Object.assign(library, { addressOf }) }))
  Object.assign(library, {
    addressOf(bytes: Uint8Array) {
      const base = addressOf(bytes)
      blocks.push({ base, bytes })
      return base
    },
  })
  Object.assign(system.value, {
    nanosleep(at: number) {
      const { base, bytes } = blocks.find((b) => at >= b.base && at < b.base + b.bytes.length)!
      const view = new DataView(bytes.buffer, bytes.byteOffset + at - base)
      asked.push(Number(view.getBigUint64(0, true)) * 1e3 + view.getUint32(8, true) / 1e6)
      return 0
    },
  })
  for (const [gatherFrom, waits] of [[Number.MAX_SAFE_INTEGER, false], [0, true]] as const) {
    const loop = must(NativeLoop.open({ gatherMs: 3, gatherFrom }))
    const socket = must(loop.bind(at, BUFFERS))
    let got = 0
    socket.onMessage(() => {
      if (++got === 50) loop.stop()
      else socket.send(new Uint8Array(20), socket.local)
    })
    socket.send(new Uint8Array(20), socket.local)
    await loop.run()
    assert.equal(loop.gathered > 0, waits)
    socket.close()
    loop.close()
  }
  assert.ok(asked.length > 0 && asked.every((ms) => ms > 0 && ms <= 3), asked.join())
})

test('waits for nothing while there is a backlog: full batches, or events of more sockets than fit', { skip }, async (t) => {
  assert.ok(system.ok)
  const { nanosleep } = system.value
  let slept = 0
  t.after(() => Object.assign(system.ok ? system.value : {}, { nanosleep }))
  Object.assign(system.value, { nanosleep: () => ++slept && 0 })
  // 8 rounds of 64 are what one turn takes of a socket, 256 the events of one turn.
  for (const [sockets, each] of [[1, 4 * 8 * 64], [3 * 256, 1]] as const) {
    const loop = must(NativeLoop.open({ gatherMs: 1, gatherFrom: 0 }))
    const all = Array.from({ length: sockets }, () => must(loop.bind(at, { bufferOctets: sockets === 1 ? 8 << 20 : 1 << 14 })))
    const from = must(loop.bind(at, BUFFERS))
    // All of it is sent before anything is received, and each of them takes up most of a kilobyte there.
    if (all[0]!.granted.receive < sockets * each * 1024 / all.length) {
      t.diagnostic(`no burst of ${each}: the system grants a socket ${all[0]!.granted.receive} octets`)
      for (const s of [...all, from]) s.close()
      loop.close()
      continue
    }
    let got = 0
    slept = 0
    const sleptAt: number[] = []
    for (const s of all) s.onMessage(() => {
      if (slept > sleptAt.length) sleptAt.push(got)
      if (++got === sockets * each) loop.stop()
    })
    for (const s of all) for (let k = 0; k < each; k++) from.send(new Uint8Array(20), s.local)
    loop.flush()
    const most = setTimeout(() => loop.stop(), 10_000)
    await loop.run()
    clearTimeout(most)
    // The kernel's share of a burst that did not fit is another test's.
    assert.ok(got > (sockets * each) / 2, `${got}`)
    assert.deepEqual(sleptAt, [], 'waited with a backlog')
    for (const s of [...all, from]) s.close()
    loop.close()
  }
})

test('what comes from port 0 is counted and heard by nobody, and nothing is sent to what is no port', { skip }, (t) => {
  const zero = portZero()
  if (zero === undefined) return t.skip('no right to raw sockets here')
  const loop = must(NativeLoop.open())
  const [socket, other] = [0, 1].map(() => must(loop.bind(at, BUFFERS)))
  const got: number[] = []
  socket!.onMessage((d) => got.push(d[0]!))
  zero.send(Uint8Array.of(1), socket!.local)
  other!.send(Uint8Array.of(2), socket!.local)
  until(loop, () => got.length > 0 && socket!.received === 2)
  assert.deepEqual(got, [2])
  for (const port of [0, 65_536, 70_000, -1]) socket!.send(Uint8Array.of(1), { address: '127.0.0.1', port })
  assert.equal(loop.outgoing.refused, 4)
  assert.equal(loop.outgoing.waiting, 0)
  for (const s of [socket!, other!, zero]) s.close()
  loop.close()
})

test('what found no room is counted: in the system’s buffer, and on the way out', { skip }, () => {
  const loop = must(NativeLoop.open({ sendSlots: 64 }))
  const small = must(loop.bind(at, { bufferOctets: 4096 }))
  const from = must(loop.bind(at, BUFFERS))
  let got = 0
  small.onMessage(() => got++)
  const all = 200
  for (let i = 0; i < all; i++) from.send(new Uint8Array(1000), small.local)
  loop.flush()
  for (let i = 0; i < 5; i++) loop.turn(1)
  assert.ok(small.overflowed > 0 && got > 0)
  assert.equal(got + small.overflowed, all)
  assert.equal(loop.unsent, 0)
  from.send(new Uint8Array(5000), small.local)
  assert.equal(loop.unsent, 1)
  for (const s of [small, from]) s.close()
  loop.close()
})

test('a socket of all addresses speaks IPv4 and IPv6, and shows IPv4 as such', { skip }, async () => {
  const loop = must(NativeLoop.open())
  const bound = loop.bind({ address: '::', port: 0 }, BUFFERS)
  if (!bound.ok) return
  const four = await nodeUdp().bind(at)
  let answered = 0
  four.onMessage((d) => (answered = d.length))
  four.send(new Uint8Array(1), { address: '127.0.0.1', port: bound.value.local.port })
  let from = ''
  bound.value.onMessage((_, f) => {
    from = f.address
    bound.value.send(new Uint8Array(3), { address: f.address, port: f.port })
  })
  until(loop, () => from !== '')
  loop.flush()
  assert.equal(from, '127.0.0.1')
  await comes(5000, 'the answer', () => answered !== 0 || undefined)
  assert.equal(answered, 3)
  four.close()
  bound.value.close()
  loop.close()
})

test('one flush is one call, and segments arrive as datagrams', { skip }, async () => {
  for (const segment of [false, true]) {
    const loop = must(NativeLoop.open({ segment }))
    const socket = must(loop.bind(at, BUFFERS))
    const sinks = await Promise.all([1, 2].map(() => nodeUdp().bind(at)))
    const got: number[][] = [[], []]
    for (const [i, s] of sinks.entries()) s.onMessage((d) => got[i]!.push(d[0]!))
    for (let n = 0; n < 20; n++) {
      socket.slot()[0] = n
      socket.sendSlot(180, sinks[n % 2]!.local)
    }
    loop.flush()
    assert.equal(loop.outgoing.calls, 1)
    assert.equal(loop.outgoing.sent, segment ? 2 : 20)
    await comes(5000, 'all twenty', () => got[0]!.length + got[1]!.length >= 20 || undefined)
    assert.deepEqual(got, [0, 1].map((k) => Array.from({ length: 10 }, (_, i) => 2 * i + k)))
    for (const s of [socket, ...sinks]) s.close()
    loop.close()
  }
})

test('runs timers in their order, keeps time with the real clock, wakes up, and stops', { skip }, async () => {
  using waker = must(Waker.create())
  const loop = must(NativeLoop.open({ wake: waker.handle }))
  const order: string[] = []
  const now = realScheduler(false).now()
  assert.ok(Math.abs(loop.scheduler.now() - now) < 1000)
  loop.scheduler.at(instant(now - 1), () => order.push('due'))
  loop.scheduler.at(instant(now - 5), () => order.push('overdue'))
  loop.scheduler.at(instant(now - 1), () => order.push('due too'))
  loop.scheduler.at(instant(now - 2), () => order.push('never'))()
  loop.scheduler.at(instant(now + 5), () => {
    order.push('later')
    waker.wake()
    // Node's own loop gets a turn after the wake-up: without it this would never come.
    setImmediate(() => {
      order.push('woken')
      loop.stop()
    })
  })
  await loop.run()
  assert.deepEqual(order, ['overdue', 'due', 'due too', 'later', 'woken'])
  loop.close()
})

test('held datagrams wait for their time, others do not, and go down in one piece for each receiver', { skip }, () => {
  const loop = must(NativeLoop.open({ segment: false }))
  const memories: unknown[] = []
  loop.held.onMemory = (m) => memories.push(m)
  const [from, to, other] = [0, 1, 2].map(() => must(loop.bind(at, BUFFERS)))
  const got: string[] = []
  to!.onMessage((d) => got.push(`to ${d[0]}`))
  other!.onMessage((d) => got.push(`other ${d[0]}`))
  const never = from!.held(1_000_000)
  assert.equal(loop.held.queue(1_000_000).memory.bytes.buffer, never.slot().buffer)
  const say = (by: typeof never, n: number, receiver = to!): void => {
    by.slot().fill(n, 0, 100)
    by.sendSlot(100, receiver.local)
  }
  for (let n = 0; n < 6; n++) say(never, n, n % 2 === 0 ? to : other)
  say(from!, 9)
  until(loop, () => got.length > 0)
  for (let i = 0; i < 5; i++) loop.turn(1)
  assert.deepEqual(got, ['to 9'])
  for (let n = 10; n < 16; n++) say(from!.held(3), n, n % 2 === 0 ? to : other)
  const before = loop.sends
  until(loop, () => got.length === 7)
  assert.deepEqual(got.slice(1).sort(), ['other 11', 'other 13', 'other 15', 'to 10', 'to 12', 'to 14'])
  assert.equal(loop.sends.messages - before.messages, 2, 'one piece for each receiver')
  assert.equal(memories.length, 2)
  // What still waits when its socket is closed goes before it.
  from!.close()
  until(loop, () => got.length === 13)
  assert.deepEqual(got.slice(7).filter((g) => g.startsWith('to')), ['to 0', 'to 2', 'to 4'])
  for (const s of [to!, other!]) s.close()
  loop.close()
})

test('sockets of one port share its packets by SSRC, RTCP as well as RTP', { skip }, async () => {
  const loop = must(NativeLoop.open())
  const first = must(loop.bind(at, { ...BUFFERS, share: 3 }))
  const sockets = [first, ...[1, 2].map(() => must(loop.bind(first.local, { ...BUFFERS, share: 3 })))]
  const got: number[][] = [[], [], []]
  const ssrcOf = (d: Uint8Array): number => new DataView(d.buffer, d.byteOffset).getUint32(d[1]! >= 192 && d[1]! <= 223 ? 4 : 8)
  for (const [i, s] of sockets.entries()) s.onMessage((d) => got[i]!.push(d[0]! === 0x80 ? ssrcOf(d) : -1))
  const sender = must(loop.bind(at, BUFFERS))
  const ssrcs = [0, 1, 2, 77, 0xffffffff, 0x80000001]
  for (const type of [0, 96, 191, 192, 200, 223, 224, 255]) for (const ssrc of ssrcs) {
    const view = new DataView(new ArrayBuffer(40))
    view.setUint8(0, 0x80)
    view.setUint8(1, type)
    view.setUint32(type >= 192 && type <= 223 ? 4 : 8, ssrc)
    sender.send(new Uint8Array(view.buffer), first.local)
  }
  for (const short of [0, 1, 5]) sender.send(new Uint8Array(short), first.local)
  until(loop, () => got.flat().length === 8 * ssrcs.length + 3)
  for (const [i, list] of got.entries()) assert.ok(list.filter((s) => s >= 0).every((s) => s % 3 === i), `socket ${i} got ${list.join()}`)
  assert.equal(steeringProgram(3).length, 8)
  for (const s of [...sockets, sender]) s.close()
  loop.close()
})

test('a port that is taken and an address that is none are refused', { skip }, () => {
  const loop = must(NativeLoop.open())
  const socket = must(loop.bind(at, BUFFERS))
  for (const wrong of [socket.local, { address: 'example.org', port: 0 }, { address: '1.2.3', port: 0 }, { address: 'x'.repeat(500), port: 0 }]) {
    const r = loop.bind(wrong, BUFFERS)
    assert.equal(r.ok ? '' : r.fault.code, 'NET_BIND')
  }
  socket.close()
  loop.close()
})
