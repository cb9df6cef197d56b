import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { unixTime } from '../../../../src/base/brand.ts'
import { utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { Secret } from '../../../../src/base/secret.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { DigestClient, DigestServer, digestHa1, makeReply, parseMessage, type SipRequest } from '../../../../src/protocol/sip/index.ts'
import { parseDigest } from '../../../../src/protocol/sip/digest.ts'

const crypto = createNodeCrypto()
const NOW = unixTime(1000)
const request = must(parseMessage(utf8(['REGISTER sip:pbx SIP/2.0', 'Via: SIP/2.0/UDP h;branch=z9hG4bKx', 'From: <sip:100@pbx>;tag=1', 'To: <sip:100@pbx>', 'Call-ID: i', 'CSeq: 1 REGISTER', '', ''].join('\r\n')))) as SipRequest
const client = (password = 'geheim ä"\\', user = '100'): DigestClient => new DigestClient({ user, password: new Secret(utf8(password)), crypto })
const serverOf = (user: string, password: string): DigestServer => new DigestServer({ realm: 'asterisk', crypto, ha1Of: (u, a) => (u === user ? digestHa1(crypto, a, user, 'asterisk', password) : undefined) })
const challenge = (values: readonly string[], status = 401) => makeReply(request, status, { headers: values.map((value) => ({ name: status === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate', value })) })
const fieldsOf = (value: string) => must(parseDigest(value))

test('what our own server asks for is answered, each count once, whatever characters name and password have', () => {
  fc.assert(fc.property(fc.string({ minLength: 1, unit: fc.constantFrom(...'aZ0_"\\ äß%') }), fc.string({ minLength: 1, unit: 'grapheme' }), (user, password) => {
    const server = serverOf(user, password)
    const c = client(password, user)
    assert.equal(c.authorization(request), undefined, 'nothing before a challenge')
    assert.ok(c.challenged(challenge(server.challenges(NOW, false).map((h) => h.value)), false))
    for (let i = 0; i < 3; i++) assert.deepEqual(server.verify({ ...request, headers: [c.authorization(request)!] }, NOW), { ok: true, user })
  }), { numRuns: 50 })
})

test('the strongest algorithm that we know is taken, in whatever order they come', () => {
  const c = client()
  assert.ok(c.challenged(challenge(['Digest realm="r", nonce="1", algorithm=MD5, qop="auth"', 'Digest realm="r", nonce="2", algorithm=SHA-512-256, qop="auth"', 'Digest realm="r", nonce="3", algorithm=SHA-256, qop="auth-int,auth"']), false))
  const fields = fieldsOf(c.authorization(request)!.value)
  assert.deepEqual([fields.get('algorithm'), fields.get('nonce'), fields.get('nc')], ['SHA-256', '3', '00000001'])
})

test('RFC 2069: without qop there is neither count nor cnonce; a proxy is answered as a proxy; opaque goes back', () => {
  const c = client('Circle Of Life', 'Mufasa')
  assert.ok(c.challenged(challenge(['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'], 407), false))
  const { name, value } = c.authorization(request)!
  const fields = fieldsOf(value)
  assert.equal(name, 'Proxy-Authorization')
  assert.deepEqual([fields.has('nc'), fields.has('cnonce'), fields.has('qop'), fields.has('algorithm'), fields.get('opaque')], [false, false, false, false, '5ccc069c403ebaf9f0171e9517f40e41'])
  // Computed beside, with sha and md5 of the machine's own tools: H(H(user:realm:password):nonce:H(method:uri)).
  const md5 = (t: string): string => Buffer.from(crypto.hash('md5', utf8(t))).toString('hex')
  assert.equal(fields.get('response'), md5(`${md5('Mufasa:testrealm@host.com:Circle Of Life')}:dcd98b7102dd2f0e8b11d0f600bfb0c093:${md5('REGISTER:sip:pbx')}`))
})

test('a wrong password is not tried again, an old nonce is; what cannot be answered is not', () => {
  const c = client()
  const asks = ['Digest realm="r", nonce="1", algorithm=MD5, qop="auth"']
  assert.ok(c.challenged(challenge(asks), false))
  assert.ok(c.authorization(request))
  assert.equal(c.challenged(challenge(asks), true), false)
  assert.equal(c.authorization(request), undefined, 'not shown once more to whoever refused it')
  assert.equal(c.challenged(challenge([`${asks[0]}, stale=TRUE`]), true), true)
  for (const bad of ['Basic realm="r"', 'Digest realm="r", nonce="1", algorithm=SHA-512', 'Digest realm="r", nonce="1", qop="auth-int"', 'Digest nonce="1"', 'Digest realm="r"', '']) assert.equal(client().challenged(challenge([bad]), false), false, bad)
})
