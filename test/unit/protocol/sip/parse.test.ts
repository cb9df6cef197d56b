import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromUtf8, utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { addressesOf, headerOf, headersOf } from '../../../../src/protocol/sip/message.ts'
import type { SipRequest } from '../../../../src/protocol/sip/message.ts'
import { parseMessage } from '../../../../src/protocol/sip/parse.ts'
import { makeReply, refuseRaw, statusOf } from '../../../../src/protocol/sip/reply.ts'
import { serialise } from '../../../../src/protocol/sip/serialise.ts'
import { isHost, isIpv6, paramOf, quote, unquote } from '../../../../src/protocol/sip/scanner.ts'
import { escapeUser, parseUri, sameUri, unescapeUri } from '../../../../src/protocol/sip/uri.ts'

const lines = (...l: string[]): Uint8Array => utf8(`${l.join('\r\n')}\r\n\r\n`)
const base = ['Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa', 'From: <sip:a@example.com>;tag=1', 'To: <sip:b@example.com>', 'Call-ID: x@y', 'CSeq: 1 OPTIONS', 'Max-Forwards: 70']
const withLines = (...extra: string[]): Uint8Array => lines('OPTIONS sip:b@example.com SIP/2.0', ...base, ...extra)
const refusedBy = (bytes: Uint8Array, stream = false): string => {
  const r = parseMessage(bytes, { stream })
  return r.ok ? 'accepted' : r.fault.code
}

test('comma-separated and repeated fields are the same list, compact names too', () => {
  const m = must(parseMessage(lines(
    'OPTIONS sip:b@example.com SIP/2.0', 'v: SIP/2.0/UDP a.example.com;branch=z9hG4bK1 , SIP/2.0/TCP [2001:db8::1]:5061;branch=z9hG4bK2;received=2001:db8::9',
    'Via: SIP/2.0/TLS c.example.com', 'f: "A, B" <sip:a@example.com>;tag=1', 't: sip:b@example.com;tag=2', 'i: x', 'CSeq: 1 OPTIONS',
    'm: <sip:one@example.com;lr>;q=0.5, "two, <three>" <sip:two@example.com>', 'X-Own: 1', 'x-own: 2',
  )))
  assert.deepEqual(m.via.map((v) => [v.transport, v.host, v.port]), [['UDP', 'a.example.com', undefined], ['TCP', '[2001:db8::1]', 5061], ['TLS', 'c.example.com', undefined]])
  assert.equal(paramOf(m.via[1]!.params, 'received'), '2001:db8::9')
  assert.equal(m.from.display, '"A, B"')
  assert.equal(paramOf(m.to.params, 'tag'), '2', 'what follows an addr-spec without brackets belongs to the field, not to the URI')
  assert.deepEqual(addressesOf(m, 'Contact').map((a) => a.uri.text), ['sip:one@example.com;lr', 'sip:two@example.com'])
  assert.deepEqual(headersOf(m, 'X-Own'), ['1', '2'])
})

test('malformed messages are refused with the code that says why', () => {
  const cases: [string, Uint8Array][] = [
    ['SIP_TRUNCATED', utf8('OPTIONS sip:b@example.com SIP/2.0\r\nVia: x')],
    ['SIP_BAD_START_LINE', lines('OPTIONS  sip:b@example.com SIP/2.0', ...base)],
    ['SIP_BAD_START_LINE', lines('OPT(IONS sip:b@example.com SIP/2.0', ...base)],
    ['SIP_BAD_VERSION', lines('OPTIONS sip:b@example.com SIP/7.0', ...base)],
    ['SIP_BAD_STATUS_LINE', lines('SIP/2.0 99 Low', ...base)],
    ['SIP_BAD_URI', lines('OPTIONS sip:b@exa_mple.com SIP/2.0', ...base)],
    ['SIP_URI_TOO_LONG', lines(`OPTIONS sip:${'b'.repeat(3000)}@example.com SIP/2.0`, ...base)],
    ['SIP_BAD_HEADER', withLines('no colon here')],
    ['SIP_BAD_HEADER', withLines('Contact: <sip:a@b>;x=1;X=2')],
    ['SIP_BAD_HEADER', withLines('Contact: *', 'Contact: <sip:a@b>')],
    ['SIP_BAD_HEADER', withLines('Expires: soon')],
    ['SIP_BAD_HEADER', withLines('Route: <sip:a@b>,,<sip:c@d>')],
    ['SIP_BAD_HEADER', withLines('X: a\rb')],
    ['SIP_NOT_UTF8', new Uint8Array([...utf8('OPTIONS sip:b@e SIP/2.0\r\nX: '), 0xff, 13, 10, 13, 10])],
    ['SIP_MISSING_HEADER', lines('OPTIONS sip:b@example.com SIP/2.0', ...base.slice(1))],
    ['SIP_REPEATED_HEADER', withLines('Call-ID: x@y')],
    ['SIP_BAD_LENGTH', withLines('Content-Length: 5')],
    ['SIP_BAD_HEADER', withLines('Content-Length: -1')],
    ['SIP_CSEQ_MISMATCH', lines('BYE sip:b@example.com SIP/2.0', ...base)],
    ['SIP_UNKNOWN_METHOD', lines('NEW sip:b@example.com SIP/2.0', ...base)],
    ['SIP_TOO_MANY_HEADERS', withLines(...Array.from({ length: 250 }, () => 'X: 1'))],
    ['SIP_TOO_MANY_HEADERS', withLines(`Via: ${Array.from({ length: 90 }, () => 'SIP/2.0/UDP a').join(',')}`)],
    ['SIP_TOO_LARGE', withLines(`X: ${'a'.repeat(40000)}`)],
    ['SIP_TOO_LARGE', new Uint8Array(70000)],
  ]
  for (const [code, bytes] of cases) assert.equal(refusedBy(bytes), code)
})

test('a stream needs the exact Content-Length, a datagram may lack it', () => {
  assert.equal(refusedBy(withLines(), false), 'accepted')
  assert.equal(refusedBy(withLines(), true), 'SIP_MISSING_HEADER')
  assert.equal(refusedBy(new Uint8Array([...withLines('Content-Length: 1'), 65, 66]), true), 'SIP_BAD_LENGTH')
  assert.deepEqual(must(parseMessage(new Uint8Array([...withLines(), 65]))).body, new Uint8Array([65]))
})

test('the body is a copy even when the datagram is a Buffer', () => {
  const bytes = Buffer.from([...withLines('Content-Length: 1'), 65])
  const m = must(parseMessage(bytes))
  bytes.fill(0)
  assert.equal(m.body[0], 65)
})

test('a reply copies what it must, and a refusal of broken requests too', () => {
  const m = must(parseMessage(withLines('Record-Route: <sip:p;lr>'))) as SipRequest
  const text = fromUtf8(serialise(makeReply(m, 200, { tag: 't' })))!
  assert.match(text, /^SIP\/2.0 200 OK\r\nVia: SIP\/2.0\/UDP 192.0.2.1:5060;branch=z9hG4bKa\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>;tag=t\r\n/)
  assert.match(text, /Record-Route: <sip:p;lr>/)
  const broken = lines('OPTIONS <sip:b> SIP/2.0', ...base)
  assert.match(fromUtf8(refuseRaw(broken, 400, 'Bad\r\nRequest')!)!, /^SIP\/2.0 400 Bad Request\r\nVia: .*\r\nFrom: .*\r\nTo: .*\r\nCall-ID: x@y\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n$/)
  assert.equal(refuseRaw(lines('ACK <sip:b> SIP/2.0', ...base), 400, 'x'), undefined)
  assert.equal(refuseRaw(lines('SIP/2.0 999 x', ...base), 400, 'x'), undefined)
  assert.equal(statusOf('SIP_BAD_STATUS_LINE'), undefined)
})

test('line breaks cannot be written into a header field', () => {
  const m = must(parseMessage(withLines()))
  assert.throws(() => serialise({ ...m, headers: [{ name: 'X', value: 'a\r\nEvil: b' }] }))
})

test('URIs: parts, escapes, comparison of RFC 3261 §19.1.4', () => {
  const u = must(parseUri('sips:al%20ice;day=tuesday:pa$s@[2001:db8::10]:5061;transport=tcp;lr?subject=a%3Db&x='))
  assert.ok(u.kind === 'sip')
  assert.deepEqual([u.user, u.password, u.host, u.port, u.headers.length], ['al%20ice;day=tuesday', 'pa$s', '[2001:db8::10]', 5061, 2])
  assert.equal(unescapeUri(u.user!), 'al ice;day=tuesday')
  const same: [string, string][] = [
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'], ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com', 'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com'],
    ['sip:alice@atlanta.com?subject=project%20x&priority=urgent', 'sip:alice@atlanta.com?priority=urgent&subject=project%20x'],
  ]
  const different: [string, string][] = [
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'], ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'], ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'], ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
  ]
  for (const [a, b] of same) assert.ok(sameUri(must(parseUri(a)), must(parseUri(b))), `${a} = ${b}`)
  for (const [a, b] of different) assert.ok(!sameUri(must(parseUri(a)), must(parseUri(b))), `${a} ≠ ${b}`)
  for (const bad of ['sip:', 'sip:a@', 'sip:a b@c', 'sip:@c', 'sip:a@b:0', 'sip:a@b:70000', 'sip:a@b;x=1;X=2', 'sip:%4@b', 'a@b', 'sip:a@256.1.1.1', 'sip:a@[::1::]', 'sip:a@b?x', 'sip:a@b c']) assert.ok(!parseUri(bad).ok, bad)
})

test('hosts', () => {
  for (const good of ['a', 'a.b-c.d1', 'example.com.', '192.0.2.1', '[::]', '[2001:db8::192.0.2.1]']) assert.ok(isHost(good), good)
  for (const bad of ['', '-a', 'a..b', '1.2.3', 'a.1b.2', '[::1', '::1', '[1:2:3:4:5:6:7:8:9]']) assert.ok(!isHost(bad), bad)
  assert.ok(isIpv6('1:2:3:4:5:6:7:8') && !isIpv6('1:2:3') && !isIpv6('1:2:3:4::5:6:7:8'))
})

test('property: any text survives quoting, any text survives as a user part', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => {
    const clean = text.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, '')
    assert.equal(unquote(quote(text)), clean)
  }))
  fc.assert(fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), (text) => {
    const uri = must(parseUri(`sip:${escapeUser(text)}@example.com`))
    assert.equal(uri.kind === 'sip' && unescapeUri(uri.user!), text)
  }))
})

test('property: what is written parses to the same message', () => {
  const token = fc.string({ unit: fc.constantFrom(...'abcXYZ019-.!%*_+`\'~'), minLength: 1, maxLength: 12 })
  const value = fc.string({ unit: fc.constantFrom(...'ab ,;="<>\\é漢'), maxLength: 30 }).map((v) => v.trim())
  fc.assert(fc.property(token, token, fc.array(fc.tuple(token.map((t) => `X${t}`), value), { maxLength: 8 }), fc.uint8Array({ maxLength: 50 }), fc.nat(0x7fffffff), (method, tag, headers, body, number) => {
    const m: SipRequest = {
      ...(must(parseMessage(withLines())) as SipRequest), method, cseq: { number, method }, body,
      headers: headers.map(([name, v]) => ({ name, value: v })),
      from: { text: `<sip:a@b>;tag=${tag}`, uri: must(parseUri('sip:a@b')), params: [{ name: 'tag', value: tag }] },
    }
    assert.deepEqual(must(parseMessage(serialise(m), { stream: true })), m)
  }))
})

test('folded lines are joined by one space', () => {
  assert.equal(headerOf(must(parseMessage(withLines('Subject: one', '   two', '\tthree'))), 'subject'), 'one two three')
})
