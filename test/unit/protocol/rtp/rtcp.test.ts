import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ssrc } from '../../../../src/base/brand.ts'
import { concat, fromHex } from '../../../../src/base/bytes.ts'
import type { RtcpPacket } from '../../../../src/protocol/rtp/rtcp.ts'
import { cname, writeRtcp } from '../../../../src/protocol/rtp/rtcp.ts'
import { parseRtcp } from '../../../../src/protocol/rtp/rtcp-parse.ts'

const hex = (t: string): Uint8Array => fromHex(t.replaceAll(' ', ''))!
const u32 = fc.nat(0xffffffff)
const source = u32.map(ssrc)
const reports = fc.array(fc.record({ ssrc: source, fractionLost: fc.nat(255), lost: fc.integer({ min: -0x800000, max: 0x7fffff }), highestSequence: u32, jitter: u32, lastReport: u32, delaySinceLastReport: u32 }), { maxLength: 31 })
const words = fc.uint8Array({ maxLength: 40 }).map((b) => b.subarray(0, b.length - (b.length % 4)))
const report: fc.Arbitrary<RtcpPacket> = fc.oneof(
  fc.record({ kind: fc.constant('sr' as const), ssrc: source, ntp: fc.bigInt(0n, 2n ** 64n - 1n), timestamp: u32, packets: u32, octets: u32, reports }),
  fc.record({ kind: fc.constant('rr' as const), ssrc: source, reports }),
)
const item = fc.record({ type: fc.integer({ min: 1, max: 255 }), text: fc.uint8Array({ maxLength: 255 }) })
const packet: fc.Arbitrary<RtcpPacket> = fc.oneof(
  report,
  fc.record({ kind: fc.constant('sdes' as const), chunks: fc.array(fc.record({ ssrc: source, items: fc.array(item, { maxLength: 4 }) }), { maxLength: 31 }) }),
  fc.record({ kind: fc.constant('bye' as const), ssrcs: fc.array(source, { maxLength: 31 }), reason: fc.uint8Array({ maxLength: 255 }) }),
  fc.record({ kind: fc.constant('app' as const), subtype: fc.nat(31), ssrc: source, name: fc.uint8Array({ minLength: 4, maxLength: 4 }), data: words }),
  fc.record({ kind: fc.constant('other' as const), type: fc.integer({ min: 205, max: 223 }), count: fc.nat(31), body: words }),
)

test('what was written is read again', () => {
  fc.assert(fc.property(report, fc.array(packet, { maxLength: 5 }), (first, more) => {
    const r = parseRtcp(writeRtcp([first, ...more]))
    assert.ok(r.ok)
    assert.deepEqual(JSON.parse(show(r.value)), JSON.parse(show([first, ...more])))
  }), { numRuns: 200 })
})

const show = (v: unknown): string => JSON.stringify(v, (_, x) => (typeof x === 'bigint' ? String(x) : x instanceof Uint8Array ? [...x] : x))

test('a report as on the wire', () => {
  const r = parseRtcp(hex('81 c9 0007 00000001 00000002 19 fffffe 00010003 00000004 00000005 00000006'))
  assert.ok(r.ok)
  assert.deepEqual(r.value, [{ kind: 'rr', ssrc: 1, reports: [{ ssrc: 2, fractionLost: 25, lost: -2, highestSequence: 0x10003, jitter: 4, lastReport: 5, delaySinceLastReport: 6 }] }])
})

test('padding in the last packet is taken off', () => {
  const r = parseRtcp(concat(hex('80 c9 0001 00000001'), hex('a1 cb 0003 00000001 00000000 00000008')))
  assert.ok(r.ok)
  assert.deepEqual(r.value[1], { kind: 'bye', ssrcs: [1], reason: new Uint8Array(0) })
})

test('invalid compounds are refused', () => {
  const rr = '80 c9 0001 00000001'
  const bad: Record<string, string> = {
    'empty': '',
    'cut off': '80 c9 0002 00000001',
    'ends in a header': `${rr} 80cb`,
    'version': '00 c9 0001 00000001',
    'begins with BYE': '81 cb 0001 00000001',
    'padding before the last': `a0 c9 0002 00000001 00000004 ${rr}`,
    'padding of zero': 'a0 c9 0002 00000001 00000000',
    'padding of three': 'a0 c9 0002 00000001 00000003',
    'padding longer than the body': 'a0 c9 0001 000000ff',
    'fewer reports than counted': '81 c9 0001 00000001',
    'SR too short': '80 c8 0005 00000001 00000000 00000000 00000000 00000000',
    'SDES item beyond its chunk': `${rr} 81 ca 0002 00000001 01ff4142`,
    'SDES without chunk end': `${rr} 81 ca 0002 00000001 01024142`,
    'SDES with more after its chunks': `${rr} 80 ca 0001 00000001`,
    'BYE reason too long': `${rr} 81 cb 0002 00000001 04414243`,
    'APP without name': `${rr} 80 cc 0001 00000001`,
  }
  for (const [why, text] of Object.entries(bad)) {
    const r = parseRtcp(hex(text))
    assert.equal(r.ok ? 'accepted' : r.fault.code, 'RTCP_MALFORMED', why)
  }
  const many = concat(...Array.from({ length: 33 }, () => hex(rr)))
  assert.ok(!parseRtcp(many).ok)
})

test('what does not fit its field throws', () => {
  assert.throws(() => writeRtcp([cname(ssrc(1), 'x'.repeat(256))]), RangeError)
  assert.throws(() => writeRtcp([{ kind: 'app', subtype: 0, ssrc: ssrc(1), name: hex('61'), data: hex('') }]), RangeError)
  assert.throws(() => writeRtcp([{ kind: 'bye', ssrcs: Array.from({ length: 32 }, () => ssrc(1)), reason: hex('') }]), RangeError)
})
