/** Which legs of the PBX are the relay's own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { SipRelay } from '../../../../src/server/sip/relay.ts'
import { SimSipTransport } from '../../../kit/sip-phone.ts'
import { VirtualClock } from '../../../kit/virtual-clock.ts'

const CONFIGURED = 5080

function relayAt(port: number): SipRelay {
  const clock = new VirtualClock()
  const way = { transport: 'TLS' as const, local: { address: '10.0.0.1', port }, remote: { address: '10.0.0.9', port: 5061 }, connection: -1 }
  return new SipRelay({
    transport: Object.assign(new SimSipTransport('TLS', clock, way.local), { way: () => way }), hostFor: () => '10.0.0.1', port: CONFIGURED, scheduler: clock, crypto: createNodeCrypto(),
    tokenKey: new Uint8Array(32), emergency: [], media: () => assert.fail('no call'), refusals: { warn: () => {} } as never,
  })
}
const orphan = (relay: SipRelay, contactAt: string, afterLogin: boolean): boolean => relay.isOrphan({ callId: 'of-before', contactUser: `stc${'0'.repeat(24)}`, contactAt, remote: '10.0.0.1:5080' }, afterLogin)

test('a leg that nobody knows is ours by our port; by our address alone only where that port was taken, and once', () => {
  const own = relayAt(CONFIGURED)
  for (const afterLogin of [true, false]) {
    assert.equal(orphan(own, '10.0.0.1:5080', afterLogin), true)
    assert.equal(orphan(own, '10.0.0.1:40000', afterLogin), false, 'another server on this host')
    assert.equal(orphan(own, '10.0.0.2:5080', afterLogin), false)
  }
  const elsewhere = relayAt(40_001)
  assert.equal(orphan(elsewhere, '10.0.0.1:40001', false), true)
  assert.deepEqual([true, false].map((afterLogin) => orphan(elsewhere, '10.0.0.1:5080', afterLogin)), [true, false])
  for (const relay of [own, elsewhere]) relay.close()
})
