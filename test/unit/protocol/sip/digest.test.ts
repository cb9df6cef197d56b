import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { unixTime } from '../../../../src/base/brand.ts'
import { utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import type { DigestAlgorithm } from '../../../../src/protocol/sip/digest.ts'
import { DigestServer, digestHa1, digestResponse, parseDigest } from '../../../../src/protocol/sip/digest.ts'
import type { SipRequest } from '../../../../src/protocol/sip/message.ts'
import { parseMessage } from '../../../../src/protocol/sip/parse.ts'

const crypto = createNodeCrypto()
const realm = 'stc'
const server = (remembered = 4096): DigestServer => new DigestServer({ realm, crypto, remembered, ha1Of: (user, algorithm) => (user === 'alice' ? digestHa1(crypto, algorithm, user, realm, 'secret') : undefined) })

interface Attempt { nonce: string; user?: string; password?: string; algorithm?: DigestAlgorithm; nc?: string; uri?: string; extra?: string; response?: string }
function requestWith(a: Attempt): SipRequest {
  const { nonce, user = 'alice', password = 'secret', algorithm = 'SHA-256', nc = '00000001', uri = 'sip:stc', extra = '' } = a
  const ha1 = digestHa1(crypto, algorithm, user, realm, password)
  const response = a.response ?? digestResponse(crypto, { algorithm, ha1, method: 'REGISTER', uri, nonce, nc, cnonce: 'c' })
  return must(parseMessage(utf8([
    'REGISTER sip:stc SIP/2.0', 'Via: SIP/2.0/UDP h;branch=z9hG4bKx', 'From: <sip:alice@stc>;tag=1', 'To: <sip:alice@stc>', 'Call-ID: i', 'CSeq: 1 REGISTER',
    `Authorization: Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", algorithm=${algorithm}, qop=auth, nc=${nc}, cnonce="c", response="${response}"${extra}`, '', '',
  ].join('\r\n')))) as SipRequest
}
const nonceOf = (s: DigestServer, now = 1000): string => must(parseDigest(s.challenges(unixTime(now), false)[0]!.value)).get('nonce')!

test('RFC 7616 §3.9.1: the responses of its example, SHA-256 and MD5', () => {
  const ha1 = (a: DigestAlgorithm): string => digestHa1(crypto, a, 'Mufasa', 'http-auth@example.org', 'Circle of Life')
  const d = { method: 'GET', uri: '/dir/index.html', nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v', nc: '00000001', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' }
  assert.equal(digestResponse(crypto, { ...d, algorithm: 'SHA-256', ha1: ha1('SHA-256') }), '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1')
  assert.equal(digestResponse(crypto, { ...d, algorithm: 'MD5', ha1: ha1('MD5') }), '8ca523f5e9506fed4657c9700eebdbec')
})

test('SHA-256 is offered before MD5, both are accepted', () => {
  const s = server()
  const offered = s.challenges(unixTime(1000), false).map((h) => must(parseDigest(h.value)).get('algorithm'))
  assert.deepEqual(offered, ['SHA-256', 'MD5'])
  for (const algorithm of ['SHA-256', 'MD5'] as const) assert.deepEqual(s.verify(requestWith({ nonce: nonceOf(s), algorithm }), unixTime(1000)), { ok: true, user: 'alice' })
})

test('wrong password, unknown user, foreign nonce, other URI, no qop, wrong algorithm: refused, not stale', () => {
  const s = server()
  const nonce = nonceOf(s)
  const attempts: Attempt[] = [
    { nonce, password: 'x' }, { nonce, user: 'bob' }, { nonce: nonceOf(server()) }, { nonce, uri: 'sip:other' }, { nonce, nc: '1' }, { nonce, response: '' },
    { nonce: `${nonce.slice(0, -1)}${nonce.endsWith('0') ? '1' : '0'}` }, { nonce, extra: ', qop=auth-int' }, { nonce, algorithm: 'SHA-512' as DigestAlgorithm },
  ]
  for (const a of attempts) assert.deepEqual(s.verify(requestWith(a), unixTime(1000)), { ok: false, stale: false }, JSON.stringify(a))
})

test('an unknown user does not get in by the response to an empty password digest', () => {
  const s = server()
  const nonce = nonceOf(s)
  const response = digestResponse(crypto, { algorithm: 'MD5', ha1: '', method: 'REGISTER', uri: 'sip:stc', nonce, nc: '00000001', cnonce: 'c' })
  assert.equal(s.verify(requestWith({ nonce, user: 'bob', algorithm: 'MD5', response }), unixTime(1000)).ok, false)
})

test('a replayed count and an old nonce are stale', () => {
  const s = server()
  const nonce = nonceOf(s)
  const at = (nc: string, now: number) => s.verify(requestWith({ nonce, nc }), unixTime(now))
  assert.ok(at('00000001', 1000).ok)
  assert.deepEqual(at('00000001', 1001), { ok: false, stale: true })
  assert.ok(at('00000003', 1001).ok)
  assert.deepEqual(at('00000002', 1001), { ok: false, stale: true })
  assert.deepEqual(at('00000009', 1301), { ok: false, stale: true })
  assert.match(s.challenges(unixTime(1000), true)[0]!.value, /stale=true/)
})

test('when a count is forgotten, nonces of its age are stale: a flood of logins opens no replay', () => {
  const s = server(8)
  const first = nonceOf(s, 1000)
  assert.ok(s.verify(requestWith({ nonce: first }), unixTime(1000)).ok)
  for (let i = 0; i < 8; i++) s.verify(requestWith({ nonce: nonceOf(s, 1001), algorithm: 'MD5' }), unixTime(1001))
  assert.deepEqual(s.verify(requestWith({ nonce: first }), unixTime(1001)), { ok: false, stale: true })
})

test('property: the digest parser gives a result for any text', () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'Digest ="\\,abc=\t') }), (text) => {
    parseDigest(text)
    parseDigest(`Digest ${text}`)
  }), { numRuns: 2000 })
  for (const bad of ['Basic abc', 'Digest', 'Digest a', 'Digest a=1, a=2', 'Digest a="1', 'Digest a=1 b=2']) assert.equal(parseDigest(bad).ok, false, bad)
})
