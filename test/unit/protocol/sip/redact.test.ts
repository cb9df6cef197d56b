import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { redactSip } from '../../../../src/protocol/sip/redact.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const CRLF = '\r\n'
const PLANTED = 'Hq7sPLANTEDx93kz'

const invite = (headers: readonly string[], body = ''): string => ['INVITE sip:8100@127.0.0.1 SIP/2.0', 'Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKabc;rport', 'From: <sip:desk@127.0.0.1>;tag=1', 'To: <sip:8100@127.0.0.1>', 'Call-ID: call-1@phone', 'CSeq: 1 INVITE', ...headers, '', body].join(CRLF)

test('what shows how a call went stays readable', () => {
  const text = redactSip(utf8(invite(['Content-Type: application/sdp'], ['v=0', 'm=audio 4000 RTP/AVP 9', 'a=rtpmap:9 G722/8000', ''].join(CRLF))))
  for (const line of ['INVITE sip:8100@127.0.0.1 SIP/2.0', 'Call-ID: call-1@phone', 'CSeq: 1 INVITE', 'm=audio 4000 RTP/AVP 9', 'a=rtpmap:9 G722/8000']) assert.ok(text.split('\n').includes(line), line)
})

const secretPlaces: readonly (readonly [string, string])[] = [
  ['digest response', invite([`Authorization: Digest username="desk", realm="stc", nonce="n", uri="sip:x", response="${PLANTED}"`])],
  ['cnonce without quotes', invite([`Proxy-Authorization: Digest username="desk",cnonce=${PLANTED},response="x"`])],
  ['nonce of a challenge', invite([`WWW-Authenticate: Digest realm="stc", nonce="${PLANTED}"`])],
  ['folded header', invite([`Authorization: Digest username="desk",${CRLF} response="${PLANTED}"`])],
  ['bearer token', invite([`Authorization: Bearer ${PLANTED}`])],
  ['header that nobody knows', invite([`X-Provider-Token: ${PLANTED}`])],
  ['header without a colon', invite([PLANTED])],
  ['password in a URI', invite([`Contact: <sip:desk:${PLANTED}@127.0.0.1>`])],
  ['password in the request line', invite([]).replace('sip:8100@', `sip:8100:${PLANTED}@`)],
  ['token in a URI', invite([`Refer-To: <sip:x@y;token=${PLANTED}>`])],
  ['SDES key', invite(['c: application/sdp'], `v=0${CRLF}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${PLANTED}${CRLF}`)],
  ['ICE password', invite(['Content-Type: application/sdp'], `v=0${CRLF}a=ice-pwd:${PLANTED}${CRLF}`)],
  ['k line', invite(['Content-Type: application/sdp'], `v=0${CRLF}k=clear:${PLANTED}${CRLF}`)],
  ['text of a message', invite(['Content-Type: text/plain'], PLANTED)],
  ['typed PIN', invite(['Content-Type: application/dtmf-relay'], `Signal=${PLANTED}${CRLF}`)],
  ['body of no type', invite([], PLANTED)],
  ['no SIP at all', PLANTED],
]
for (const [what, message] of secretPlaces) test(`takes out: ${what}`, () => assert.ok(!redactSip(utf8(message)).includes(PLANTED)))

test('no octets throw, and none of a control character comes through', () => {
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), fc.string({ maxLength: 200 }).map((s) => utf8(invite([s], s)))), (octets) => {
    assert.ok(!/[\p{Cc}]/u.test(redactSip(octets).replaceAll('\n', '')))
  }))
})
