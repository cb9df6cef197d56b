import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../../../src/base/result.ts'
import { bindRtpPair } from '../../../../src/media/plain/rtp-pair.ts'
import { nodeUdp } from '../../../../src/net/node-udp.ts'

test('RTP on an even port, RTCP on the one above', async () => {
  const pairs = await Promise.all(Array.from({ length: 8 }, () => bindRtpPair(nodeUdp(), '127.0.0.1')))
  for (const p of pairs) {
    const { rtp, rtcp } = must(p)
    assert.equal(rtp.local.port % 2, 0)
    assert.equal(rtcp.local.port, rtp.local.port + 1)
  }
  for (const p of pairs) {
    must(p).rtp.close()
    must(p).rtcp.close()
  }
})

test('an address that is not ours is a fault', async () => {
  const p = await bindRtpPair(nodeUdp(), '203.0.113.1')
  assert.equal(p.ok ? '' : p.fault.code, 'NET_BIND')
})
