/** What seldom happens to calls through the relay: repeated and late signs, a side that says nothing more, a connection of the phone that ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import { sipUri } from '../../../src/protocol/sip/index.ts'
import type { TunnelMessage } from '../../../src/telephony/relay/index.ts'
import { Tokens } from '../../../src/telephony/relay/tokens.ts'
import { nothingLeft, pbxSdp, relayWorld } from '../../kit/relay-world.ts'
import { headerOf, sdpOf } from '../../kit/sip-phone.ts'

const kinds = (w: ReturnType<typeof relayWorld>, towards: 'client' | 'server'): string[] => w.crossed.filter((c) => c.towards === towards).map((c) => c.m.k)

test('a CANCEL crosses once, and not at all once the call is answered', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 })
  const branch = phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(50)
  for (let i = 0; i < 2; i++) phone.send('CANCEL', { uri: 'sip:2002@127.0.0.1', branch })
  w.clock.advanceSync(50)
  assert.equal(kinds(w, 'server').filter((k) => k === 'sip-cancel').length, 1)

  const answered = relayWorld()
  const other = answered.phone()
  answered.pbx.answer = answered.answering
  const again = other.invite({ uri: 'sip:2002@127.0.0.1' })
  answered.clock.advanceSync(50)
  other.send('CANCEL', { uri: 'sip:2002@127.0.0.1', branch: again })
  answered.clock.advanceSync(50)
  assert.ok(!kinds(answered, 'server').includes('sip-cancel'))
})

test('the other half says nothing more after a CANCEL: the phone gets its 487 all the same', () => {
  let mute = false
  const w = relayWorld({ tamper: (m: TunnelMessage) => (mute ? [] : [m]) })
  const phone = w.phone()
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 })
  const branch = phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(50)
  mute = true
  phone.send('CANCEL', { uri: 'sip:2002@127.0.0.1', branch })
  w.clock.advanceSync(30_000)
  assert.deepEqual(phone.shown(), ['100 INVITE', '180 INVITE', '200 CANCEL'])
  w.clock.advanceSync(5000)
  assert.equal(phone.responses.at(-1)!.status, 487)
  phone.send('ACK', { branch })
})

test('a phone that says again and again that it rings is not cancelled after three minutes', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.pbx.answer = (r) => (r.method === 'CANCEL' ? { status: 200 } : undefined)
  const branch = phone.invite({ uri: 'sip:2002@127.0.0.1' })
  for (let i = 0; i < 4; i++) {
    w.clock.advanceSync(300)
    w.pbx.respond(w.pbx.requests[0]!, 180)
    w.clock.advanceSync(120_000)
  }
  assert.deepEqual(w.pbx.requests.map((r) => r.method), ['INVITE'])
  w.clock.advanceSync(80_000)
  assert.deepEqual(w.pbx.requests.map((r) => r.method), ['INVITE', 'CANCEL'])
  w.clock.advanceSync(40_000)
  phone.send('ACK', { branch })
  assert.deepEqual(w.left(), nothingLeft)
})

test('the connection of a phone ends while its call rings: the PBX hears CANCEL', () => {
  const w = relayWorld({ phoneTransport: 'TCP' })
  const phone = w.phone()
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 })
  phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(50)
  phone.gone = true
  w.phones.listener!.lost(phone.flow)
  w.pbx.respond(w.pbx.requests[0]!, 486)
  w.clock.advanceSync(50)
  const second = relayWorld({ phoneTransport: 'TCP' })
  const late = second.phone()
  second.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 })
  late.invite({ uri: 'sip:2002@127.0.0.1' })
  second.clock.advanceSync(50)
  late.gone = true
  second.phones.listener!.lost(late.flow)
  second.clock.advanceSync(100)
  assert.deepEqual(second.pbx.requests.map((r) => r.method), ['INVITE', 'CANCEL'])
})

test('the PBX is gone while it rings a phone: the client is told to stop it, also one that knows no `sip-gone`', () => {
  const w = relayWorld()
  const phone = w.phone()
  const contact = w.register(phone)
  phone.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 })
  w.pbx.invite({ uri: contact, body: pbxSdp })
  w.clock.advanceSync(50)
  w.upstream.pbxGone('gone')
  assert.ok(kinds(w, 'client').includes('sip-cancel'))
  w.clock.advanceSync(50)
  assert.equal(phone.requests.at(-1)!.method, 'CANCEL')
})

test('a PBX that floods one phone with requests has 500 open ones at most', () => {
  const w = relayWorld()
  const phone = w.phone()
  const contact = w.register(phone)
  phone.answer = () => undefined
  for (let i = 0; i < 510; i++) w.pbx.send('MESSAGE', { uri: contact, branch: `z9hG4bKflood${i}`, cseq: 100 + i })
  w.clock.advanceSync(50)
  const refused = w.pbx.responses.filter((r) => r.cseq.method === 'MESSAGE' && r.status === 503)
  assert.equal(refused.length, 10)
  assert.equal(headerOf(refused[0]!, 'Retry-After'), '5')
  assert.ok(w.codes().includes('RELAY_FLOOD'))
})

test('the BYE in the other party\'s name has the next number, and goes to where the phone is now', () => {
  const w = relayWorld()
  const phone = w.phone()
  const { invite, target } = w.call(phone)
  for (const cseq of [40, 41]) {
    w.inside(invite, 'OPTIONS', { cseq })
    w.clock.advanceSync(50)
  }
  const moved = w.phone({ port: 6444, callId: phone.callId })
  const say = (method: string, body: string): void => moved.raw([
    `${method} ${target} SIP/2.0`, `Via: SIP/2.0/UDP 127.0.0.1:6444;branch=z9hG4bKmoved${method};rport`, 'Max-Forwards: 70', 'From: <sip:alice@127.0.0.1>;tag=f6000', `To: ${phone.to}`,
    `Call-ID: ${phone.callId}`, `CSeq: 20 ${method}`, 'Contact: <sip:alice@127.0.0.1:6444>', ...(body === '' ? [] : ['Content-Type: application/sdp']), `Content-Length: ${body.length}`, '', body,
  ].join('\r\n'))
  say('INVITE', sdpOf())
  w.clock.advanceSync(50)
  assert.equal(moved.last.status, 200)
  say('ACK', '')
  w.clock.advanceSync(50)
  w.cut()
  w.clock.advanceSync(50)
  assert.deepEqual(phone.requests.filter((r) => r.method === 'BYE'), [])
  const last = moved.requests.at(-1)!
  assert.deepEqual([last.method, last.cseq.number, last.uri.text], ['BYE', 42, 'sip:alice@127.0.0.1:6444'])
})

test('a phone that moved by UPDATE is said goodbye where it is now', () => {
  const w = relayWorld()
  const phone = w.phone()
  const { target } = w.call(phone)
  phone.raw([`UPDATE ${target} SIP/2.0`, 'Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKupdate;rport', 'Max-Forwards: 70', 'From: <sip:alice@127.0.0.1>;tag=f6000', `To: ${phone.to}`, `Call-ID: ${phone.callId}`, 'CSeq: 30 UPDATE', 'Contact: <sip:alice-2@127.0.0.1:6000>', 'Content-Length: 0', '', ''].join('\r\n'))
  w.clock.advanceSync(50)
  assert.equal(phone.last.status, 200)
  w.cut()
  w.clock.advanceSync(50)
  assert.deepEqual([phone.requests.at(-1)!.method, phone.requests.at(-1)!.uri.text], ['BYE', 'sip:alice-2@127.0.0.1:6000'])
})

test('while a client is away its phones are silent to a PBX that qualifies their contacts; other questions to us are answered', () => {
  const w = relayWorld()
  const phone = w.phone()
  const token = w.register(phone)
  w.cut()
  w.clock.advanceSync(50)
  const before = w.pbx.responses.length
  w.pbx.send('OPTIONS', { uri: token, to: `<${token}>` })
  w.clock.advanceSync(5000)
  assert.equal(w.pbx.responses.length, before)
  w.pbx.send('OPTIONS', { uri: 'sip:10.0.0.1:5080', to: '<sip:10.0.0.1>' })
  w.clock.advanceSync(50)
  assert.equal(w.pbx.last.status, 200)
  w.pbx.invite({ uri: token, to: `<${token}>`, body: pbxSdp })
  w.clock.advanceSync(50)
  assert.equal(w.pbx.last.status, 480)
})

const contact = (n: number) => sipUri({ scheme: 'sip', user: `u${n}`, host: '192.0.2.1' })
const at = { host: '10.0.0.1', port: 5080, transport: 'UDP' }
const newTokens = (limit?: number) => new Tokens<{ readonly name: string }>((d) => createNodeCrypto().hmac('sha256', new Uint8Array(32), d), limit)

test('of one client 200 contacts are kept: the one unused longest is forgotten, those of others are not', () => {
  const tokens = newTokens()
  const [anna, bert] = [{ name: 'anna' }, { name: 'bert' }]
  const [berts, first] = [tokens.present(bert, contact(0), at), tokens.present(anna, contact(0), at)]
  for (let i = 1; i < 200; i++) tokens.present(anna, contact(i), at)
  const second = tokens.present(anna, contact(1), at)
  assert.notEqual(tokens.find(first), undefined)
  tokens.present(anna, contact(200), at)
  assert.equal(tokens.find(first), undefined)
  assert.ok(tokens.find(second) !== undefined && tokens.find(berts)?.owner === bert)
})

test('a contact that the PBX has is forgotten after those that it has not, until it names others for the same address of record', () => {
  for (const dropped of [false, true]) {
    const tokens = newTokens(10)
    const anna = { name: 'anna' }
    const tell = (n: number) => tokens.present(anna, contact(n), at)
    const desk = tell(0)
    tokens.keep(anna, 'sip:100@pbx', [desk])
    tokens.keep(anna, 'sip:101@pbx', [tell(1)])
    // What the PBX answers to `Contact: *`, or to another phone for the same number.
    if (dropped) tokens.keep(anna, 'sip:100@pbx', [])
    for (let n = 2; n < 12; n++) tell(n)
    assert.equal(tokens.find(desk) !== undefined, !dropped)
  }
})

test('whatever the PBX has, a contact that is being told is not forgotten, nor the one before it', () => {
  const tokens = newTokens(10)
  const anna = { name: 'anna' }
  const all = Array.from({ length: 12 }, (_, n) => {
    const token = tokens.present(anna, contact(n), at)
    if (n < 10) tokens.keep(anna, `sip:${n}@pbx`, [token])
    return token
  })
  assert.deepEqual(all.map((token) => tokens.find(token) !== undefined), [false, false, ...Array<boolean>(10).fill(true)])
})

test('a client whose phones came from 200 addresses before: its newest phone is called all the same', () => {
  const w = relayWorld()
  const phones = Array.from({ length: 203 }, (_, i) => w.phone({ port: 6000 + i, callId: `c${i}`, user: `u${i}` }))
  const [newest] = phones.map((phone) => w.register(phone)).slice(-1)
  w.pbx.invite({ uri: newest!, body: '' })
  w.clock.advanceSync(50)
  assert.equal(phones.at(-1)!.requests.at(-1)?.method, 'INVITE')
})
