import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ssrc, ssrc } from '../../../src/base/brand.ts'
import { must } from '../../../src/base/result.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import { startPlane, type StartPlaneOptions } from '../../../src/media/plane-host.ts'
import { sharedPorts } from '../../../src/media/plane-share.ts'
import type { LegId } from '../../../src/media/plane/types.ts'
import type { AddressPort } from '../../../src/net/address.ts'
import { systemCalls } from '../../../src/net/native/system.ts'
import { nodeUdp } from '../../../src/net/node-udp.ts'
import type { UdpSocket } from '../../../src/net/udp.ts'
import { legSpec, MediaClient } from '../../kit/media-client.ts'
import { PlainParty } from '../../kit/plain-peer.ts'
import { bindRtpPair } from '../../../src/media/plain/rtp-pair.ts'

const crypto = createNodeCrypto()
const native = systemCalls()
const skip = native.ok ? false : `the native plane is left out: ${native.fault.message}`
const four: StartPlaneOptions = { bind: { address: '127.0.0.1', port: 0 }, choice: 'native', workers: 4, ports: { first: 47_500, last: 47_599 } }

/** A socket whose other end can be another one from now on, as behind a NAT that forgot its mapping. */
class Moving implements UdpSocket {
  #socket: UdpSocket
  #listener: (data: Uint8Array, from: AddressPort) => void = () => {}
  onArrival = (): void => {}
  constructor(socket: UdpSocket) {
    this.#socket = socket
  }
  static async make(): Promise<Moving> {
    return new Moving(await nodeUdp().bind({ address: '127.0.0.1', port: 0 }))
  }
  async move(): Promise<void> {
    this.#socket.close()
    this.#socket = await nodeUdp().bind({ address: '127.0.0.1', port: 0 })
    this.onMessage(this.#listener)
  }
  get local(): AddressPort {
    return this.#socket.local
  }
  send(data: Uint8Array, to: AddressPort): void {
    this.#socket.send(data, to)
  }
  onMessage(listener: (data: Uint8Array, from: AddressPort) => void): void {
    this.#listener = listener
    this.#socket.onMessage((data, from) => {
      listener(data, from)
      this.onArrival()
    })
  }
  close(): void {
    this.#socket.close()
  }
}

test('four media threads on one port: streams of any of them reach everybody, who moves is found again, and the port is free afterwards', { skip }, async () => {
  const plane = must(await startPlane(four))
  assert.deepEqual([plane.workers, plane.facts.workers, plane.facts.provider], [4, 4, 'native'])
  const faults: string[] = []
  plane.onFault((f) => faults.push(f.message))
  let arrived = (): void => {}
  const until = async (condition: () => boolean, again: () => void = () => {}): Promise<void> => {
    const timer = setInterval(again, 50)
    try {
      while (!condition()) await new Promise<void>((resolve) => (arrived = resolve))
    } finally {
      clearInterval(timer)
    }
  }
  const members: { client: MediaClient; leg: LegId; socket: Moving; stream: Ssrc }[] = []
  // Homes 1, 2, 3, 0; streams at 0, 1, 2, 3.
  for (let i = 0; i < 4; i++) {
    const spec = legSpec(crypto, 1 + i, 1, i === 3 ? 'AES_CM_128_HMAC_SHA1_80' : 'AEAD_AES_128_GCM')
    const socket = await Moving.make()
    socket.onArrival = () => arrived()
    const client = new MediaClient(crypto, socket, plane.local, spec)
    members.push({ client, leg: plane.open(spec), socket, stream: ssrc(100 + i) })
  }
  plane.routeRoom(members.map((m) => ({ from: m.leg, ssrc: m.stream })), members.map((m) => m.leg))
  const say = (n: number): void => {
    for (const m of members) m.client.send(m.stream, 160 * n, new Uint8Array(50).fill(n))
  }
  const heard = (at: MediaClient, n: number): number[] => at.heard.filter((h) => h.payload[0] === n).map((h) => h.ssrc).sort()
  const everybodyHeard = (n: number): boolean => members.every((m) => heard(m.client, n).length === 3)
  // Where a client is gets from its home to the others in a moment: until then they have nowhere to send to.
  let n = 1
  // Commands are on their way to the threads: an answer of all of them comes after that.
  await plane.stats()
  for (const m of members) m.client.probe()
  await until(() => everybodyHeard(n), () => say(++n))
  for (const m of members) assert.deepEqual(heard(m.client, n), members.filter((o) => o !== m).map((o) => o.stream), 'each other stream once')

  // A client whose address changes says nothing of it: its stream arrives at one thread, its home is another one.
  const moved = members[0]!
  await moved.socket.move()
  say(++n)
  await until(() => heard(moved.client, n).length === 3 && everybodyHeard(n), () => say(++n))
  assert.deepEqual((await plane.stats()).legs.find((l) => l.leg === moved.leg)?.address, moved.socket.local)
  const last = n + 1
  say(last)
  await until(() => everybodyHeard(last))

  // A call whose streams are a thread's that is not the client's home.
  const party = new PlainParty(must(await bindRtpPair(nodeUdp(), '127.0.0.1')))
  const plain = must(await plane.openPlain({ bind: '127.0.0.1', peer: party.peer, beside: ssrc(202) }))
  assert.ok(plain.rtp.port >= 47_550 && plain.rtp.port < 47_575, 'of that thread’s part of the range')
  party.to = plain
  plane.bridge(plain.leg, { kind: 'hop', leg: members[2]!.leg, receive: ssrc(202), send: ssrc(206) })
  let call = 0
  await until(() => members[2]!.client.heard.some((h) => h.ssrc === 206), () => party.send({ ssrc: 9, sequence: ++call, timestamp: call * 160, payload: new Uint8Array(160) }))
  assert.deepEqual(faults, [])
  plane.bridge(plain.leg, { kind: 'hop', leg: members[2]!.leg, receive: ssrc(202), send: ssrc(207) })
  const stats = await plane.stats()
  assert.match(faults[0] ?? '', /207/, 'both streams of a call are one thread’s')
  assert.equal(stats.legs.length, 5)
  assert.equal(stats.stray, 0)
  const sum = (k: 'sent' | 'received'): number => stats.legs.reduce((a, l) => a + l[k], 0)
  assert.ok(sum('sent') > sum('received') && sum('received') > 12)
  for (const m of members) assert.equal(m.client.unopened, 0)

  const taken = await startPlane({ ...four, bind: plane.local })
  assert.equal(taken.ok ? '' : taken.fault.code, 'NET_BIND', 'nobody shares the port by accident')
  await plane.stop()
  const again = must(await startPlane({ ...four, bind: plane.local }))
  assert.deepEqual(again.local, plane.local)
  await again.stop()
  for (const m of members) m.socket.close()
  party.pair.rtp.close()
  party.pair.rtcp.close()
})

test('the portable plane is one thread, whatever is wished for', async () => {
  const plane = must(await startPlane({ ...four, choice: 'portable' }))
  assert.deepEqual([plane.workers, plane.facts.workers], [1, 1])
  await plane.stop()
})

test('each thread has ports of calls of its own', () => {
  assert.deepEqual([0, 1, 2, 3].map((i) => sharedPorts({ first: 10_001, last: 10_020 }, i, 4)), [
    { first: 10_002, last: 10_005 }, { first: 10_006, last: 10_009 }, { first: 10_010, last: 10_013 }, { first: 10_014, last: 10_019 },
  ])
  assert.deepEqual(sharedPorts({ first: 10_000, last: 10_001 }, 0, 2), { first: 10_000, last: 9999 }, 'fewer pairs than threads')
})
