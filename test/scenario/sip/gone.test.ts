/** Phones that crash, forget, or lose their connection: liveness by OPTIONS and session timers, in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '../../../src/base/bytes.ts'
import { headerOf, nothing, sdpOf, simHandset } from '../../kit/sip-phone.ts'

test('a phone that answers OPTIONS, with whatever code, stays in the call', () => {
  const s = simHandset()
  const p = s.phone()
  s.up(p)
  p.answer = () => ({ status: 405 })
  s.clock.advanceSync(100_000)
  assert.equal(s.handset.load.calls, 1)
  assert.ok(p.requests.filter((r) => r.method === 'OPTIONS').length >= 5)
  assert.deepEqual(new Set(p.requests.map((r) => r.cseq.number)).size, p.requests.length, 'CSeq rises')
})

test('a phone that crashed is noticed, the call ends, nothing is left', () => {
  const s = simHandset()
  const p = s.phone()
  s.up(p)
  p.gone = true
  s.clock.advanceSync(15_000 + 33_000)
  assert.deepEqual(s.kinds(), ['dial', 'ended: the phone does not answer any more'])
  assert.deepEqual(s.left(), nothing)
})

test('a phone that came back and does not know the call ends it by 481', () => {
  const s = simHandset({ livenessMs: 2000 })
  const p = s.phone()
  s.up(p)
  p.answer = () => ({ status: 481 })
  s.clock.advanceSync(2_100)
  assert.deepEqual(s.kinds(), ['dial', 'ended: the phone no longer knows the call'])
})

test('requests of the phone inside the call count as signs of life', () => {
  const s = simHandset()
  const p = s.phone()
  s.up(p)
  for (let i = 0; i < 5; i++) {
    s.clock.advanceSync(10_000)
    p.send('OPTIONS')
  }
  assert.equal(p.requests.length, 0)
})

test('an interval that is too small is refused with 422 and Min-SE', () => {
  const s = simHandset()
  const p = s.phone()
  p.invite({ headers: ['Supported: timer', 'Session-Expires: 30'] })
  s.clock.advanceSync(5)
  assert.deepEqual([p.last.status, headerOf(p.last, 'Min-SE')], [422, '90'])
  assert.equal(s.dials().length, 0)
})

test('the phone refreshes: each refresh moves the end, without one the call ends by BYE', () => {
  const s = simHandset()
  const p = s.phone()
  s.up(p, { headers: ['Supported: timer', 'Session-Expires: 120;refresher=uac'] })
  assert.deepEqual([headerOf(p.last, 'Session-Expires'), headerOf(p.last, 'Require')], ['120;refresher=uac', 'timer'])
  s.clock.advanceSync(60_000)
  p.send('UPDATE', { headers: ['Supported: timer', 'Session-Expires: 120;refresher=uac'] })
  s.clock.advanceSync(60_000)
  p.invite({ headers: ['Supported: timer', 'Session-Expires: 120;refresher=uac'] })
  s.clock.advanceSync(5)
  p.ack()
  s.clock.advanceSync(87_000)
  assert.equal(s.handset.load.calls, 1)
  s.clock.advanceSync(1_100)
  assert.deepEqual(s.kinds(), ['dial', 'ended: the phone did not refresh its session'])
  assert.equal(p.requests.at(-1)!.method, 'BYE')
})

test('we refresh by UPDATE where the phone knows it', () => {
  const s = simHandset({ livenessMs: 1_000_000 })
  const p = s.phone()
  s.up(p, { headers: ['Supported: timer', 'Session-Expires: 120;refresher=uas', 'Allow: INVITE, ACK, BYE, UPDATE'] })
  p.answer = () => ({ status: 200, headers: ['Session-Expires: 120;refresher=uac'] })
  s.clock.advanceSync(200_000)
  assert.deepEqual(p.shown(true).slice(2), ['60001 UPDATE', '120002 UPDATE', '180003 UPDATE'])
  assert.equal(headerOf(p.requests[0]!, 'Session-Expires'), '120;refresher=uac')
})

test('we refresh by re-INVITE where it does not: same SDP, ACK, and again after 491', () => {
  const s = simHandset({ livenessMs: 1_000_000 })
  const p = s.phone()
  s.up(p, { headers: ['Supported: timer', 'Session-Expires: 120;refresher=uas'] })
  const answer = fromUtf8(p.last.body)
  let first = true
  p.answer = () => {
    const status = first ? 491 : 200
    first = false
    return { status, headers: ['Session-Expires: 120;refresher=uac'], body: status === 200 ? sdpOf(['m=audio 4000 RTP/AVP 0', 'a=sendonly']) : '' }
  }
  s.clock.advanceSync(70_000)
  assert.deepEqual(p.shown().slice(2), ['INVITE', 'ACK', 'INVITE', 'ACK'])
  assert.equal(fromUtf8(p.requests[0]!.body), answer)
  assert.deepEqual(s.kinds(), ['dial', 'media'], 'the answer to our refresh put us on hold')
})

test('the phone repeats its answer to our re-INVITE: our ACK was lost and goes again', () => {
  const s = simHandset({ livenessMs: 1_000_000 })
  const p = s.phone()
  s.up(p, { headers: ['Supported: timer', 'Session-Expires: 120;refresher=uas'] })
  s.clock.advanceSync(60_100)
  const invite = p.requests[0]!
  assert.deepEqual(p.shown().slice(2), ['INVITE', 'ACK'])
  p.respond(invite, 200)
  s.clock.advanceSync(5)
  assert.deepEqual(p.requests.map((r) => [r.method, r.cseq.number]), [['INVITE', 1], ['ACK', 1], ['ACK', 1]])
})

test('a re-INVITE of the phone while ours is under way gets 491', () => {
  const s = simHandset({ livenessMs: 1_000_000 })
  const p = s.phone()
  s.up(p, { headers: ['Session-Expires: 120;refresher=uas'] })
  p.answer = () => undefined
  s.clock.advanceSync(60_500)
  p.invite()
  s.clock.advanceSync(5)
  assert.equal(p.last.status, 491)
  assert.equal(s.handset.load.calls, 1)
})

test('the phone that does not answer our refresh is gone', () => {
  const s = simHandset({ livenessMs: 1_000_000 })
  const p = s.phone()
  s.up(p, { headers: ['Session-Expires: 120;refresher=uas'] })
  p.gone = true
  s.clock.advanceSync(93_000)
  assert.deepEqual(s.kinds(), ['dial', 'ended: the phone does not answer any more'])
  assert.deepEqual(s.left(), nothing)
})

test('over TCP nothing is repeated by transactions, and a lost connection ends what had not begun', () => {
  const s = simHandset({ transport: 'TCP' })
  const p = s.phone()
  p.invite()
  s.handset.command({ kind: 'refuse', call: s.call, status: 404, reason: 'No such room' })
  s.clock.advanceSync(20_000)
  assert.deepEqual(p.shown(), ['100 INVITE', '404 INVITE'])
  const q = s.phone({ port: 6001 })
  q.invite()
  q.gone = true
  s.transport.listener!.lost(q.flow)
  assert.equal(s.kinds().at(-1), 'ended: the connection to the phone broke')
  assert.deepEqual(s.left(), nothing)
})

test('over TCP a call on a lost connection ends at the next sign of life that fails', () => {
  const s = simHandset({ transport: 'TCP' })
  const p = s.phone()
  s.up(p)
  p.gone = true
  s.transport.listener!.lost(p.flow)
  s.clock.advanceSync(15_100)
  assert.deepEqual(s.kinds(), ['dial', 'ended: the phone does not answer any more'])
})

test('the handset says BYE to all when it ends', () => {
  const s = simHandset()
  const p = s.phone()
  s.up(p)
  s.handset[Symbol.dispose]()
  s.clock.advanceSync(5)
  assert.equal(p.requests.at(-1)!.method, 'BYE')
  assert.equal(s.clock.pending, 0)
})
