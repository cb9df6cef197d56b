import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../../../src/base/result.ts'
import { decodeClientMessage, decodeServerMessage, encodeClientMessage, encodeServerMessage } from '../../../../src/protocol/wire/codec.ts'
import { Link, LINK_LIMITS } from '../../../../src/protocol/wire/link.ts'
import type { ClientMessage, ServerMessage } from '../../../../src/protocol/wire/messages.ts'
import { FakeTransport } from '../../../kit/fake-transport.ts'
import { VirtualClock } from '../../../kit/virtual-clock.ts'

function server() {
  const clock = new VirtualClock()
  const transport = new FakeTransport()
  const link = new Link<ClientMessage, ServerMessage>(transport, { decode: decodeClientMessage, encode: encodeServerMessage }, clock)
  const got: ClientMessage[] = []
  const closed: string[] = []
  const told: string[] = []
  link.onClose((f) => closed.push(f.code))
  link.onViolation = (f) => told.push(f.code)
  const say = (m: ClientMessage): void => transport.receive(must(encodeClientMessage(m)))
  return { clock, transport, link, got, closed, told, say }
}
const ping: ClientMessage = { k: 'ping', n: 1 }

test('messages go to and fro; early ones wait for their listener', () => {
  const s = server()
  s.say(ping)
  s.link.onMessage((m) => s.got.push(m))
  s.say({ k: 'ping', n: 2 })
  assert.deepEqual(s.got, [ping, { k: 'ping', n: 2 }])
  must(s.link.send({ k: 'pong', n: 1 }))
  assert.deepEqual(must(decodeServerMessage(s.transport.sent[0]!)), { k: 'pong', n: 1 })
})

test('a bad message ends it: told, closed with 1008, nothing more is taken', () => {
  const s = server()
  s.link.onMessage((m) => s.got.push(m))
  s.transport.receive(new Uint8Array([0xff]))
  assert.deepEqual([s.told, s.closed, s.transport.closedWith], [['CHANNEL_BAD_CBOR'], ['CHANNEL_BAD_CBOR'], 1008])
  s.say(ping)
  assert.deepEqual(s.got, [])
  assert.ok(!s.link.open && !s.link.send({ k: 'pong', n: 1 }).ok)
})

test('silence for fifteen seconds is death, and not before', () => {
  const s = server()
  s.clock.advanceSync(14_000)
  s.say(ping)
  s.clock.advanceSync(14_900)
  assert.deepEqual(s.closed, [])
  s.clock.advanceSync(200)
  assert.deepEqual(s.closed, ['CHANNEL_SILENT'])
  // The dead are not told.
  assert.deepEqual(s.told, [])
  assert.equal(s.clock.pending, 0)
})

test('a burst is taken, a flood is not, and a pause gives room again', () => {
  const s = server()
  s.link.onMessage((m) => s.got.push(m))
  for (let i = 0; i < LINK_LIMITS.burst; i++) s.say(ping)
  s.clock.advanceSync(1000)
  for (let i = 0; i < LINK_LIMITS.perSecond; i++) s.say(ping)
  assert.equal(s.got.length, LINK_LIMITS.burst + LINK_LIMITS.perSecond)
  s.say(ping)
  assert.deepEqual(s.closed, ['CHANNEL_FLOOD'])
})

test('who does not take its messages is cut off without more words', () => {
  const s = server()
  s.transport.waiting = LINK_LIMITS.waitingOctets
  const r = s.link.send({ k: 'pong', n: 1 })
  assert.ok(!r.ok && r.fault.code === 'CHANNEL_SLOW')
  assert.deepEqual([s.told, s.closed, s.transport.sent.length], [[], ['CHANNEL_SLOW'], 0])
})

test('what we would not accept we do not send, and it costs nothing', () => {
  const s = server()
  const r = s.link.send({ k: 'room-void', room: 'NO', seq: 1 })
  assert.ok(!r.ok && r.fault.code === 'CHANNEL_BAD_MESSAGE')
  assert.ok(s.link.open)
})

test('the end is told once, by whomever it came', () => {
  const byThem = server()
  byThem.transport.end(1001, 'going away')
  byThem.transport.end(1001, 'going away')
  assert.deepEqual(byThem.closed, ['CHANNEL_CLOSED'])
  const byUs = server()
  byUs.link.close()
  byUs.link.close()
  assert.deepEqual([byUs.closed, byUs.transport.closedWith], [['CHANNEL_CLOSED'], 1000])
})
