/** Phones that come by themselves, in virtual time: how long one may be away, whether it lives, until when its certificate counts, NAT. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must, ok } from '../../../../src/base/result.ts'
import type { LegId, PlainPeer } from '../../../../src/media/plane/types.ts'
import { verifyChain } from '../../../../src/protocol/x509/path.ts'
import { LimitedLog, silentLog } from '../../../../src/server/log.ts'
import { hostForPhone } from '../../../../src/server/phones/index.ts'
import { mayUse } from '../../../../src/server/phones/names.ts'
import { Phones } from '../../../../src/server/phones/phones.ts'
import { SsrcAllocator } from '../../../../src/server/ssrc.ts'
import { SipEndpoint, type SipFlow } from '../../../../src/telephony/index.ts'
import { UpstreamRelay } from '../../../../src/telephony/relay/index.ts'
import { keyLine, secureSdp } from '../../../kit/direct-phones.ts'
import { People } from '../../../kit/people.ts'
import { pbxAt, pbxSdp } from '../../../kit/relay-world.ts'
import { headerOf, ScriptedPhone, SimSipTransport } from '../../../kit/sip-phone.ts'
import { VirtualClock } from '../../../kit/virtual-clock.ts'

function world(o: { readonly advertise?: string } = {}) {
  const clock = new VirtualClock()
  const people = new People(clock.unix())
  const { crypto } = people
  const door = new SimSipTransport('TLS', clock, { address: '10.0.0.1', port: 5061 })
  const trunk = new SimSipTransport('UDP', clock, { address: '10.0.0.1', port: 5080 })
  const pbx = new ScriptedPhone(trunk, clock, { ...pbxAt, user: 'asterisk', callId: 'from-pbx' })
  pbx.answer = (r) => (r.method === 'INVITE' ? { status: 200, body: pbxSdp } : { status: 200 })
  const bound: string[] = []
  const peers: PlainPeer[] = []
  const dropped: number[] = []
  const plane = {
    openPlain: async ({ bind }: { bind: string }) => {
      bound.push(bind)
      const leg = bound.length as LegId
      return ok({ leg, rtp: { address: bind, port: 20000 + 2 * leg }, rtcp: { address: bind, port: 20001 + 2 * leg } })
    },
    negotiate: (_: LegId, peer: PlainPeer) => void peers.push(peer), bridge: () => {}, close: () => {},
  }
  const upstream: UpstreamRelay = new UpstreamRelay({
    endpoint: () => below, way: () => ({ transport: 'UDP', local: trunk.local, remote: pbxAt }), hostFor: () => '10.0.0.1', mediaAddress: undefined, isEmergency: () => false, scheduler: clock, random: crypto,
    hmac: (d) => crypto.hmac('sha256', new Uint8Array(32), d), report: () => {},
  })
  const below: SipEndpoint = new SipEndpoint({ transports: [trunk], scheduler: clock, random: crypto, hostFor: () => '10.0.0.1', user: upstream })
  const hostFor = (flow: SipFlow): string => hostForPhone(flow, o.advertise)
  const refusals = new LimitedLog(silentLog, clock)
  const phones: Phones = new Phones({
    crypto, scheduler: clock, plane: plane as never, log: silentLog, refusals, maximum: 10, owners: { 2001: ['cn:anna'] }, hostFor, boundFor: () => '10.0.0.1', ssrcs: new SsrcAllocator(crypto),
    relay: { openPhone: (p) => upstream.open(p) }, endpoint: () => endpoint, isEmergency: () => false, keys: { suites: ['AES_CM_128_HMAC_SHA1_80'], fresh: () => true, required: true, offers: true },
    drop: (flow) => {
      dropped.push(flow.connection!)
      phones.lost(flow)
    },
    stillGood: () => ok(undefined),
  })
  const endpoint: SipEndpoint = new SipEndpoint({ transports: [door], scheduler: clock, random: crypto, hostFor, user: phones })
  const verified = (name: string, days = 30, sips: readonly string[] = []) => must(verifyChain(crypto, people.person(name, { lifetimeDays: days, sips }).chain, people.anchors, [], clock.unix(), 'member', 'given'))
  const papers = new Map<string, ReturnType<typeof verified>>()
  const connect = (name: string, at: { port: number; address?: string; days?: number }): ScriptedPhone => {
    const phone = new ScriptedPhone(door, clock, { ...at, user: '2001', callId: `${name}-${at.port}` })
    const paper = papers.get(name) ?? verified(name, at.days)
    papers.set(name, paper)
    must(phones.connected(paper, [], phone.flow))
    return phone
  }
  /** A call that stands. */
  const call = async (phone: ScriptedPhone, sdp = secureSdp(keyLine('a'))): Promise<void> => {
    phone.invite({ uri: 'sip:600@pbx.example', body: sdp })
    await clock.advance(100)
    phone.ack()
    await clock.advance(100)
  }
  return { clock, phones, pbx, bound, peers, dropped, refusals, connect, call, verified, door }
}
const byes = (p: ScriptedPhone): number => p.requests.filter((r) => r.method === 'BYE').length
const asked = (p: ScriptedPhone): number => p.requests.filter((r) => r.method === 'OPTIONS').length

test('a phone that says nothing more although its connection stands: asked every 15 s while it has a call, and its call ends at the PBX', async () => {
  const w = world()
  const phone = w.connect('anna', { port: 6000, address: '127.0.0.1' })
  await w.clock.advance(60_000)
  assert.equal(asked(phone), 0, 'without a call nobody is asked')
  await w.call(phone)
  assert.equal(phone.last.status, 200)
  await w.clock.advance(61_000)
  assert.equal(asked(phone), 4)
  assert.deepEqual([w.dropped, byes(w.pbx)], [[], 0], 'any answer will do')
  phone.answer = (r) => ({ status: r.method === 'OPTIONS' ? 405 : 200 })
  await w.clock.advance(60_000)
  assert.deepEqual([w.dropped, byes(w.pbx)], [[], 0], 'a refusal too')
  phone.answer = () => undefined
  await w.clock.advance(15_000 + 32_000)
  assert.deepEqual(w.dropped, [6000], 'its connection is over after 32 s')
  assert.equal(byes(w.pbx), 0, 'its call has ten seconds more')
  await w.clock.advance(11_000)
  assert.equal(byes(w.pbx), 1)
  assert.deepEqual(w.phones.load, { phones: 0, connections: 0, calls: 0 })
  w.phones.close()
})

test('a phone that lost its network and is back within ten seconds keeps its call', async () => {
  const w = world()
  const phone = w.connect('anna', { port: 6000, address: '127.0.0.1' })
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 200, body: pbxSdp } : { status: 200, headers: r.method === 'REGISTER' ? [`Contact: ${headerOf(r, 'Contact')};expires=300`] : [] })
  phone.send('REGISTER', { uri: 'sip:pbx.example', to: '<sip:2001@pbx.example>', headers: ['Expires: 300'] })
  await w.clock.advance(100)
  const contact = /<([^>]+)>/.exec(headerOf(w.pbx.requests[0]!, 'Contact')!)![1]!
  await w.call(phone)
  w.phones.lost(phone.flow)
  await w.clock.advance(9000)
  const back = w.connect('anna', { port: 6002, address: '127.0.0.1' })
  await w.clock.advance(8000)
  assert.deepEqual([byes(w.pbx), w.phones.load], [0, { phones: 1, connections: 1, calls: 1 }])
  // It is called there, and told of the end, before it says anything.
  w.pbx.invite({ uri: contact, body: pbxSdp })
  await w.clock.advance(100)
  assert.deepEqual([phone, back].map((p) => p.requests.filter((r) => r.method === 'INVITE').length), [0, 1])
  w.phones.close()
  await w.clock.advance(100)
  assert.equal(byes(phone), 0)
  assert.ok(byes(back) >= 1)
})

test('a certificate that ends in the middle of a call ends the call, at both ends', async () => {
  const w = world()
  const phone = w.connect('anna', { port: 6000, address: '127.0.0.1', days: 1 })
  await w.clock.advance(86_400_000 - 60_000)
  await w.call(phone)
  await w.clock.advance(59_000)
  assert.equal(byes(w.pbx), 0)
  await w.clock.advance(4000)
  assert.deepEqual([byes(w.pbx), byes(phone), w.dropped], [1, 1, [6000]])
  assert.equal(new Map(w.refusals.counts).get('IDENTITY_EXPIRED'), 1)
  assert.equal(w.phones.load.phones, 0)
})

test('a phone behind a NAT: answers go back on its connection, its media is expected from where its SIP comes from; from the same network it is taken at its word', async () => {
  const w = world()
  const inside = secureSdp(keyLine('a')).replaceAll('127.0.0.1', '192.168.1.20')
  const far = w.connect('anna', { port: 6000, address: '203.0.113.7' })
  await w.call(far, inside)
  assert.equal(far.last.status, 200)
  assert.deepEqual(w.peers.find((p) => p.srtp !== undefined)?.rtp, { address: '203.0.113.7', port: 18000 })
  assert.equal(far.responses.at(-1)!.via[0]!.text.includes(';received=203.0.113.7') || far.responses.at(-1)!.via[0]!.text.includes('rport=6000'), true)

  const near = world()
  const phone = near.connect('anna', { port: 6000, address: '192.168.1.20' })
  await near.call(phone, inside)
  assert.deepEqual(near.peers.find((p) => p.srtp !== undefined)?.rtp, { address: '192.168.1.20', port: 18000 })
  // Another public address is somebody else, and a private one of another phone in a network that we are in as well.
  for (const elsewhere of ['198.51.100.9', '192.168.1.21']) {
    phone.invite({ uri: 'sip:600@pbx.example', body: secureSdp(keyLine('b')).replaceAll('127.0.0.1', elsewhere) })
    await near.clock.advance(100)
    assert.equal(phone.last.status, 488, elsewhere)
  }
  const strange = w.connect('bert', { port: 6010, address: '203.0.113.8' })
  strange.invite({ uri: 'sip:600@pbx.example', from: '2001', body: inside })
  await w.clock.advance(100)
  assert.equal(strange.last.status, 403, 'it is not his extension')
  for (const x of [w, near]) x.phones.close()
})

test('a server behind a NAT says its public address to phones of the internet, its own to those of its network, and binds its own', async () => {
  const w = world({ advertise: '198.51.100.1' })
  const far = w.connect('anna', { port: 6000, address: '203.0.113.7' })
  await w.call(far, secureSdp(keyLine('a')).replaceAll('127.0.0.1', '203.0.113.7'))
  const answer = far.responses.findLast((r) => r.status === 200)!
  const text = Buffer.from(answer.body).toString()
  assert.match(text, /c=IN IP4 198\.51\.100\.1\r\n/)
  assert.match(text, /o=\S+ \S+ \S+ IN IP4 198\.51\.100\.1\r\n/)
  assert.match(headerOf(answer, 'Contact')!, /@198\.51\.100\.1:5061/)
  assert.ok(w.bound.length === 2 && w.bound.every((a) => a === '10.0.0.1'), w.bound.join())
  // What the PBX sees is as before.
  assert.match(headerOf(w.pbx.requests[0]!, 'Contact')!, /@10\.0\.0\.1:5080/)
  w.phones.close()
  const flow = (address: string): SipFlow => ({ transport: 'TLS', local: { address: '10.0.0.1', port: 5061 }, remote: { address, port: 1 }, connection: 1 })
  assert.deepEqual(['203.0.113.7', '10.0.0.9', '127.0.0.1', '2001:db8::7'].map((a) => hostForPhone(flow(a), '198.51.100.1')), ['198.51.100.1', '10.0.0.1', '10.0.0.1', '10.0.0.1'])
  assert.equal(hostForPhone({ ...flow('2001:db8::7') }, '2001:db8::1'), '[2001:db8::1]')
  assert.equal(hostForPhone(flow('203.0.113.7'), undefined), '10.0.0.1')
})

test('whose an extension is: the list, else the SIP address in the certificate; a list has the last word', () => {
  const w = world()
  const anna = w.verified('anna', 30, ['sip:2002@pbx.example', 'sips:2003@pbx.example'])
  for (const [extension, allowed] of [['2001', true], ['2002', true], ['2003', true], ['2004', false], ['', false], ['anna', false], ['toString', false]] as const) assert.equal(mayUse(anna, { 2001: ['cn:anna'] }, extension), allowed, extension)
  assert.equal(mayUse(anna, { 2002: ['cn:bert'] }, '2002'), false, 'it is bert\'s, whatever her certificate says')
  assert.equal(mayUse(w.verified('bert'), {}, '2002'), false)
  const leaf = anna.path[0]!
  const named = { ...anna, path: [{ ...leaf, extensions: { ...leaf.extensions, alternativeNames: [{ kind: 'email', text: 'sip:2007@pbx.example' }] as const } }] }
  assert.equal(mayUse(named, {}, '2007'), false, 'a mail address that looks like one')
  w.phones.close()
})
