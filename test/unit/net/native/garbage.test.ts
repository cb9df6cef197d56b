/** What strangers send costs no memory: the same batch over and over, without a system in between. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { must } from '../../../../src/base/result.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { portablePlane } from '../../../../src/media/plane/portable.ts'
import { MMSGHDR, SOCKADDR } from '../../../../src/net/native/layout.ts'
import { RECEIVE_OCTETS, ReceiveBatch } from '../../../../src/net/native/receive-batch.ts'
import { Sockaddrs } from '../../../../src/net/native/sockaddr.ts'
import { systemCalls } from '../../../../src/net/native/system.ts'
import { nodeUdp } from '../../../../src/net/node-udp.ts'
import type { UdpSocket } from '../../../../src/net/udp.ts'
import { legSpec } from '../../../kit/media-client.ts'
import { VirtualClock } from '../../../kit/virtual-clock.ts'

const system = systemCalls()
const skip = system.ok ? false : system.fault.message
const BATCHES = 2000

test('unknown streams and noise allocate nothing', { skip }, () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  assert.ok(system.ok)
  const size = 64
  // Lengths as the system would write them, senders and contents from anywhere.
  const lengths = Array.from({ length: size }, (_, i) => [0, 3, 12, 40, 200, 1500, 2048][i % 7]!)
  const batch: ReceiveBatch = new ReceiveBatch({
    ...system.value,
    recvmmsg() {
      const messages = batch.memory.bytes.length - size * MMSGHDR.octets
      for (let i = 0; i < size; i++) {
        batch.memory.view.setUint32(messages + i * MMSGHDR.octets + MMSGHDR.length, lengths[i]!, true)
        batch.memory.view.setUint16(size * RECEIVE_OCTETS + i * 32 + SOCKADDR.port, 1 + i)
      }
      return size
    },
  }, size)
  let listener: Parameters<UdpSocket['onMessage']>[0] = () => {}
  const socket: UdpSocket = { local: { address: '127.0.0.1', port: 1 }, send() {}, onMessage: (l) => (listener = l), close() {} }
  const crypto = createNodeCrypto()
  const plane = portablePlane({ socket, udp: nodeUdp(), scheduler: new VirtualClock(), crypto })
  must(plane.open(legSpec(crypto, 5)))
  const addresses = new Sockaddrs(system.value, false)
  const handOut = (): number => batch.take(3, addresses, listener)
  for (let i = 0; i < size; i++) batch.memory.bytes.set(i % 2 === 0 ? crypto.bytes(64) : [0x80, i % 4 === 1 ? 96 : 204, 0, 5, 9, 9, 9, 9, 8, 8, 8, 8], i * RECEIVE_OCTETS)
  for (let n = 0; n < BATCHES; n++) handOut()
  collect()
  const before = process.memoryUsage().heapUsed
  const strays = plane.stray
  for (let n = 0; n < BATCHES; n++) handOut()
  const grown = process.memoryUsage().heapUsed - before
  assert.equal(plane.stray - strays, BATCHES * size)
  // Numbers that do not fit an integer may be boxed until all is compiled; the smallest object per datagram would be more.
  assert.ok(grown < 4 * BATCHES * size, `${grown} octets for ${BATCHES * size} datagrams`)
  plane.stop()
})
