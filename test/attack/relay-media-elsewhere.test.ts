/** Session descriptions that point the media at somebody else, or around us. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '../../src/base/bytes.ts'
import { nothingLeft, pbxSdp, relayWorld, uriOf } from '../kit/relay-world.ts'
import { headerOf, sdpOf } from '../kit/sip-phone.ts'

test('control: the phone\'s own address is fine, also one of this machine for a phone on loopback', () => {
  const w = relayWorld()
  w.call(w.phone())
  assert.equal(w.clientMedia.legs[0]!.localAudio?.address, '127.0.0.1')
})

const victim = '192.0.2.66'
for (const [name, sdp] of [
  ['c=', sdpOf(undefined, victim)],
  ['c= of the stream', sdpOf(['m=audio 4000 RTP/AVP 0', `c=IN IP4 ${victim}`])],
  ['IPv6', sdpOf(['m=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8::66'])],
] as const) test(`an offer that names another host is refused: ${name}`, () => {
  const w = relayWorld()
  const phone = w.phone()
  const branch = phone.invite({ uri: 'sip:2002@127.0.0.1', body: sdp })
  w.clock.advanceSync(50)
  assert.equal(phone.last.status, 488)
  assert.match(headerOf(phone.last, 'Warning')!, /points the media at another host/)
  assert.deepEqual(w.pbx.requests, [])
  assert.deepEqual(w.codes(), ['RELAY_MEDIA_ELSEWHERE'])
  phone.send('ACK', { branch })
  assert.deepEqual(w.left(), nothingLeft)
})

test('multicast, broadcast and names are refused', () => {
  for (const address of ['224.0.0.5', '255.255.255.255', 'victim.example']) {
    const w = relayWorld()
    const phone = w.phone()
    phone.invite({ uri: 'sip:2002@127.0.0.1', body: sdpOf(undefined, address) })
    w.clock.advanceSync(50)
    assert.equal(phone.last.status, 488, address)
    assert.deepEqual(w.pbx.requests, [])
  }
})

test('a re-INVITE, and the answer of a called phone, cannot move the media either', () => {
  const w = relayWorld()
  const phone = w.phone()
  const { target } = w.call(phone)
  const branch = phone.send('INVITE', { uri: target, body: sdpOf(undefined, victim) })
  w.clock.advanceSync(50)
  phone.send('ACK', { uri: target, branch })
  assert.equal(phone.last.status, 488)
  assert.equal(w.clientMedia.legs[0]!.localAudio?.address, '127.0.0.1')

  const called = relayWorld()
  const callee = called.phone()
  const contact = called.register(callee)
  callee.answer = (r) => (r.method === 'INVITE' ? { status: 200, body: sdpOf(undefined, victim) } : { status: 200 })
  called.pbx.invite({ uri: contact, body: pbxSdp })
  called.clock.advanceSync(100)
  assert.equal(called.pbx.last.status, 488)
  assert.deepEqual(callee.requests.map((r) => r.method), ['INVITE', 'ACK', 'BYE'], 'the phone that answered so is hung up')
  assert.equal(called.clientMedia.legs[0]!.localAudio, undefined)
})

test('a phone of the LAN cannot have sound sent to this machine\'s own loopback', () => {
  const w = relayWorld()
  const phone = w.phone({ address: '192.0.2.10', port: 6000 })
  w.pbx.answer = w.answering
  phone.invite({ uri: 'sip:2002@127.0.0.1', body: sdpOf(undefined, '127.0.0.1') })
  w.clock.advanceSync(50)
  assert.equal(phone.last.status, 488)
  assert.deepEqual(w.pbx.requests, [])
  assert.ok(w.codes().includes('RELAY_MEDIA_ELSEWHERE'))
})

test('an ACK that points the media elsewhere is not passed on, and counted', () => {
  const w = relayWorld()
  const phone = w.phone()
  const { target } = w.call(phone)
  const acks = w.pbx.requests.filter((r) => r.method === 'ACK').length
  phone.send('ACK', { uri: target, body: sdpOf(undefined, victim) })
  w.clock.advanceSync(50)
  assert.equal(w.pbx.requests.filter((r) => r.method === 'ACK').length, acks)
  assert.ok(w.codes().includes('RELAY_MEDIA_ELSEWHERE'))
})

test('RTCP to another host, ICE, keys and multiplexing are taken out; other streams are refused', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.pbx.answer = w.answering
  phone.invite({
    uri: 'sip:2002@127.0.0.1',
    body: sdpOf(['m=audio 4000 RTP/AVP 0', `a=rtcp:4001 IN IP4 ${victim}`, 'a=rtcp-mux', `a=candidate:1 1 UDP 1 ${victim} 9000 typ host`, 'a=ice-ufrag:x', 'a=ice-pwd:y', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x', 'a=ssrc:1 cname:x', 'a=ptime:20', 'm=video 4002 RTP/AVP 96', `c=IN IP4 ${victim}`]),
  })
  w.clock.advanceSync(50)
  const body = fromUtf8(w.pbx.requests[0]!.body)!
  assert.doesNotMatch(body, /192\.0\.2\.66|candidate|ice-|crypto|rtcp|ssrc/)
  assert.match(body, /m=audio 40000 RTP\/AVP 0\r\na=ptime:20\r\nm=video 0 /)
  assert.equal(w.clientMedia.legs[0]!.localAudio?.rtcpPort, 4001)
})

test('what we cannot look into does not pass: multipart, compressed, SRTP end to end', () => {
  const w = relayWorld()
  for (const [i, o, status] of [
    [0, { type: 'multipart/mixed;boundary=x', body: `--x\r\nContent-Type: application/sdp\r\n\r\n${sdpOf(undefined, victim)}\r\n--x--` }, 415],
    [1, { headers: ['Content-Encoding: gzip'] }, 415],
    [2, { body: sdpOf(['m=audio 4000 RTP/SAVP 0', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x']) }, 488],
    [3, { body: 'v=0\r\nnonsense' }, 400],
  ] as const) {
    const phone = w.phone({ port: 6100 + 2 * i, callId: `c${i}` })
    phone.invite({ uri: 'sip:2002@127.0.0.1', ...o })
    w.clock.advanceSync(20)
    assert.equal(phone.last.status, status)
  }
  assert.deepEqual(w.pbx.requests, [])
})

test('a description outside a call is refused', () => {
  const w = relayWorld()
  const phone = w.phone()
  phone.send('MESSAGE', { uri: 'sip:2002@127.0.0.1', body: sdpOf() })
  w.clock.advanceSync(20)
  assert.equal(phone.last.status, 500)
  assert.deepEqual(w.pbx.requests, [])
})

test('the PBX can only be answered at our address, whatever the client says of itself', () => {
  const w = relayWorld()
  const { invite } = w.call(w.phone())
  assert.match(fromUtf8(invite.body)!, /c=IN IP4 10\.0\.0\.1/)
  assert.match(uriOf(headerOf(invite, 'Contact')!), /@10\.0\.0\.1:5080$/)
})
