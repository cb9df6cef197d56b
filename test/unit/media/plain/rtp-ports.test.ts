import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../../../src/base/result.ts'
import { RtpPorts } from '../../../../src/media/plain/rtp-pair.ts'
import { SimNet } from '../../../kit/sim-net.ts'
import { VirtualClock } from '../../../kit/virtual-clock.ts'

const setup = (first: number, last: number) => {
  const clock = new VirtualClock()
  const host = new SimNet(clock).host('a', '192.0.2.1')
  return { clock, host, ports: new RtpPorts(clock, { first, last }) }
}
const bind = (s: ReturnType<typeof setup>) => s.ports.bind(s.host, '192.0.2.1')

test('a range gives its pairs, and then a fault', async () => {
  const s = setup(10_001, 10_006)
  assert.deepEqual([must(await bind(s)).rtp.local.port, must(await bind(s)).rtp.local.port], [10_002, 10_004])
  const third = await bind(s)
  assert.equal(third.ok ? '' : third.fault.code, 'MEDIA_PORTS', '10006 has no neighbour in the range')
})

test('a pair rests for ten seconds before another call gets it', async () => {
  const s = setup(10_000, 10_001)
  const pair = must(await bind(s))
  pair.rtp.close()
  pair.rtcp.close()
  await s.clock.advance(9_999)
  assert.equal((await bind(s)).ok, false)
  await s.clock.advance(1)
  assert.equal(must(await bind(s)).rtp.local.port, 10_000)
})

test('ports of other programs are passed over', async () => {
  const s = setup(10_000, 10_005)
  await s.host.bind({ address: '192.0.2.1', port: 10_001 })
  await s.host.bind({ address: '192.0.2.1', port: 10_002 })
  assert.equal(must(await bind(s)).rtp.local.port, 10_004)
  assert.equal((await bind(s)).ok, false)
})

test('a range without a pair', async () => {
  assert.equal((await bind(setup(10_001, 10_002))).ok, false)
  assert.equal((await bind(setup(10_002, 10_001))).ok, false)
})
