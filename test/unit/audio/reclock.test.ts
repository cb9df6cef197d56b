import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reclock } from '../../../src/audio/reclock.ts'
import { tone } from '../../kit/audio.ts'
import type { Whims } from '../../kit/stream.ts'
import { arrivals, play } from '../../kit/stream.ts'

const second = tone(500, 32_000)
const jerkOfTone = 8000 * (2 * Math.PI * 500 / 16_000) ** 2

interface Outcome {
  readonly ticks: number
  /** Ticks after the first half second whose sound has a step in it. */
  readonly clicks: number
  readonly silent: number
  readonly worstBufferMs: number
  readonly missing: number
}

function run(packets: number, whims: Whims, ptimeMs = 20, mutedAt = Number.POSITIVE_INFINITY): Outcome {
  const reclock = new Reclock()
  const out = new Int16Array(320)
  const per = 16 * ptimeMs
  const slow = { ...whims, delay: whims.delay ?? ((_i, _t, random) => 2 + 3 * random()) } satisfies Whims
  const list = arrivals(packets, slow).map((a) => ({ index: a.index, at: (a.at * ptimeMs) / 20 }))
  let newest = -1
  let ticks = 0
  let clicks = 0
  let silent = 0
  let worstBufferMs = 0
  let a = 0
  let b = 0
  play(list, packets * ptimeMs - 2000, 7, (p) => {
    if (p.index <= newest) return
    const at = (p.index * per) % 16_000
    reclock.push(second.slice(at, at + per), (p.index - newest - 1) * per, p.at)
    newest = p.index
  }, (now) => {
    reclock.muted = now > mutedAt
    if (!reclock.pull(out, now)) silent++
    ticks++
    let step = false
    for (let i = 0; i < 320; i++) {
      const v = out[i]!
      step ||= Math.abs(v - 2 * b + a) > jerkOfTone + 60
      a = b
      b = v
    }
    if (step && ticks > 25) clicks++
    if (ticks > 25) worstBufferMs = Math.max(worstBufferMs, reclock.stats.bufferMs)
  })
  return { ticks, clicks, silent, worstBufferMs, missing: reclock.stats.missing }
}

for (const ptimeMs of [10, 20, 30, 40, 60]) {
  test(`packets of ${ptimeMs} ms: a clean stream, at most a packet and a frame waiting`, () => {
    const { clicks, silent, worstBufferMs, missing } = run(600, {}, ptimeMs)
    assert.equal(clicks, 0)
    assert.ok(silent <= 2 && missing <= 2)
    assert.ok(worstBufferMs <= 40 + ptimeMs, `${worstBufferMs} ms`)
  })
}

test('±300 ppm for an hour: never a step, never missing, delay bounded', () => {
  for (const ppm of [300, -300]) {
    const { clicks, silent, worstBufferMs, missing } = run(180_000, { ppm })
    assert.deepEqual({ clicks, missing: missing <= 1, silent: silent <= 2 }, { clicks: 0, missing: true, silent: true }, `${ppm} ppm`)
    assert.ok(worstBufferMs <= 50, `${worstBufferMs} ms`)
  }
})

test('loss, jitter and a stall of 600 ms: no step, delay comes back', () => {
  const lossy = run(2000, { delay: (_, _t, random) => (random() < 0.05 ? undefined : 2 + random()) })
  assert.equal(lossy.clicks, 0)
  const jittery = run(2000, { delay: (_, _t, random) => 2 + 40 * random() })
  assert.equal(jittery.clicks, 0)
  assert.ok(jittery.worstBufferMs < 100)
  const stalled = run(2000, { delay: (_, sentAt) => (sentAt > 10_000 && sentAt < 10_600 ? 10_600 - sentAt : 2) })
  assert.ok(stalled.clicks <= 1 && stalled.worstBufferMs <= 120, JSON.stringify(stalled))
})

test('a phone that stops sending is silence after 100 ms and is back within a tick or two', () => {
  const { silent, clicks } = run(1500, { delay: (_, sentAt) => (sentAt > 10_000 && sentAt < 20_000 ? undefined : 2) })
  assert.ok(silent >= 490 && silent <= 500, `${silent}`)
  assert.equal(clicks, 0)
})

test('mute is silence whatever comes, with a fade', () => {
  const { silent, clicks, ticks } = run(500, {}, 20, 5000)
  assert.equal(clicks, 0)
  assert.ok(silent >= ticks - 252 && silent <= ticks - 248, `${silent} of ${ticks}`)
})

test('one frame per tick from the first tick on, without any phone', () => {
  const out = new Int16Array(320).fill(7)
  assert.equal(new Reclock().pull(out, 0), false)
  assert.ok(out.every((v) => v === 0))
})

test('a flood of packets is bounded', () => {
  const reclock = new Reclock()
  for (let i = 0; i < 1000; i++) reclock.push(new Int16Array(1920), 100_000, i)
  assert.ok(reclock.stats.bufferMs <= 220)
})
