import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { serverChannel } from '../../../src/client/channel/index.ts'
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
