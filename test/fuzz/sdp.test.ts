/** Mutated session descriptions: a result, never an exception; what is accepted can be written and answered. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { buildAnswer, chooseAudio } from '../../src/protocol/sdp/negotiate.ts'
import { parseSdp } from '../../src/protocol/sdp/parse.ts'
import { serialiseSdp } from '../../src/protocol/sdp/serialise.ts'

const seed = utf8([
  'v=0', 'o=alice 2890844526 1 IN IP4 192.0.2.1', 's=-', 'i=x', 'c=IN IP6 2001:db8::1', 'b=AS:64', 't=0 0', 'a=tool:x', 'm=audio 4002 RTP/SAVP 9 96 101', 'a=rtpmap:96 opus/48000/2', 'a=fmtp:96 useinbandfec=1',
  'a=rtpmap:101 telephone-event/8000', 'a=ptime:20', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'a=sendonly', 'm=video 0 RTP/AVP 31', '',
].join('\r\n'))

test('mutated descriptions', () => {
  const edit = fc.tuple(fc.nat(seed.length - 1), fc.constantFrom('set', 'drop', 'double'), fc.oneof(fc.nat(255), fc.constantFrom(13, 10, 61, 32, 58, 47)))
  fc.assert(fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
    const bytes = [...seed]
    for (const [at, kind, value] of edits) {
      if (kind === 'set') bytes[at % bytes.length] = value
      else if (kind === 'drop') bytes.splice(at % bytes.length, 1)
      else bytes.splice(at % bytes.length, 0, ...bytes.slice(at % bytes.length, (at % bytes.length) + value))
    }
    const parsed = parseSdp(new Uint8Array(bytes))
    if (!parsed.ok) return
    assert.deepEqual(must(parseSdp(serialiseSdp(parsed.value))), parsed.value)
    const choice = chooseAudio(parsed.value, { codecs: ['g722', 'opus'], srtp: 'offered', keysAreSafe: true })
    if (choice.ok) assert.ok(parseSdp(serialiseSdp(buildAnswer(parsed.value, choice.value, { address: '192.0.2.9', port: 4000, sessionId: '1', version: 1 }))).ok)
  }), { numRuns: 2500 })
})
