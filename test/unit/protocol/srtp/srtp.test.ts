import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ssrc } from '../../../../src/base/brand.ts'
import { must } from '../../../../src/base/result.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { rtpSequence, writeRtpHeader } from '../../../../src/protocol/rtp/header.ts'
import type { SrtpKeys, SrtpSuite } from '../../../../src/protocol/srtp/keys.ts'
import { deriveSessionKeys, SRTP_SUITES } from '../../../../src/protocol/srtp/keys.ts'
import type { SrtpReceiver } from '../../../../src/protocol/srtp/receiver.ts'
import { createSrtpReceiver } from '../../../../src/protocol/srtp/receiver.ts'
import * as refusal from '../../../../src/protocol/srtp/refusal.ts'
import type { SrtpSender } from '../../../../src/protocol/srtp/sender.ts'
import { createSrtpSender } from '../../../../src/protocol/srtp/sender.ts'

const { SRTP_EXPIRED, SRTP_FORGED, SRTP_LIMITS, SRTP_MALFORMED, SRTP_NO_ROOM, SRTP_REPLAYED, SRTP_REWOUND, SRTP_STREAMS, SRTP_TOO_OLD, SRTP_UNENCRYPTED, srtpFault } = refusal
const crypto = createNodeCrypto()
const suites = Object.keys(SRTP_SUITES) as SrtpSuite[]
const freshKeys = (suite: SrtpSuite): SrtpKeys => ({ suite, masterKey: crypto.bytes(SRTP_SUITES[suite].keyLength), masterSalt: crypto.bytes(SRTP_SUITES[suite].saltLength) })
const pair = (suite: SrtpSuite = 'AEAD_AES_128_GCM', limits = SRTP_LIMITS): [SrtpSender, SrtpReceiver] => {
  const keys = freshKeys(suite)
  return [must(createSrtpSender(crypto, keys, limits)), must(createSrtpReceiver(crypto, keys, limits))]
}
const LENGTH = 40
const rtp = (sequence: number, of = 7): Uint8Array => {
  const buf = new Uint8Array(LENGTH + 20)
  writeRtpHeader(buf, { marker: false, payloadType: 9, sequence, timestamp: sequence * 160, ssrc: ssrc(of) })
  return buf.fill(sequence, 12, LENGTH)
}
/** The protected packet alone. */
const sealed = (sender: SrtpSender, sequence: number, of = 7): Uint8Array => {
  const buf = rtp(sequence, of)
  const length = sender.protect(buf, LENGTH)
  assert.ok(length > 0, `refused: ${length}`)
  return buf.slice(0, length)
}
const open = (receiver: SrtpReceiver, packet: Uint8Array): number => {
  const copy = packet.slice()
  return receiver.unprotect(copy, copy.length)
}
const rtcp = (of = 7): Uint8Array => {
  const buf = new Uint8Array(8 + 24)
  buf.set([0x80, 201, 0, 2, 0, 0, 0, of, 1, 2, 3, 4])
  return buf
}
const RTCP_LENGTH = 12

for (const suite of suites) describe(suite, () => {
  test('RTP goes through, header in clear, payload not', () => {
    const [sender, receiver] = pair(suite)
    for (let s = 0; s < 5; s++) {
      const packet = sealed(sender, s)
      assert.equal(packet.length, LENGTH + SRTP_SUITES[suite].tagLength)
      assert.deepEqual(packet.subarray(0, 12), rtp(s).subarray(0, 12))
      assert.notDeepEqual(packet.subarray(12, LENGTH), rtp(s).subarray(12, LENGTH))
      assert.equal(receiver.unprotect(packet, packet.length), LENGTH)
      assert.deepEqual(packet.subarray(0, LENGTH), rtp(s).subarray(0, LENGTH))
    }
  })

  test('every changed bit of an RTP packet is refused and changes nothing', () => {
    const [sender, receiver] = pair(suite)
    const packet = sealed(sender, 3)
    for (let at = 0; at < packet.length; at++) {
      const forged = packet.slice()
      forged[at]! ^= 1
      const r = open(receiver, forged)
      assert.ok(r === SRTP_FORGED || (at === 0 && r === SRTP_MALFORMED), `octet ${at}: ${r}`)
    }
    assert.equal(receiver.newest(7), -1)
    assert.equal(open(receiver, packet), LENGTH)
  })

  test('RTCP goes through; every changed bit, replays and plain RTCP are refused', () => {
    const [sender, receiver] = pair(suite)
    const packets = Array.from({ length: 3 }, () => {
      const buf = rtcp()
      return buf.slice(0, sender.protectRtcp(buf, RTCP_LENGTH))
    })
    const [first, second] = packets as [Uint8Array, Uint8Array]
    for (let at = 0; at < first.length; at++) {
      const forged = first.slice()
      forged[at]! ^= 0x80
      const r = receiver.unprotectRtcp(forged, forged.length)
      const wanted = at === 0 ? SRTP_MALFORMED : at === first.length - 4 - (SRTP_SUITES[suite].aead ? 0 : 10) ? SRTP_UNENCRYPTED : SRTP_FORGED
      assert.equal(r, wanted, `octet ${at}`)
    }
    const opened = second.slice()
    assert.equal(receiver.unprotectRtcp(opened, opened.length), RTCP_LENGTH)
    assert.deepEqual(opened.subarray(0, RTCP_LENGTH), rtcp().subarray(0, RTCP_LENGTH))
    assert.equal(receiver.unprotectRtcp(second.slice(), second.length), SRTP_REPLAYED)
    assert.equal(receiver.unprotectRtcp(first.slice(), first.length), RTCP_LENGTH, 'late, but fresh')
    assert.equal(receiver.unprotectRtcp(first.slice(0, 20), 20), SRTP_MALFORMED)
  })

  test('keys of wrong length are refused', () => {
    const keys = freshKeys(suite)
    for (const bad of [{ ...keys, masterKey: keys.masterKey.subarray(1) }, { ...keys, masterSalt: keys.masterSalt.subarray(1) }, { ...keys, suite: 'NULL' as SrtpSuite }]) {
      for (const r of [createSrtpSender(crypto, bad), createSrtpReceiver(crypto, bad)]) assert.equal(r.ok ? 'accepted' : r.fault.code, 'SRTP_KEYS')
    }
  })
})

test('replays are refused, also around rollovers of the sequence number', () => {
  const [sender, receiver] = pair()
  const packets: Uint8Array[] = []
  for (let i = 65_530; i < 65_540; i++) packets.push(sealed(sender, i % 65_536))
  for (const p of packets) assert.equal(open(receiver, p), LENGTH)
  for (const p of packets) assert.equal(open(receiver, p), SRTP_REPLAYED)
  assert.equal(receiver.newest(7), 65_539)
})

test('reordering across a rollover is no replay', () => {
  const [sender, receiver] = pair()
  const packets = [65_534, 65_535, 0, 1, 2].map((s) => sealed(sender, s))
  for (const i of [0, 3, 1, 4, 2]) {
    assert.equal(open(receiver, packets[i]!), LENGTH)
    assert.equal(receiver.lastIndex, 65_534 + i)
  }
})

test('a packet from before the window is too old', () => {
  const [sender, receiver] = pair()
  const old = sealed(sender, 100)
  const edge = sealed(sender, 101)
  assert.equal(open(receiver, sealed(sender, 228)), LENGTH)
  assert.equal(open(receiver, old), SRTP_TOO_OLD)
  assert.equal(open(receiver, edge), LENGTH)
})

test('a packet of an earlier rollover with the same sequence number does not open', () => {
  const [sender, receiver] = pair()
  const old = sealed(sender, 5)
  for (const s of [5, 30_000, 60_000, 20_000]) open(receiver, s === 5 ? old : sealed(sender, s))
  assert.equal(receiver.newest(7), 65_536 + 20_000)
  assert.ok([SRTP_FORGED, SRTP_TOO_OLD].includes(open(receiver, old)))
})

test('a sender refuses to go back', () => {
  const [sender] = pair()
  sealed(sender, 1000)
  sealed(sender, 1001)
  for (const s of [1001, 1000, 999, 464]) assert.equal(sender.protect(rtp(s), LENGTH), SRTP_REWOUND)
  sealed(sender, 1000, 8)
  sealed(sender, 1002)
})

test('numbered by the sender: whatever comes in, the numbers go up by one', () => {
  const [sender, receiver] = pair()
  let before = -1
  for (const s of [500, 500, 3, 65_535, 0, 40_000]) {
    const buf = rtp(s)
    const length = sender.protectNext(buf, LENGTH)
    const sequence = rtpSequence(buf)
    assert.ok(before < 0 ? sequence < 0x8000 : sequence === before + 1, `${before} → ${sequence}`)
    before = sequence
    assert.equal(receiver.unprotect(buf, length), LENGTH)
  }
  assert.equal(sender.protect(rtp(before), LENGTH), SRTP_REWOUND, 'one count for both ways')
})

test('AES-CM: ROC and SRTCP index are authenticated behind the packet (RFC 3711 §4.2)', () => {
  const keys = freshKeys('AES_CM_128_HMAC_SHA1_80')
  const sender = must(createSrtpSender(crypto, keys))
  const tagOf = (rtcp: boolean, ...authenticated: Uint8Array[]) =>
    crypto.hmac('sha1', deriveSessionKeys(crypto, keys, rtcp).cipherKey.subarray(16), ...authenticated).subarray(0, 10)
  sealed(sender, 65_535)
  const packet = sealed(sender, 0)
  assert.deepEqual(packet.subarray(LENGTH), tagOf(false, packet.subarray(0, LENGTH), Uint8Array.of(0, 0, 0, 1)))
  const buf = rtcp()
  sender.protectRtcp(buf.slice(), RTCP_LENGTH)
  const length = sender.protectRtcp(buf, RTCP_LENGTH)
  assert.deepEqual(buf.subarray(RTCP_LENGTH, RTCP_LENGTH + 4), Uint8Array.of(0x80, 0, 0, 1))
  assert.deepEqual(buf.subarray(RTCP_LENGTH + 4, length), tagOf(true, buf.subarray(0, RTCP_LENGTH + 4)))
})

test('keys expire, for sender and receiver, RTP and RTCP', () => {
  const limits = { packets: 3, rtcpPackets: 2, streams: 10 }
  const [sender] = pair('AEAD_AES_128_GCM', limits)
  for (const s of [0, 1, 2]) sealed(sender, s)
  assert.equal(sender.protect(rtp(3), LENGTH), SRTP_EXPIRED)
  assert.equal(sender.protect(rtp(0, 8), LENGTH), SRTP_EXPIRED, 'all streams of the key count together')
  for (let i = 0; i < 2; i++) assert.ok(sender.protectRtcp(rtcp(), RTCP_LENGTH) > 0)
  assert.equal(sender.protectRtcp(rtcp(), RTCP_LENGTH), SRTP_EXPIRED)

  const keys = freshKeys('AEAD_AES_128_GCM')
  const unlimited = must(createSrtpSender(crypto, keys))
  const receiver = must(createSrtpReceiver(crypto, keys, limits))
  for (const s of [0, 1]) assert.equal(open(receiver, sealed(unlimited, s)), LENGTH)
  assert.equal(open(receiver, sealed(unlimited, 3)), SRTP_EXPIRED, 'an index at the limit')
  assert.equal(open(receiver, sealed(unlimited, 2, 8)), LENGTH)
  assert.equal(open(receiver, sealed(unlimited, 1, 9)), SRTP_EXPIRED, 'a count at the limit')
})

test('the table of streams is bounded, and forgeries do not fill it', () => {
  const limits = { ...SRTP_LIMITS, streams: 2 }
  const [sender, receiver] = pair('AEAD_AES_128_GCM', limits)
  const good = [1, 2].map((s) => sealed(sender, 0, s))
  for (let s = 10; s < 20; s++) {
    const forged = good[0]!.slice()
    forged[11] = s
    assert.equal(open(receiver, forged), SRTP_FORGED)
  }
  for (const p of good) assert.equal(open(receiver, p), LENGTH)
  assert.equal(sender.protect(rtp(0, 3), LENGTH), SRTP_STREAMS)
  const third = good[0]!.slice()
  third[11] = 3
  assert.equal(open(receiver, third), SRTP_STREAMS)
})

test('no room and malformed packets are refused before an index is spent', () => {
  const [sender] = pair()
  assert.equal(sender.protect(rtp(5).subarray(0, LENGTH + 15), LENGTH), SRTP_NO_ROOM)
  assert.equal(sender.protectNext(rtp(5).subarray(0, LENGTH + 15), LENGTH), SRTP_NO_ROOM)
  assert.equal(sender.protect(rtp(5), 11), SRTP_MALFORMED)
  assert.equal(sender.protect(rtp(5), 100), SRTP_MALFORMED)
  assert.equal(sender.protectRtcp(rtcp(), 7), SRTP_MALFORMED)
  assert.equal(sender.protectRtcp(rtcp().subarray(0, 31), RTCP_LENGTH), SRTP_NO_ROOM)
  sealed(sender, 5)
})

test('every refusal has its fault, and no two the same', () => {
  const numbers = Object.values(refusal).filter((v) => typeof v === 'number')
  assert.equal(new Set(numbers.map((n) => srtpFault(n))).size, 9)
  assert.throws(() => srtpFault(0), RangeError)
})

test('egress: no (SSRC, index) is protected twice, whatever the caller does', () => {
  const step = fc.record({ next: fc.boolean(), stream: fc.nat(2), sequence: fc.oneof(fc.nat(0xffff), fc.nat(20), fc.integer({ min: 0xfff0, max: 0xffff })) })
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const keys = freshKeys('AEAD_AES_128_GCM')
    const used = new Set<string>()
    // Watches what reaches the cipher: the IV is (SSRC, index) under a fixed salt.
    const watched = {
      ...crypto,
      packetCipher: (...args: Parameters<typeof crypto.packetCipher>) => {
        const cipher = crypto.packetCipher(...args)
        const seal = cipher.seal.bind(cipher)
        cipher.seal = (buf, at, aadLen, len, iv) => {
          const spent = String(iv)
          assert.ok(!used.has(spent), 'IV used twice')
          used.add(spent)
          return seal(buf, at, aadLen, len, iv)
        }
        return cipher
      },
    }
    const sender = must(createSrtpSender(watched, keys))
    let sent = 0
    for (const { next, stream, sequence } of steps) {
      const r = next ? sender.protectNext(rtp(sequence, stream), LENGTH) : sender.protect(rtp(sequence, stream), LENGTH)
      if (r > 0) sent++
      else assert.equal(r, SRTP_REWOUND)
    }
    assert.equal(used.size, sent)
  }), { numRuns: 200 })
})

test('whatever the network does, each packet opens at most once and as it was sent', () => {
  fc.assert(fc.property(fc.nat(65_535), fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 120 }), (start, moves) => {
    const [sender, receiver] = pair()
    const packets = moves.map((_, i) => sealed(sender, (start + i) % 65_536))
    const order = moves.map((m, i) => [i + m / 10, i] as const).sort((a, b) => a[0] - b[0]).map(([, i]) => i)
    // The first to arrive fixes the ROC: a receiver cannot know that it missed a rollover before.
    if (order[0] !== 0) order.unshift(0)
    const opened = new Set<number>()
    for (const i of [...order, ...order]) {
      const copy = packets[i]!.slice()
      const r = receiver.unprotect(copy, copy.length)
      if (opened.has(i)) assert.ok(r === SRTP_REPLAYED || r === SRTP_TOO_OLD)
      else {
        assert.equal(r, LENGTH)
        assert.deepEqual(copy.subarray(0, LENGTH), rtp((start + i) % 65_536).subarray(0, LENGTH))
        opened.add(i)
      }
    }
    assert.equal(opened.size, moves.length)
  }), { numRuns: 100 })
})

test('numbered by the caller: gaps stay, what was overtaken goes out, and no index is used twice', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 80 }), fc.integer({ min: 0, max: 70_000 }), (order, base) => {
      const [sender, receiver] = pair()
      const used = new Set<number>()
      let first: number | undefined
      let newest = -1
      for (const n of order) {
        const number = base + n
        const buf = rtp(0)
        const length = sender.protectNumbered(buf, LENGTH, number)
        first ??= number
        if (used.has(number) || number < first || number <= newest - 64) {
          assert.equal(length, SRTP_REWOUND)
          continue
        }
        assert.ok(length > 0)
        used.add(number)
        newest = Math.max(newest, number)
        const index = number + sender.shiftOf(7)
        assert.ok(index - (number - first) < 0x8000, 'the first is below 2^15')
        assert.equal(rtpSequence(buf), index % 0x1_0000)
        assert.equal(receiver.unprotect(buf, length), LENGTH)
        assert.equal(receiver.lastIndex, index)
      }
    }),
  )
})

test('a stream that was numbered otherwise before goes on behind that', () => {
  const [sender, receiver] = pair()
  const next = (f: (buf: Uint8Array) => number): number => {
    const buf = rtp(0)
    const length = f(buf)
    return length < 0 ? length : receiver.unprotect(buf, length) < 0 ? -100 : receiver.lastIndex
  }
  const first = next((b) => sender.protectNext(b, LENGTH))
  assert.equal(next((b) => sender.protectNumbered(b, LENGTH, 5)), first + 1)
  assert.equal(next((b) => sender.protectNumbered(b, LENGTH, 4)), SRTP_REWOUND)
  assert.equal(next((b) => sender.protectNext(b, LENGTH)), first + 2)
  assert.equal(next((b) => sender.protectNumbered(b, LENGTH, 6)), SRTP_REWOUND)
  assert.equal(next((b) => sender.protectNumbered(b, LENGTH, 7)), first + 3)
})
