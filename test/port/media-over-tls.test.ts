/** Media of a real server by UDP (IPv4 and IPv6) and over the second TLS connection, between two members of one room. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { utf8 } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import type { AddressPort } from '../../src/net/address.ts'
import { nodeUdp } from '../../src/net/node-udp.ts'
import { realScheduler } from '../../src/net/scheduler.ts'
import type { UdpSocket } from '../../src/net/udp.ts'
import { wsTransport } from '../../src/net/ws-transport.ts'
import { createHopOffer, finishHop, HOP_EXPORTER_LABEL, HOP_EXPORTER_LENGTH } from '../../src/protocol/hop/agreement.ts'
import { packetLane } from '../../src/protocol/wire/packet-lane.ts'
import { ssrc } from '../../src/base/brand.ts'
import { fakeCommit, fakeKeyPackage } from '../kit/fake-mls.ts'
import { MediaClient } from '../kit/media-client.ts'
import { until } from '../kit/processes.ts'
import { crypto, papersFor, type Papers, type RawClient, rawConnect, type RealServer, realServer } from '../kit/real-server.ts'

type Way = 'udp' | 'tls'

async function rawOpen(port: number, papers: Papers, o: Parameters<typeof rawConnect>[2] = {}): Promise<RawClient> {
  const r = await rawConnect(port, papers, o)
  if (r.kind !== 'open') throw new Error(JSON.stringify(r))
  return r.client
}

/** A member with keys and a way for its packets. */
async function member(s: RealServer, name: string, way: Way, host: string): Promise<{ c: RawClient; media: MediaClient; close: () => void }> {
  const papers = papersFor(s.ca, { name })
  const c = await rawOpen(s.port, papers, { host })
  const { session, udp } = await c.hello()
  const { message, state } = createHopOffer(crypto, { generation: 1, suites: ['AEAD_AES_128_GCM'] })
  c.say({ k: 'hop-offer', generation: 1, message })
  const answer = await c.next('hop-answer')
  const tls = (c.ws as unknown as { _socket: TLSSocket })._socket
  const keys = must(finishHop(crypto, state, answer.message, (context) => new Uint8Array(tls.exportKeyingMaterial(HOP_EXPORTER_LENGTH, HOP_EXPORTER_LABEL, Buffer.from(context)))))
  const socket = way === 'udp' ? await nodeUdp().bind({ address: host, port: 0 }) : laneSocket(await rawOpen(s.port, papers, { host, path: `/media?session=${session}`, protocol: 'stc.media.v1' }))
  const media = new MediaClient(crypto, socket, udp[0]!, { generation: 1, probe: ssrc(answer.probe), receive: keys.send, send: keys.receive })
  return { c, media, close: () => [socket.close(), c.ws.close()] }
}

/** The second connection in the place of a socket. */
function laneSocket(c: RawClient): UdpSocket {
  c.ws.removeAllListeners('message')
  const lane = packetLane(wsTransport(c.ws), realScheduler())
  const nowhere: AddressPort = { address: '0.0.0.0', port: 0 }
  return { local: nowhere, send: (data) => lane.send(data), onMessage: (listener) => lane.onPacket((p) => listener(p.slice(), nowhere)), close: () => lane.close() }
}

async function assertHeard(s: RealServer, ways: [Way, Way], host = '127.0.0.1'): Promise<void> {
  const ann = await member(s, 'Ann', ways[0], host)
  const ben = await member(s, 'Ben', ways[1], host)
  const room = `r-${ways.join('-')}-${host.includes(':') ? 6 : 4}`
  ann.c.say({ k: 'room-create', room, generation: 1, groupId: utf8('g'), suite: 'x-wing', forwarding: 'all', maximumMembers: 4 })
  const { ssrc: stream } = await ann.c.next('room-created')
  ben.c.say({ k: 'room-join', room, generation: 1, keyPackage: fakeKeyPackage(1) })
  const { ssrc: other } = await ben.c.next('room-queued')
  const n = await ann.c.next('room-nominate')
  const commit = fakeCommit({ groupId: utf8('g'), epoch: 0n, leaf: 0, adds: n.adds.map((a) => a.keyPackage) })
  ann.c.say({ k: 'room-commit', room, generation: 1, epoch: 0n, commit, welcome: utf8('w'), adds: n.adds.map((a) => a.id), removes: [], refused: [] })
  await ben.c.next('room-welcome')
  let sent = 0
  // Loopback loses nothing, but the routes reach the media thread by another way than our packets.
  const heardBoth = (): true | undefined => {
    ann.media.probe()
    ben.media.probe()
    ann.media.send(stream, sent * 160, utf8('from Ann'))
    ben.media.send(other, sent++ * 160, utf8('from Ben'))
    const enough = [ann, ben].every((m) => m.media.heard.length >= 5)
    return enough ? true : undefined
  }
  await until(20_000, `media by ${ways.join(' and ')}`, heardBoth, () => `${ann.media.heard.length} and ${ben.media.heard.length} heard of ${sent}`)
  assert.ok(ben.media.heard.every((h) => h.ssrc === stream && Buffer.from(h.payload).toString() === 'from Ann'))
  assert.ok(ann.media.heard.every((h) => h.ssrc === other && Buffer.from(h.payload).toString() === 'from Ben'))
  assert.equal(ann.media.unopened + ben.media.unopened, 0)
  ann.close()
  ben.close()
}

test('by UDP, over TLS, and one by each', { timeout: 90_000 }, async (t) => {
  const s = await realServer(t)
  for (const ways of [['udp', 'udp'], ['tls', 'tls'], ['udp', 'tls']] as [Way, Way][]) await assertHeard(s, ways)
})

test('one server for IPv4 and IPv6', { timeout: 90_000 }, async (t) => {
  const s = await realServer(t, { listen: { address: '::', port: 0 } })
  await assertHeard(s, ['udp', 'tls'], '127.0.0.1')
  if (s.server.address.address !== '::') return t.skip('this machine has no IPv6')
  await assertHeard(s, ['udp', 'tls'], '::1')
})
