import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecFactory } from '../../../../src/audio/codecs.ts'
import { ssrc } from '../../../../src/base/brand.ts'
import { Downlink } from '../../../../src/media/session/downlink.ts'
import type { Frame } from '../../../../src/vault/api/frames.ts'

const BEN = ssrc(7)
const sealed = (n: number): Uint8Array => new Uint8Array(180).fill(n)
const good = (f: Frame): Frame => ({ ...f, data: Uint8Array.of(15, ...new Uint8Array(160)), leaf: 1 })
const unknown = (f: Frame): Frame => ({ ...f, data: new Uint8Array(0), fault: 'SFRAME_UNKNOWN_EPOCH' })

function downlink(): Downlink {
  const d = new Downlink(() => codecFactory().create('g722'))
  d.senders = [BEN]
  return d
}

/** One tick: what the vault was asked and, by `answer`, said. */
function tick(d: Downlink, now: number, answer: (f: Frame) => Frame): readonly Frame[] {
  const taken = d.batch(1)
  if (taken === undefined) return []
  d.opened(taken.batch.frames.map(answer), taken, now)
  return taken.batch.frames
}

test('frames of an unknown epoch are shown to the vault again, as they came, until it opens them', () => {
  const d = downlink()
  d.packet(BEN, 160, sealed(1), 0)
  for (const now of [20, 40, 60]) assert.deepEqual(tick(d, now, unknown).map((f) => f.data[0]), [1])
  d.packet(BEN, 320, sealed(2), 61)
  assert.deepEqual(tick(d, 80, good).map((f) => f.data[0]).sort(), [1, 2])
  assert.equal(d.batch(1), undefined)
  const [s] = d.stats(80)
  assert.deepEqual([s!.received, s!.unopened, s!.lastFault], [2, 0, undefined])
})

test('the epoch of a sender is that of what opened, never of what did not', () => {
  const d = downlink()
  const under = (epochBits: number): Uint8Array => Uint8Array.of(0x90, 1, epochBits, ...new Uint8Array(170))
  const bits = (): number | undefined => d.stats(80)[0]!.epochBits
  d.packet(BEN, 160, under(9), 0)
  tick(d, 20, unknown)
  assert.equal(bits(), undefined)
  tick(d, 40, good)
  assert.equal(bits(), 9)
  d.packet(BEN, 320, under(10), 61)
  tick(d, 80, unknown)
  assert.equal(bits(), 9)
  tick(d, 90, good)
  assert.equal(bits(), 10)
})

test('for 200 ms: then they are refused and counted', () => {
  const d = downlink()
  d.packet(BEN, 160, sealed(1), 0)
  for (let now = 20; now < 200; now += 20) tick(d, now, unknown)
  assert.equal(d.stats(180)[0]!.unopened, 0)
  assert.equal(tick(d, 200, unknown).length, 1)
  assert.deepEqual([d.stats(200)[0]!.unopened, d.stats(200)[0]!.lastFault], [1, 'SFRAME_UNKNOWN_EPOCH'])
  assert.equal(d.batch(1), undefined)
})

test('other refusals are final', () => {
  const d = downlink()
  d.packet(BEN, 160, sealed(1), 0)
  tick(d, 20, (f) => ({ ...f, data: new Uint8Array(0), fault: 'SFRAME_FORGED' }))
  assert.equal(d.batch(1), undefined)
  assert.equal(d.stats(20)[0]!.lastFault, 'SFRAME_FORGED')
})

test('a flood of them is bounded', () => {
  const d = downlink()
  for (let i = 0; i < 5000; i++) d.packet(BEN, i * 160, sealed(i & 0xff), 0)
  const taken = d.batch(1)!
  for (let i = 0; i < 5000; i++) d.packet(BEN, i * 160, sealed(i & 0xff), 1)
  d.opened(taken.batch.frames.map(unknown), taken, 20)
  assert.ok(d.batch(1)!.batch.frames.length <= 2000)
  assert.ok(d.stats(20)[0]!.unopened > 0, 'what did not fit is counted')
})
