/** SRV records of a domain, from a name server of the test's own on loopback. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { serviceOf } from '../../../src/net/service-record.ts'
import { crypto } from '../../kit/certificates.ts'

interface Srv {
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: string
}
const nameOctets = (name: string): Buffer => Buffer.concat([...name.split('.').filter((l) => l !== '').map((l) => Buffer.concat([Buffer.of(l.length), Buffer.from(l)])), Buffer.of(0)])
const u16 = (...values: number[]): Buffer => Buffer.concat(values.map((v) => Buffer.of(v >> 8, v & 0xff)))

/** Answers questions for these names; for others it says that there are none. Gives its address. */
async function nameServer(t: TestContext, zone: Readonly<Record<string, readonly Srv[]>>): Promise<string> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.after(() => socket.close())
  socket.on('message', (q, from) => {
    const labels: string[] = []
    let at = 12
    for (; q[at] !== 0; at += q[at]! + 1) labels.push(q.subarray(at + 1, at + 1 + q[at]!).toString())
    const question = q.subarray(12, at + 5)
    const records = zone[labels.join('.').toLowerCase()] ?? []
    const answers = records.map(({ priority, weight, port, target }) => {
      const data = Buffer.concat([u16(priority, weight, port), nameOctets(target)])
      return Buffer.concat([u16(0xc00c, 33, 1, 0, 60, data.length), data])
    })
    socket.send(Buffer.concat([q.subarray(0, 2), u16(records.length === 0 ? 0x8183 : 0x8180, 1, answers.length, 0, 0), question, ...answers]), from.port, from.address)
  })
  return `127.0.0.1:${socket.address().port}`
}

test('the lowest priority first, weights by chance, a root name is none', async (t) => {
  const zone = {
    '_sip._udp.provider.test': [{ priority: 20, weight: 0, port: 5080, target: 'backup.provider.test' }, { priority: 10, weight: 9, port: 5070, target: 'a.provider.test' }, { priority: 10, weight: 1, port: 5071, target: 'b.provider.test' }],
    '_sip._tcp.provider.test': [{ priority: 0, weight: 0, port: 0, target: '' }],
  }
  const servers = [await nameServer(t, zone)]
  let first = 0
  for (let i = 0; i < 40; i++) {
    const found = await serviceOf('_sip._udp.provider.test', crypto, servers)
    assert.equal(found.length, 3)
    assert.deepEqual(found[2], { address: 'backup.provider.test', port: 5080 })
    assert.deepEqual(new Set(found.slice(0, 2).map((f) => f.port)), new Set([5070, 5071]))
    if (found[0]!.port === 5070) first++
  }
  assert.ok(first > 20, `${first} of 40`)
  assert.deepEqual(await serviceOf('_sip._tcp.provider.test', crypto, servers), [])
  assert.deepEqual(await serviceOf('_sips._tcp.provider.test', crypto, servers), [])
})

test('nobody answers: none, and soon', async () => {
  assert.deepEqual(await serviceOf('_sip._udp.provider.test', crypto, ['127.0.0.1:9']), [])
})
