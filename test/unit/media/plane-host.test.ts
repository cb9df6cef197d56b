import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ssrc } from '../../../src/base/brand.ts'
import { must } from '../../../src/base/result.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import { startPlane } from '../../../src/media/plane-host.ts'
import type { PlaneChoice } from '../../../src/media/plane-choice.ts'
import { openPlanePorts } from '../../../src/media/plane-ports.ts'
import type { PacketPath } from '../../../src/media/packet-path.ts'
import type { LegId } from '../../../src/media/plane/types.ts'
import { systemCalls } from '../../../src/net/native/system.ts'
import { Waker } from '../../../src/net/native/wake.ts'
import { nodeUdp } from '../../../src/net/node-udp.ts'
import { legSpec, MediaClient } from '../../kit/media-client.ts'

const crypto = createNodeCrypto()

const native = systemCalls()
const choices: readonly PlaneChoice[] = native.ok ? ['portable', 'native'] : ['portable']
if (!native.ok) console.log(`the native plane is left out: ${native.fault.message}`)

for (const choice of choices) test(`the ${choice} media thread forwards between UDP and a path, reports faults and statistics, and ends by itself`, async () => {
  const plane = must(await startPlane({ bind: { address: '127.0.0.1', port: 0 }, choice }))
  assert.equal(plane.facts.provider, choice)
  assert.equal(plane.facts.fallback, undefined)
  // By this name what it costs is told from other threads' (bench/idle.ts).
  if (process.platform === 'linux') assert.ok(readdirSync('/proc/self/task').some((t) => readFileSync(`/proc/self/task/${t}/comm`, 'latin1').trim() === 'stc-plane'))
  const faults: string[] = []
  plane.onFault((f) => faults.push(f.code))
  const refused = plane.open({ ...legSpec(crypto, 3), send: { suite: 'AEAD_AES_128_GCM', masterKey: new Uint8Array(1), masterSalt: new Uint8Array(12) } })
  const specA = legSpec(crypto, 1)
  const specB = legSpec(crypto, 2)
  const a = plane.open(specA)
  const b = plane.open(specB)
  assert.equal(new Set([refused, a, b]).size, 3)
  const socket = await nodeUdp().bind({ address: '127.0.0.1', port: 0 })
  const alice = new MediaClient(crypto, socket, plane.local, specA)
  const bob = new MediaClient(crypto, { ...socket, onMessage: () => {} }, plane.local, specB)

  let toServer: (data: Uint8Array) => void = () => {}
  let closed: () => void = () => {}
  const whenClosed = new Promise<void>((resolve) => (closed = resolve))
  const arrivals: (() => void)[] = []
  const path: PacketPath = {
    send(data) {
      bob.take(data, plane.local)
      for (const f of arrivals) f()
    },
    onPacket: (listener) => (toServer = listener),
    close: () => closed(),
  }
  const until = (condition: () => boolean): Promise<void> => new Promise((resolve) => {
    arrivals.push(() => condition() && resolve())
  })
  plane.attach(b, path)
  plane.route(a, ssrc(100), [b])
  plane.route(99 as LegId, ssrc(1), [])
  const echoed = until(() => bob.messages.length === 1)
  toServer(bob.message({ subtype: 0, token: new Uint8Array(8), use: true }))
  await echoed
  const heard = until(() => bob.heard.length === 1)
  alice.send(100, 160, new Uint8Array(50).fill(3))
  await heard
  assert.deepEqual(bob.heard[0]!.payload, new Uint8Array(50).fill(3))
  const { legs, stray } = await plane.stats()
  assert.deepEqual(legs.map((l) => l.leg).sort(), [a, b])
  assert.equal(legs.find((l) => l.leg === b)!.path, 'path')
  assert.equal(stray, 0)
  assert.deepEqual(faults, ['SRTP_KEYS', 'MEDIA_LEG_UNKNOWN'])
  plane.close(b)
  await whenClosed
  await plane.stop()
  assert.deepEqual((await plane.stats()).legs, [])
  socket.close()
})

test('a taken port is a fault, not an exception', async () => {
  const socket = await nodeUdp().bind({ address: '127.0.0.1', port: 0 })
  for (const choice of ['auto', 'portable', 'native'] as const) {
    const plane = await startPlane({ bind: socket.local, choice })
    assert.ok(!plane.ok)
    assert.ok(plane.fault.code === 'NET_BIND' || (choice === 'native' && plane.fault.code === 'NATIVE_UNAVAILABLE'), plane.fault.code)
  }
  socket.close()
})

test('without the native path the portable one runs and says why; who demands it gets nothing else', async () => {
  const options = { bind: { address: '127.0.0.1', port: 0 }, gatherMs: 1, segment: false, wake: undefined }
  const ports = must(await openPlanePorts({ ...options, choice: 'auto' }))
  assert.equal(ports.provider, 'portable')
  assert.equal(ports.fallback?.code, 'NATIVE_UNAVAILABLE')
  ports.socket.close()
  const demanded = await openPlanePorts({ ...options, choice: 'native' })
  assert.equal(demanded.ok ? '' : demanded.fault.code, 'NATIVE_UNAVAILABLE')
})

test('a native path that fails its self-test is not used: the portable one is, and says why', { skip: native.ok ? false : native.fault.message }, async (t) => {
  assert.ok(native.ok)
  const { value } = native
  const { recvmmsg } = value
  t.after(() => Object.assign(value, { recvmmsg }))
  // A system that hands over one datagram and forgets the others.
  Object.assign(value, {
    recvmmsg: (fd: number, messages: number, count: number, flags: number, timeout: number) => Math.min(recvmmsg(fd, messages, count, flags, timeout), 1),
  })
  using wake = must(Waker.create())
  const options = { bind: { address: '127.0.0.1', port: 0 }, gatherMs: 1, segment: false, wake: wake.handle }
  const ports = must(await openPlanePorts({ ...options, choice: 'auto' }))
  assert.deepEqual([ports.provider, ports.fallback?.code], ['portable', 'NATIVE_CALL'])
  assert.match(ports.fallback!.message, /self-test/)
  ports.socket.close()
  const demanded = await openPlanePorts({ ...options, choice: 'native' })
  assert.equal(demanded.ok ? '' : demanded.fault.code, 'NATIVE_CALL')
})
