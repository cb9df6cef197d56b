/** A plane that has stopped keeps no thread alive. Virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../../../src/base/result.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { portablePlane } from '../../../../src/media/plane/portable.ts'
import { legSpec } from '../../../kit/media-client.ts'
import { SimNet } from '../../../kit/sim-net.ts'
import { VirtualClock } from '../../../kit/virtual-clock.ts'

test('a change of keys that is under way leaves no timer behind, whether its client goes or the plane stops', async () => {
  const clock = new VirtualClock()
  const server = new SimNet(clock).host('server', '192.0.2.1')
  const crypto = createNodeCrypto()
  const plane = portablePlane({ socket: await server.bind({ address: '192.0.2.1', port: 7443 }), udp: server, ports: { first: 47_011, last: 47_020 }, scheduler: clock, crypto })
  const idle = clock.pending
  for (const end of [(leg: Parameters<typeof plane.close>[0]) => plane.close(leg), () => plane.stop()]) {
    const leg = must(plane.open(legSpec(crypto, 1)))
    must(plane.rekey(leg, legSpec(crypto, 1, 2)))
    assert.ok(clock.pending > idle)
    end(leg)
    assert.ok(clock.pending <= idle, `${clock.pending} of ${idle}`)
  }
})
