import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant, ssrc } from '../../../../src/base/brand.ts'
import { toHex } from '../../../../src/base/bytes.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { decodeHeader } from '../../../../src/protocol/sframe/header.ts'
import { MAX_FRAME, SFrameSession } from '../../../../src/protocol/sframe/session.ts'
import type { SFrameSuite } from '../../../../src/protocol/sframe/key.ts'
import { SFRAME_SUITES } from '../../../../src/protocol/sframe/key.ts'
import { must } from '../../../../src/base/result.ts'

const crypto = createNodeCrypto()
const at = instant
const plain = Uint8Array.of(30, 1, 2, 3)
const SSRC = ssrc(77)
let suite: SFrameSuite = 'AES_128_GCM_SHA256_128'
const baseKey = (epoch: bigint): Uint8Array => crypto.hash('sha512', Uint8Array.of(Number(epoch & 0xffn), Number(epoch >> 8n))).subarray(0, SFRAME_SUITES[suite].keyLength)

class Member extends SFrameSession {
  readonly leaf: number
  constructor(leaf: number) {
    super(crypto, suite, 'g722')
    this.leaf = leaf
  }
  /** Somebody is added with each epoch, unless said otherwise. */
  add(epoch: bigint, now: number, leaves = [0, 1, 2, 3 + Number(epoch)], removed: number[] = []): void {
    must(this.addEpoch({ epoch, baseKey: baseKey(epoch), leaves, ownLeaf: this.leaf, removed }, at(now)))
  }
  move(epoch: bigint, now: number, leaves?: number[], removed?: number[]): void {
    this.add(epoch, now, leaves, removed)
    must(this.confirmEpoch(epoch, at(now)))
  }
  sent(now: number, timestamp = now * 8): Uint8Array {
    const r = this.seal(plain, SSRC, timestamp, at(now))
    assert.ok(r.ok, r.ok ? '' : r.code)
    return r.frame
  }
  hears(frame: Uint8Array, now: number, timestamp = now * 8): string {
    const r = this.open(frame, SSRC, timestamp, at(now))
    return r.ok ? `${r.leaf}@${r.epoch}` : r.code
  }
}
const refusal = (r: { ok: boolean; code?: string; fault?: { code: string } }): string => (r.ok ? 'accepted' : (r.code ?? r.fault!.code))

for (suite of Object.keys(SFRAME_SUITES) as SFrameSuite[]) {
  const fixed = suite
  test(`frames go from leaf to leaf: ${suite}`, () => {
    suite = fixed
    const [a, b] = [new Member(0), new Member(1)]
    a.move(5n, 0)
    b.move(5n, 0)
    const r = b.open(a.sent(1), SSRC, 8, at(1))
    assert.deepEqual(r, { ok: true, plaintext: plain, leaf: 0, epoch: 5n })
  })
}

test('the KID is leaf and low bits of the epoch; frames keep their size', () => {
  const a = new Member(2)
  a.move(0x1234n, 0)
  const sizes = new Set<number>()
  for (let i = 0; i < 300; i++) {
    const frame = a.sent(i)
    sizes.add(frame.length)
    assert.equal(must(decodeHeader(frame)).kid, 0x234n)
  }
  assert.equal(sizes.size, 1)
})

test('nothing is sealed before an epoch is confirmed, nor under a pending one', () => {
  const [a, b] = [new Member(0), new Member(1)]
  assert.equal(refusal(a.seal(plain, SSRC, 0, at(0))), 'SFRAME_NO_EPOCH')
  a.add(1n, 0)
  assert.equal(refusal(a.seal(plain, SSRC, 0, at(0))), 'SFRAME_NO_EPOCH')
  must(a.confirmEpoch(1n, at(0)))
  b.move(1n, 0)
  a.add(2n, 10)
  assert.equal(b.hears(a.sent(5000), 5000), '0@1')
  must(a.abandonEpoch(2n))
  assert.equal(refusal(a.confirmEpoch(2n, at(20))), 'SFRAME_EPOCH_ORDER')
  assert.equal(refusal(a.abandonEpoch(1n)), 'SFRAME_EPOCH_ORDER', 'it was confirmed')
})

test('sending moves on when everybody is there, after 400 ms at the latest, at a removal at once', () => {
  const a = new Member(0)
  a.move(1n, 0)
  assert.equal(a.sendingEpoch, 1n, 'the first at once')
  a.move(2n, 1000)
  a.sent(1399)
  assert.equal(a.sendingEpoch, 1n)
  a.sent(1400)
  assert.equal(a.sendingEpoch, 2n)
  a.move(3n, 2000)
  a.move(4n, 2050)
  a.settleEpoch(3n)
  assert.equal(a.sendingEpoch, 3n)
  a.settleEpoch(5n)
  a.settleEpoch(2n)
  assert.equal(a.sendingEpoch, 3n, 'neither forward to what is not there, nor back')
  a.sent(2449)
  assert.equal(a.sendingEpoch, 3n)
  a.sent(2450)
  assert.equal(a.sendingEpoch, 4n)
  a.move(5n, 3000)
  a.move(6n, 3010)
  a.settleEpoch(6n)
  assert.equal(a.sendingEpoch, 6n)
  a.sent(3405)
  assert.equal(a.sendingEpoch, 6n, 'the older one is not gone back to')
  a.move(7n, 4000)
  a.move(8n, 4130, [0, 1], [2])
  assert.equal(a.sendingEpoch, 8n)
  a.sent(4500)
  assert.equal(a.sendingEpoch, 8n, 'the pending one is not gone back to')
})

test('what is not confirmed cannot be settled', () => {
  const a = new Member(0)
  a.move(1n, 0)
  a.add(2n, 10)
  a.settleEpoch(2n)
  assert.equal(a.sendingEpoch, 1n)
})

test('old keys live 10 s after an add, 500 ms after a removal', () => {
  const [a, b] = [new Member(0), new Member(1)]
  for (const m of [a, b]) m.move(1n, 0)
  const old = Array.from({ length: 4 }, () => a.sent(0))
  b.move(2n, 1000)
  assert.equal(b.tick(at(1000)), 11_000)
  assert.equal(b.hears(old[0]!, 10_999, 0), '0@1')
  assert.equal(b.hears(old[1]!, 11_000, 0), 'SFRAME_EPOCH_GONE')
  a.move(2n, 1000)
  const late = [a.sent(2000), a.sent(2000)]
  b.move(3n, 20_000, [0, 1], [2])
  assert.equal(b.tick(at(20_000)), 20_500)
  assert.equal(b.hears(late[0]!, 20_499, 16_000), '0@2')
  assert.equal(b.hears(late[1]!, 20_500, 16_000), 'SFRAME_EPOCH_GONE')
  assert.equal(b.tick(at(20_500)), undefined)
})

test('an earlier end is not put off by a later commit', () => {
  const b = new Member(1)
  b.move(1n, 0)
  b.move(2n, 0, [0, 1], [2])
  b.move(3n, 400)
  assert.equal(b.tick(at(400)), 500)
  assert.equal(b.tick(at(501)), 10_400)
})

test('removals of commits that were never confirmed by themselves take effect too', () => {
  const [b, c] = [new Member(1), new Member(2)]
  for (const m of [b, c]) m.move(1n, 0)
  const ghost = c.sent(1)
  b.add(2n, 10, [0, 1], [2])
  b.move(3n, 10, [0, 1], [])
  assert.equal(b.hears(ghost, 11), 'SFRAME_LEAF_UNKNOWN')
  assert.equal(b.sendingEpoch, 3n)
})

test('epochs with the same low bits: the older goes first', () => {
  const [a, b] = [new Member(0), new Member(1)]
  for (const m of [a, b]) m.move(1n, 0)
  const old = a.sent(0)
  b.add(257n, 1)
  assert.equal(b.hears(old, 1), 'SFRAME_UNKNOWN_EPOCH')
  a.move(257n, 1)
  assert.equal(b.hears(a.sent(200), 200), '0@257')
})

test('epochs do not pile up', () => {
  const b = new Member(1)
  for (let e = 1n; e <= 100n; e++) b.move(e, 0)
  const a = new Member(0)
  a.move(36n, 0)
  assert.equal(b.hears(a.sent(0), 0), 'SFRAME_EPOCH_GONE')
  a.move(37n, 0)
  a.settleEpoch(37n)
  assert.equal(b.hears(a.sent(100), 0, 800), '0@37')
})

test('epochs out of order, keys of wrong length and foreign own leaves are refused', () => {
  const a = new Member(0)
  a.move(5n, 0)
  const epoch = { epoch: 5n, baseKey: baseKey(5n), leaves: [0, 1], ownLeaf: 0, removed: [] }
  assert.equal(refusal(a.addEpoch(epoch, at(0))), 'SFRAME_EPOCH_ORDER')
  assert.equal(refusal(a.addEpoch({ ...epoch, epoch: 4n }, at(0))), 'SFRAME_EPOCH_ORDER')
  assert.equal(refusal(a.addEpoch({ ...epoch, epoch: 6n, baseKey: epoch.baseKey.subarray(1) }, at(0))), 'SFRAME_EPOCH_KEY')
  assert.equal(refusal(a.addEpoch({ ...epoch, epoch: 6n, ownLeaf: 3 }, at(0))), 'SFRAME_EPOCH_KEY')
  assert.equal(refusal(a.confirmEpoch(6n, at(0))), 'SFRAME_EPOCH_ORDER')
})

test('frames of the next epoch are told from those of a past one', () => {
  const [a, b] = [new Member(0), new Member(1)]
  for (const m of [a, b]) m.move(300n, 0)
  a.move(301n, 0)
  a.settleEpoch(301n)
  const ahead = a.sent(150)
  assert.equal(b.hears(ahead, 150), 'SFRAME_UNKNOWN_EPOCH')
  b.move(301n, 160)
  assert.equal(b.hears(ahead, 160, 1200), '0@301')
  const past = new Member(0)
  past.move(299n, 0)
  assert.equal(b.hears(past.sent(1), 161), 'SFRAME_EPOCH_GONE')
})

test('left behind for a second: sending stops until the epoch arrives', () => {
  const [a, b] = [new Member(0), new Member(1)]
  for (const m of [a, b]) m.move(1n, 0)
  a.move(2n, 0)
  a.settleEpoch(2n)
  const next = (now: number): Uint8Array => a.sent(now)
  for (let now = 200; now < 1200; now += 20) {
    assert.equal(b.hears(next(now), now), 'SFRAME_UNKNOWN_EPOCH')
    b.sent(now)
  }
  assert.equal(b.hears(next(1200), 1200), 'SFRAME_UNKNOWN_EPOCH')
  assert.equal(refusal(b.seal(plain, SSRC, 0, at(1200))), 'SFRAME_BEHIND')
  b.move(2n, 1300)
  b.sent(1300)
  assert.equal(b.aheadForMs(at(1300)), 0)
})

test('a stray frame from ahead does not silence anybody later', () => {
  const [a, b] = [new Member(0), new Member(1)]
  for (const m of [a, b]) m.move(1n, 0)
  a.move(2n, 0)
  a.settleEpoch(2n)
  b.hears(a.sent(200), 200)
  b.sent(5000)
  b.hears(a.sent(5001), 5001)
  b.sent(5500)
})

test('a frame a second behind its sender is dropped', () => {
  const [a, b] = [new Member(0), new Member(1)]
  for (const m of [a, b]) m.move(1n, 0)
  const frames = [0, 1, 2].map((i) => a.sent(i, 0xffffff00 + i))
  const recent = a.sent(3, 8000 - 0x100)
  assert.equal(b.hears(recent, 3, 8000 - 0x100), '0@1')
  assert.equal(b.hears(frames[1]!, 3, 0xffffff01), '0@1')
  assert.equal(b.hears(frames[0]!, 3, 0xffffff00), '0@1')
  const newer = a.sent(4, 8001)
  assert.equal(b.hears(newer, 4, 8001), '0@1')
  assert.equal(b.hears(frames[2]!, 4, 0xffffff02), 'SFRAME_LATE')
})

test('too long or empty plaintext and too long frames are refused', () => {
  const a = new Member(0)
  a.move(1n, 0)
  assert.equal(refusal(a.seal(new Uint8Array(0), SSRC, 0, at(0))), 'SFRAME_MALFORMED')
  assert.equal(refusal(a.seal(new Uint8Array(MAX_FRAME + 1), SSRC, 0, at(0))), 'SFRAME_MALFORMED')
  const longest = a.seal(new Uint8Array(MAX_FRAME), SSRC, 0, at(0))
  assert.ok(longest.ok)
  const b = new Member(1)
  b.move(1n, 0)
  assert.equal(refusal(b.open(longest.frame, SSRC, 0, at(0))), 'accepted')
  assert.equal(refusal(b.open(new Uint8Array(2000), SSRC, 0, at(0))), 'SFRAME_MALFORMED')
})

test('after disposal nothing is sealed or opened', () => {
  const [a, b] = [new Member(0), new Member(1)]
  for (const m of [a, b]) m.move(1n, 0)
  const frame = a.sent(0)
  a[Symbol.dispose]()
  b[Symbol.dispose]()
  assert.equal(refusal(a.seal(plain, SSRC, 0, at(0))), 'SFRAME_NO_EPOCH')
  assert.equal(b.hears(frame, 0), 'SFRAME_EPOCH_GONE')
})

test('the same frame sealed twice looks different', () => {
  const a = new Member(0)
  a.move(1n, 0)
  assert.notEqual(toHex(a.sent(0, 0)).slice(12), toHex(a.sent(0, 0)).slice(12))
})

test('what does not fit a commit that may not stand is worth another try', () => {
  const [a, b] = [new Member(0), new Member(1)]
  for (const m of [a, b]) m.move(1n, 0)
  must(b.addEpoch({ epoch: 2n, baseKey: new Uint8Array(SFRAME_SUITES[suite].keyLength), leaves: [0, 1], ownLeaf: 1, removed: [] }, at(1)))
  a.move(2n, 1, [0, 1], [2])
  const frame = a.sent(2)
  assert.equal(b.hears(frame, 2), 'SFRAME_UNKNOWN_EPOCH')
  must(b.abandonEpoch(2n))
  b.move(2n, 20, [0, 1], [2])
  assert.equal(b.hears(frame, 20, 16), '0@2')
})
