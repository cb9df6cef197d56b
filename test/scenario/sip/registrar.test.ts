/** REGISTER, digest off loopback, and what the handset refuses, in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import { type DigestAlgorithm, digestHa1, digestResponse, parseDigest } from '../../../src/protocol/sip/digest.ts'
import { must } from '../../../src/base/result.ts'
import { headersOf } from '../../../src/protocol/sip/message.ts'
import { fromUtf8 } from '../../../src/base/bytes.ts'
import { headerOf, nothing, type ScriptedPhone, sdpOf, simHandset } from '../../kit/sip-phone.ts'

const crypto = createNodeCrypto()
const register = { uri: 'sip:127.0.0.1', to: '<sip:alice@127.0.0.1>' }

/** The Authorization field that answers the last 401. */
function authorize(p: ScriptedPhone, method: string, uri: string, o: { algorithm?: DigestAlgorithm; user?: string; password?: string } = {}): string {
  const { algorithm = 'SHA-256', user = 'alice', password = 'secret' } = o
  const challenge = headersOf(p.last, 'WWW-Authenticate').map((h) => must(parseDigest(h))).find((c) => c.get('algorithm') === algorithm)!
  const nonce = challenge.get('nonce')!
  const response = digestResponse(crypto, { algorithm, ha1: digestHa1(crypto, algorithm, user, 'stc', password), method, uri, nonce, nc: '00000001', cnonce: 'abc' })
  return `Authorization: Digest username="${user}", realm="stc", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=${algorithm}, qop=auth, nc=00000001, cnonce="abc"`
}

test('on loopback a phone registers without a password, is told of until it expires or leaves', () => {
  const s = simHandset()
  const p = s.phone()
  p.send('REGISTER', { ...register, headers: ['Expires: 100'] })
  s.clock.advanceSync(5)
  assert.equal(p.last.status, 200)
  assert.equal(headerOf(p.last, 'Contact'), '<sip:alice@127.0.0.1:6000>;expires=100')
  p.send('REGISTER', { ...register, headers: ['Expires: 100'] })
  s.clock.advanceSync(99_000)
  assert.deepEqual(s.kinds(), ['registered'])
  s.clock.advanceSync(2_000)
  assert.deepEqual(s.events.at(-1), { kind: 'unregistered', line: 'desk', contact: 'alice@127.0.0.1:6000' })
  p.send('REGISTER', register)
  p.send('REGISTER', { ...register, headers: ['Expires: 0'] })
  s.clock.advanceSync(5)
  assert.equal(headerOf(p.last, 'Contact'), undefined)
  assert.deepEqual(s.kinds(), ['registered', 'unregistered', 'registered', 'unregistered'])
  assert.deepEqual(s.left(), nothing)
})

test('too brief, too late, the star, and a query', () => {
  const s = simHandset()
  const p = s.phone()
  const status = (headers: string[], cseq?: number): number => {
    p.send('REGISTER', { ...register, headers, ...(cseq === undefined ? {} : { cseq }) })
    s.clock.advanceSync(5)
    return p.last.status
  }
  assert.equal(status(['Expires: 30']), 423)
  assert.equal(headerOf(p.last, 'Min-Expires'), '60')
  assert.equal(status([`Expires: ${'9'.repeat(40)}`]), 200)
  assert.equal(headerOf(p.last, 'Contact'), '<sip:alice@127.0.0.1:6000>;expires=3600')
  // The first of that number must be forgotten, or this is taken for the same request.
  s.clock.advanceSync(40_000)
  assert.equal(status([], 1), 500, 'an old REGISTER')
  p.cseq = 10
  const star = (expires: string): number => {
    p.raw(`REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bK${expires};rport\r\nFrom: <sip:alice@h>;tag=1\r\nTo: <sip:alice@h>\r\nCall-ID: q${expires}\r\nCSeq: 1 REGISTER\r\nContact: *\r\nExpires: ${expires}\r\n\r\n`)
    s.clock.advanceSync(5)
    return p.last.status
  }
  assert.equal(star('60'), 400)
  assert.equal(star('0'), 200)
  assert.deepEqual(s.kinds(), ['registered', 'unregistered'])
})

for (const algorithm of ['SHA-256', 'MD5'] as const) {
  test(`off loopback REGISTER and INVITE need the password (${algorithm})`, () => {
    const s = simHandset({ users: { alice: 'secret' } })
    const p = s.phone({ address: '192.0.2.5' })
    p.send('REGISTER', register)
    s.clock.advanceSync(5)
    assert.equal(p.last.status, 401)
    p.send('REGISTER', { ...register, headers: [authorize(p, 'REGISTER', 'sip:127.0.0.1', { algorithm })] })
    s.clock.advanceSync(5)
    assert.equal(p.last.status, 200)
    p.invite()
    s.clock.advanceSync(5)
    assert.equal(p.last.status, 401)
    assert.equal(s.dials().length, 0)
    p.invite({ headers: [authorize(p, 'INVITE', 'sip:room@127.0.0.1', { algorithm })] })
    s.clock.advanceSync(5)
    assert.equal(s.dials().length, 1)
  })
}

test('old baresip is challenged with MD5 alone, which is all that it understands', () => {
  const s = simHandset({ users: { alice: 'secret' } })
  const p = s.phone({ address: '192.0.2.5' })
  p.send('REGISTER', { ...register, headers: ['User-Agent: baresip v1.0.0 (x86_64/linux)'] })
  s.clock.advanceSync(5)
  assert.deepEqual(headersOf(p.last, 'WWW-Authenticate').map((h) => must(parseDigest(h)).get('algorithm')), ['MD5'])
})

test('a wrong password, another identity, no users: not let in; guessing is throttled', () => {
  const s = simHandset({ users: { alice: 'secret', bob: 'other' } })
  const p = s.phone({ address: '192.0.2.5' })
  const attempt = (o: { user?: string; password?: string }): number => {
    p.send('REGISTER', register)
    s.clock.advanceSync(5)
    if (p.last.status !== 401) return p.last.status
    p.send('REGISTER', { ...register, headers: [authorize(p, 'REGISTER', 'sip:127.0.0.1', o)] })
    s.clock.advanceSync(5)
    return p.last.status
  }
  assert.equal(attempt({ password: 'x' }), 401)
  assert.equal(attempt({ user: 'bob', password: 'other' }), 403, 'bob may not register alice')
  for (let i = 0; i < 30; i++) attempt({ password: `guess ${i}` })
  assert.equal(attempt({}), 403, 'throttled')
  s.clock.advanceSync(61_000)
  assert.equal(attempt({}), 200)
  assert.deepEqual(s.kinds(), ['registered'])
})

test('a request inside a call from another address must show the password', () => {
  const s = simHandset({ users: { alice: 'secret' } })
  const p = s.phone()
  s.up(p)
  const thief = s.phone({ address: '192.0.2.66', port: 6000, callId: 'call-6000' })
  thief.to = p.to
  thief.cseq = 50
  thief.send('BYE', { branch: 'z9hG4bKthief' })
  s.clock.advanceSync(5)
  assert.equal(thief.last.status, 401)
  assert.equal(s.handset.load.calls, 1)
})

test('what is not served is refused with the code and the fields that RFC 3261 asks for', () => {
  const s = simHandset()
  const p = s.phone()
  const ask = (method: string, o: Parameters<ScriptedPhone['send']>[1] = {}): [number, string | undefined] => {
    p.send(method, o)
    s.clock.advanceSync(5)
    const fields = { 405: 'Allow', 501: 'Allow', 420: 'Unsupported', 415: 'Accept', 406: 'Accept' }
    const name = fields[p.last.status as keyof typeof fields]
    return [p.last.status, name === undefined ? undefined : headerOf(p.last, name)]
  }
  const allow = 'INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, UPDATE, PRACK, INFO'
  assert.deepEqual(ask('FROBNICATE'), [501, allow])
  assert.deepEqual(ask('SUBSCRIBE'), [405, allow])
  assert.deepEqual(ask('MESSAGE', { body: 'hello', type: 'text/plain' }), [405, allow])
  assert.deepEqual(ask('INVITE', { headers: ['Require: 100rel, nothing'] }), [420, 'nothing'])
  assert.deepEqual(ask('INVITE', { body: 'x', type: 'text/plain' }), [415, 'application/sdp'])
  assert.deepEqual(ask('INVITE', { headers: ['Accept: text/plain'] }), [406, 'application/sdp'])
  assert.deepEqual(ask('INVITE', { uri: 'tel:123' })[0], 416)
  assert.deepEqual(ask('INVITE', { uri: 'sip:127.0.0.1' })[0], 484)
  assert.deepEqual(ask('INVITE', { body: sdpOf(['m=audio 4000 RTP/AVP 18']) })[0], 488)
  assert.deepEqual(ask('INVITE', { to: '<sip:room@h>;tag=gone' })[0], 481)
  assert.deepEqual(ask('BYE', { to: '<sip:room@h>;tag=gone' })[0], 481)
  assert.deepEqual(ask('BYE')[0], 481)
  assert.deepEqual(ask('OPTIONS')[0], 200)
  assert.deepEqual([headerOf(p.last, 'Allow'), headerOf(p.last, 'Supported')], [allow, '100rel, timer'])
  assert.equal(s.events.length, 0)
})

test('the same INVITE by two ways is answered once, the other with 482', () => {
  const s = simHandset()
  const p = s.phone()
  p.invite()
  p.cseq--
  p.invite()
  s.clock.advanceSync(5)
  assert.equal(s.dials().length, 1)
  assert.deepEqual(p.shown(), ['100 INVITE', '100 INVITE', '482 INVITE'])
})

test('limits: 486 for one phone, 503 for all', () => {
  const s = simHandset({ maxCalls: 3, maxCallsPerContact: 2 })
  const from = (port: number, callId: string): ScriptedPhone => {
    const p = s.phone({ port, callId })
    p.invite()
    s.clock.advanceSync(5)
    return p
  }
  from(6000, 'a')
  from(6000, 'b')
  const third = s.phone({ port: 6000, callId: 'c' })
  third.invite()
  s.clock.advanceSync(5)
  assert.ok(s.dials().length === 2)
  from(6001, 'd')
  const fifth = from(6002, 'e')
  assert.equal(fifth.last.status, 503)
  assert.ok(headerOf(fifth.last, 'Retry-After') !== undefined)
  assert.equal(s.dials().length, 3)
})

test('malformed messages are answered 400, reported, and change nothing; a flood is cut off', () => {
  const faults: string[] = []
  const s = simHandset({ report: (f) => faults.push(f.code) })
  const p = s.phone()
  p.raw('OPTIONS sip:a b SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKq\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n')
  s.clock.advanceSync(5)
  assert.equal(p.last.status, 400)
  p.raw(new Uint8Array(100))
  assert.deepEqual(faults, ['SIP_BAD_START_LINE', 'SIP_TRUNCATED'])
  for (let i = 0; i < 5000; i++) p.raw(new Uint8Array(100))
  assert.ok(faults.length <= 20, `${faults.length} reports`)
  const q = s.phone({ address: '127.0.0.2', port: 6001 })
  q.invite()
  assert.equal(s.dials().length, 1, 'others are served meanwhile')
})

test('the answer to a request without rport goes to the port in Via, at the address it came from', () => {
  const s = simHandset()
  const listener = s.phone({ port: 6500 })
  const p = s.phone()
  p.raw('OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9:6500;branch=z9hG4bKq\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n')
  s.clock.advanceSync(5)
  assert.equal(listener.last.status, 200)
  assert.match(listener.last.via[0]!.text, /;received=127\.0\.0\.1$/)
  assert.equal(p.log.length, 0)
  assert.ok(fromUtf8(listener.last.body) === '')
})
