/** A client's network is gone for some seconds in the middle of a conference of a real Asterisk. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, coupledRelay } from '../kit/coupled-relay.ts'
import { hears } from '../kit/hears.ts'
import { NetworkGap } from '../kit/network-gap.ts'
import { until } from '../kit/processes.ts'
import { toneShare } from '../kit/tones.ts'
import { part, seconds } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

/** Of the issue. */
const RIGHT_MS = 2000
/** Three processes take part: one that stalled just then is late though the product is not. */
const ROUNDS = 3

test('the network of a client is gone for 5 s: its call goes on, and its roster is right within 2 s', { timeout: 600_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const gap = await NetworkGap.start(t)
  const w = await coupledRelay(t, { serverConfig: { advertise: gap.advertise } })
  gap.server = w.server.port
  const a = await w.client('anna', { server: { host: '127.0.0.1', port: gap.tcp } })
  const plainAt = { address: w.asterisk.address, port: w.asterisk.sip }
  const [anna, carl, dora] = [await w.phone('anna', 700, a.sip), await w.phone('carl', 500, plainAt), await w.phone('dora', 1900, plainAt)]
  anna.dial(at('700', a.sip))
  carl.dial(at('700', plainAt))
  for (const p of [anna, carl]) await p.events.next('established')
  await Promise.all([hears(anna, 500), hears(carl, 700)])

  for (let round = 1; ; round++) {
    const from = seconds(carl.heard())
    const before = a.process.output().length
    const since = (what: RegExp) => until(15_000, `${what} on the terminal of anna`, () => what.test(a.process.output().slice(before)) || undefined, a.process.tail)
    gap.gone = true
    const began = Date.now()
    dora.dial(at('700', plainAt))
    await dora.events.next('established')
    await until(10_000, 'five seconds', () => Date.now() - began >= 5000 || undefined)
    assert.ok(toneShare(part(carl.heard(), from + 2), 700) < 0.7, 'it really was gone')
    gap.gone = false
    const back = performance.now()
    await since(/unverified caller \(dora\) joined/)
    const ms = Math.round(performance.now() - back)
    t.diagnostic(`the roster is right ${ms} ms after the network is back`)
    if (ms <= RIGHT_MS) break
    assert.ok(round < ROUNDS, `${ms} ms, ${round} times too late`)
    dora.hangup()
    await dora.events.next('closed')
    await since(/unverified caller \(dora\) left/)
  }
  await Promise.all([hears(anna, 500), hears(anna, 1900), hears(carl, 700)])
  assert.equal(anna.events.all.some((e) => e.kind === 'closed'), false)
  assert.equal((await w.legs()).length, 3)
})
