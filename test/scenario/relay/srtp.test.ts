/** A phone's own SRTP (SDES, RFC 4568) in calls that are relayed: what it is answered and offered, what is refused, and that no key crosses. Virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '../../../src/base/bytes.ts'
import type { SdesKey } from '../../../src/protocol/sdp/index.ts'
import { parseSdp, sdesKeysOf } from '../../../src/protocol/sdp/index.ts'
import type { SipMessage } from '../../../src/protocol/sip/index.ts'
import { must } from '../../../src/base/result.ts'
import { pbxSdp, relayWorld, uriOf } from '../../kit/relay-world.ts'
import { headerOf, type ScriptedPhone, sdpOf } from '../../kit/sip-phone.ts'

const at = '192.0.2.20'
const inline = (fill: string, octets = 28): string => Buffer.alloc(octets, fill).toString('base64')
const crypto = (fill: string, tag = 1, suite = 'AEAD_AES_128_GCM'): string => `a=crypto:${tag} ${suite} inline:${inline(fill, suite === 'AES_CM_128_HMAC_SHA1_80' ? 30 : 28)}`
const streamOf = (protocol: string, lines: readonly string[] = [], address = at): string => sdpOf([`m=audio 4000 RTP/${protocol} 0`, ...lines], address)
const body = (m: SipMessage): string => fromUtf8(m.body)!
const keysIn = (m: SipMessage): readonly SdesKey[] => sdesKeysOf(must(parseSdp(m.body)).media[0]!)
const inlineOf = (k: SdesKey): string => Buffer.concat([k.masterKey, k.masterSalt]).toString('base64')
const ofLeg = (w: ReturnType<typeof relayWorld>) => w.clientMedia.legs.at(-1)!.localAudio
const OUT = 'sip:2002@pbx.example'
const desk = (w: ReturnType<typeof relayWorld>, o: { port?: number; callId?: string } = {}): ScriptedPhone => w.phone({ address: at, ...o })
const asks = (w: ReturnType<typeof relayWorld>, phone: ScriptedPhone, sdp: string, uri = OUT): number => {
  phone.invite({ uri, body: sdp })
  w.clock.advanceSync(100)
  return phone.last.status
}
/** A call of the phone that stands, in clear. */
function inClear(w: ReturnType<typeof relayWorld>): { phone: ScriptedPhone; target: string } {
  w.pbx.answer = w.answering
  const phone = desk(w)
  assert.equal(asks(w, phone, streamOf('AVP')), 200)
  phone.ack()
  const target = uriOf(headerOf(phone.last, 'Contact')!)
  return { phone, target }
}

test('a phone over TLS calls under its keys: it is answered with its tag and a key of ours, the PBX sees plain RTP, and no key crosses', () => {
  const w = relayWorld({ phoneTransport: 'TLS', srtp: 'offered' })
  w.pbx.answer = () => ({ status: 180 })
  const phone = desk(w)
  assert.equal(asks(w, phone, streamOf('SAVP', [crypto('a', 7), crypto('b', 8, 'AES_CM_128_HMAC_SHA1_80')])), 180)
  assert.equal(ofLeg(w), undefined, 'nothing is sent or taken in clear before there are keys')
  w.pbx.respond(w.pbx.requests[0]!, 200, [], pbxSdp)
  w.clock.advanceSync(100)
  assert.equal(phone.last.status, 200)
  assert.match(body(phone.last), /m=audio 30000 RTP\/SAVP 0/)
  const [ours, ...others] = keysIn(phone.last)
  assert.deepEqual([ours!.tag, ours!.suite, others.length], [7, 'AEAD_AES_128_GCM', 0])
  const { srtp } = ofLeg(w)!
  assert.deepEqual([inlineOf(srtp!.receive), inlineOf(srtp!.send)], [inline('a'), inlineOf(ours!)])
  const invite = w.pbx.requests.find((r) => r.method === 'INVITE')!
  assert.match(body(invite), /RTP\/AVP 0/)
  const octets = [...w.crossed.flatMap(({ m }) => ('message' in m ? [fromUtf8(m.message)!] : [])), body(invite)].join('\n')
  assert.match(octets, /RTP\/AVP/)
  for (const secret of ['crypto', inline('a'), inline('b', 30), inlineOf(ours!), 'SAVP']) assert.ok(!octets.includes(secret), secret)

  // On hold and back: the same keys go on.
  phone.ack()
  w.pbx.answer = w.answering
  for (const direction of ['sendonly', 'sendrecv']) {
    phone.send('INVITE', { uri: uriOf(headerOf(phone.last, 'Contact')!), body: streamOf('SAVP', [crypto('a', 7), `a=${direction}`]) })
    w.clock.advanceSync(100)
    phone.ack()
    assert.equal(inlineOf(keysIn(phone.last)[0]!), inlineOf(ours!))
  }
  assert.deepEqual(ofLeg(w)!.srtp, srtp)
})

test('RTP/AVP with keys is best effort: taken, and answered so', () => {
  const w = relayWorld({ phoneTransport: 'TLS', srtp: 'offered' })
  w.pbx.answer = w.answering
  const phone = desk(w)
  assert.equal(asks(w, phone, streamOf('AVP', [crypto('a')])), 200)
  assert.match(body(phone.last), /RTP\/AVP 0 101\r\n[\s\S]*a=crypto:1 AEAD_AES_128_GCM inline:/)
  assert.ok(ofLeg(w)!.srtp !== undefined)
})

test('a phone over TLS is called: best effort where keys are offered, SRTP alone where they are required; what it answers counts', () => {
  for (const [policy, protocol, answer, status, srtp] of [
    ['offered', 'AVP', 'keys', 200, true], ['offered', 'AVP', 'clear', 200, false], ['required', 'SAVP', 'keys', 200, true], ['required', 'SAVP', 'clear', 488, undefined], ['required', 'SAVP', 'SAVP without a key', 488, undefined],
  ] as const) {
    const w = relayWorld({ phoneTransport: 'TLS', srtp: policy })
    const phone = desk(w)
    const contact = w.register(phone)
    phone.answer = (r) => (r.method !== 'INVITE' ? { status: 200 } : { status: 200, body: answer === 'keys' ? streamOf(protocol, [crypto('p', keysIn(r)[1]!.tag)]) : streamOf(answer === 'clear' ? 'AVP' : 'SAVP') })
    w.pbx.invite({ uri: contact, body: pbxSdp, to: '<sip:alice@10.0.0.1>' })
    w.clock.advanceSync(200)
    const about = `${policy}, ${answer}`
    const invite = phone.requests.find((r) => r.method === 'INVITE')!
    assert.match(body(invite), new RegExp(`RTP/${protocol} 0`), about)
    assert.deepEqual(keysIn(invite).map((k) => k.suite), ['AEAD_AES_256_GCM', 'AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'])
    assert.equal(w.pbx.last.status, status, about)
    if (status !== 200) {
      assert.ok(phone.requests.some((r) => r.method === 'BYE'), 'whoever answered so is hung up on')
      assert.equal(ofLeg(w), undefined, 'and nothing was sent in clear')
      continue
    }
    assert.equal(ofLeg(w)!.srtp !== undefined, srtp, about)
    if (srtp) assert.deepEqual([inlineOf(ofLeg(w)!.srtp!.receive), inlineOf(ofLeg(w)!.srtp!.send)], [inline('p'), inlineOf(keysIn(invite)[1]!)])
    assert.doesNotMatch(body(w.pbx.last), /crypto|SAVP/)
  }
})

test('a phone that takes SRTP alone refuses keys in RTP/AVP, and is asked again as it wants it; once', () => {
  for (const [last, status] of [[200, 200], [488, 488]] as const) {
    const w = relayWorld({ phoneTransport: 'TLS', srtp: 'offered' })
    const phone = desk(w)
    const contact = w.register(phone)
    phone.answer = (r) => (r.method !== 'INVITE' ? { status: 200 } : !body(r).includes('SAVP') || last !== 200 ? { status: 488 } : { status: 200, body: streamOf('SAVP', [crypto('p', keysIn(r)[1]!.tag)]) })
    w.pbx.invite({ uri: contact, body: pbxSdp, to: '<sip:alice@10.0.0.1>' })
    w.clock.advanceSync(200)
    assert.deepEqual(phone.requests.filter((r) => r.method === 'INVITE').map((r) => /RTP\/S?AVP/.exec(body(r))![0]), ['RTP/AVP', 'RTP/SAVP'])
    assert.deepEqual([w.pbx.shown().filter((x) => /^[2-6].. INVITE/.test(x)), ofLeg(w)?.srtp !== undefined], [[`${status} INVITE`], status === 200])
    assert.deepEqual(phone.requests.filter((r) => r.method === 'ACK').length, status === 200 ? 1 : 2, 'each refusal')
  }
})

test('on this machine nobody is offered keys, who offers some is answered', () => {
  const w = relayWorld({ srtp: 'offered' })
  const phone = w.phone()
  const contact = w.register(phone)
  phone.answer = () => ({ status: 200, body: sdpOf() })
  w.pbx.invite({ uri: contact, body: pbxSdp, to: '<sip:alice@10.0.0.1>' })
  w.clock.advanceSync(200)
  assert.doesNotMatch(body(phone.requests.find((r) => r.method === 'INVITE')!), /crypto/)
  assert.equal(asks(w, w.phone({ port: 6002, callId: 'out' }), streamOf('SAVP', [crypto('a')], '127.0.0.1')), 200)
  assert.ok(ofLeg(w)!.srtp !== undefined)
})

test('a relayed call is refused for its keys as a call into a room is: the same code, and the same words', () => {
  const said = (m: SipMessage): string => headerOf(m, 'Warning') ?? ''
  for (const [phoneTransport, srtp, sdp, code, why] of [
    ['TLS', 'required', streamOf('AVP', [], '127.0.0.1'), 'SDP_SRTP_REQUIRED', ''],
    ['TLS', 'offered', streamOf('SAVP', ['a=crypto:1 F8_128_HMAC_SHA1_80 inline:AAAA'], '127.0.0.1'), 'SDP_SRTP_REFUSED', 'no usable key'],
    ['UDP', 'off', streamOf('SAVP', [crypto('a')], '127.0.0.1'), 'SDP_SRTP_REFUSED', 'the policy is off'],
  ] as const) {
    const w = relayWorld({ phoneTransport, srtp })
    const [relayed, room] = [w.phone({ port: 6010, callId: 'relayed' }), w.phone({ port: 6012, callId: 'room' })]
    assert.equal(asks(w, relayed, sdp), 488)
    assert.equal(asks(w, room, sdp, 'sip:8100@127.0.0.1'), 488)
    assert.equal(said(relayed.last), said(room.last))
    assert.ok(said(relayed.last).includes(why))
    assert.deepEqual([w.codes(), w.pbx.requests], [[code], []])
  }
  // Where anybody on the network can read the keys they are none.
  const w = relayWorld({ srtp: 'offered' })
  w.pbx.answer = w.answering
  const unsafe = desk(w)
  assert.equal(asks(w, unsafe, streamOf('SAVP', [crypto('a')])), 488)
  assert.match(said(unsafe.last), /the signalling is not encrypted/)
  assert.deepEqual(w.codes(), ['SDP_SRTP_REFUSED'])
  assert.equal(asks(w, desk(w, { port: 6022, callId: 'y' }), streamOf('AVP', [crypto('a')])), 200)
  assert.equal(ofLeg(w)!.srtp, undefined)
})

test('one key is for one call, and a call for help needs none', () => {
  const w = relayWorld({ phoneTransport: 'TLS', srtp: 'required' })
  w.pbx.answer = w.answering
  assert.equal(asks(w, desk(w), streamOf('SAVP', [crypto('a')])), 200)
  assert.equal(asks(w, desk(w, { port: 6002, callId: 'second' }), streamOf('SAVP', [crypto('a')])), 488)
  assert.deepEqual(w.codes(), ['RELAY_KEY_REUSED'])
  for (const [i, sdp] of [streamOf('AVP'), streamOf('SAVP', [crypto('a')])].entries()) {
    assert.equal(asks(w, desk(w, { port: 6004 + 2 * i, callId: `help${i}` }), sdp, 'sip:112@127.0.0.1'), 200, `${i}`)
    assert.equal(ofLeg(w)!.srtp !== undefined, i === 1)
  }
})

test('a call in clear may come under keys, and back; one under keys goes on with them when the PBX asks anew', () => {
  const w = relayWorld({ phoneTransport: 'TLS', srtp: 'offered' })
  const { phone, target } = inClear(w)
  assert.equal(ofLeg(w)!.srtp, undefined)
  const again = (sdp: string): number => {
    phone.send('INVITE', { uri: target, body: sdp })
    w.clock.advanceSync(100)
    phone.ack()
    return phone.last.status
  }
  assert.equal(again(streamOf('SAVP', [crypto('a')])), 200)
  const under = ofLeg(w)!.srtp!
  assert.equal(inlineOf(under.receive), inline('a'))
  phone.answer = (r) => ({ status: 200, ...(r.method === 'INVITE' ? { body: streamOf('SAVP', [crypto('a')]) } : {}) })
  w.inside(w.pbx.requests.find((r) => r.method === 'INVITE')!, 'INVITE', { body: pbxSdp })
  w.clock.advanceSync(100)
  const offered = phone.requests.findLast((r) => r.method === 'INVITE')!
  assert.deepEqual([keysIn(offered).map(inlineOf), /RTP\/SAVP/.test(body(offered))], [[inlineOf(under.send)], true])
  assert.deepEqual(ofLeg(w)!.srtp, under)
  assert.equal(again(streamOf('AVP')), 200)
  assert.equal(ofLeg(w)!.srtp, undefined)
  assert.equal(again(streamOf('SAVP', [crypto('a')])), 488, 'a key that was given up does not come back')
  assert.equal(again(streamOf('SAVP', [crypto('b')])), 200)
  assert.notEqual(inlineOf(ofLeg(w)!.srtp!.send), inlineOf(under.send), 'nor does ours')
})

test('the PBX\'s re-INVITE that the phone refused leaves nothing behind: the phone goes over to keys, and the next one is offered with them', () => {
  for (const status of [488, 491]) {
    const w = relayWorld({ phoneTransport: 'TLS', srtp: 'offered' })
    const { phone, target } = inClear(w)
    const invite = w.pbx.requests.find((r) => r.method === 'INVITE')!
    const renews = (): SipMessage => {
      w.inside(invite, 'INVITE', { body: pbxSdp })
      w.clock.advanceSync(100)
      return phone.requests.findLast((r) => r.method === 'INVITE')!
    }
    phone.answer = (r) => ({ status: r.method === 'INVITE' ? status : 200 })
    assert.doesNotMatch(body(renews()), /crypto/)
    assert.equal(w.pbx.last.status, status)
    phone.send('INVITE', { uri: target, body: streamOf('SAVP', [crypto('a')]) })
    w.clock.advanceSync(100)
    phone.ack()
    assert.equal(phone.last.status, 200)
    const under = ofLeg(w)!.srtp!
    // As the phone was asked, so it answers.
    phone.answer = (r) => (r.method !== 'INVITE' ? { status: 200 } : { status: 200, body: body(r).includes('SAVP') ? streamOf('SAVP', [crypto('a')]) : streamOf('AVP') })
    assert.deepEqual(keysIn(renews()).map(inlineOf), [inlineOf(under.send)])
    assert.equal(w.pbx.last.status, 200)
    assert.ok(!phone.requests.some((r) => r.method === 'BYE'))
    assert.deepEqual(ofLeg(w)!.srtp, under)
  }
})

test('a call for help that is refused for its media here hears 503, and goes to the second server; a change of one that stands is refused as any other', () => {
  const w = relayWorld({ srtp: 'offered' })
  w.pbx.answer = w.answering
  const helps = 'sip:112@127.0.0.1'
  for (const [i, sdp] of [streamOf('SAVP', [crypto('a')]), streamOf('AVP', [], '192.0.2.99'), streamOf('SAVP'), 'v=1\r\n'].entries()) {
    const phone = desk(w, { port: 6030 + 2 * i, callId: `help${i}` })
    assert.equal(asks(w, phone, sdp, helps), 503, `${i}`)
    assert.ok(headerOf(phone.last, 'Retry-After') !== undefined)
    assert.ok([400, 488].includes(asks(w, desk(w, { port: 6050 + 2 * i, callId: `other${i}` }), sdp)), `${i}`)
  }
  assert.ok(w.codes().includes('SDP_SRTP_REFUSED') && w.codes().includes('RELAY_MEDIA_ELSEWHERE'), 'what was wrong is reported all the same')
  assert.deepEqual(w.pbx.requests, [])
  const phone = desk(w, { port: 6070, callId: 'stands' })
  assert.equal(asks(w, phone, streamOf('AVP'), helps), 200)
  phone.ack()
  phone.send('INVITE', { uri: uriOf(headerOf(phone.last, 'Contact')!), body: streamOf('SAVP', [crypto('a')]) })
  w.clock.advanceSync(100)
  assert.equal(phone.last.status, 488)
})

test('a call for help whose answer cannot be used, or for which there is no port, hears 503 too', () => {
  const w = relayWorld({ srtp: 'offered' })
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 200, body: 'v=1\r\n' } : { status: 200 })
  assert.equal(asks(w, desk(w), streamOf('AVP'), 'sip:112@127.0.0.1'), 503)
  w.pbx.answer = w.answering
  w.clientMedia.delayMs = undefined
  assert.equal(asks(w, desk(w, { port: 6040, callId: 'next' }), streamOf('AVP'), 'sip:112@127.0.0.1'), 503)
})
