import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeUdp } from '../../../src/net/node-udp.ts'

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
