import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ssrc } from '../../../../src/base/brand.ts'
import { concat, fromHex } from '../../../../src/base/bytes.ts'
import { audioLevelOf, elementLength, findElement, writeAudioLevel } from '../../../../src/protocol/rtp/extension.ts'
import { looksLikeRtcp, looksLikeRtp, newRtpHeader, parseRtp, RTP_PADDING, RTP_TRUNCATED, RTP_VERSION, rtpFault, rtpHeaderLength, writeRtpHeader } from '../../../../src/protocol/rtp/header.ts'

const hex = (t: string): Uint8Array => fromHex(t.replaceAll(' ', ''))!
const fields = fc.record({ marker: fc.boolean(), payloadType: fc.nat(127), sequence: fc.nat(0xffff), timestamp: fc.nat(0xffffffff), ssrc: fc.nat(0xffffffff).map(ssrc) })

test('what was written is read again', () => {
  const out = newRtpHeader()
  fc.assert(fc.property(fields, fc.uint8Array({ maxLength: 200 }), (f, payload) => {
    const packet = new Uint8Array(300)
    const at = writeRtpHeader(packet, f)
    packet.set(payload, at)
    assert.equal(parseRtp(packet, at + payload.length, out), 0)
    assert.deepEqual({ ...out }, { ...f, csrcCount: 0, extensionProfile: -1, extensionAt: 12, extensionLength: 0, payloadAt: 12, payloadLength: payload.length })
  }))
})

test('CSRCs, extension and padding', () => {
  const packet = hex('b2 80 1234 00000001 00000002 0000000a 0000000b abcd 0001 11223344 70717273 000003')
  const out = newRtpHeader()
  assert.equal(parseRtp(packet, packet.length, out), 0)
  assert.deepEqual([out.marker, out.csrcCount, out.extensionProfile, out.extensionAt, out.extensionLength, out.payloadAt, out.payloadLength], [true, 2, 0xabcd, 24, 4, 28, 4])
  assert.equal(rtpHeaderLength(packet, packet.length), 28)
})

test('malformed headers are refused with their reason', () => {
  const out = newRtpHeader()
  const refusal = (text: string): number => {
    const packet = hex(text)
    return parseRtp(packet, packet.length, out)
  }
  assert.equal(refusal(''), RTP_TRUNCATED)
  assert.equal(refusal('80 00 0001 00000001 000000'), RTP_TRUNCATED)
  assert.equal(refusal('40 00 0001 00000001 00000002'), RTP_VERSION)
  assert.equal(refusal('81 00 0001 00000001 00000002'), RTP_TRUNCATED, 'CSRC missing')
  assert.equal(refusal('90 00 0001 00000001 00000002 bede'), RTP_TRUNCATED, 'extension header cut off')
  assert.equal(refusal('90 00 0001 00000001 00000002 bede 0002 00000000'), RTP_TRUNCATED, 'extension cut off')
  assert.equal(refusal('a0 00 0001 00000001 00000002 00'), RTP_PADDING, 'padding of zero octets')
  assert.equal(refusal('a0 00 0001 00000001 00000002 0003'), RTP_PADDING, 'padding reaches into the header')
  assert.equal(parseRtp(hex('80 00 0001 00000001 00000002'), 13, out), RTP_TRUNCATED, 'longer than the buffer')
  assert.deepEqual([RTP_TRUNCATED, RTP_VERSION, RTP_PADDING].map(rtpFault), ['RTP_TRUNCATED', 'RTP_VERSION', 'RTP_PADDING'])
})

test('RTP, RTCP and other packets on one port are told apart', () => {
  assert.ok(looksLikeRtcp(hex('80c8'), 2))
  assert.ok(!looksLikeRtcp(hex('8080'), 2))
  assert.ok(!looksLikeRtcp(hex('80e0'), 2))
  assert.ok(looksLikeRtp(hex('80c80000 00000000'), 8))
  assert.ok(!looksLikeRtp(hex('00010000 2112a442'), 8), 'STUN')
})

test('the audio level of RFC 6464 goes through', () => {
  const out = newRtpHeader()
  fc.assert(fc.property(fields, fc.integer({ min: 1, max: 14 }), fc.nat(127), fc.boolean(), (f, id, level, voiced) => {
    const packet = new Uint8Array(40)
    const at = writeAudioLevel(packet, writeRtpHeader(packet, f), id, level, voiced)
    assert.equal(parseRtp(packet, at + 5, out), 0)
    assert.equal(out.payloadAt, 20)
    assert.equal(audioLevelOf(packet, out, id), level)
    assert.equal(packet[findElement(packet, out, id)]! >= 0x80, voiced)
    assert.equal(audioLevelOf(packet, out, (id % 14) + 1), -1)
  }))
})

test('one-byte elements: padding between, reserved 15 stops, cut off ends', () => {
  const parse = (extension: string) => {
    const data = hex(extension)
    const packet = concat(hex('90 00 0001 00000001 00000002 bede'), Uint8Array.of(0, data.length / 4), data)
    const header = newRtpHeader()
    assert.equal(parseRtp(packet, packet.length, header), 0)
    return (id: number) => {
      const at = findElement(packet, header, id)
      return at < 0 ? at : [...packet.subarray(at, at + elementLength(packet, at))]
    }
  }
  const two = parse('10 aa 00 00 21 bb cc 00')
  assert.deepEqual([two(1), two(2), two(3), two(0)], [[0xaa], [0xbb, 0xcc], -1, -1])
  assert.deepEqual(parse('f0 aa 10 aa')(1), -1)
  assert.deepEqual(parse('13 aa bb cc')(1), -1)
  const header = newRtpHeader()
  const twoByteForm = hex('90 00 0001 00000001 00000002 1000 0001 01 01 aa 00')
  assert.equal(parseRtp(twoByteForm, twoByteForm.length, header), 0)
  assert.equal(findElement(twoByteForm, header, 1), -1)
})
