/** Rules of the relay beside those of `test/attack`: help comes before all of them, and nothing of the PBX is believed unseen either. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SipRequest } from '../../../src/protocol/sip/index.ts'
import { pbxSdp, relayWorld, uriOf } from '../../kit/relay-world.ts'
import { headerOf, type ScriptedPhone } from '../../kit/sip-phone.ts'

const authorization = 'Authorization: Digest username="alice", realm="asterisk", nonce="n1", uri="sip:112@127.0.0.1", nc=00000001, cnonce="c", qop=auth, response="00"'
const challenge = 'WWW-Authenticate: Digest realm="asterisk", nonce="n1", algorithm=MD5, qop="auth"'

test('an emergency call passes the server although its client guessed passwords, floods, and speaks in another\'s name', () => {
  const w = relayWorld()
  w.register(w.another('bob-key').phone({ port: 6300, callId: 'bob', user: 'bob' }))
  w.pbx.answer = () => ({ status: 401, headers: [challenge] })
  const phone = w.phone()
  for (let i = 0; i < 12; i++) {
    phone.send('REGISTER', { uri: 'sip:pbx.example', headers: [authorization] })
    w.clock.advanceSync(500)
  }
  for (let i = 0; i < 300; i++) w.receiveAtServer({ k: 'sip-request', id: 1000 + i, message: w.crossed.find(({ m }) => m.k === 'sip-request')!.m['message' as never] })
  const refusals = w.codes()
  assert.ok(refusals.includes('RELAY_GUESSING') && refusals.includes('RELAY_FLOOD'))
  const help = w.phone({ port: 6002, callId: 'help', user: 'bob' })
  w.pbx.answer = w.answering
  for (const headers of [[], [authorization]]) {
    help.invite({ uri: 'sip:112@127.0.0.1', headers })
    w.clock.advanceSync(50)
    const last = w.crossed.findLast(({ m }) => m.k === 'sip-request')!.m
    // The flood took the numbers of this connection as well.
    w.receiveAtServer({ ...(last as Extract<typeof last, { k: 'sip-request' }>), id: 5000 + headers.length })
    w.clock.advanceSync(50)
    assert.equal(w.pbx.requests.at(-1)!.callId, 'help')
  }
})

test('a PBX that is known to be dead: 503 at once, for emergency calls too', () => {
  const w = relayWorld()
  w.state.dead = true
  const phone = w.phone()
  phone.invite({ uri: 'sip:112@127.0.0.1' })
  w.clock.advanceSync(20)
  assert.deepEqual(phone.shown(), ['100 INVITE', '503 INVITE'])
  assert.deepEqual(w.pbx.requests, [])
})

/** Answers every registration that brings a password. */
const registrar = (r: SipRequest) => (headerOf(r, 'Authorization') === undefined ? { status: 401, headers: [challenge] } : { status: 200, headers: [`Contact: ${headerOf(r, 'Contact')};expires=300`] })
const registers = (w: ReturnType<typeof relayWorld>, phone: ScriptedPhone, ms: number): number | undefined => {
  phone.send('REGISTER', { uri: 'sip:pbx.example', to: `<sip:${phone.user}@pbx.example>`, headers: ['Expires: 300', authorization.replace('alice', phone.user)] })
  w.clock.advanceSync(ms)
  return phone.responses.at(-1)?.status
}

test('passwords that a PBX never answered are no guesses: phones hear that it is gone, not that they are wrong, and register when it is back', () => {
  const w = relayWorld()
  const phones = Array.from({ length: 30 }, (_, i) => w.phone({ port: 6100 + i, callId: `phone-${i}`, user: `user-${i}` }))
  const all = (ms: number): Set<number | undefined> => {
    for (const p of phones) registers(w, p, 0)
    w.clock.advanceSync(ms)
    return new Set(phones.map((p) => p.responses.at(-1)?.status))
  }
  w.pbx.answer = () => undefined
  for (let i = 0; i < 6; i++) assert.deepEqual([...all(40_000)], [undefined], 'it is there and says nothing, and the phones have given up')
  w.state.dead = true
  for (let i = 0; i < 10; i++) assert.deepEqual([...all(2000)], [503], 'it is known to be dead')
  w.state.dead = false
  w.state.pbx = false
  for (let i = 0; i < 10; i++) assert.deepEqual([...all(2000)], [503], 'there is no way')
  w.state.pbx = true
  w.pbx.answer = registrar
  assert.deepEqual([...all(100)], [200])
  assert.ok(!w.codes().includes('RELAY_GUESSING'))
})

test('a password that was refused here counts for nothing, one whose answer found nobody there any more as it was answered', () => {
  const w = relayWorld()
  w.register(w.another('other-key').phone({ port: 6300, callId: 'bob', user: 'bob' }))
  w.pbx.answer = registrar
  const phone = w.phone()
  for (let i = 0; i < 10; i++) {
    phone.send('MESSAGE', { uri: 'sip:2002@127.0.0.1', from: 'bob', headers: [authorization] })
    w.clock.advanceSync(100)
    assert.match(headerOf(phone.last, 'Warning')!, /registered by somebody else/)
  }
  const left = (status: number): void => {
    w.pbx.answer = () => undefined
    registers(w, phone, 50)
    w.cut()
    w.pbx.respond(w.pbx.requests.at(-1)!, status, status === 401 ? [challenge] : [])
    w.clock.advanceSync(1000)
    w.state.up = true
    w.connect()
    w.pbx.answer = registrar
  }
  for (let i = 0; i < 10; i++) left(486)
  assert.equal(registers(w, phone, 100), 200, 'and is known from now on')
  const guesser = w.another('mallory-key')
  const wrong = guesser.phone({ port: 6660, callId: 'mallory', user: 'mallory' })
  for (let i = 0; i < 5; i++) {
    w.pbx.answer = () => undefined
    registers(w, wrong, 50)
    guesser.cut()
    w.pbx.respond(w.pbx.requests.at(-1)!, 401, [challenge])
    w.clock.advanceSync(1000)
    w.state.up = true
    guesser.connect()
  }
  w.clock.advanceSync(40_000)
  assert.equal(registers(w, wrong, 100), 403)
})

test('an answer of the PBX in other people\'s names goes to nobody', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.pbx.answer = () => undefined
  phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(50)
  const invite = w.pbx.requests[0]!
  for (const wrong of [{ callId: 'another' }, { from: { ...invite.from, params: [{ name: 'tag', value: 'other' }], text: '<sip:alice@127.0.0.1>;tag=other' } }]) w.pbx.respond({ ...invite, ...wrong }, 200, [], pbxSdp)
  w.clock.advanceSync(50)
  assert.deepEqual(phone.shown(), ['100 INVITE'])
  assert.deepEqual(w.codes().filter((c) => c === 'RELAY_MISMATCH').length, 2)
  assert.deepEqual(w.crossed.filter(({ m }) => m.k === 'sip-response'), [], 'it does not even cross')
})

test('a client does not learn from the PBX where another client\'s phone is', () => {
  const w = relayWorld()
  const token = w.register(w.phone({ address: '127.0.0.1', port: 6000 }))
  const other = w.another('mallory-key').phone({ port: 6660, callId: 'mallory', user: 'mallory' })
  const { invite } = w.call(other)
  w.inside(invite, 'REFER', { headers: [`Refer-To: <${token}>`] })
  w.clock.advanceSync(50)
  const refer = other.requests.at(-1)!
  assert.equal(refer.method, 'REFER')
  assert.doesNotMatch(headerOf(refer, 'Refer-To')!, /alice|6000/)
})

test('the PBX cannot point sound at a group or everybody', () => {
  for (const address of ['224.0.0.5', '255.255.255.255']) {
    const w = relayWorld()
    const phone = w.phone()
    w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 200, body: pbxSdp.replaceAll('10.0.0.9', address) } : { status: 200 })
    phone.invite({ uri: 'sip:2002@127.0.0.1' })
    w.clock.advanceSync(100)
    assert.equal(phone.last.status, 488, address)
    assert.equal(w.pbx.requests.at(-1)!.method, 'BYE', 'whoever answered is hung up on')
  }
})

test('a phone that never registered keeps its calls although another host names the same Contact', () => {
  const w = relayWorld()
  const alice = w.phone()
  const { invite } = w.call(alice)
  const thief = w.phone({ address: '127.0.0.66', port: 6000, callId: 'thief' })
  thief.raw(`OPTIONS sip:2002@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.66:6000;branch=z9hG4bKt;rport\r\nMax-Forwards: 70\r\nFrom: <sip:alice@pbx>;tag=9\r\nTo: <sip:alice@pbx>\r\nCall-ID: thief\r\nCSeq: 1 OPTIONS\r\nContact: <sip:alice@127.0.0.1:6000>\r\nContent-Length: 0\r\n\r\n`)
  w.clock.advanceSync(50)
  w.inside(invite, 'BYE')
  w.clock.advanceSync(50)
  assert.equal(alice.requests.at(-1)!.method, 'BYE')
  assert.deepEqual(thief.requests, [])
  assert.match(uriOf(headerOf(invite, 'Contact')!), /^sip:stc/)
})
