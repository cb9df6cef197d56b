import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { dialogOfCallee, dialogOfCaller, keyOfDialog, keyOfRequest, receiveInDialog, refreshTarget, requestInDialog } from '../../../../src/protocol/sip/dialog.ts'
import type { SipRequest } from '../../../../src/protocol/sip/message.ts'
import { headersOf } from '../../../../src/protocol/sip/message.ts'
import { parseMessage } from '../../../../src/protocol/sip/parse.ts'
import { makeReply } from '../../../../src/protocol/sip/reply.ts'
import { answerSessionTimer, expireAfterMs, refreshAfterMs } from '../../../../src/protocol/sip/session-timer.ts'

const requestOf = (method: string, ...lines: string[]): SipRequest => must(parseMessage(utf8([
  `${method} sip:b@c SIP/2.0`, 'Via: SIP/2.0/UDP h;branch=z9hG4bKx', 'From: "A" <sip:a@c>;tag=1', 'To: <sip:b@c>', 'Call-ID: i', `CSeq: 7 ${method}`, 'Contact: <sip:a@phone:5070>', ...lines, '', '',
].join('\r\n')))) as SipRequest
const routes = ['Record-Route: <sip:p1;lr>, <sip:p2;lr>', 'Record-Route: <sip:p3;lr>']

test('the callee sends the way the request came, the caller the other way round', () => {
  const invite = requestOf('INVITE', ...routes)
  const callee = must(dialogOfCallee(invite, 't'))
  const answer = makeReply(invite, 200, { tag: 't', headers: [{ name: 'Contact', value: '<sip:b@desk>' }] })
  const caller = must(dialogOfCaller(invite, answer))
  assert.deepEqual(callee.routeSet.map((r) => r.uri.text), ['sip:p1;lr', 'sip:p2;lr', 'sip:p3;lr'])
  assert.deepEqual(caller.routeSet.map((r) => r.uri.text), ['sip:p3;lr', 'sip:p2;lr', 'sip:p1;lr'])
  const { request, dialog } = requestInDialog(callee, 'BYE')
  assert.deepEqual([request.uri.text, request.from.text, request.to.text, request.cseq], ['sip:a@phone:5070', '<sip:b@c>;tag=t', '"A" <sip:a@c>;tag=1', { number: 1, method: 'BYE' }])
  assert.equal(requestInDialog(dialog, 'OPTIONS').request.cseq.number, 2)
  assert.equal(keyOfRequest(request), keyOfDialog(caller))
  assert.deepEqual(requestInDialog(caller, 'ACK', { cseq: 7 }).request.cseq, { number: 7, method: 'ACK' })
})

test('a strict router gets its address as Request-URI, the target as last Route (§12.2.1.1)', () => {
  const callee = must(dialogOfCallee(requestOf('INVITE', 'Record-Route: <sip:old;x=1>, <sip:p2;lr>'), 't'))
  const { request } = requestInDialog(callee, 'BYE')
  assert.equal(request.uri.text, 'sip:old;x=1')
  assert.deepEqual(headersOf(request, 'Route'), ['<sip:p2;lr>', '<sip:a@phone:5070>'])
})

test('no Contact, no dialog', () => {
  const invite = requestOf('INVITE')
  assert.equal(dialogOfCallee({ ...invite, headers: [] }, 't').ok, false)
  assert.equal(dialogOfCaller(invite, makeReply(invite, 200, { tag: 't' })).ok, false)
})

test('CSeq of the peer rises; ACK has that of its INVITE; the target follows re-INVITE', () => {
  const d = must(dialogOfCallee(requestOf('INVITE'), 't'))
  assert.equal(receiveInDialog(d, requestOf('BYE')).ok, false)
  assert.ok(receiveInDialog(d, requestOf('ACK')).ok)
  const next = must(receiveInDialog(d, { ...requestOf('INFO'), cseq: { number: 9, method: 'INFO' } }))
  assert.equal(next.remoteSeq, 9)
  const moved = requestOf('INVITE')
  assert.equal(refreshTarget(d, { ...moved, headers: [{ name: 'Contact', value: '<sip:a@else>' }] }).remoteTarget.text, 'sip:a@else')
})

test('property: session timers are at least 90 s, refreshed before they expire', () => {
  fc.assert(fc.property(fc.nat(0xffffffff), fc.option(fc.nat(0xffffffff)), fc.boolean(), fc.constantFrom('', ';refresher=uac', ';refresher=uas', ';Refresher = uas'), (seconds, least, supported, refresher) => {
    const a = answerSessionTimer(requestOf('INVITE', `Session-Expires: ${seconds}${refresher}`, ...(least === null ? [] : [`Min-SE: ${least}`]), ...(supported ? ['k: timer'] : [])))
    if (a.kind === 'tooSmall') return assert.ok(seconds < 90 && supported)
    assert.ok(a.timer !== undefined && a.timer.intervalSeconds >= 90 && a.timer.intervalSeconds <= 86_400)
    assert.ok(refreshAfterMs(a.timer) < expireAfterMs(a.timer))
    if (!supported) assert.equal(a.timer.refresher, 'us')
  }))
  assert.deepEqual(answerSessionTimer(requestOf('INVITE')), { kind: 'accepted', headers: [] })
})
