import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecFactory } from '../../../../src/audio/codecs.ts'
import { ssrc } from '../../../../src/base/brand.ts'
import { Downlink } from '../../../../src/media/session/downlink.ts'

const BEN = ssrc(7)

function setup(comeAndGo: boolean) {
  let made = 0
  let ended = 0
  const d = new Downlink(() => {
    made++
    const codec = codecFactory().create('g722')
    return { ...codec, name: codec.name, encode: (p) => codec.encode(p), decode: (p) => codec.decode(p), [Symbol.dispose]: () => void ended++ }
  }, comeAndGo)
  const before = made - ended
  let timestamp = 0
  const out = new Int16Array(320)
  const tick = (now: number, comes: boolean): void => {
    timestamp += 160
    if (comes) {
      d.packet(BEN, timestamp, new Uint8Array(180), now)
      const taken = d.batch(1)!
      d.opened(taken.batch.frames.map((f) => ({ ...f, data: Uint8Array.of(15, ...new Uint8Array(160)), leaf: 1 })), taken, now)
    }
    d.mix(now, out)
  }
  return { d, tick, open: () => made - ended - before }
}

test('where streams come and go, one that rests costs no decoder, and its counts go on when it is back', () => {
  const { d, tick, open } = setup(true)
  d.senders = Array.from({ length: 200 }, (_, i) => ssrc(7 + i))
  assert.equal(open(), 0, 'two hundred that are not heard cost nothing')
  let now = 0
  for (let i = 0; i < 50; i++) tick((now += 20), true)
  assert.equal(open(), 1)
  for (let i = 0; i < 60; i++) tick((now += 20), false)
  assert.equal(open(), 0)
  const { received, played } = d.stats(now)[0]!
  assert.equal(received, 50)
  assert.ok(played > 40)
  for (let i = 0; i < 50; i++) tick((now += 20), true)
  assert.equal(open(), 1)
  const again = d.stats(now)[0]!
  assert.equal(again.received, 100)
  assert.ok(again.played > played + 40)
  assert.equal(again.lost, 0, 'what was not passed on was not lost')
  d.senders = []
  assert.equal(open(), 0)
})

test('elsewhere an outage is an outage', () => {
  const { d, tick, open } = setup(false)
  d.senders = [BEN]
  let now = 0
  for (let i = 0; i < 50; i++) tick((now += 20), true)
  for (let i = 0; i < 100; i++) tick((now += 20), false)
  assert.equal(open(), 1)
  for (let i = 0; i < 50; i++) tick((now += 20), true)
  assert.equal(d.stats(now)[0]!.lost, 100)
})
