/** Forks, races and timers through both halves of the relay (RFC 3261 §13.2.2.4, §16.7; RFC 3262; RFC 3311; RFC 4028). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '../../../src/base/bytes.ts'
import { nothingLeft, pbxSdp, relayWorld, uriOf } from '../../kit/relay-world.ts'
import { headerOf, sdpOf, tagOf } from '../../kit/sip-phone.ts'

type World = ReturnType<typeof relayWorld>

/** An answer of one branch of a fork: its own tag and contact. */
function branch(w: World, tag: string, status: number, more: { headers?: readonly string[]; body?: string } = {}): void {
  const invite = w.pbx.requests.find((r) => r.method === 'INVITE')!
  const body = more.body ?? ''
  w.pbx.raw([
    `SIP/2.0 ${status} X`, ...invite.via.map((v) => `Via: ${v.text}`), `From: ${invite.from.text}`, `To: ${invite.to.text};tag=${tag}`, `Call-ID: ${invite.callId}`, `CSeq: ${invite.cseq.number} INVITE`,
    `Contact: <sip:${tag}@10.0.0.9:5060>`, ...(more.headers ?? []), ...(body === '' ? [] : ['Content-Type: application/sdp']), `Content-Length: ${body.length}`, '', body,
  ].join('\r\n'))
  w.clock.advanceSync(50)
}

test('two branches ring, one with early media, both answer: the phone acknowledges both and ends one', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.pbx.answer = (r) => (r.method === 'INVITE' ? undefined : { status: 200 })
  phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(50)
  branch(w, 'one', 180)
  branch(w, 'two', 183, { body: pbxSdp })
  branch(w, 'two', 200, { body: pbxSdp })
  branch(w, 'one', 200, { body: pbxSdp.replace('17000', '17100') })
  assert.deepEqual(phone.responses.map((r) => `${r.status} ${tagOf(r.to)}`).filter((s) => !s.startsWith('100')), ['180 one', '183 two', '200 two', '200 one'])
  const contacts = phone.responses.filter((r) => r.status === 200).map((r) => uriOf(headerOf(r, 'Contact')!))
  assert.equal(new Set(contacts).size, 2)
  for (const [i, tag] of ['two', 'one'].entries()) phone.send('ACK', { uri: contacts[i]!, to: `<sip:2002@127.0.0.1>;tag=${tag}` })
  w.clock.advanceSync(50)
  const acks = w.pbx.requests.filter((r) => r.method === 'ACK')
  assert.deepEqual(acks.map((r) => r.uri.text), ['sip:two@10.0.0.9:5060', 'sip:one@10.0.0.9:5060'])
  assert.equal(w.relay.load.dialogs, 2)
  phone.send('BYE', { uri: contacts[1]!, to: '<sip:2002@127.0.0.1>;tag=one' })
  w.clock.advanceSync(50)
  assert.equal(w.pbx.requests.at(-1)!.uri.text, 'sip:one@10.0.0.9:5060')
  assert.equal(w.relay.load.dialogs, 1)
  assert.equal(w.clientMedia.running.length, 1, 'the other branch still has its media')
  phone.send('BYE', { uri: contacts[0]!, to: '<sip:2002@127.0.0.1>;tag=two' })
  assert.deepEqual(w.left(), nothingLeft)
})

test('the PBX rings two phones of one client; one answers and the other is cancelled', () => {
  const w = relayWorld()
  const [first, second] = [w.phone(), w.phone({ port: 6100, callId: 'second', user: 'alice2' })]
  const contacts = [w.register(first), w.register(second)]
  for (const p of [first, second]) p.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : r.method === 'CANCEL' ? { status: 200 } : { status: 200 })
  w.pbx.answer = () => ({ status: 200 })
  const branches = contacts.map((uri, i) => w.pbx.invite({ uri, body: pbxSdp, branch: `z9hG4bKfork${i}`, headers: [] }))
  w.clock.advanceSync(50)
  assert.deepEqual([first.requests.length, second.requests.length], [1, 1])
  assert.notEqual(first.requests[0]!.uri.text, second.requests[0]!.uri.text)
  first.respond(first.requests[0]!, 200, [], sdpOf())
  w.clock.advanceSync(20)
  w.pbx.send('CANCEL', { uri: contacts[1]!, branch: branches[1]!, cseq: second.requests[0]!.cseq.number })
  w.clock.advanceSync(20)
  assert.deepEqual(second.requests.map((r) => r.method), ['INVITE', 'CANCEL'])
  assert.deepEqual(first.requests.map((r) => r.method), ['INVITE'], 'the one that answered is left alone')
  second.respond(second.requests[0]!, 487)
  w.clock.advanceSync(20)
  assert.deepEqual(w.pbx.responses.filter((r) => r.cseq.method === 'INVITE').map((r) => r.status).filter((s) => s >= 200), [200, 487])
  assert.equal(w.serverMedia.running.length, 1)
})

test('CANCEL that crosses a refusal: the refusal is the answer, once, and nothing more is sent', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : r.method === 'CANCEL' ? { status: 481 } : { status: 200 })
  const sent = phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(50)
  w.pbx.respond(w.pbx.requests[0]!, 486)
  phone.send('CANCEL', { uri: 'sip:2002@127.0.0.1', branch: sent })
  w.clock.advanceSync(50)
  assert.deepEqual(phone.shown().filter((s) => s.endsWith('INVITE')), ['100 INVITE', '180 INVITE', '486 INVITE'])
  phone.send('ACK', { branch: sent })
  assert.deepEqual(w.left(), nothingLeft)
})

test('CANCEL twice, and CANCEL of nothing: one CANCEL at the PBX, 481 for the stray one', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 })
  const sent = phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(50)
  for (let i = 0; i < 2; i++) phone.send('CANCEL', { uri: 'sip:2002@127.0.0.1', branch: sent })
  phone.send('CANCEL', { uri: 'sip:2002@127.0.0.1', branch: 'z9hG4bKnothing' })
  w.clock.advanceSync(50)
  assert.equal(w.pbx.requests.filter((r) => r.method === 'CANCEL').length, 1)
  assert.deepEqual(phone.responses.filter((r) => r.cseq.method === 'CANCEL').map((r) => r.status).sort(), [200, 200, 481])
})

test('reliable provisional answers: RSeq and RAck pass, an offer in 183 is answered in PRACK, an UPDATE before the answer changes it', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.pbx.answer = (r) => (r.method === 'INVITE' ? undefined : r.method === 'UPDATE' ? { status: 200, body: pbxSdp } : { status: 200 })
  phone.invite({ uri: 'sip:2002@127.0.0.1', body: '', headers: ['Supported: 100rel', 'Require: 100rel'] })
  w.clock.advanceSync(50)
  assert.equal(headerOf(w.pbx.requests[0]!, 'Require'), '100rel')
  branch(w, 'early', 183, { headers: ['Require: 100rel', 'RSeq: 7'], body: pbxSdp })
  const early = phone.last
  assert.deepEqual([early.status, headerOf(early, 'RSeq'), headerOf(early, 'Require')], [183, '7', '100rel'])
  assert.match(fromUtf8(early.body)!, /m=audio 30000 /)
  const uri = uriOf(headerOf(early, 'Contact')!)
  const to = '<sip:2002@127.0.0.1>;tag=early'
  phone.send('PRACK', { uri, to, headers: ['RAck: 7 1 INVITE'], body: sdpOf() })
  w.clock.advanceSync(50)
  const prack = w.pbx.requests.at(-1)!
  assert.deepEqual([prack.method, prack.uri.text, headerOf(prack, 'RAck')], ['PRACK', 'sip:early@10.0.0.9:5060', '7 1 INVITE'])
  assert.match(fromUtf8(prack.body)!, /m=audio 40000 /)
  assert.equal(w.clientMedia.legs[0]!.localAudio?.port, 4000, 'both halves know where media goes before the answer')
  assert.equal(w.serverMedia.legs[0]!.localAudio?.port, 17000)
  phone.send('UPDATE', { uri, to, body: sdpOf().replace('4000', '4010') })
  w.clock.advanceSync(50)
  assert.equal(w.clientMedia.legs[0]!.localAudio?.port, 4010)
  assert.match(fromUtf8(phone.last.body)!, /m=audio 30000 /)
  branch(w, 'early', 200)
  phone.send('ACK', { uri, to, cseq: 1 })
  phone.send('BYE', { uri, to })
  assert.deepEqual(w.left(), nothingLeft)
})

test('session timers: 422 comes back, interval and refresher pass, refreshes of both sides cross, no timer of ours ends the call', () => {
  const w = relayWorld()
  const phone = w.phone()
  w.pbx.answer = (r) => (r.method === 'INVITE' && headerOf(r, 'Session-Expires') === '60' ? { status: 422, headers: ['Min-SE: 90'] }
    : r.method === 'INVITE' ? { status: 200, headers: ['Require: timer', 'Session-Expires: 90;refresher=uac'], body: pbxSdp } : { status: 200, headers: ['Session-Expires: 90;refresher=uac'] })
  const refused = phone.invite({ uri: 'sip:2002@127.0.0.1', headers: ['Supported: timer', 'Session-Expires: 60'] })
  w.clock.advanceSync(50)
  assert.deepEqual([phone.last.status, headerOf(phone.last, 'Min-SE')], [422, '90'])
  phone.send('ACK', { branch: refused })
  phone.invite({ uri: 'sip:2002@127.0.0.1', headers: ['Supported: timer', 'Session-Expires: 90;refresher=uac', 'Min-SE: 90'] })
  w.clock.advanceSync(50)
  assert.deepEqual([phone.last.status, headerOf(phone.last, 'Session-Expires'), headerOf(phone.last, 'Require')], [200, '90;refresher=uac', 'timer'])
  const invite = w.pbx.requests.findLast((r) => r.method === 'INVITE')!
  assert.deepEqual([headerOf(invite, 'Session-Expires'), headerOf(invite, 'Min-SE')], ['90;refresher=uac', '90'])
  const uri = uriOf(headerOf(phone.last, 'Contact')!)
  phone.send('ACK', { uri })
  for (let i = 0; i < 20; i++) {
    w.clock.advanceSync(45_000)
    phone.send('UPDATE', { uri, headers: ['Session-Expires: 90;refresher=uac', 'Supported: timer'] })
    w.clock.advanceSync(50)
    assert.deepEqual([phone.last.status, phone.last.cseq.method, headerOf(phone.last, 'Session-Expires')], [200, 'UPDATE', '90;refresher=uac'])
  }
  w.inside(invite, 'UPDATE', { headers: ['Session-Expires: 90;refresher=uas'] })
  w.clock.advanceSync(50)
  assert.equal(headerOf(phone.requests.at(-1)!, 'Session-Expires'), '90;refresher=uas')
  assert.equal(w.pbx.requests.filter((r) => r.method === 'BYE').length + phone.requests.filter((r) => r.method === 'BYE').length, 0)
  phone.send('BYE', { uri })
  assert.deepEqual(w.left(), nothingLeft)
})

test('several calls of one line: what is said in one stays in it; one ends, the others go on', () => {
  const w = relayWorld()
  const phones = ['a', 'b', 'c'].map((callId, i) => w.phone({ callId, port: 6000 + 2 * i }))
  const calls = phones.map((p, i) => ({ p, ...w.call(p, `sip:200${i}@127.0.0.1`) }))
  assert.equal(w.clientMedia.running.length, 3)
  assert.equal(new Set(w.serverMedia.legs.map((l) => l.streams!.up)).size, 3)
  const body = sdpOf(['m=audio 4444 RTP/AVP 0', 'a=sendonly'])
  phones[1]!.send('INVITE', { uri: calls[1]!.target, body })
  w.clock.advanceSync(50)
  assert.deepEqual(w.clientMedia.legs.map((l) => l.localAudio?.port), [4000, 4444, 4000])
  phones[0]!.send('BYE', { uri: calls[0]!.target })
  // As long as the 200 could come again.
  w.clock.advanceSync(40_000)
  assert.deepEqual(w.clientMedia.legs.map((l) => l.closed), [true, false, false])
  assert.equal(w.pbx.requests.at(-1)!.callId, 'a')
  assert.equal(w.relay.load.dialogs, 2)
})
