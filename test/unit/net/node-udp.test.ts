import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { test } from 'node:test'
import { nodeUdp } from '../../../src/net/node-udp.ts'
import { portZero } from '../../kit/port-zero.ts'

for (const [name, address, bind] of [['IPv4', '127.0.0.1', '127.0.0.1'], ['IPv6', '::1', '::1'], ['IPv4 to a dual-stack socket', '127.0.0.1', '::']] as const) {
  test(`${name}: a datagram arrives, the buffer may be reused, the answer finds back`, async (t) => {
    const port = nodeUdp()
    let a: Awaited<ReturnType<typeof port.bind>>
    let b: typeof a
    try {
      a = await port.bind({ address: bind, port: 0 })
      b = await port.bind({ address, port: 0 })
    } catch (e) {
      return t.skip(`this machine has no ${name}: ${(e as Error).message}`)
    }
    a.onMessage((data, from) => {
      assert.equal(from.address, address)
      data[0] = 9
      a.send(data, from)
    })
    const answer = new Promise<number[]>((resolve) => b.onMessage((data) => resolve([...data])))
    const mine = Uint8Array.of(1, 2, 3)
    b.send(mine, { address, port: a.local.port })
    mine.fill(0)
    assert.deepEqual(await answer, [9, 2, 3])
    a.close()
    b.close()
    b.close()
    b.send(mine, a.local)
  })
}

test('a taken port is refused with the reason of the system', async () => {
  const port = nodeUdp()
  const a = await port.bind({ address: '127.0.0.1', port: 0 })
  await assert.rejects(port.bind(a.local), /EADDRINUSE/)
  a.close()
})

test('sending to nowhere is harmless', async () => {
  const a = await nodeUdp().bind({ address: '127.0.0.1', port: 0 })
  a.send(Uint8Array.of(1), { address: '127.0.0.1', port: 9 })
  a.send(Uint8Array.of(1), { address: '::1', port: 9 })
  await new Promise((resolve) => setImmediate(resolve))
  a.close()
})

test('ports that nobody has are sent nothing to, and that is counted', async () => {
  const socket = await nodeUdp().bind({ address: '127.0.0.1', port: 0 })
  for (const port of [0, -1, 65_536, 70_000, 1.5, Number.NaN]) socket.send(Uint8Array.of(1), { address: '127.0.0.1', port })
  assert.equal(socket.refused, 6)
  socket.close()
})

test('what comes from port 0 is heard by nobody: there is no answer to it', async (t) => {
  const made: dgram.Socket[] = []
  const bind = dgram.Socket.prototype.bind
  t.mock.method(dgram.Socket.prototype, 'bind', function (this: dgram.Socket, ...args: Parameters<typeof bind>) {
    made.push(this)
    return bind.apply(this, args)
  })
  const socket = await nodeUdp().bind({ address: '127.0.0.1', port: 0 })
  const got: number[] = []
  socket.onMessage((data, from) => {
    got.push(data[0]!)
    socket.send(data, from)
  })
  for (const [n, port] of [0, 9, 0].entries()) made[0]!.emit('message', Buffer.of(n), { address: '127.0.0.1', family: 'IPv4', port, size: 1 })
  assert.deepEqual(got, [1])
  socket.close()
})

test('a datagram that the system says came from port 0', async (t) => {
  const zero = portZero()
  if (zero === undefined) return t.skip('no right to raw sockets here')
  const socket = await nodeUdp().bind({ address: '127.0.0.1', port: 0 })
  const other = await nodeUdp().bind({ address: '127.0.0.1', port: 0 })
  const got: number[] = []
  const both = new Promise<void>((resolve) => socket.onMessage((data, from) => {
    got.push(data[0]!)
    socket.send(data, from)
    if (data[0] === 2) resolve()
  }))
  zero.send(Uint8Array.of(1), socket.local)
  other.send(Uint8Array.of(2), socket.local)
  await both
  assert.deepEqual(got, [2])
  for (const s of [zero, socket, other]) s.close()
})
