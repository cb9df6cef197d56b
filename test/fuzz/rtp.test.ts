/** Mutated and random octets into every RTP and RTCP decoder: an answer within bounds, never an exception. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ssrc } from '../../src/base/brand.ts'
import { audioLevelOf, findElement, writeAudioLevel } from '../../src/protocol/rtp/extension.ts'
import { newRtpHeader, parseRtp, rtpHeaderLength, writeRtpHeader } from '../../src/protocol/rtp/header.ts'
import { cname, writeRtcp } from '../../src/protocol/rtp/rtcp.ts'
import { parseRtcp } from '../../src/protocol/rtp/rtcp-parse.ts'
import { decodeTelephoneEvent } from '../../src/protocol/rtp/telephone-event.ts'
import { fuzz } from '../kit/fuzz.ts'

const LIMIT = { numRuns: 4000, interruptAfterTimeLimit: 1500 }
/** A good packet with some octets replaced and its end cut. */
const mutated = (good: Uint8Array) =>
  fc.tuple(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(good.length)).map(([changes, length]) => {
    const bytes = good.slice()
    for (const [at, value] of changes) bytes[at] = value
    return bytes.subarray(0, length)
  })

const rtp = new Uint8Array(60)
writeAudioLevel(rtp, writeRtpHeader(rtp, { marker: true, payloadType: 9, sequence: 1, timestamp: 2, ssrc: ssrc(3) }), 1, 30, true)
const block = { ssrc: ssrc(2), fractionLost: 1, lost: 2, highestSequence: 3, jitter: 4, lastReport: 5, delaySinceLastReport: 6 }
const rtcp = writeRtcp([
  { kind: 'sr', ssrc: ssrc(1), ntp: 5n, timestamp: 6, packets: 7, octets: 8, reports: [block] },
  cname(ssrc(1), 'a@b'),
  { kind: 'bye', ssrcs: [ssrc(1)], reason: Uint8Array.of(65) },
])

test('RTP headers', () => {
  const out = newRtpHeader()
  fuzz(fc.property(fc.oneof(mutated(rtp), fc.uint8Array({ maxLength: 80 })), (bytes) => {
    const r = parseRtp(bytes, bytes.length, out)
    assert.ok(r <= 0 && r >= -3)
    assert.ok(rtpHeaderLength(bytes, bytes.length) <= bytes.length)
    if (r < 0) return
    assert.ok(out.payloadAt + out.payloadLength <= bytes.length && out.payloadLength >= 0)
    for (let id = 0; id < 16; id++) {
      assert.ok(findElement(bytes, out, id) < out.payloadAt)
      assert.ok(audioLevelOf(bytes, out, id) <= 127)
    }
  }), LIMIT)
})

test('RTCP compounds', () => {
  fuzz(fc.property(fc.oneof(mutated(rtcp), fc.uint8Array({ maxLength: 80 })), (bytes) => {
    const r = parseRtcp(bytes)
    if (!r.ok) assert.equal(r.fault.code, 'RTCP_MALFORMED')
  }), LIMIT)
})

test('telephone events', () => {
  fuzz(fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
    assert.equal(decodeTelephoneEvent(bytes).ok, bytes.length === 4)
  }), LIMIT)
})
