import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromUtf8, utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { fromBase64, toBase64 } from '../../../../src/protocol/sdp/base64.ts'
import type { AudioPolicy } from '../../../../src/protocol/sdp/negotiate.ts'
import { acceptAnswer, buildAnswer, buildOffer, chooseAudio, isHeld, maySend } from '../../../../src/protocol/sdp/negotiate.ts'
import { parseSdp } from '../../../../src/protocol/sdp/parse.ts'
import { sdesKeysOf } from '../../../../src/protocol/sdp/sdes.ts'
import { serialiseSdp } from '../../../../src/protocol/sdp/serialise.ts'

const sdp = (...media: string[]): Uint8Array => utf8(['v=0', 'o=a 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...media, ''].join('\r\n'))
const policy: AudioPolicy = { codecs: ['g722', 'opus', 'pcmu', 'pcma'], srtp: 'off', keysAreSafe: true }
const local = { address: '192.0.2.9', port: 4000, sessionId: '77', version: 1 }
const choose = (bytes: Uint8Array, p = policy, keep?: 'pcmu') => chooseAudio(must(parseSdp(bytes)), p, keep)
const codeOf = (r: { ok: boolean; fault?: { code: string } }): string => r.fault?.code ?? 'accepted'

test('the answer has one codec, telephone-event at its clock, the offerer\'s numbers, its ptime, other streams refused', () => {
  const offer = must(parseSdp(sdp(
    'm=video 5000 RTP/AVP 31', 'm=audio 4002 RTP/AVP 0 107 101 100', 'a=rtpmap:107 opus/48000/2', 'a=fmtp:107 useinbandfec=1', 'a=rtpmap:101 telephone-event/8000', 'a=rtpmap:100 telephone-event/48000', 'a=ptime:40', 'a=rtcp-mux', 'a=candidate:1 1 UDP 1 192.0.2.1 4002 typ host',
  )))
  const choice = must(chooseAudio(offer, policy))
  assert.deepEqual(choice, { index: 1, codec: 'opus', payloadType: 107, telephoneEvent: 100, ptimeMs: 40, remote: { address: '192.0.2.1', port: 4002 }, direction: 'sendrecv', nowhere: false })
  assert.equal(fromUtf8(serialiseSdp(buildAnswer(offer, choice, local))), [
    'v=0', 'o=- 77 1 IN IP4 192.0.2.9', 's=-', 'c=IN IP4 192.0.2.9', 't=0 0', 'm=video 0 RTP/AVP 31', 'm=audio 4000 RTP/AVP 107 100', 'a=rtpmap:107 opus/48000/2', 'a=fmtp:107 stereo=0;sprop-stereo=0',
    'a=rtpmap:100 telephone-event/48000', 'a=fmtp:100 0-15', 'a=ptime:40', 'a=sendrecv', '',
  ].join('\r\n'))
})

test('static payload types need no rtpmap; our preference decides, a running codec stays', () => {
  assert.equal(must(choose(sdp('m=audio 4002 RTP/AVP 0 8 9 101', 'a=rtpmap:101 telephone-event/8000'))).codec, 'g722')
  assert.equal(must(choose(sdp('m=audio 4002 RTP/AVP 8 0'), { ...policy, codecs: ['pcma', 'pcmu'] })).codec, 'pcma')
  assert.equal(must(choose(sdp('m=audio 4002 RTP/AVP 9 0'), policy, 'pcmu')).codec, 'pcmu')
  assert.equal(must(choose(sdp('m=audio 4002 RTP/AVP 9'), policy, 'pcmu')).codec, 'g722')
  assert.equal(codeOf(choose(sdp('m=audio 4002 RTP/AVP 3 18'))), 'SDP_NO_AUDIO')
  assert.equal(codeOf(choose(sdp('m=audio 0 RTP/AVP 0'))), 'SDP_NO_AUDIO')
  for (const c of ['IN IP4 239.1.1.1', 'IN IP4 255.255.255.255', 'IN IP6 ff02::1', 'IN IP4 phone.example.com']) assert.equal(codeOf(choose(sdp('m=audio 4002 RTP/AVP 0', `c=${c}`))), 'SDP_NO_AUDIO', c)
  assert.equal(codeOf(choose(sdp('m=audio 4002 RTP/AVP 96', 'a=rtpmap:96 opus/48000'))), 'SDP_NO_AUDIO', 'opus is always /2')
})

test('ptime 10 to 60 ms is honoured, else 20', () => {
  const ptime = (...lines: string[]): number => must(choose(sdp('m=audio 4002 RTP/AVP 0', ...lines))).ptimeMs
  assert.deepEqual([ptime(), ptime('a=ptime:10'), ptime('a=ptime:30'), ptime('a=ptime:60'), ptime('a=ptime:90'), ptime('a=ptime:5'), ptime('a=ptime:25'), ptime('a=ptime:x'), ptime('a=maxptime:10')], [20, 10, 30, 60, 60, 20, 20, 20, 10])
  assert.equal(must(choose(sdp('m=audio 4002 RTP/AVP 96', 'a=rtpmap:96 opus/48000/2', 'a=ptime:30'))).ptimeMs, 20)
})

test('hold in its three forms, and listening only', () => {
  const state = (bytes: Uint8Array): [boolean, boolean, string | undefined] => {
    const offer = must(parseSdp(bytes))
    const c = must(chooseAudio(offer, policy))
    return [isHeld(c), maySend(c), buildAnswer(offer, c, local).media[0]!.attributes.at(-1)?.name]
  }
  assert.deepEqual(state(sdp('m=audio 4002 RTP/AVP 0')), [false, true, 'sendrecv'])
  assert.deepEqual(state(sdp('m=audio 4002 RTP/AVP 0', 'a=sendonly')), [true, false, 'recvonly'])
  assert.deepEqual(state(sdp('m=audio 4002 RTP/AVP 0', 'a=inactive')), [true, false, 'inactive'])
  assert.deepEqual(state(sdp('m=audio 4002 RTP/AVP 0', 'a=recvonly')), [true, true, 'sendonly'])
  assert.deepEqual(state(sdp('m=audio 4002 RTP/AVP 0', 'c=IN IP4 0.0.0.0')), [true, false, 'recvonly'])
  assert.deepEqual(state(sdp('a=sendonly', 'm=audio 4002 RTP/AVP 0')), [true, false, 'recvonly'])
})

const key30 = toBase64(new Uint8Array(30).fill(7))
const key44 = toBase64(new Uint8Array(44).fill(8))
const srtpLines = ['m=audio 4002 RTP/SAVP 0', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key30}|2^31`, `a=crypto:2 AEAD_AES_256_GCM inline:${key44}`, 'a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:AAAA']

test('SDES: the strongest suite, its tag in the answer, policies', () => {
  const offer = must(parseSdp(sdp(...srtpLines)))
  assert.deepEqual(sdesKeysOf(offer.media[0]!).map((k) => [k.tag, k.suite, k.masterKey.length, k.masterSalt.length]), [[1, 'AES_CM_128_HMAC_SHA1_80', 16, 14], [2, 'AEAD_AES_256_GCM', 32, 12]])
  const choice = must(chooseAudio(offer, { ...policy, srtp: 'offered' }))
  assert.equal(choice.sdes?.suite, 'AEAD_AES_256_GCM')
  const answer = buildAnswer(offer, choice, { ...local, sdes: { ...choice.sdes!, masterKey: new Uint8Array(32), masterSalt: new Uint8Array(12) } })
  assert.match(fromUtf8(serialiseSdp(answer))!, /m=audio 4000 RTP\/SAVP 0\r\n[\s\S]*a=crypto:2 AEAD_AES_256_GCM inline:A{59}=/)
  assert.equal(codeOf(chooseAudio(offer, policy)), 'SDP_SRTP_REFUSED')
  assert.equal(codeOf(chooseAudio(offer, { ...policy, srtp: 'offered', keysAreSafe: false })), 'SDP_SRTP_REFUSED')
  assert.equal(codeOf(choose(sdp('m=audio 4002 RTP/AVP 0'), { ...policy, srtp: 'required' })), 'SDP_SRTP_REQUIRED')
  assert.equal(must(choose(sdp('m=audio 4000 RTP/AVP 0', ...srtpLines), { ...policy, srtp: 'offered' })).index, 1, 'the SRTP stream is preferred')
  assert.equal(must(choose(sdp('m=audio 4002 RTP/AVP 0', srtpLines[1]!), { ...policy, srtp: 'offered' })).sdes?.tag, 1, 'best-effort SRTP')
  assert.equal(must(choose(sdp('m=audio 4002 RTP/AVP 0', srtpLines[1]!), { ...policy, srtp: 'offered', keysAreSafe: false })).sdes, undefined)
  assert.equal(codeOf(choose(sdp('m=audio 4002 UDP/TLS/RTP/SAVP 0'))), 'SDP_NO_AUDIO')
})

test('an offer of ours and its answer', () => {
  const offer = buildOffer(policy, local)
  assert.deepEqual(must(parseSdp(serialiseSdp(offer))), offer)
  assert.deepEqual(offer.media[0]!.formats, ['9', '96', '0', '8', '101', '97'])
  const choice = must(acceptAnswer(must(parseSdp(sdp('m=audio 4002 RTP/AVP 8 101', 'a=rtpmap:101 telephone-event/8000'))), policy, undefined))
  assert.deepEqual([choice.codec, choice.telephoneEvent], ['pcma', 101])
  assert.equal(codeOf(acceptAnswer(must(parseSdp(sdp('m=audio 0 RTP/AVP 8'))), policy, undefined)), 'SDP_NO_AUDIO')
  const ours = { tag: 1, suite: 'AEAD_AES_128_GCM' as const, masterKey: new Uint8Array(16), masterSalt: new Uint8Array(12) }
  assert.equal(codeOf(acceptAnswer(must(parseSdp(sdp('m=audio 4002 RTP/AVP 8'))), { ...policy, srtp: 'offered' }, ours)), 'SDP_SRTP_REFUSED', 'a key that was offered may not be dropped')
})

test('malformed descriptions are refused', () => {
  const good = fromUtf8(sdp('m=audio 4002 RTP/AVP 0'))!
  const bad = [
    '', good.replace('v=0', 'v=1'), good.replace('o=a 1', 'o=a x'), good.replace('s=-\r\n', ''), good.replace('t=0 0\r\n', ''), good.replace('c=IN IP4 192.0.2.1\r\n', ''), good.replace('IP4 192.0.2.1\r\nt', 'IP4 192.0.2.256\r\nt'),
    good.replace('m=audio', 'm =audio'), good.replace('4002', '70000'), good.replace(' RTP/AVP 0', ' RTP/AVP'), good.replace('s=-\r\nc=', 'c=IN IP4 1.1.1.1\r\ns=-\r\nb='), `${good}a=\r\n`, `${good}c=IN IP4 1.2.3.4\r\nc=IN IP4 1.2.3.4\r\n`,
    good.replace('192.0.2.1\r\nt', '224.2.1.1/127\r\nt'), good.repeat(2), `${good}${'a=x\r\n'.repeat(600)}`, good + 'm=audio 1 RTP/AVP 0\r\n'.repeat(20), `${good}x`,
  ]
  for (const text of bad) assert.equal(parseSdp(utf8(text)).ok, false, text.slice(0, 200))
  assert.equal(parseSdp(new Uint8Array([0xff])).ok, false)
})

test('LF alone ends a line too', () => {
  assert.ok(parseSdp(utf8(fromUtf8(sdp('m=audio 4002 RTP/AVP 0'))!.replaceAll('\r', ''))).ok)
})

test('property: base64 is inverse to itself and agrees with another implementation', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    assert.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'))
    assert.deepEqual(fromBase64(toBase64(bytes)), bytes)
    assert.deepEqual(fromBase64(toBase64(bytes).replaceAll('=', '')), bytes)
  }))
  for (const bad of ['A', 'AB=', 'AB==C', 'A!==', 'AC==', '====', 'AAAA=']) assert.equal(fromBase64(bad), undefined, bad)
})
