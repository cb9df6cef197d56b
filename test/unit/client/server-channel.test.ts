import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Instant, instant } from '../../../src/base/brand.ts'
import { makeFault, must } from '../../../src/base/result.ts'
import { serverChannel } from '../../../src/client/channel/index.ts'
import { Watch } from '../../../src/client/channel/watch.ts'
import { decodeClientMessage, encodeServerMessage } from '../../../src/protocol/wire/codec.ts'
import type { ServerMessage } from '../../../src/protocol/wire/messages.ts'
import { FakeTransport } from '../../kit/fake-transport.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

function channel() {
  const clock = new VirtualClock()
  const transport = new FakeTransport()
  const c = serverChannel(transport, 1, clock)
  const hear = (m: ServerMessage): void => transport.receive(must(encodeServerMessage(m)))
  return { clock, transport, c, hear, sent: () => transport.sent.map((b) => must(decodeClientMessage(b))) }
}

test('it pings every five seconds, keeps the pongs to itself, and notices a dead server', () => {
  const { clock, c, hear, sent } = channel()
  const got: ServerMessage[] = []
  const ends: string[] = []
  c.onMessage((m) => got.push(m))
  c.onClose((f) => ends.push(f.code))
  clock.advanceSync(10_100)
  assert.deepEqual(sent(), [{ k: 'ping', n: 1 }, { k: 'ping', n: 2 }])
  hear({ k: 'pong', n: 2 })
  hear({ k: 'room-void', room: 'r', seq: 1 })
  assert.deepEqual(got, [{ k: 'room-void', room: 'r', seq: 1 }])
  clock.advanceSync(14_800)
  assert.deepEqual(ends, [])
  clock.advanceSync(300)
  assert.deepEqual(ends, ['CHANNEL_SILENT'])
  assert.equal(clock.pending, 0)
  assert.ok(!c.send({ k: 'ping', n: 9 }).ok)
})

test('a connection that the vault has ended is called by the vault’s reason, not by how it closed', () => {
  const revoked = makeFault('CHANNEL_TLS', 'x', makeFault('IDENTITY_REVOKED'))
  for (const why of [revoked, undefined]) {
    const transport = new FakeTransport()
    const c = serverChannel(transport, 1, new VirtualClock(), undefined, () => why)
    const ends: (string | undefined)[] = []
    c.onClose((f) => ends.push(f.code, f.cause?.code))
    transport.end(1006, '')
    assert.deepEqual(ends, why === undefined ? ['CHANNEL_CLOSED', undefined] : ['CHANNEL_TLS', 'IDENTITY_REVOKED'])
  }
})

test('while somebody talks or looks it asks every second, and two seconds of silence are told; the connection stands', () => {
  const { clock, transport, c, hear, sent } = channel()
  let attentive = true
  const told: [number, boolean][] = []
  const ends: string[] = []
  c.onMessage(() => {})
  c.onClose((f) => ends.push(f.code))
  c.watch(() => attentive, (silent) => told.push([clock.now(), silent]))
  /** A server that answers at once, for so long. */
  const answered = (ms: number): void => {
    for (let i = 0; i < ms / 100; i++) {
      const before = transport.sent.length
      clock.advanceSync(100)
      if (transport.sent.length > before) hear({ k: 'pong', n: 1 })
    }
  }
  answered(20_000)
  assert.deepEqual(told, [])
  assert.equal(sent().length, 21, 'at once, and every second')
  // It stops: the machine, the cable, the process.
  const stopped = clock.now()
  clock.advanceSync(2100)
  assert.equal(told.length, 1)
  assert.ok(told[0]![1] && told[0]![0] - stopped <= 2000, `${told[0]![0] - stopped} ms`)
  clock.advanceSync(5000)
  assert.equal(told.length, 1)
  hear({ k: 'pong', n: 1 })
  assert.equal(told.at(-1)![1], false)
  answered(5000)
  assert.deepEqual([told.length, ends.length], [2, 0])
  // The window is closed: as seldom as before, and no doubts.
  attentive = false
  answered(1100)
  const before = sent().length
  clock.advanceSync(9900)
  assert.equal(sent().length - before, 2)
  assert.deepEqual([told.length, ends.length], [2, 0])
  clock.advanceSync(6000)
  assert.deepEqual(ends, ['CHANNEL_SILENT'])
  assert.equal(clock.pending, 0)
})

test('where nobody talks or looks one timer waits for the next question; whoever begins to is not kept waiting', () => {
  const clock = new VirtualClock()
  let timers = 0
  const counting = {
    now: () => clock.now(), unix: () => clock.unix(), at: (when: Instant, run: () => void) => {
      timers++
      return clock.at(when, run)
    },
  }
  let asked = 0
  let attentive = false
  const watch = new Watch(counting, () => {
    asked++
    return true
  })
  watch.set(() => attentive, () => {})
  clock.advanceSync(61_000)
  assert.deepEqual([asked, timers], [12, 13])
  watch.wake()
  assert.deepEqual([asked, timers], [12, 13], 'nobody does')
  attentive = true
  watch.wake()
  assert.equal(asked, 13)
  watch.wake()
  clock.advanceSync(3000)
  assert.equal(asked, 16)
  watch.end()
  attentive = false
  watch.wake()
  assert.equal(clock.pending, 0)
})

test('a machine that slept does not doubt the server', () => {
  let late = 0
  const due: (() => void)[] = []
  const clock = new VirtualClock()
  const sleepy = { now: () => instant(clock.now() + late), unix: () => clock.unix(), at: (when: Instant, run: () => void) => clock.at(when, () => due.push(run)) }
  const told: boolean[] = []
  const watch = new Watch(sleepy, () => true)
  watch.set(() => true, (silent) => told.push(silent))
  const run = (ms: number): void => {
    for (let i = 0; i < ms / 100; i++) {
      clock.advanceSync(100)
      for (const f of due.splice(0)) f()
    }
  }
  run(1100)
  watch.heard()
  late = 60_000
  run(2000)
  assert.deepEqual(told, [])
  watch.end()
})

test('a listener that comes after the end is told', () => {
  const { transport, c } = channel()
  transport.end(1006, '')
  let code = ''
  c.onClose((f) => {
    code = f.code
  })
  assert.equal(code, 'CHANNEL_CLOSED')
})

test('a server that sends rubbish is left', () => {
  const { transport, c } = channel()
  let code = ''
  c.onClose((f) => {
    code = f.code
  })
  transport.receive(new Uint8Array([1]))
  assert.equal(code, 'CHANNEL_BAD_MESSAGE')
  assert.equal(transport.closedWith, 1008)
})
