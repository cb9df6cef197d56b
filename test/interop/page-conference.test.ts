/** Two browsers with known voices as microphones and one baresip in one sealed room: measured on what their speakers played. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { heardSpeech } from '../../src/audio/heard.ts'
import { resample } from '../../src/audio/resample.ts'
import { must } from '../../src/base/result.ts'
import { startBrowser, type TestBrowser } from '../kit/browser.ts'
import { startBaresip } from '../kit/phones/baresip.ts'
import { until } from '../kit/processes.ts'
import { startClient, startServer, type StcClient, TestAuthority } from '../kit/stc.ts'
import { type VoiceName, voice } from '../kit/voices.ts'
import { writeWav } from '../kit/wav.ts'
import { needs } from './setup.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-page-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const VOICES = { anna: 'river', boris: 'harbour', clara: 'summit' } as const satisfies Record<string, VoiceName>
type Name = keyof typeof VOICES
/** 16 kHz; nobody's player loops for so long that this ends. */
function microphone(name: Name): string {
  const one = voice(VOICES[name])
  const samples = new Int16Array(16_000 * 150)
  for (let i = 0; i < samples.length; i++) samples[i] = one[i % one.length]!
  const file = path.join(folder, `${name}.wav`)
  writeWav(file, { rate: 16_000, samples })
  return file
}

const pageOf = (c: StcClient): Promise<string> => c.shows(/page: (http:\S+)/).then((m) => m[1]!)

async function inBrowser(t: TestContext, c: StcClient, name: Name): Promise<TestBrowser> {
  const b = await startBrowser(t, { microphone: microphone(name) })
  await b.page.goto(await pageOf(c))
  await b.page.getByText('Connected to').waitFor()
  await b.page.getByLabel('Room or number').fill('100')
  await b.page.keyboard.press('Enter')
  return b
}

/** Waits until everybody was heard for eight seconds together, or says who was not. */
async function hears(what: string, recorded: () => Promise<Int16Array>, of: readonly Name[]): Promise<void> {
  let shares = ''
  await until(60_000, `${what} hearing ${of.join(' and ')}`, async () => {
    const all = await recorded()
    if (all.length < 8 * 16_000) return undefined
    const last = all.subarray(all.length - 8 * 16_000)
    const found = of.map((n) => must(heardSpeech(voice(VOICES[n]), last)))
    shares = found.map((f, i) => `${of[i]} ${f.share.toFixed(2)}`).join(', ')
    return found.every((f) => f.heard) ? true : undefined
  }, () => shares, 1000)
}

const roster = (b: TestBrowser): Promise<string> => b.page.locator('.members .name bdi').allInnerTexts().then((n) => n.toSorted().join(' '))
const code = (b: TestBrowser): Promise<string> => b.page.locator('.groups').getByText(/\d{5}/).allInnerTexts().then((c) => c.join(' '))

test('each is heard by the others, with one roster and one code', { timeout: 240_000 }, async (t) => {
  if (!needs(t, 'chromium', 'baresip')) return
  const authority = new TestAuthority(folder, 'ca')
  const server = await startServer(folder, authority.server())
  t.after(() => server.stop())
  const client = async (n: Name): Promise<StcClient> => {
    const c = await startClient(folder, n, server.port, authority.member(n), { config: { page: { port: 0 } } })
    t.after(() => c.stop())
    return c
  }
  const [ca, cb, cc] = [await client('anna'), await client('boris'), await client('clara')]
  const [anna, boris] = [await inBrowser(t, ca, 'anna'), await inBrowser(t, cb, 'boris')]
  const clara = await startBaresip({ name: 'clara', codecs: ['g722'], microphone: microphone('clara'), registrar: cc.sip })
  t.after(() => clara.stop())
  await clara.events.next('registered')
  clara.dial(`sip:8100@${cc.sip.address}:${cc.sip.port}`)
  await clara.events.next('established')
  for (const b of [anna, boris]) await b.page.getByRole('heading', { name: 'Only these three people can hear this' }).waitFor()

  // The third one's own page shows the same call, and that it is at the phone.
  const page = await startBrowser(t)
  await page.page.goto(await pageOf(cc))
  await page.page.getByText('You speak on your phone “clara”').waitFor()
  await until(10_000, 'one code on all screens', async () => {
    const codes = await Promise.all([anna, boris, page].map(code))
    return codes[0] !== '' && codes.every((c) => c === codes[0]) ? true : undefined
  })
  for (const b of [anna, boris, page]) assert.equal(await roster(b), 'anna boris clara')
  const shown = await code(anna)
  await cc.shows(new RegExp(shown.replaceAll(' ', '\\s')))

  await Promise.all([anna.forget(), boris.forget()])
  await hears('anna', () => anna.heard(), ['boris', 'clara'])
  await hears('boris', () => boris.heard(), ['anna', 'clara'])
  await hears('clara', () => {
    const { rate, samples } = clara.heard()
    return Promise.resolve(resample(samples, rate, 16_000))
  }, ['anna', 'boris'])

  // Muted in the page: not heard, and seen to be.
  await anna.page.getByRole('button', { name: 'Mute', exact: true }).click()
  await anna.page.getByText('muted', { exact: true }).waitFor()
  await until(30_000, 'silence of anna at boris', async () => {
    const all = await boris.heard()
    if (all.length < 8 * 16_000) return undefined
    return must(heardSpeech(voice(VOICES.anna), all.subarray(all.length - 6 * 16_000))).absent ? true : undefined
  }, () => '', 1000)

  await anna.page.getByRole('button', { name: 'Leave' }).click()
  for (const b of [boris, page]) {
    await b.page.getByRole('heading', { name: 'Only these two people can hear this' }).waitFor()
    await b.page.getByText('anna is gone', { exact: true }).waitFor()
  }
  await anna.page.getByText('Calls so far').waitFor()
  await anna.page.getByText(/boris, clara|clara, boris/).waitFor()
  for (const b of [anna, boris, page]) assert.deepEqual(b.complaints, [])
})
