/** The ways to providers as a client opens them, over real sockets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { clientConfig } from '../../../src/client/config.ts'
import { openProviders } from '../../../src/cli/compose-providers.ts'
import { nodeUdp } from '../../../src/net/node-udp.ts'
import { until } from '../../kit/processes.ts'

const providers = (...all: readonly object[]) => {
  const { upstream } = clientConfig.parse({ identity: { certificate: 'c.pem', key: 'k.pem', anchors: ['a.pem'] }, upstream: { providers: all } })
  return typeof upstream === 'object' ? upstream.providers : []
}

test('a provider whose name leads nowhere is a way that is down, said once; the others are there', async (t) => {
  const told: string[] = []
  const ways = must(await openProviders(providers({ host: 'nowhere.invalid' }, { host: '127.0.0.1', port: 5099 }, { host: '127.0.0.1', port: 5099, transport: 'tls' }), 'client.yaml', ({ host }, fault) => told.push(`${host} ${fault?.code}`)))
  t.after(() => ways.forEach((w) => void w.transport.close()))
  await until(15_000, 'word of it', () => told[0])
  assert.deepEqual([told, ways.map((w) => w.domains)], [['nowhere.invalid RELAY_NO_WAY'], [['nowhere.invalid'], ['127.0.0.1'], ['127.0.0.1']]])
  assert.deepEqual(ways.slice(0, 2).map((w) => w.transport.way()?.local.address), [undefined, '127.0.0.1'], 'from the address that leads there')
})

test('a port of ours that somebody has is an error at once', async (t) => {
  const taken = await nodeUdp().bind({ address: '127.0.0.1', port: 0 })
  t.after(() => taken.close())
  const opened = await openProviders(providers({ host: '127.0.0.1' }, { host: '127.0.0.1', listen: { port: taken.local.port } }), 'client.yaml', () => {})
  assert.equal(opened.ok ? '' : opened.fault.code, 'SIP_BIND')
})
