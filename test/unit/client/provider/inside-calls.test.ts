/** Requests of ours inside a phone's call: in its name, with numbers that rise, and never seen by the phone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { type AgreementPart, CONTENT_TYPE, decodeBody } from '../../../../src/client/provider/agreement-messages.ts'
import { InsideCalls, type InsideNews } from '../../../../src/client/provider/inside-calls.ts'
import { parseMessage, type SipMessage, type SipRequest } from '../../../../src/protocol/sip/index.ts'
import type { TunnelMessage } from '../../../../src/telephony/relay/index.ts'
import { crypto } from '../../../kit/certificates.ts'

const VIA = 'Via: SIP/2.0/TLS stc.invalid;branch=z9hG4bKstc'
const [PHONE, FAR] = ['<sip:anna@provider.test>;tag=p1', '<sip:bert@provider.test>;tag=f1']
const raw = (start: string, from: string, to: string, cseq: string, more: readonly string[] = [], body = ''): string =>
  [start, VIA, `From: ${from}`, `To: ${to}`, 'Call-ID: call-1', `CSeq: ${cseq}`, 'Max-Forwards: 70', ...more, `Content-Length: ${body.length}`, '', body].join('\r\n')
const request = (method: string, from: string, to: string, number: number, more: readonly string[] = [], body = ''): string => raw(`${method} sip:x@192.0.2.1 SIP/2.0`, from, to, `${number} ${method}`, more, body)
const response = (status: number, from: string, to: string, cseq: string, more: readonly string[] = []): string => raw(`SIP/2.0 ${status} X`, from, to, cseq, more)
const CONTACT = 'Contact: <sip:far@192.0.2.7:5070>'
const parsed = (text: string): SipMessage => must(parseMessage(utf8(text), { stream: true }))
const streams = { up: 5, down: 5 }

function world() {
  const news: InsideNews[] = []
  const inserted: { readonly m: SipRequest; readonly done: (status: number) => void }[] = []
  const answers: TunnelMessage[] = []
  const inside = new InsideCalls({ random: crypto, onNews: (call, n) => {
    assert.equal(call, 5)
    news.push(n)
  } })
  const insert = (m: SipRequest, done: (status: number) => void): void => void inserted.push({ m, done })
  const tunnelled = (k: 'sip-request' | 'sip-response' | 'sip-ack', text: string, id: number): TunnelMessage => ({ k, ...(k === 'sip-ack' ? {} : { id, streams }), message: utf8(text) }) as TunnelMessage
  const cseqOf = (m: TunnelMessage | undefined): number | undefined => (m === undefined || !('message' in m) ? undefined : must(parseMessage(m.message, { stream: true })).cseq.number)
  return {
    inside, news, inserted, answers,
    out: (k: 'sip-request' | 'sip-response' | 'sip-ack', text: string, id = 1): number | undefined => {
      const m = inside.outgoing(tunnelled(k, text, id), parsed(text), insert)
      inside.passed(parsed(text))
      return cseqOf(m)
    },
    in: (k: 'sip-request' | 'sip-response' | 'sip-ack', text: string, id = 1): number | undefined => cseqOf(inside.incoming(tunnelled(k, text, id), parsed(text), insert, (a) => answers.push(a))),
    last: () => inserted.at(-1)!,
    bodyOf: (m: SipRequest) => decodeBody(fromUtf8(m.body)!),
  }
}

/** The phone calls and is answered. */
function calling(allow?: string) {
  const w = world()
  w.out('sip-request', request('INVITE', PHONE, '<sip:bert@provider.test>', 41, ['Contact: <sip:anna@198.51.100.4>']))
  w.in('sip-response', response(200, PHONE, FAR, '41 INVITE', [CONTACT, 'Record-Route: <sip:192.0.2.9;lr>', ...(allow === undefined ? [] : [`Allow: ${allow}`])]))
  return w
}

test('nothing before the ACK; then one after the other, in the phone\'s name and dialog', () => {
  const w = calling()
  w.inside.probe(5)
  w.inside.send(5, crypto.bytes(1000))
  assert.equal(w.inserted.length, 0)
  w.out('sip-ack', request('ACK', PHONE, FAR, 41))
  assert.equal(w.inserted.length, 1)
  const { m } = w.last()
  assert.deepEqual([m.method, m.cseq.number, m.callId, m.uri.text, m.from.text, m.to.text], ['MESSAGE', 42, 'call-1', 'sip:far@192.0.2.7:5070', PHONE, FAR])
  assert.ok(m.headers.some((h) => h.name === 'Route' && h.value.includes('192.0.2.9')))
  assert.ok(m.headers.some((h) => h.name === 'Content-Type' && h.value === CONTENT_TYPE))
  w.last().done(202)
  assert.deepEqual([w.inserted.length, w.last().m.cseq.number], [2, 43])
})

test('what the phone says afterwards gets higher numbers, its answers the old ones back, ACK that of its INVITE', () => {
  const w = calling()
  w.out('sip-ack', request('ACK', PHONE, FAR, 41))
  w.inside.probe(5)
  w.last().done(202)
  w.inside.probe(5)
  w.last().done(202)
  assert.equal(w.out('sip-request', request('INVITE', PHONE, FAR, 42, ['Contact: <sip:anna@198.51.100.4>']), 2), 44)
  assert.equal(w.in('sip-response', response(200, PHONE, FAR, '44 INVITE', [CONTACT]), 2), 42)
  assert.equal(w.out('sip-ack', request('ACK', PHONE, FAR, 42)), 44)
  assert.equal(w.out('sip-request', request('BYE', PHONE, FAR, 43), 3), 45)
  assert.equal(w.in('sip-response', response(200, PHONE, FAR, '45 BYE'), 3), 43)
  // Over: nothing of ours comes any more.
  const before = w.inserted.length
  w.inside.probe(5)
  assert.equal(w.inserted.length, before)
})

test('without anything of ours a call is as it was, number for number', () => {
  const w = calling()
  w.out('sip-ack', request('ACK', PHONE, FAR, 41))
  assert.equal(w.out('sip-request', request('BYE', PHONE, FAR, 42), 2), 42)
})

test('a phone that was called has numbers of its own', () => {
  const w = world()
  w.in('sip-request', request('INVITE', FAR, '<sip:anna@provider.test>', 900, [CONTACT]))
  w.out('sip-response', response(200, FAR, PHONE, '900 INVITE', ['Contact: <sip:anna@198.51.100.4>']))
  w.in('sip-ack', request('ACK', FAR, PHONE, 900))
  w.inside.send(5, Uint8Array.of(1))
  assert.deepEqual([w.last().m.cseq.number, w.last().m.from.text, w.last().m.to.text], [1, PHONE, FAR])
  w.last().done(200)
  assert.equal(w.out('sip-request', request('BYE', PHONE, FAR, 1), 2), 2)
})

test('messages for us are taken and answered; others reach the phone', () => {
  const w = calling()
  w.out('sip-ack', request('ACK', PHONE, FAR, 41))
  const message = (body: string, type = CONTENT_TYPE): string => request('MESSAGE', FAR, PHONE, 7, [`Content-Type: ${type}`], body)
  assert.equal(w.in('sip-request', message('stc1 probe 0123456789abcdef'), 9), undefined)
  assert.equal(w.answers.length, 1)
  assert.deepEqual([w.answers[0]!.k, 'id' in w.answers[0]! && w.answers[0].id], ['sip-response', 9])
  assert.deepEqual(w.bodyOf(w.last().m), { kind: 'answer', nonce: '0123456789abcdef' })
  w.last().done(202)
  assert.equal(w.in('sip-request', message('hello Anna', 'text/plain')), 7)
  assert.equal(w.in('sip-request', message('stc1 part 0 0 1 AQI=')), undefined)
  assert.deepEqual(w.news, [{ kind: 'message', bytes: Uint8Array.of(1, 2) }])
  // Rubbish is answered and goes nowhere.
  assert.equal(w.in('sip-request', message('stc1 part 0 7 1 AQI=')), undefined)
  assert.equal(w.news.length, 1)
})

test('only the answer to our own question says that somebody is there', () => {
  const w = calling()
  w.out('sip-ack', request('ACK', PHONE, FAR, 41))
  w.inside.probe(5)
  const asked = w.bodyOf(w.last().m) as Exclude<ReturnType<typeof decodeBody>, AgreementPart | undefined>
  const answer = (nonce: string): void => void w.in('sip-request', request('MESSAGE', FAR, PHONE, 8, [`Content-Type: ${CONTENT_TYPE}`], `stc1 answer ${nonce}`))
  w.last().done(202)
  assert.deepEqual(w.news, [], 'a server that takes it is nobody')
  answer('0000000000000000')
  assert.deepEqual(w.news, [])
  answer(asked.nonce)
  assert.deepEqual(w.news, [{ kind: 'reached' }])
})

test('whoever does not take MESSAGE is not asked, and after a refusal nothing more is sent', () => {
  const without = calling('INVITE, ACK, BYE, CANCEL')
  without.inside.probe(5)
  without.out('sip-ack', request('ACK', PHONE, FAR, 41))
  assert.equal(without.inserted.length, 0)
  const w = calling('INVITE, ACK, BYE, MESSAGE')
  w.out('sip-ack', request('ACK', PHONE, FAR, 41))
  w.inside.send(5, crypto.bytes(2000))
  w.last().done(415)
  assert.equal(w.inserted.length, 1)
  w.inside.closed(5)
  w.inside.probe(5)
  assert.equal(w.inserted.length, 1)
})

test('ringing and refusals make no call of it, nor does an answer to something else; the ACK of one that is unknown lets nothing go', () => {
  for (const [status, cseq] of [[180, '41 INVITE'], [486, '41 INVITE'], [200, '41 OPTIONS']] as const) {
    const w = world()
    w.out('sip-request', request('INVITE', PHONE, '<sip:bert@provider.test>', 41, ['Contact: <sip:anna@198.51.100.4>']))
    w.in('sip-response', response(status, PHONE, FAR, cseq, [CONTACT]))
    w.out('sip-ack', request('ACK', PHONE, FAR, 41))
    w.inside.probe(5)
    assert.equal(w.inserted.length, 0, `${status} ${cseq}`)
  }
})

test('of a call that is not known nothing is said, octets that are no SIP pass as they came, and an ACK that comes twice sends nothing twice', () => {
  const w = calling()
  w.inside.send(6, Uint8Array.of(1))
  w.inside.probe(6)
  const strange = { k: 'sip-request', id: 3, message: Uint8Array.of(1, 2) } as TunnelMessage
  const insert = (): void => assert.fail('nothing is ours')
  assert.equal(w.inside.outgoing(strange, undefined, insert), strange)
  assert.equal(w.inside.incoming(strange, undefined, insert, () => assert.fail('nothing to answer')), strange)
  w.inside.passed(undefined)
  w.inside.probe(5)
  for (let n = 0; n < 2; n++) w.out('sip-ack', request('ACK', PHONE, FAR, 41))
  assert.equal(w.inserted.length, 1)
})
