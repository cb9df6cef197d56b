/** Phones that come by themselves: without a certificate, with another's name, without keys, with keys of before; floods. */
import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import { must } from '../../src/base/result.ts'
import { issueRevocationList } from '../../src/pki/authority.ts'
import { parseCertificate } from '../../src/protocol/x509/certificate.ts'
import { directPhones, keyLine, plainSdp, secureSdp, type TlsPhone } from '../kit/direct-phones.ts'
import { People } from '../kit/people.ts'
import { until } from '../kit/processes.ts'

const calls = (w: Awaited<ReturnType<typeof directPhones>>) => w.pbx.requests.filter((r) => r.method === 'INVITE')
const answering = (r: { method: string }) => (r.method === 'INVITE' ? { status: 200, body: plainSdp } : { status: 200 })

test('control: a phone with its certificate and its key calls', async (t) => {
  const w = await directPhones(t)
  w.pbx.answer = answering
  const anna = await w.connect('anna')
  const answer = await anna.invite(secureSdp(keyLine('a')))
  assert.match(answer, /^SIP\/2\.0 200/)
  assert.match(answer, /RTP\/SAVP 0\r\n[\s\S]*a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:/)
  assert.doesNotMatch(String(Buffer.from(calls(w)[0]!.body)), /crypto|SAVP/, 'the PBX gets no key')
})

for (const [name, code, connect] of [
  ['without a certificate', 'CHANNEL_NO_CERTIFICATE', (w: Awaited<ReturnType<typeof directPhones>>) => w.connect('anna', { anonymous: true })],
  ['by a foreign authority', 'IDENTITY_UNKNOWN_ISSUER', (w: Awaited<ReturnType<typeof directPhones>>) => w.connect('anna', { as: new People(w.scheduler.unix()).person('anna') })],
] as const) test(`a phone ${name} is told so and nothing of it is processed`, async (t) => {
  const w = await directPhones(t)
  const stranger = await connect(w)
  const answer = await stranger.invite(secureSdp(keyLine('a')))
  assert.match(answer, /^SIP\/2\.0 403 /)
  await until(3000, 'the end of the connection', () => stranger.ended || undefined)
  assert.match(await (await connect(w)).invite(secureSdp(keyLine('a')), { to: '112' }), /^SIP\/2\.0 503 /, 'who calls for help tries its second server')
  const asks = await connect(w)
  assert.match(await asks.final(asks.send('MESSAGE', { to: '112' }), 'MESSAGE'), /^SIP\/2\.0 403 /, 'only a call is one')
  assert.deepEqual(w.pbx.requests, [])
  assert.equal(w.refused().get(code), 3, JSON.stringify([...w.refused()]))
  assert.equal(w.core.phones!.load.phones, 0)
})

test('a phone that is revoked in the middle of its call: call and connection end, and it does not come back', async (t) => {
  const w = await directPhones(t)
  w.pbx.answer = answering
  const paper = w.people.person('anna')
  const anna = await w.connect('anna', { as: paper })
  assert.match(await anna.invite(secureSdp(keyLine('a'))), /^SIP\/2\.0 200/)
  const now = w.scheduler.unix()
  const list = issueRevocationList(w.people.ca, [{ serial: must(parseCertificate(paper.chain[0]!)).serial, when: now }], 2, now)
  w.revocation.learn([{ kind: 'crl', der: list }])
  await until(3000, 'the end of connection and call', () => (anna.ended && w.pbx.requests.some((r) => r.method === 'BYE')) || undefined)
  assert.ok(anna.texts.some((x) => x.startsWith('BYE ')), 'the phone hears it as well')
  const again = await w.connect('anna', { as: paper })
  assert.match(await again.register(), /^SIP\/2\.0 403 .*revoked/)
})

test('another\'s name in From, or in a registration, is refused; a name of the certificate itself is not', async (t) => {
  const w = await directPhones(t)
  w.pbx.answer = answering
  const anna = await w.connect('anna')
  for (const answer of [await anna.invite(secureSdp(keyLine('a')), { from: 'bert' }), await anna.final(anna.send('REGISTER', { to: 'bert' }), 'REGISTER'), await anna.final(anna.send('MESSAGE', { from: 'nobody' }), 'MESSAGE'), await anna.final(anna.send('REGISTER', { to: 'bert', toTag: ';tag=x' }), 'REGISTER'), await anna.final(anna.send('MESSAGE', { from: 'bert', toTag: ';tag=x' }), 'MESSAGE')]) {
    assert.match(answer, /^SIP\/2\.0 403/)
    assert.match(answer, /Warning: 399 stc "The certificate of this phone is not that of the extension it names/)
  }
  assert.deepEqual(w.pbx.requests, [])
  assert.equal(w.refused().get('RELAY_NOT_YOURS'), 5)
  assert.match(await anna.invite(secureSdp(keyLine('b')), { from: 'bert', to: '112' }), /^SIP\/2\.0 200/, 'help comes before every rule')
})

test('a description without keys, with broken keys or with a suite that is not taken: 488, and the PBX hears nothing', async (t) => {
  const w = await directPhones(t)
  w.pbx.answer = answering
  const anna = await w.connect('anna')
  for (const [sdp, code] of [
    [plainSdp, 'SDP_SRTP_REQUIRED'], [secureSdp(), 'SDP_SRTP_REFUSED'], [secureSdp('a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA'), 'SDP_SRTP_REFUSED'],
    [secureSdp(`a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:${Buffer.alloc(30, 1).toString('base64')}`), 'SDP_SRTP_REFUSED'], [secureSdp(`${keyLine('c')}|1:4`), 'SDP_SRTP_REFUSED'],
  ] as const) {
    const before = w.refused().get(code) ?? 0
    assert.match(await anna.invite(sdp), /^SIP\/2\.0 488/, sdp)
    assert.equal(w.refused().get(code), before + 1, code)
  }
  assert.deepEqual(w.pbx.requests, [])
  assert.ok(w.legs.every((l) => l.peers.length === 0), 'no media was set up')
})

test('a called phone that answers without a key, with two, with another suite, or with ours is hung up', async (t) => {
  const w = await directPhones(t)
  w.pbx.answer = (r) => (r.method === 'REGISTER' ? { status: 200, headers: [`Contact: ${r.headers.find((h) => h.name === 'Contact')!.value};expires=300`] } : { status: 200 })
  const anna = await w.connect('anna')
  assert.match(await anna.register(), /^SIP\/2\.0 200/)
  const contact = /<([^>]+)>/.exec(w.pbx.requests[0]!.headers.find((h) => h.name === 'Contact')!.value)![1]!
  const ours = (text: string): string => /a=crypto:[^\r]+/.exec(text)![0]
  const cases: ((text: string) => string)[] = [
    () => plainSdp, () => secureSdp(), () => secureSdp(keyLine('x', { tag: 1, suite: 'AEAD_AES_128_GCM' }), keyLine('y', { tag: 2 })), () => secureSdp(keyLine('z', { tag: 1 })), (text) => secureSdp(ours(text)),
  ]
  for (const [i, body] of cases.entries()) {
    anna.answer = (text) => (text.startsWith('INVITE') ? { status: 200, body: body(text) } : { status: 200 })
    w.pbx.send([`INVITE ${contact} SIP/2.0`, `Via: SIP/2.0/UDP 127.0.0.1:${w.pbx.port};branch=z9hG4bKp${i};rport`, 'Max-Forwards: 70', 'From: <sip:carl@pbx.example>;tag=c', 'To: <sip:anna@pbx.example>', `Call-ID: in-${i}`, 'CSeq: 1 INVITE', `Contact: <sip:pbx@127.0.0.1:${w.pbx.port}>`, 'Content-Type: application/sdp', `Content-Length: ${plainSdp.length}`, '', plainSdp].join('\r\n'))
    const refused = await until(3000, 'the refusal', () => w.pbx.responses.find((r) => r.callId === `in-${i}` && r.status >= 200), undefined, 10)
    assert.equal(refused.status, 488, `case ${i}`)
    await until(3000, 'the BYE to the phone', () => anna.texts.some((x) => x.startsWith('BYE ') && x.includes(`in-${i}`)) || undefined, undefined, 10)
  }
  assert.ok(w.legs.every((l) => l.peers.every((p) => p.srtp === undefined)), 'no key was put to use')
  const offered = anna.texts.filter((x) => x.startsWith('INVITE'))
  assert.match(offered[0]!, /a=crypto:1 AEAD_AES_128_GCM inline:\S{38,}\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:/)
  assert.equal(new Set(offered.map(ours)).size, offered.length, 'every call has a key of its own')
})

test('a key of another call is refused; the same call may show it again after a challenge; a key of before does not come back', async (t) => {
  const w = await directPhones(t)
  const challenge = 'WWW-Authenticate: Digest realm="asterisk", nonce="n1", algorithm=MD5, qop="auth"'
  let asked = false
  w.pbx.answer = (r) => {
    if (r.method !== 'INVITE' || asked) return answering(r)
    asked = true
    return { status: 401, headers: [challenge] }
  }
  const [anna, bert] = [await w.connect('anna'), await w.connect('bert')]
  assert.match(await anna.invite(secureSdp(keyLine('k')), { callId: 'one', cseq: 1 }), /^SIP\/2\.0 401/)
  assert.match(await anna.invite(secureSdp(keyLine('k')), { callId: 'one', cseq: 2 }), /^SIP\/2\.0 401|^SIP\/2\.0 200/)
  await until(3000, 'the call', () => anna.texts.find((x) => x.startsWith('SIP/2.0 200') && x.includes('Call-ID: one')), undefined, 10)
  assert.match(await anna.invite(secureSdp(keyLine('k')), { callId: 'two' }), /^SIP\/2\.0 488/)
  assert.match(await bert.invite(secureSdp(keyLine('k'))), /^SIP\/2\.0 488/)
  assert.equal(w.refused().get('RELAY_KEY_REUSED'), 2)

  const inside = async (fill: string, cseq: number): Promise<string> => {
    anna.send('INVITE', { callId: 'one', cseq, toTag: ';tag=answer', body: secureSdp(keyLine(fill)) })
    return until(3000, `answer ${cseq}`, () => anna.texts.find((x) => /^SIP\/2\.0 [2-6]/.test(x) && x.includes('Call-ID: one') && x.includes(`CSeq: ${cseq} INVITE`)), undefined, 10)
  }
  assert.match(await inside('l', 3), /^SIP\/2\.0 200/)
  const keys = w.legs.flatMap((l) => l.peers.flatMap((p) => (p.srtp === undefined ? [] : [p.srtp])))
  assert.deepEqual(new Set(keys.map((k) => Buffer.from(k.receive.masterKey).toString()[0])), new Set(['k', 'l']))
  assert.match(await inside('k', 4), /^SIP\/2\.0 488/, 'back to the first key')
})

test('media elsewhere is refused; a private address behind a NAT means the address that the SIP comes from', async (t) => {
  const w = await directPhones(t)
  w.pbx.answer = answering
  const anna = await w.connect('anna')
  assert.match(await anna.invite(secureSdp(keyLine('a')).replaceAll('127.0.0.1', '192.0.2.66')), /^SIP\/2\.0 488/)
  assert.match(await anna.invite(secureSdp(keyLine('b')).replaceAll('127.0.0.1', '10.1.2.3')), /^SIP\/2\.0 488/)
  assert.equal(w.refused().get('RELAY_MEDIA_ELSEWHERE'), 2)
})

test('a flood of handshakes from one address is cut off before TLS; who is in goes on', async (t) => {
  const w = await directPhones(t)
  w.pbx.answer = answering
  const anna = await w.connect('anna')
  const sockets = Array.from({ length: 600 }, () => net.connect(w.port, '127.0.0.1'))
  t.after(() => {
    for (const s of sockets) s.destroy()
  })
  let closed = 0
  for (const s of sockets) s.on('error', () => {}).on('close', () => closed++)
  await until(10_000, 'connections that are closed at once', () => closed >= 350 || undefined, () => `${closed} closed`, 50)
  assert.match(await anna.register(), /^SIP\/2\.0 200/)
})

test('a certificate has four connections at most, and calls at its own rate: another phone is not hindered', async (t) => {
  const w = await directPhones(t)
  w.pbx.answer = () => ({ status: 486 })
  const paper = w.people.person('anna')
  const phones: TlsPhone[] = []
  for (let i = 0; i < 6; i++) phones.push(await w.connect('anna', { as: paper }))
  await until(3000, 'the oldest to go', () => (phones[0]!.ended && phones[1]!.ended) || undefined)
  assert.deepEqual(phones.map((p) => p.ended), [true, true, false, false, false, false])
  const flooder = phones[5]!
  const began = performance.now()
  for (let i = 0; i < 60; i++) flooder.send('INVITE', { body: '', callId: `flood-${i}` })
  await until(5000, 'answers to all', () => flooder.texts.filter((x) => /^SIP\/2\.0 (486|503)/.test(x)).length >= 60 || undefined, undefined, 20)
  // Twenty at once, and two a second while they come.
  const most = 21 + (2 * (performance.now() - began)) / 1000
  assert.ok(calls(w).length >= 20 && calls(w).length <= most, `${calls(w).length} calls, at most ${most}`)
  const bert = await w.connect('bert')
  assert.match(await bert.invite(''), /^SIP\/2\.0 486/)
})

test('the roster\'s word for a phone is its certificate, and only while it is there', async (t) => {
  const w = await directPhones(t)
  w.pbx.answer = answering
  const anna = await w.connect('anna')
  await anna.invite(secureSdp(keyLine('a')))
  const token = /<sip:([^@]+)@/.exec(calls(w)[0]!.headers.find((h) => h.name === 'Contact')!.value)![1]!
  const contactAt = /@([^>;]+)/.exec(calls(w)[0]!.headers.find((h) => h.name === 'Contact')!.value)![1]!
  const question = { callId: calls(w)[0]!.callId, contactUser: token, contactAt, remote: '127.0.0.1:40000' }
  const leg = w.core.legs.find(question)
  assert.equal(w.core.guest(leg!.session)?.peer.identity.subject, 'anna')
  // A guessed token; a plain phone that copied it into a Contact of its own, elsewhere, or in a call of its own.
  for (const forged of [{ contactUser: `${token.slice(0, -1)}z` }, { remote: '192.0.2.7:5060' }, { callId: 'x' }]) assert.equal(w.core.legs.find({ ...question, ...forged }), undefined, JSON.stringify(forged))
  w.core.phones!.close()
  assert.equal(w.core.guest(leg!.session), undefined)
  await until(3000, 'the BYE at the PBX', () => w.pbx.requests.some((r) => r.method === 'BYE') || undefined)
})

test('the PBX is gone for good: the phone hears the end of its call and stays connected', async (t) => {
  const w = await directPhones(t)
  w.pbx.answer = answering
  const anna = await w.connect('anna')
  await anna.invite(secureSdp(keyLine('a')))
  w.core.sip!.pbxGone('the telephone system was started anew')
  await until(3000, 'the BYE at the phone', () => anna.texts.some((x) => x.startsWith('BYE ')) || undefined)
  assert.equal(anna.ended, false)
  assert.match(await anna.register(), /^SIP\/2\.0 200/)
})

test('a stranger without a certificate that sends line ends for ever is gone after some seconds', async (t) => {
  const w = await directPhones(t)
  const stranger = await w.connect('anna', { anonymous: true })
  const keeping = setInterval(() => stranger.socket.write('\r\n'), 500)
  t.after(() => clearInterval(keeping))
  await until(60_000, 'the end of the connection', () => stranger.ended || undefined)
})
