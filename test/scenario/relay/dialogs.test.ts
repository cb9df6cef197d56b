/** What happens inside calls and around them: hold, transfer, PRACK, keys, messages, lamps, routes; and their end by force. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '../../../src/base/bytes.ts'
import { nothingLeft, pbxSdp, relayWorld, uriOf } from '../../kit/relay-world.ts'
import { headerOf, sdpOf, tagOf } from '../../kit/sip-phone.ts'

const sdpIn = (m: { body: Uint8Array }): string => fromUtf8(m.body)!

test('hold and resume by re-INVITE keep the port; a refused offer changes nothing', () => {
  const w = relayWorld()
  const phone = w.phone()
  const { target } = w.call(phone)
  phone.send('INVITE', { uri: target, body: sdpOf(['m=audio 4000 RTP/AVP 0', 'a=sendonly']) })
  w.clock.advanceSync(50)
  const hold = w.pbx.requests.at(-1)!
  assert.match(sdpIn(hold), /m=audio 40000 RTP\/AVP 0\r\na=sendonly/)
  assert.equal(w.clientMedia.legs[0]!.localAudio?.receives, false)
  phone.send('ACK', { uri: target })
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 488 } : { status: 200 })
  const branch = phone.send('INVITE', { uri: target, body: sdpOf(['m=audio 4002 RTP/AVP 0']) })
  w.clock.advanceSync(50)
  phone.send('ACK', { uri: target, branch })
  assert.equal(phone.last.status, 488)
  assert.deepEqual([w.clientMedia.legs[0]!.localAudio?.port, w.clientMedia.legs[0]!.localAudio?.receives], [4000, false])
  w.pbx.answer = w.answering
  phone.send('INVITE', { uri: target, body: sdpOf(['m=audio 4002 RTP/AVP 0']) })
  w.clock.advanceSync(50)
  phone.send('ACK', { uri: target })
  assert.deepEqual([w.clientMedia.legs[0]!.localAudio?.port, w.clientMedia.legs[0]!.localAudio?.receives], [4002, true])
  assert.equal(w.clientMedia.legs.length, 1, 'one pair of ports for the whole call')
  phone.send('BYE', { uri: target })
  assert.deepEqual(w.left(), nothingLeft)
})

test('hold by c=0.0.0.0, of the phone and of the PBX: it crosses, and media stays where it was', () => {
  const w = relayWorld()
  const phone = w.phone()
  const { invite, target } = w.call(phone)
  phone.send('INVITE', { uri: target, body: sdpOf(undefined, '0.0.0.0') })
  w.clock.advanceSync(50)
  phone.send('ACK', { uri: target })
  assert.match(sdpIn(w.pbx.requests.findLast((r) => r.method === 'INVITE')!), /c=IN IP4 0\.0\.0\.0/)
  const held = w.clientMedia.legs[0]!.localAudio
  assert.deepEqual([held?.address, held?.port, held?.receives], ['127.0.0.1', 4000, false])
  phone.answer = () => ({ status: 200, body: sdpOf() })
  w.inside(invite, 'UPDATE', { body: pbxSdp.replace('c=IN IP4 10.0.0.9', 'c=IN IP4 0.0.0.0') })
  w.clock.advanceSync(50)
  assert.match(sdpIn(phone.requests.at(-1)!), /c=IN IP4 0\.0\.0\.0/)
  assert.deepEqual([w.serverMedia.legs[0]!.localAudio?.address, w.serverMedia.legs[0]!.localAudio?.port], ['10.0.0.9', 17000])
  assert.deepEqual(w.codes(), [])
  phone.send('BYE', { uri: target })
  assert.deepEqual(w.left(), nothingLeft)
})

test('an offer that holds from its first word has no place for media until there is one', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.pbx.answer = w.answering
  phone.invite({ uri: 'sip:2002@127.0.0.1', body: sdpOf(undefined, '0.0.0.0') })
  w.clock.advanceSync(50)
  assert.equal(phone.last.status, 200)
  assert.equal(w.clientMedia.legs[0]!.localAudio, undefined)
})

test('the PBX moves its media by re-INVITE and UPDATE; without an offer the answer comes in the ACK', () => {
  const w = relayWorld()
  const phone = w.phone()
  const { invite, target } = w.call(phone)
  phone.answer = (r) => ({ status: 200, ...(r.body.length > 0 || r.method === 'INVITE' ? { body: sdpOf() } : {}) })
  w.inside(invite, 'UPDATE', { body: pbxSdp.replace('17000', '17010') })
  w.clock.advanceSync(50)
  assert.equal(w.serverMedia.legs[0]!.localAudio?.port, 17010)
  assert.match(sdpIn(phone.requests.at(-1)!), /m=audio 30000 /)
  w.inside(invite, 'INVITE')
  w.clock.advanceSync(50)
  assert.match(sdpIn(w.pbx.last), /m=audio 40000 /)
  w.inside(invite, 'ACK', { body: pbxSdp.replace('17000', '17020'), cseq: w.pbx.cseq })
  w.clock.advanceSync(50)
  const ack = phone.requests.at(-1)!
  assert.equal(ack.method, 'ACK')
  assert.match(sdpIn(ack), /c=IN IP4 127\.0\.0\.1[\s\S]*m=audio 30000 /)
  assert.equal(w.serverMedia.legs[0]!.localAudio?.port, 17020)
  phone.send('BYE', { uri: target })
  assert.deepEqual(w.left(), nothingLeft)
})

test('PRACK, INFO, MESSAGE and REFER pass inside; an attended transfer names the real contact, Replaces untouched', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 183, headers: ['Require: 100rel', 'RSeq: 7'], body: pbxSdp } : { status: 200 })
  phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(50)
  const target = uriOf(headerOf(phone.last, 'Contact')!)
  assert.equal(headerOf(phone.last, 'RSeq'), '7')
  phone.to = phone.last.to.text
  phone.send('PRACK', { uri: target, headers: ['RAck: 7 1 INVITE'] })
  w.clock.advanceSync(50)
  assert.equal(headerOf(w.pbx.requests.at(-1)!, 'RAck'), '7 1 INVITE')
  w.pbx.respond(w.pbx.requests[0]!, 200)
  w.clock.advanceSync(50)
  phone.send('ACK', { uri: target, cseq: 1 })
  phone.send('INFO', { uri: target, body: 'Signal=5\r\nDuration=160\r\n', type: 'application/dtmf-relay' })
  phone.send('MESSAGE', { uri: target, body: 'hello', type: 'text/plain' })
  phone.send('REFER', { uri: target, headers: [`Refer-To: <${target}?Replaces=other%40call%3Bto-tag%3D1%3Bfrom-tag%3D2>`, 'Referred-By: <sip:alice@127.0.0.1>'] })
  w.clock.advanceSync(50)
  const of = (method: string) => w.pbx.requests.find((r) => r.method === method)!
  assert.equal(sdpIn(of('INFO')), 'Signal=5\r\nDuration=160\r\n')
  assert.equal(sdpIn(of('MESSAGE')), 'hello')
  assert.equal(headerOf(of('REFER'), 'Refer-To'), '<sip:asterisk@10.0.0.9:5060?Replaces=other%40call%3Bto-tag%3D1%3Bfrom-tag%3D2>')
  assert.equal(headerOf(of('REFER'), 'Referred-By'), '<sip:alice@127.0.0.1>')
  w.inside(of('INVITE'), 'NOTIFY', { headers: ['Event: refer', 'Subscription-State: terminated'], body: 'SIP/2.0 200 OK\r\n', type: 'message/sipfrag' })
  w.clock.advanceSync(50)
  assert.equal(sdpIn(phone.requests.at(-1)!), 'SIP/2.0 200 OK\r\n')
  phone.send('BYE', { uri: target })
  assert.deepEqual(w.left(), nothingLeft)
})

test('lamps and waiting messages: SUBSCRIBE out, NOTIFY in, also after the connection was lost and came back', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.register(phone)
  phone.send('SUBSCRIBE', { uri: 'sip:2002@127.0.0.1', headers: ['Event: dialog', 'Expires: 600', 'Accept: application/dialog-info+xml'] })
  w.clock.advanceSync(50)
  const subscribe = w.pbx.requests.at(-1)!
  assert.equal(headerOf(subscribe, 'Event'), 'dialog')
  const lamp = '<dialog-info entity="sip:2002@pbx" state="full" version="1"/>'
  w.inside(subscribe, 'NOTIFY', { headers: ['Event: dialog', 'Subscription-State: active'], body: lamp, type: 'application/dialog-info+xml' })
  w.clock.advanceSync(50)
  assert.equal(sdpIn(phone.requests.at(-1)!), lamp)
  w.cut()
  w.clock.advanceSync(1000)
  w.state.up = true
  w.connect()
  w.inside(subscribe, 'NOTIFY', { headers: ['Event: dialog', 'Subscription-State: active'], body: lamp, type: 'application/dialog-info+xml' })
  w.clock.advanceSync(50)
  assert.equal(phone.requests.filter((r) => r.method === 'NOTIFY').length, 2)
})

test('the connection is gone: phones hear BYE, 503 and CANCEL, the PBX hears BYE, 480 and CANCEL', () => {
  const w = relayWorld()
  const [talking, dialling, ringing] = [w.phone(), w.phone({ port: 6002, callId: 'dialling', user: 'bob' }), w.phone({ port: 6004, callId: 'ringing', user: 'carol' })]
  const contact = w.register(ringing)
  const { invite } = w.call(talking)
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 })
  dialling.invite({ uri: 'sip:2003@127.0.0.1', to: '<sip:2003@127.0.0.1>' })
  ringing.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 })
  const incoming = w.pbx.invite({ uri: contact, body: pbxSdp })
  w.clock.advanceSync(50)
  w.cut()
  w.clock.advanceSync(50)
  const bye = talking.requests.at(-1)!
  assert.equal(bye.method, 'BYE')
  assert.deepEqual([bye.callId, tagOf(bye.from), tagOf(bye.to)], [invite.callId, 't5060', tagOf(invite.from)], 'in the name of the other party')
  assert.match(headerOf(bye, 'Reason')!, /connection to the server is gone/)
  assert.equal(dialling.last.status, 503)
  assert.equal(ringing.requests.at(-1)!.method, 'CANCEL')
  const atPbx = w.pbx.requests.slice(-2).map((r) => `${r.method} ${r.callId}`).sort()
  assert.deepEqual(atPbx, [`BYE ${invite.callId}`, 'CANCEL dialling'])
  assert.equal(w.pbx.last.status, 480)
  w.pbx.send('ACK', { branch: incoming })
  dialling.send('ACK', { branch: 'z9hG4bKdialling.0' })
  ringing.respond(ringing.requests[0]!, 487)
  w.pbx.respond(w.pbx.requests.find((r) => r.method === 'INVITE' && r.callId === 'dialling')!, 487)
  const later = w.phone({ port: 6006, callId: 'later' })
  later.invite({ uri: 'sip:2004@127.0.0.1' })
  w.clock.advanceSync(50)
  assert.equal(later.last.status, 503, 'at once')
  later.send('ACK', { branch: 'z9hG4bKlater.0' })
  assert.deepEqual(w.left(), { ...nothingLeft })
})

test('the PBX is gone while the connection stands: phones hear it, the PBX is told too, and the next call goes on', () => {
  const w = relayWorld()
  const [talking, dialling, ringing] = [w.phone(), w.phone({ port: 6002, callId: 'dialling', user: 'bob' }), w.phone({ port: 6004, callId: 'ringing', user: 'carol' })]
  const contact = w.register(ringing)
  const { invite } = w.call(talking)
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 })
  const branch = dialling.invite({ uri: 'sip:2003@127.0.0.1', to: '<sip:2003@127.0.0.1>' })
  ringing.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 })
  const incoming = w.pbx.invite({ uri: contact, body: pbxSdp })
  w.clock.advanceSync(50)
  assert.equal(w.upstream.busy, true)
  w.upstream.pbxGone('the telephone system was started anew')
  w.clock.advanceSync(50)
  const bye = talking.requests.at(-1)!
  assert.deepEqual([bye.method, bye.callId, tagOf(bye.from)], ['BYE', invite.callId, 't5060'])
  assert.match(headerOf(bye, 'Reason')!, /started anew/)
  assert.equal(dialling.last.status, 503)
  assert.equal(ringing.requests.at(-1)!.method, 'CANCEL')
  assert.deepEqual(w.pbx.requests.slice(-2).map((r) => `${r.method} ${r.callId}`).sort(), [`BYE ${invite.callId}`, 'CANCEL dialling'], 'where it is not gone after all no leg is left')
  assert.equal(w.pbx.last.status, 480)
  w.pbx.send('ACK', { branch: incoming })
  dialling.send('ACK', { branch })
  ringing.respond(ringing.requests[0]!, 487)
  w.pbx.respond(w.pbx.requests.find((r) => r.method === 'INVITE' && r.callId === 'dialling')!, 487)
  w.clock.advanceSync(100)
  // Numbers of the tunnel go on: what was said before cannot be said again.
  const replay = w.crossed.find(({ m }) => m.k === 'sip-request')!.m
  const calls = w.pbx.requests.length
  w.receiveAtServer(replay)
  w.clock.advanceSync(100)
  assert.equal(w.pbx.requests.length, calls)
  assert.ok(w.codes().includes('RELAY_REPLAY'))
  const later = w.phone({ port: 6006, callId: 'later' })
  w.call(later, 'sip:2004@127.0.0.1')
  assert.equal(later.last.status, 200)
  assert.equal(w.upstream.busy, true)
})

test('a dialog of the PBX that leads to us is an orphan when no connection knows the call', () => {
  const w = relayWorld()
  const phone = w.phone()
  const token = /sip:(stc[0-9a-f]+)@/.exec(w.register(phone))![1]!
  assert.equal(w.upstream.isOrphan(token, 'of-before'), true)
  assert.equal(w.upstream.isOrphan('anna', 'of-before'), false, 'not ours')
  w.pbx.answer = () => undefined
  phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(50)
  assert.equal(w.upstream.isOrphan(token, phone.callId), false, 'being made')
  w.pbx.respond(w.pbx.requests.at(-1)!, 200, [], pbxSdp)
  w.clock.advanceSync(40_000)
  assert.equal(w.upstream.isOrphan(token, phone.callId), false, 'stands')
  assert.equal(w.upstream.since, 100, 'when it was answered')
  assert.equal(w.upstream.legOf(token, phone.callId)?.call, phone.callId)
  assert.equal(w.upstream.legOf(token, 'of-somebody'), undefined, 'who shows our contact has no call of ours')
  w.cut()
  w.clock.advanceSync(40_000)
  assert.equal(w.upstream.isOrphan(token, phone.callId), true)
})

test('whether the PBX answers SIP: any answer is one', () => {
  const w = relayWorld()
  w.register(w.phone())
  const said: string[] = []
  const ask = (): void => void w.upstream.answers(1000).then((a) => said.push(`${a}`))
  w.pbx.answer = () => ({ status: 401 })
  ask()
  return w.clock.advance(100).then(async () => {
    assert.deepEqual(said, ['true'])
    const options = w.pbx.requests.at(-1)!
    assert.deepEqual([options.method, options.from.uri.text], ['OPTIONS', 'sip:alice@10.0.0.1:5080'], 'in the name of an extension that it knows')
    w.pbx.answer = () => undefined
    ask()
    await w.clock.advance(1100)
    w.state.pbx = false
    ask()
    await w.clock.advance(10)
    assert.deepEqual(said, ['true', 'false', 'false'])
  })
})

test('there is a name to ask the PBX in while an extension is registered there, of a plain name', () => {
  const w = relayWorld()
  assert.equal(w.upstream.known, false)
  w.register(w.phone({ port: 6002, callId: 'odd', user: 'an%20a' }))
  assert.equal(w.upstream.known, false)
  w.register(w.phone())
  assert.equal(w.upstream.known, true)
  w.clock.advanceSync(301_000)
  assert.equal(w.upstream.known, false, 'it may have been deleted since')
})

test('answered in the moment in which the connection broke: acknowledged and ended', () => {
  const w = relayWorld()
  const phone = w.phone()
  const contact = w.register(phone)
  phone.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 })
  w.pbx.invite({ uri: contact, body: pbxSdp })
  w.clock.advanceSync(50)
  w.cut()
  phone.respond(phone.requests[0]!, 200, [], sdpOf())
  w.clock.advanceSync(50)
  assert.deepEqual(phone.requests.map((r) => r.method).sort(), ['ACK', 'BYE', 'CANCEL', 'INVITE'])
})

test('a route set of the provider passes us: ours is the first hop of the phone, and never seen upstream', () => {
  const w = relayWorld()
  const phone = w.phone()
  const proxy = '<sip:proxy.provider;lr>'
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 200, headers: [`Record-Route: ${proxy}`], body: pbxSdp } : { status: 200 })
  phone.invite({ uri: 'sip:2002@provider' })
  w.clock.advanceSync(50)
  assert.deepEqual(phone.last.headers.filter((h) => h.name === 'Record-Route').map((h) => h.value), [proxy, '<sip:127.0.0.1:5060;lr>'], 'read backwards by the caller')
  const target = uriOf(headerOf(phone.last, 'Contact')!)
  phone.send('ACK', { uri: target, headers: ['Route: <sip:127.0.0.1:5060;lr>', `Route: ${proxy}`] })
  w.clock.advanceSync(50)
  assert.deepEqual(w.pbx.requests.at(-1)!.headers.filter((h) => h.name === 'Route').map((h) => h.value), [proxy])
})

test('several calls of one phone, and ports that take a while', () => {
  const w = relayWorld()
  w.clientMedia.delayMs = 30
  w.serverMedia.delayMs = 20
  const phone = w.phone()
  w.pbx.answer = w.answering
  phone.invite({ uri: 'sip:2002@127.0.0.1' })
  const second = w.phone({ port: 6002, callId: 'second' })
  second.invite({ uri: 'sip:2003@127.0.0.1' })
  w.clock.advanceSync(200)
  assert.match(sdpIn(phone.last), /m=audio 30000 /)
  assert.match(sdpIn(second.last), /m=audio 30002 /)
})

test('no port on our side: the call is refused, and nothing stays', () => {
  const w = relayWorld()
  w.serverMedia.delayMs = undefined
  const phone = w.phone()
  const branch = phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(200)
  assert.equal(phone.last.status, 500)
  assert.deepEqual(w.pbx.requests, [])
  phone.send('ACK', { branch })
  assert.deepEqual(w.left(), nothingLeft)
})

test('emergency numbers: to the PBX while it can be reached, else 503 at once; sealed rooms stay here', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.pbx.answer = w.answering
  phone.invite({ uri: 'sip:112@127.0.0.1' })
  w.clock.advanceSync(50)
  assert.equal(w.pbx.requests[0]!.uri.text, 'sip:112@127.0.0.1')
  assert.deepEqual([phone.last.status, w.clientMedia.legs[0]!.answered], [200, 0], 'no words between a caller and help')
  w.cut()
  const other = w.phone({ port: 6002, callId: 'help' })
  other.invite({ uri: 'sip:112@127.0.0.1' })
  w.clock.advanceSync(1)
  assert.deepEqual(other.shown(), ['100 INVITE', '503 INVITE'])
  const room = w.phone({ port: 6004, callId: 'room' })
  room.invite({ uri: 'sip:8123@127.0.0.1' })
  assert.equal(w.events.at(-1)!.kind, 'dial')
})
