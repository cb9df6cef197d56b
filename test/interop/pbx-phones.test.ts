/** Softphones of three makes through stc in one conference of a real Asterisk, with a plain one; what hosts do there. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { decodeG711, encodeG711, muLaw } from '../../src/audio/g711.ts'
import { startBrowser } from '../kit/browser.ts'
import { capture } from '../kit/capture.ts'
import { at, coupledRelay } from '../kit/coupled-relay.ts'
import { hears } from '../kit/hears.ts'
import { startLinphonec } from '../kit/phones/linphonec.ts'
import { runSipp } from '../kit/phones/sipp.ts'
import { until } from '../kit/processes.ts'
import { tone, toneShare } from '../kit/tones.ts'
import { type Pcm, part, seconds, writeWav } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

test('baresip, linphonec and sipp through stc and a plain phone in one conference: each heard by the others, all on the roster, all leave', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip', 'linphonec', 'sipp', 'tshark') || !needsAsterisk(t)) return
  const w = await coupledRelay(t)
  const [a, b, c] = [await w.client('anna'), await w.client('bert'), await w.client('carl')]
  const plainAt = { address: w.asterisk.address, port: w.asterisk.sip }
  const anna = await w.phone('anna', 700, a.sip)
  const microphone = path.join(w.folder, 'bert-8k.wav')
  writeWav(microphone, tone(1100, { rate: 8000, seconds: 240 }))
  const bert = await startLinphonec({ name: 'bert', codecs: ['pcmu'], microphone, registrar: { ...b.sip, password: 'secret-bert' } })
  t.after(() => bert.stop())
  await bert.events.next('registered')
  const dora = await w.phone('dora', 1900, plainAt)
  const file = path.join(w.folder, 'carl.ulaw')
  const said = tone(440, { rate: 8000, seconds: 10 }).samples
  const raw = new Uint8Array(said.length)
  encodeG711(muLaw, said, raw)
  writeFileSync(file, raw)

  anna.dial(at('700', a.sip))
  bert.dial(at('700', b.sip))
  dora.dial(at('700', plainAt))
  for (const p of [anna, bert, dora]) await p.events.next('established', 20_000)
  const tap = await capture('udp and ip[2:2] = 200')
  const sipp = runSipp('talk', { remote: c.sip, service: '700', user: 'carl', password: 'secret-carl', file, timeoutMs: 150_000 })
  const early = sipp.then((r) => assert.fail(`sipp ended: ${r.errors.slice(0, 3000)}\n${r.messages.slice(-4000)}`))
  early.catch(() => {})
  await Promise.race([a.shows(/carl joined/, 30_000), early])
  for (const client of [a, b, c]) {
    // In any state that was shown: sipp talks for a minute only.
    const four = (state: string): boolean => ['anna', 'bert', 'carl'].every((n) => new RegExp(`\\d+ ${n} {2}\\[[0-9a-f]{8}\\]`).test(state)) && /unverified: dora/.test(state) && /an unverified caller/.test(state)
    await until(10_000, 'the roster of four', () => client.process.output().split('◐ ').some(four) || undefined, () => `${client.process.tail()}\n${w.server.process.tail()}\n${dora.printed()}`, 100)
  }
  const windows = { anna: [1100, 440, 1900], bert: [700, 440, 1900], dora: [700, 1100, 440] }
  // All at once, in whichever piece is good: sipp talks for a minute only.
  await Promise.all(([[anna, 'anna'], [bert, 'bert'], [dora, 'dora']] as const).flatMap(([phone, name]) => windows[name].map((hz) => hears(phone, hz, { settle: 1, look: 2, share: 0.8 }))))
  const result = await sipp
  assert.equal(result.passed, true, `${result.errors.slice(0, 2000)}\n${result.messages.slice(-3000)}`)
  await a.shows(/carl left/)
  const port = Number(/m=audio (\d+) RTP/.exec(result.messages)?.[1])
  const carls = decoded((await tap.stop()).filter((p) => p.to === port))
  assert.ok(seconds(carls) > 10, `${seconds(carls)} s of sound at carl`)
  const middle = part(carls, 5)
  for (const hz of [700, 1100, 1900]) assert.ok(toneShare(middle, hz) >= 0.5, `carl hears ${hz} Hz in ${toneShare(middle, hz)} of the windows`)
  assert.ok(toneShare(middle, 600) < 0.2, 'and not what nobody says')

  dora.hangup()
  for (const client of [a, b]) await client.shows(/an unverified caller \(dora\) left/)
  bert.hangup()
  await a.shows(/bert left/)
  await b.shows(/700: left/)
  anna.hangup()
  await a.shows(/700: left/)
  await until(10_000, 'Asterisk without a leg', async () => (await w.legs()).length === 0 || undefined, undefined, 200)
})

/** RTP of PCMU in the order in which it came. */
function decoded(packets: readonly { readonly payload: Uint8Array }[]): Pcm {
  const octets = packets.flatMap(({ payload: p }) => (p.length === 172 && p[0] === 0x80 && (p[1]! & 0x7f) === 0 ? [...p.subarray(12)] : []))
  const samples = new Int16Array(octets.length)
  decodeG711(muLaw, Uint8Array.from(octets), samples)
  return { rate: 8000, samples }
}

test('a host mutes, removes and locks from the terminal and with the buttons of the page; a recording is shown', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip', 'chromium') || !needsAsterisk(t)) return
  const w = await coupledRelay(t, { conferences: { default: { hosts: ['cn:anna'] } } })
  const [a, b] = [await w.client('anna', { page: { port: 0 } }), await w.client('bert', { page: { port: 0 } })]
  const pageOf = async (client: typeof a) => {
    const browser = await startBrowser(t)
    await browser.page.goto((await client.shows(/page: (http:\S+)/))[1]!)
    return browser
  }
  const plainAt = { address: w.asterisk.address, port: w.asterisk.sip }
  const [anna, bert, carl] = [await w.phone('anna', 700, a.sip), await w.phone('bert', 1100, b.sip), await w.phone('carl', 500, plainAt)]
  anna.dial(at('700', a.sip))
  bert.dial(at('700', b.sip))
  carl.dial(at('700', plainAt))
  const number = async (what: RegExp): Promise<string> => (await a.shows(what))[1]!
  const carls = await number(/(\d+) unverified: carl/)
  const type = (client: typeof a, line: string): void => void client.process.child.stdin.write(`${line}\n`)
  await Promise.all([hears(anna, 1100), hears(anna, 500)])

  const [annas, bertsPage] = [await pageOf(a), await pageOf(b)]
  const carlsRow = annas.page.locator('[data-caller]').filter({ hasText: 'carl' })
  await carlsRow.getByRole('button', { name: 'Mute', exact: true }).click()
  for (const c of [a, b]) await c.shows(/unverified: carl {2}\(muted\)/)
  await carlsRow.getByText('muted', { exact: true }).waitFor()
  const from = seconds(anna.heard())
  await until(10_000, 'carl not heard any more, and bert as before', () => {
    const piece = part(anna.heard(), seconds(anna.heard()) - 2)
    return (seconds(anna.heard()) > from + 3 && toneShare(piece, 500) < 0.2 && toneShare(piece, 1100) > 0.5) || undefined
  }, undefined, 200)
  await carlsRow.getByRole('button', { name: 'Unmute', exact: true }).click()
  await hears(anna, 500)
  type(a, `/mute ${carls}`)
  await carlsRow.getByText('muted', { exact: true }).waitFor()
  type(a, `/unmute ${carls}`)
  await hears(anna, 500)
  type(b, `/remove ${carls}`)
  await b.shows(/PBX_NOT_HOST|Only a host/)
  // Who is no host has no buttons for it, but one to mute itself.
  await bertsPage.page.locator('[data-caller]').filter({ hasText: 'carl' }).waitFor()
  assert.deepEqual([await bertsPage.page.locator('[data-caller] button').count(), await bertsPage.page.getByRole('button', { name: 'Lock' }).count()], [0, 0])
  await annas.page.getByRole('button', { name: 'Lock', exact: true }).click()
  await b.shows(/ {2}locked/)
  await annas.page.getByRole('button', { name: 'Unlock', exact: true }).click()
  await annas.page.getByRole('button', { name: 'Lock', exact: true }).waitFor()
  type(a, '/lock')
  await annas.page.getByRole('button', { name: 'Unlock', exact: true }).waitFor()

  const channel = (await w.legs()).find((l) => l.startsWith('PJSIP/carl'))!
  await w.asterisk.cli(`mixmonitor start ${channel} ${w.asterisk.folder}/spool/monitor/carl.wav`)
  for (const c of [a, b]) await c.shows(/unverified: carl {2}\(being recorded\)/)
  type(a, '/unlock')
  await carlsRow.getByRole('button', { name: 'Remove', exact: true }).click()
  await carl.events.next('closed')
  await b.shows(/an unverified caller \(carl\) left/)
  await annas.page.getByRole('button', { name: 'Details of bert' }).click()
  await annas.page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click()
  await bert.events.next('closed')
  await b.shows(/700: left/)
  await bertsPage.page.getByText('Calls so far').waitFor()
  for (const p of [annas, bertsPage]) assert.deepEqual(p.complaints, [])
})
