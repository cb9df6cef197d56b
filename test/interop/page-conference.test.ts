/** Two browsers with known voices as microphones and one baresip in one sealed room: measured on what their speakers played. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { heardSpeech } from '../../src/audio/heard.ts'
import { resample } from '../../src/audio/resample.ts'
import { must } from '../../src/base/result.ts'
import { becomes, startBrowser, type TestBrowser } from '../kit/browser.ts'
import { freePorts } from '../kit/free-ports.ts'
import { startBaresip } from '../kit/phones/baresip.ts'
import { run, until } from '../kit/processes.ts'
import { startClient, startServer, type StcClient, TestAuthority } from '../kit/stc.ts'
import { type VoiceName, voice } from '../kit/voices.ts'
import { writeWav } from '../kit/wav.ts'
import { needs } from './setup.ts'

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(path.join(tmpdir(), 'stc-page-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const VOICES = { anna: 'river', boris: 'harbour', clara: 'summit' } as const satisfies Record<string, VoiceName>
type Name = keyof typeof VOICES
/** 16 kHz; nobody's player loops for so long that this ends. */
function microphone(name: Name): string {
  const one = voice(VOICES[name])
  const samples = new Int16Array(16_000 * 400)
  for (let i = 0; i < samples.length; i++) samples[i] = one[i % one.length]!
  const file = path.join(folder, `${name}.wav`)
  writeWav(file, { rate: 16_000, samples })
  return file
}

const pageOf = (c: StcClient): Promise<string> => c.shows(/page: (http:\S+)/).then((m) => m[1]!)

async function inBrowser(t: TestContext, c: StcClient, name: Name): Promise<TestBrowser> {
  const b = await startBrowser(t, { microphone: microphone(name) })
  await b.page.goto(await pageOf(c))
  await b.page.getByText(/^Connected to/).waitFor()
  await b.page.getByLabel('Room or number').fill('100')
  await b.page.keyboard.press('Enter')
  return b
}

/** Seconds of what was heard: a little more than is judged. */
const LOOKED_AT = 9

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

test('each is heard by the others, with one roster and one code', { timeout: 600_000 }, async (t) => {
  if (!needs(t, 'chromium', 'baresip')) return
  const authority = new TestAuthority(folder, 'ca')
  const server = await startServer(folder, authority.server())
  t.after(() => server.stop())
  const papers = { anna: authority.member('anna'), boris: authority.member('boris'), clara: authority.member('clara') }
  const port = await freePorts(2)
  const client = async (n: Name): Promise<StcClient> => {
    // Windows come back to the same address after a new start; which they are stands beside the configuration.
    const c = await startClient(path.join(folder, n), n, server.port, papers[n], { config: { page: { port: n === 'anna' ? port : 0 } } })
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
  for (const b of [anna, boris, page]) await becomes('the roster', () => roster(b), 'anna boris clara')
  const shown = await code(anna)
  await cc.shows(new RegExp(shown.replaceAll(' ', '\\s')))

  await Promise.all([anna.forget(), boris.forget()])
  await hears('anna', () => anna.heard(LOOKED_AT), ['boris', 'clara'])
  await hears('boris', () => boris.heard(LOOKED_AT), ['anna', 'clara'])
  await hears('clara', () => {
    const { rate, samples } = clara.heard()
    return Promise.resolve(resample(samples, rate, 16_000))
  }, ['anna', 'boris'])

  // Muted in the page: not heard, and seen to be.
  await anna.page.getByRole('button', { name: 'Mute', exact: true }).click()
  await anna.page.getByText('muted', { exact: true }).waitFor()
  await until(30_000, 'silence of anna at boris', async () => {
    const all = await boris.heard(LOOKED_AT)
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
  await boris.page.getByRole('button', { name: 'Leave' }).click()
  await boris.page.getByText('Calls so far').waitFor()
  await callsBetweenPeople(anna, boris)
  for (const b of [anna, boris, page]) assert.deepEqual(b.complaints, [])

  // What was is there after the client was started anew, for its user's eyes alone, until the user says otherwise.
  const kept = path.join(folder, 'anna', 'anna-data', path.parse(papers.anna.certificate).name, 'calls.json')
  assert.equal(statSync(kept).mode & 0o077, 0)
  await ca.stop()
  await anna.page.locator('.trouble[data-cause="client-gone"]').waitFor()
  const again = run(process.execPath, [program, 'client', '--config', path.join(folder, 'anna', 'anna.yaml')])
  t.after(() => again.stop())
  await anna.page.locator('.trouble').waitFor({ state: 'detached' })
  await anna.page.getByText(/^Connected to/).waitFor()
  await anna.page.locator('[data-direction="missed"]').waitFor()
  await becomes('one missed call', () => anna.page.locator('[data-direction="missed"]').count(), 1)
  await anna.page.getByText('clara').first().waitFor()
  await anna.page.getByRole('button', { name: 'Clear' }).click()
  await anna.page.getByRole('group').getByRole('button', { name: 'Clear' }).click()
  await anna.page.getByText('No calls yet.').waitFor()
  assert.deepEqual(JSON.parse(readFileSync(kept, 'utf8')), { version: 1, calls: [] })
})

const quiet = (b: TestBrowser): Promise<void> => becomes('no dialog', () => b.page.getByRole('dialog').count(), 0)
const ringing = (b: TestBrowser, name: string): Promise<void> => b.page.getByRole('dialog', { name: `${name} calls you` }).waitFor()
/** Whoever has just pressed something has not answered (views/ring.tsx). */
const guarded = (b: TestBrowser): Promise<void> => b.page.waitForTimeout(1000)

/** Anna and Boris, by mail address and from the list of people; with keys and with the mouse. */
async function callsBetweenPeople(anna: TestBrowser, boris: TestBrowser): Promise<void> {
  await boris.forget()
  await anna.page.getByLabel('Room or number').fill('boris@example.org')
  await anna.page.keyboard.press('Enter')
  await ringing(boris, 'anna')
  await boris.page.getByText('anna@example.org').waitFor()
  await anna.page.getByText('It rings at boris').waitFor()
  // It is heard, and it is not the room: nobody is in there yet.
  await until(10_000, 'the ringing', async () => ((await boris.heard()).some((x) => Math.abs(x) > 1500) ? true : undefined), () => '', 250)
  await guarded(boris)
  await boris.page.keyboard.press('Enter')
  for (const b of [anna, boris]) await b.page.getByRole('heading', { name: 'Only these two people can hear this' }).waitFor()
  await becomes('the roster', () => roster(boris), 'anna boris')
  await Promise.all([anna.forget(), boris.forget()])
  await hears('boris, called by anna', () => boris.heard(LOOKED_AT), ['anna'])
  await hears('anna, who called boris', () => anna.heard(LOOKED_AT), ['boris'])

  // Keys compared once are remembered, and say so at the next ring.
  const codeOf = async (b: TestBrowser, other: string): Promise<string> => {
    await b.page.getByRole('button', { name: `Details of ${other}` }).click()
    await b.page.getByRole('button', { name: 'Compare keys' }).click()
    await b.page.locator('.pairwise .groups span').nth(5).waitFor()
    return (await b.page.locator('.pairwise .groups span').allInnerTexts()).join(' ')
  }
  const [atAnna, atBoris] = [await codeOf(anna, 'boris'), await codeOf(boris, 'anna')]
  assert.match(atAnna, /^(\d{5} ?){6}$/)
  assert.equal(atAnna, atBoris)
  await boris.page.getByRole('button', { name: 'It was the same' }).click()
  await boris.page.getByText(/Keys compared on/).waitFor()
  for (const b of [anna, boris]) await b.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
  await boris.page.getByRole('button', { name: 'Leave' }).click()
  await anna.page.getByRole('button', { name: 'Leave' }).click()

  // Declined.
  await anna.page.getByRole('button', { name: 'Call boris' }).first().click()
  await ringing(boris, 'anna')
  await boris.page.getByRole('dialog').getByText(/compared on/).waitFor()
  await guarded(boris)
  await boris.page.keyboard.press('Escape')
  await anna.page.getByRole('alert').getByText('The call was declined').waitFor()
  await quiet(boris)

  // The other way, given up: a missed call.
  await boris.page.getByRole('button', { name: 'Call anna' }).first().click()
  await ringing(anna, 'boris')
  await boris.page.getByRole('button', { name: 'Leave' }).click()
  await anna.page.locator('[data-direction="missed"]').waitFor()
  await quiet(anna)

  // Blocked: it rings in vain, and nobody is disturbed. From the list the block is taken away again.
  await boris.page.getByRole('button', { name: 'Call anna' }).first().click()
  await ringing(anna, 'boris')
  await guarded(anna)
  await anna.page.getByRole('dialog').getByRole('button', { name: /^Answer/ }).click()
  await anna.page.getByRole('heading', { name: 'Only these two people can hear this' }).waitFor()
  await anna.page.getByRole('button', { name: 'Details of boris' }).click()
  await anna.page.getByRole('button', { name: 'Block…' }).click()
  await anna.page.getByRole('group', { name: 'Block boris?' }).getByRole('button', { name: 'Block…' }).click()
  await anna.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
  await anna.forget()
  await until(30_000, 'silence of boris at anna, who blocked him', async () => {
    const all = await anna.heard(LOOKED_AT)
    return all.length >= 4 * 16_000 && all.subarray(all.length - 2 * 16_000).every((x) => Math.abs(x) < 200) ? true : undefined
  }, () => '', 500)
  await anna.page.getByRole('button', { name: 'Leave' }).click()
  await boris.page.getByRole('button', { name: 'Leave' }).click()
  await boris.page.getByRole('button', { name: 'Call anna' }).first().click()
  await boris.page.getByText('It rings at anna').waitFor()
  // Longer than a ring takes to be shown.
  await anna.page.waitForTimeout(1500)
  assert.equal(await anna.page.getByRole('dialog').count(), 0)
  await boris.page.getByRole('button', { name: 'Leave' }).click()
  await anna.page.getByRole('button', { name: 'Unblock boris' }).click()
  await anna.page.getByRole('button', { name: 'Call boris' }).first().waitFor()
}
