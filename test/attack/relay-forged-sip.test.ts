/** Forged, replayed and truncated SIP: in the tunnel, from a phone, from beside the PBX. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8, fromUtf8 } from '../../src/base/bytes.ts'
import type { TunnelMessage } from '../../src/telephony/relay/index.ts'
import { nothingLeft, pbxSdp, relayWorld } from '../kit/relay-world.ts'
import { headerOf } from '../kit/sip-phone.ts'

/** A hostile client: what its half sends is ours to change. */
function hostile(change: (m: TunnelMessage) => readonly TunnelMessage[], towards: 'client' | 'server' = 'server') {
  let on = false
  const w = relayWorld({ tamper: (m, to) => (on && to === towards ? change(m) : [m]) })
  return { ...w, attack: () => (on = true) }
}
const edit = (m: TunnelMessage, f: (text: string) => string): TunnelMessage => ('message' in m ? { ...m, message: utf8(f(fromUtf8(m.message)!)) } : m)

test('control: without the attack the same call stands', () => {
  const w = relayWorld()
  const { invite } = w.call(w.phone())
  assert.equal(invite.method, 'INVITE')
  assert.deepEqual(w.codes(), [])
})

const broken: readonly (readonly [string, (t: string) => string])[] = [
  ['cut off in the header', (t) => t.slice(0, 60)],
  ['cut off in the body', (t) => t.slice(0, -10)],
  ['with octets after the body', (t) => `${t}INVITE sip:x@y SIP/2.0\r\n`],
  ['with two messages in one', (t) => t + t],
  ['with another method in CSeq', (t) => t.replace('1 INVITE', '1 BYE')],
  ['of another SIP version', (t) => t.replace(' SIP/2.0\r\n', ' SIP/3.0\r\n')],
  ['that is a response', (t) => t.replace(/^INVITE \S+ SIP\/2\.0/, 'SIP/2.0 200 OK')],
  ['with a line break smuggled into From', (t) => t.replace('From: ', 'From: \rX: y')],
]
for (const [name, change] of broken) test(`a request ${name} reaches nobody, and its sender hears why`, () => {
  const w = hostile((m) => [edit(m, change)])
  const phone = w.phone()
  w.attack()
  const branch = phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(100)
  assert.deepEqual(w.pbx.requests, [])
  assert.equal(phone.last.status, 400)
  assert.match(headerOf(phone.last, 'Warning')!, /sent a SIP message that is none/)
  assert.ok(w.codes().includes('RELAY_BAD_MESSAGE'))
  phone.send('ACK', { branch })
  assert.deepEqual(w.left(), nothingLeft)
})

test('a request replayed, or under a number that goes back, is refused and counted', () => {
  const w = hostile((m) => [m, m, ...('id' in m ? [{ ...m, id: m.id - 1 } as TunnelMessage] : [])])
  const phone = w.phone()
  w.attack()
  w.pbx.answer = () => ({ status: 486 })
  phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(100)
  assert.equal(w.pbx.requests.filter((r) => r.method === 'INVITE').length, 1)
  assert.ok(w.codes().filter((c) => c === 'RELAY_REPLAY').length >= 2)
})

test('ACK and CANCEL dressed as requests, and ACKs of calls that there are not', () => {
  for (const method of ['ACK', 'CANCEL']) {
    const w = hostile((m) => [edit(m, (t) => t.replaceAll('INVITE', method))])
    const phone = w.phone()
    w.attack()
    phone.invite({ uri: 'sip:2002@127.0.0.1' })
    w.clock.advanceSync(100)
    assert.deepEqual(w.pbx.requests, [], method)
    assert.equal(phone.last.status, 400)
  }
  const w = hostile((m) => (m.k === 'sip-request' ? [{ k: 'sip-ack', message: utf8(fromUtf8(m.message)!.replaceAll('INVITE', 'ACK')) }] : [m]))
  w.attack()
  w.phone().invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(100)
  assert.deepEqual(w.pbx.requests, [])
  assert.ok(w.codes().includes('RELAY_MISMATCH'))
})

const strangers: readonly (readonly [string, (t: string) => string])[] = [
  ['of another call', (t) => t.replace(/Call-ID: \S+/, 'Call-ID: other')],
  ['to another person', (t) => t.replace(/(From: .*tag=)\w+/, '$1other')],
  ['to another number', (t) => t.replace(/CSeq: 1 /, 'CSeq: 7 ')],
  ['cut off', (t) => t.slice(0, 50)],
]
for (const [name, change] of strangers) test(`a server's answer ${name} is not believed`, () => {
  const w = hostile((m) => [m.k === 'sip-response' ? edit(m, change) : m], 'client')
  const phone = w.phone()
  w.attack()
  w.pbx.answer = w.answering
  phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(100)
  assert.deepEqual(phone.shown(), ['100 INVITE'])
  assert.ok(w.codes().some((c) => c === 'RELAY_MISMATCH' || c === 'RELAY_BAD_MESSAGE'))
})

test('a server cannot reach what is no phone of this client', () => {
  const w = hostile((m) => [m.k === 'sip-request' ? edit(m, (t) => t.replace(/^INVITE \S+/, 'INVITE sip:root@192.0.2.66:22')) : m], 'client')
  const phone = w.phone()
  const contact = w.register(phone)
  w.attack()
  w.pbx.invite({ uri: contact, body: pbxSdp })
  w.clock.advanceSync(100)
  assert.equal(w.pbx.last.status, 480)
  assert.deepEqual(phone.requests, [])
  assert.ok(w.codes().includes('RELAY_NO_TARGET'))
})

test('a client cannot send to another host than the PBX, whatever the Request-URI and Route say', () => {
  const w = hostile((m) => [m.k === 'sip-request' ? edit(m, (t) => t.replace(/^INVITE \S+/, 'INVITE sip:x@192.0.2.66').replace('Max-Forwards', 'Route: <sip:192.0.2.67;lr>\r\nMax-Forwards')) : m])
  const sent: string[] = []
  const { send } = w.trunk
  w.trunk.send = (data, flow) => {
    sent.push(flow.remote.address)
    return send.call(w.trunk, data, flow)
  }
  w.attack()
  w.phone().invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(100)
  assert.ok(sent.length > 0 && sent.every((a) => a === '10.0.0.9'))
})

test('one client cannot use the address of another client\'s phone', () => {
  const w = relayWorld()
  const other = w.another('mallory-key')
  const phone = w.phone()
  const contact = w.register(phone)
  const mallory = other.phone({ port: 6660, callId: 'mallory', user: 'mallory' })
  w.pbx.answer = w.answering
  mallory.invite({ uri: contact, to: `<${contact}>` })
  w.clock.advanceSync(100)
  assert.equal(w.pbx.requests.at(-1)!.uri.text, contact, 'to the half of another it is an address like any other: the PBX decides')
  assert.deepEqual(phone.requests, [])
})

test('from a phone: truncated and malformed SIP is answered 400, the relay goes on', () => {
  const w = relayWorld()
  const phone = w.phone()
  phone.raw('INVITE sip:2002@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 500\r\n\r\nv=0')
  w.clock.advanceSync(50)
  assert.equal(phone.last.status, 400)
  const { invite } = w.call(w.phone({ port: 6002, callId: 'good' }))
  assert.equal(invite.callId, 'good')
})

test('loops, foreign extensions and schemes are refused as a proxy does', () => {
  const w = relayWorld()
  const phone = w.phone()
  phone.raw('OPTIONS sip:2002@pbx SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKl;rport\r\nMax-Forwards: 0\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: l\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n')
  w.clock.advanceSync(20)
  assert.equal(phone.last.status, 483)
  phone.send('MESSAGE', { uri: 'sip:2002@pbx', headers: ['Proxy-Require: foo'] })
  w.clock.advanceSync(20)
  assert.equal(phone.last.status, 420)
  assert.equal(headerOf(phone.last, 'Unsupported'), 'foo')
  phone.send('MESSAGE', { uri: 'http://2002@pbx' })
  w.clock.advanceSync(20)
  assert.equal(phone.last.status, 416)
  assert.deepEqual(w.pbx.requests, [])
})

test('a refusal after the 2xx, and a request that is dressed as an ACK inside a call, are not believed', () => {
  const server = hostile((m) => (m.k === 'sip-response' && fromUtf8(m.message)!.startsWith('SIP/2.0 200') ? [m, edit(m, (t) => t.replace('SIP/2.0 200', 'SIP/2.0 486'))] : [m]), 'client')
  const caller = server.phone()
  server.attack()
  server.call(caller)
  assert.deepEqual(caller.shown(), ['100 INVITE', '200 INVITE'])
  assert.ok(server.codes().includes('RELAY_MISMATCH'))

  const client = hostile((m) => [m.k === 'sip-ack' ? edit(m, (t) => t.replace(/^ACK/, 'BYE').replace(/(CSeq: \d+) ACK/, '$1 BYE')) : m])
  client.attack()
  client.call(client.phone())
  assert.deepEqual(client.pbx.requests.map((r) => r.method), ['INVITE'])
  assert.ok(client.codes().includes('RELAY_MISMATCH'))
})

test('an INVITE inside a call that there is not: refused by the half that gets it, at either end', () => {
  const w = hostile(() => [])
  const phone = w.phone()
  const branch = phone.invite({ uri: 'sip:2002@127.0.0.1', to: '<sip:2002@127.0.0.1>;tag=none' })
  w.clock.advanceSync(100)
  assert.equal(phone.last.status, 481)
  assert.deepEqual(w.crossed, [], 'not even asked')
  phone.send('ACK', { branch })
  const other = hostile((m) => [m.k === 'sip-request' ? edit(m, (t) => t.replace(/^To: .*$/m, 'To: <sip:2002@127.0.0.1>;tag=none')) : m])
  other.attack()
  const second = other.phone()
  second.invite({ uri: 'sip:2002@127.0.0.1' })
  other.clock.advanceSync(100)
  assert.equal(second.last.status, 481)
  assert.deepEqual(other.pbx.requests, [])
})

test('a connection has 500 open requests and 128 calls at most; what is more is refused and counted', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.register(phone)
  w.pbx.answer = () => undefined
  for (let i = 0; i < 700; i++) {
    w.receiveAtServer({ k: 'sip-request', id: 10 + i, message: utf8(['MESSAGE sip:2002@pbx SIP/2.0', 'Via: SIP/2.0/TLS stc.invalid;branch=z9hG4bKstc', 'Max-Forwards: 70', 'From: <sip:alice@pbx>;tag=a', 'To: <sip:2002@pbx>', `Call-ID: m${i}`, 'CSeq: 1 MESSAGE', 'Content-Length: 0', '', ''].join('\r\n')) })
    if (i > 150) w.clock.advanceSync(35)
  }
  assert.equal(w.serverLoad()!.served, 500)
  assert.ok(w.codes().includes('RELAY_TOO_MANY'))

  const busy = relayWorld()
  busy.pbx.answer = busy.answering
  const statuses: number[] = []
  for (let i = 0; i < 131; i++) {
    const one = busy.phone({ port: 7000 + 2 * i, callId: `standing-${i}` })
    one.invite({ uri: 'sip:2002@127.0.0.1' })
    busy.clock.advanceSync(600)
    statuses.push(one.last.status)
  }
  assert.deepEqual([statuses.filter((x) => x === 200).length, statuses.at(-1), busy.serverLoad()!.dialogs], [128, 503, 128])
})
