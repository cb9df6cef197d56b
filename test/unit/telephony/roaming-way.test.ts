/** A machine that moves between networks, in virtual time; and once over real sockets, from 127.0.0.1 to 127.0.0.2. */
import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import { fromUtf8, utf8 } from '../../../src/base/bytes.ts'
import { err, type Fault, makeFault, must, ok, type Result } from '../../../src/base/result.ts'
import type { AddressPort } from '../../../src/net/address.ts'
import { nodeUdp } from '../../../src/net/node-udp.ts'
import { routeTo } from '../../../src/net/route.ts'
import { openPbxTransport } from '../../../src/telephony/outgoing.ts'
import type { PbxTransport } from '../../../src/telephony/pbx-transport.ts'
import { type Places, RoamingWay } from '../../../src/telephony/roaming-way.ts'
import type { SipFlow, TransportListener } from '../../../src/telephony/transport.ts'
import { openStreamTransport } from '../../../src/telephony/stream-transport.ts'
import { openUdpTransport } from '../../../src/telephony/udp-transport.ts'
import { until } from '../../kit/processes.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

const REGISTER = utf8('REGISTER sip:a SIP/2.0\r\n\r\n')
const provider = (host: number): AddressPort => ({ address: `192.0.2.${host}`, port: 5060 })

class FakeWay implements PbxTransport {
  readonly name = 'UDP'
  readonly local: AddressPort
  readonly remote: AddressPort
  readonly sent: string[] = []
  listener: TransportListener | undefined
  closed = false
  constructor(address: string, remote: AddressPort, port: number) {
    this.local = { address, port }
    this.remote = remote
  }
  way(): SipFlow {
    return { transport: 'UDP', local: this.local, remote: this.remote }
  }
  listen(listener: TransportListener): void {
    this.listener = listener
  }
  send(data: Uint8Array): boolean {
    this.sent.push(fromUtf8(data)!.split(' ')[0]!)
    return !this.closed
  }
  close(): void {
    this.closed = true
  }
}

/** `net`: what the system says; `names`: who asks for a name waits for that; `full`: it has no more files, and throws; `family`: that of the only addresses that it has a route to. */
function roaming(net: { places: Result<Places>; route: string | undefined; own: string[]; bind?: Fault; names?: Promise<void>; full?: 'name' | 'route' | 'socket'; family?: 4 | 6 }) {
  const full = (what: typeof net.full): void => {
    if (net.full === what) throw new Error('EMFILE')
  }
  const clock = new VirtualClock()
  const opened: FakeWay[] = []
  const told: string[] = []
  const events: string[] = []
  let busy = false
  const way = new RoamingWay({
    name: 'UDP', scheduler: clock, owns: (a) => net.own.includes(a),
    resolve: async () => {
      await net.names
      full('name')
      return net.places
    },
    route: async (to) => {
      full('route')
      return net.family === undefined || isIP(to.address) === net.family ? net.route : undefined
    },
    open: (places, local) => {
      full('socket')
      if (net.bind !== undefined) return Promise.resolve({ ok: false, fault: net.bind })
      opened.push(new FakeWay(local, places[0], 6000 + opened.length))
      return Promise.resolve(ok(opened.at(-1)!))
    },
    tell: (fault, from) => told.push(fault === undefined ? `from ${from}` : fault.code),
  })
  way.listen({ message: () => events.push('message'), lost: (flow) => events.push(`lost ${flow.local.address}`) })
  way.watch((up) => events.push(up ? 'up' : 'down'))
  way.roam({ busy: () => busy, moved: () => events.push('moved') })
  return { way, clock, opened, told, events, net, call: (on: boolean) => (busy = on), now: () => way.way()?.local.address }
}
const home = () => roaming({ places: ok([provider(1)]), route: '10.0.0.2', own: ['10.0.0.2'] })

test('in another network the way begins at the address of that one, a name looked up anew; who waits for an answer is told', async () => {
  const w = home()
  must(await w.way.start())
  assert.deepEqual([w.now(), w.events], ['10.0.0.2', ['up']])
  Object.assign(w.net, { route: '172.16.0.9', own: ['172.16.0.9'], places: ok([provider(7)]) })
  await w.clock.advance(2000)
  assert.deepEqual([w.now(), w.way.way()!.remote, w.opened[0]!.closed], ['172.16.0.9', provider(7), true])
  assert.deepEqual(w.events, ['up', 'down', 'lost 10.0.0.2', 'up', 'moved'])
  assert.ok(w.way.send(REGISTER, w.way.way()!))
  assert.deepEqual([w.opened[0]!.sent, w.opened[1]!.sent, w.told], [[], ['REGISTER'], []], 'the log has nothing to say of a move that went well')
})

test('a network that is gone for five seconds ends nothing: new calls hear at once that there is no way, those that stand go on from the same socket', async () => {
  const w = home()
  must(await w.way.start())
  const flow = w.way.way()!
  Object.assign(w.net, { route: undefined, own: [] })
  await w.clock.advance(5000)
  assert.deepEqual([w.way.way(), w.way.way(flow)?.local.address, w.told], [undefined, '10.0.0.2', ['RELAY_NO_WAY']])
  Object.assign(w.net, { route: '10.0.0.2', own: ['10.0.0.2'] })
  await w.clock.advance(2000)
  assert.deepEqual([w.now(), w.opened.length, w.told, w.events], ['10.0.0.2', 1, ['RELAY_NO_WAY', 'from 10.0.0.2'], ['up', 'down', 'up']])
})

test('a name that does not resolve is a way that is down, said once, and tried until it does', async () => {
  const w = roaming({ places: err('RELAY_NO_WAY', 'sip.example: ENOTFOUND'), route: '10.0.0.2', own: ['10.0.0.2'] })
  must(await w.way.start())
  await w.clock.advance(60_000)
  assert.deepEqual([w.way.way(), w.told, w.way.send(REGISTER, { transport: 'UDP', local: provider(1), remote: provider(1) })], [undefined, ['RELAY_NO_WAY'], false])
  w.net.places = ok([provider(1)])
  await w.clock.advance(5000)
  assert.deepEqual([w.now(), w.told, w.events], ['10.0.0.2', ['RELAY_NO_WAY', 'from 10.0.0.2'], ['up']])
})

test('a call that stands is not ended by a second network, unless its own is gone or says nothing', async () => {
  const w = home()
  must(await w.way.start())
  w.call(true)
  Object.assign(w.net, { route: '10.8.0.1', own: ['10.0.0.2', '10.8.0.1'] })
  await w.clock.advance(60_000)
  assert.equal(w.now(), '10.0.0.2')
  w.call(false)
  await w.clock.advance(2000)
  assert.equal(w.now(), '10.8.0.1')

  w.call(true)
  w.net.route = '10.0.0.2'
  w.way.send(REGISTER, w.way.way()!)
  await w.clock.advance(10_000)
  assert.equal(w.now(), '10.8.0.1')
  w.opened.at(-1)!.listener!.message(utf8('SIP/2.0 200 OK\r\n\r\n'), w.way.way()!)
  await w.clock.advance(30_000)
  assert.equal(w.now(), '10.8.0.1', 'it answers')
  w.way.send(REGISTER, w.way.way()!)
  await w.clock.advance(22_000)
  assert.equal(w.now(), '10.0.0.2')
})

test('another IPv6 address of the same network is no other network, until the one before is gone', async () => {
  const w = roaming({ places: ok([{ address: '2001:db8:9::1', port: 5060 }]), route: '2001:db8::aa', own: ['2001:db8::aa'] })
  must(await w.way.start())
  Object.assign(w.net, { route: '2001:db8::bb', own: ['2001:db8::aa', '2001:db8::bb'] })
  await w.clock.advance(60_000)
  assert.equal(w.now(), '2001:db8::aa')
  w.net.own = ['2001:db8::bb']
  await w.clock.advance(2000)
  assert.equal(w.now(), '2001:db8::bb')
  Object.assign(w.net, { route: '2001:db8:0:1::bb', own: ['2001:db8::bb', '2001:db8:0:1::bb'] })
  await w.clock.advance(2000)
  assert.equal(w.now(), '2001:db8:0:1::bb')
})

test('from a network that has IPv6 to one that has none the way goes to the other address of the provider, unless a call stands that may go on', async () => {
  const w = roaming({ places: ok([{ address: '2001:db8:9::1', port: 5060 }]), route: '2001:db8::aa', own: ['2001:db8::aa'], family: 6 })
  must(await w.way.start())
  w.call(true)
  Object.assign(w.net, { places: ok([provider(1)]), route: '10.0.0.2', own: ['10.0.0.2'], family: 4 })
  await w.clock.advance(10_000)
  assert.deepEqual([w.now(), w.opened.length, w.told], [undefined, 1, ['RELAY_NO_WAY']])
  w.call(false)
  await w.clock.advance(4000)
  assert.deepEqual([w.now(), w.way.way()?.remote, w.told, w.events.at(-1)], ['10.0.0.2', provider(1), ['RELAY_NO_WAY', 'from 10.0.0.2'], 'moved'])
})

test('a provider that says nothing for twenty seconds is looked up again, and left where it was if that changes nothing', async () => {
  const w = home()
  must(await w.way.start())
  w.way.send(utf8('ACK sip:a SIP/2.0\r\n\r\n'), w.way.way()!)
  w.way.send(utf8('SIP/2.0 200 OK\r\n\r\n'), w.way.way()!)
  w.net.places = ok([provider(2)])
  await w.clock.advance(60_000)
  assert.equal(w.opened.length, 1, 'what wants no answer says nothing')
  w.net.places = ok([provider(1)])
  w.way.send(REGISTER, w.way.way()!)
  await w.clock.advance(60_000)
  assert.equal(w.opened.length, 1)
  w.net.places = ok([provider(2)])
  w.way.send(REGISTER, w.way.way()!)
  await w.clock.advance(22_000)
  assert.deepEqual([w.opened.length, w.way.way()!.remote, w.events.includes('moved')], [2, provider(2), false])
})

test('where nobody answers for names moves are seen all the same; what the name says in the end is followed where the provider is not', async () => {
  const w = home()
  must(await w.way.start())
  let answer: (() => void) | undefined
  w.net.names = new Promise((resolve) => (answer = resolve))
  w.way.send(REGISTER, w.way.way()!)
  await w.clock.advance(24_000)
  for (const address of ['172.16.0.9', '10.0.0.2', '172.16.0.9']) {
    Object.assign(w.net, { route: address, own: [address] })
    await w.clock.advance(3000)
    assert.deepEqual([w.now(), w.way.way()!.remote], [address, provider(1)], 'where it was last')
    await w.clock.advance(1000)
  }
  assert.equal(w.events.filter((e) => e === 'moved').length, 3)
  w.way.send(REGISTER, w.way.way()!)
  w.net.places = ok([provider(7)])
  answer!()
  await w.clock.advance(2000)
  assert.deepEqual([w.now(), w.way.way()!.remote, w.opened.length], ['172.16.0.9', provider(7), 5])
  assert.deepEqual(w.told, [])
  w.way.close()
  assert.equal(w.clock.pending, 0)
})

test('what the system throws is a way that is down, and is tried again', async () => {
  for (const full of ['name', 'route', 'socket'] as const) {
    const w = home()
    w.net.full = full
    must(await w.way.start())
    assert.deepEqual([w.now(), w.told], [undefined, ['RELAY_NO_WAY']], full)
    delete w.net.full
    await w.clock.advance(5000)
    assert.deepEqual([w.now(), w.told], ['10.0.0.2', ['RELAY_NO_WAY', 'from 10.0.0.2']], full)
    Object.assign(w.net, { full, route: '172.16.0.9', own: ['172.16.0.9'] })
    await w.clock.advance(10_000)
    delete w.net.full
    await w.clock.advance(5000)
    assert.deepEqual([w.now(), w.events.at(-1)], ['172.16.0.9', 'moved'], full)
  }
})

test('a port of ours that cannot be had is told at the start, and is tried again by whoever does not end for it', async () => {
  const taken = makeFault('SIP_BIND', 'UDP port 5080')
  const w = roaming({ places: ok([provider(1)]), route: '10.0.0.2', own: [], bind: taken })
  assert.deepEqual(await w.way.start(), { ok: false, fault: taken })
  delete w.net.bind
  w.net.own = ['10.0.0.2']
  await w.clock.advance(5000)
  assert.equal(w.now(), '10.0.0.2')
  w.way.close()
  assert.equal(w.clock.pending, 0)
  const later = home()
  must(await later.way.start())
  Object.assign(later.net, { route: '10.9.9.9', own: [], bind: taken })
  await later.clock.advance(10_000)
  assert.deepEqual([later.way.way(), later.told], [undefined, ['SIP_BIND']])
  delete later.net.bind
  await later.clock.advance(5000)
  assert.deepEqual([later.now(), later.events.at(-1)], ['10.9.9.9', 'moved'], 'who is cut off by it hears so as soon as the other side can be told')
})

test('after the end nothing is opened any more', async () => {
  const w = home()
  const start = w.way.start()
  w.way.close()
  must(await start)
  await w.clock.advance(60_000)
  assert.deepEqual([w.opened.length, w.clock.pending], [0, 0])
})

test('over real sockets: the next datagram comes from 127.0.0.2', async (t) => {
  const clock = new VirtualClock()
  const there = must(await openUdpTransport(nodeUdp(), { address: '127.0.0.1', port: 0 }))
  const got: string[] = []
  there.listen({ message: (_data, flow) => got.push(flow.remote.address), lost: () => {} })
  let route = await routeTo(there.local)
  assert.equal(route, '127.0.0.1', 'as the system says')
  const way = new RoamingWay({
    name: 'UDP', scheduler: clock, resolve: () => Promise.resolve(ok([there.local])), route: () => Promise.resolve(route), owns: () => false, tell: () => {},
    open: (remotes, address) => openPbxTransport({ transport: 'UDP', remotes, bind: { address, port: 0 }, scheduler: clock }),
  })
  t.after(() => [way, there].forEach((x) => void x.close()))
  must(await way.start())
  way.send(REGISTER, way.way()!)
  await until(15_000, 'datagram', () => got[0])
  route = '127.0.0.2'
  await clock.advance(2000)
  await until(15_000, 'move', () => (way.way()?.local.address === '127.0.0.2' ? true : undefined))
  way.send(REGISTER, way.way()!)
  await until(15_000, 'other datagram', () => got[1])
  assert.deepEqual(got, ['127.0.0.1', '127.0.0.2'])
})

test('over TCP the connection is made anew, and our end that is named to the other side is the new one', async (t) => {
  const clock = new VirtualClock()
  const there = must(await openStreamTransport({ address: '127.0.0.1', port: 0 }))
  there.listen({ message: () => {}, lost: () => {} })
  let route = '127.0.0.1'
  const up: boolean[] = []
  const lost: string[] = []
  const way = new RoamingWay({
    name: 'TCP', scheduler: clock, resolve: () => Promise.resolve(ok([there.local])), route: () => Promise.resolve(route), owns: () => false, tell: () => {},
    open: (remotes, address) => openPbxTransport({ transport: 'TCP', remotes, bind: { address, port: 0 }, scheduler: clock }),
  })
  t.after(() => [way, there].forEach((x) => void x.close()))
  way.listen({ message: () => {}, lost: (flow) => lost.push(flow.local.address) })
  way.watch((there) => up.push(there))
  must(await way.start())
  await until(15_000, 'connection', () => way.way())
  const before = way.way()!
  assert.equal(before.local.address, '127.0.0.1')
  route = '127.0.0.2'
  await clock.advance(2000)
  const after = await until(15_000, 'connection from elsewhere', () => (way.way()?.local.address === '127.0.0.2' ? way.way() : undefined))
  assert.deepEqual([lost, up, way.send(REGISTER, before), way.send(REGISTER, after)], [['127.0.0.1'], [true, false, true], false, true])
})
