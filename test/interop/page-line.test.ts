/** The page's phone as an extension like any other: a real Chromium, a real Asterisk, a baresip; measured on what speaker and phone played. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { heardSpeech } from '../../src/audio/heard.ts'
import { resample } from '../../src/audio/resample.ts'
import { must } from '../../src/base/result.ts'
import { asteriskBlocks } from '../../src/server/pbx/asterisk-config.ts'
import { endpoint } from '../kit/asterisk.ts'
import { behindPbx, type BehindPbx } from '../kit/behind-pbx.ts'
import { behindProvider } from '../kit/behind-provider.ts'
import { becomes, startBrowser, type TestBrowser } from '../kit/browser.ts'
import { freePorts } from '../kit/free-ports.ts'
import type { Baresip } from '../kit/phones/baresip.ts'
import { until } from '../kit/processes.ts'
import type { StcClient } from '../kit/stc.ts'
import { tone, toneShare } from '../kit/tones.ts'
import { voice } from '../kit/voices.ts'
import { part, type Pcm, seconds, writeWav } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

const PATIENCE = 60_000
const VOICE = 'river'
const HZ = 1100

/** 16 kHz, longer than the slowest run. */
function microphone(folder: string): string {
  const one = voice(VOICE)
  const file = path.join(folder, `${VOICE}.wav`)
  writeWav(file, { rate: 16_000, samples: Int16Array.from({ length: 16_000 * 240 }, (_, i) => one[i % one.length]!) })
  return file
}

/** Looks at the newest piece of what was recorded from now on, every two seconds, until it is good. */
async function listens(what: string, phone: Baresip, length: number, good: (pcm: Pcm) => string | true): Promise<void> {
  let said: string | true = ''
  let looked = seconds(phone.heard())
  await until(PATIENCE, what, () => {
    const all = phone.heard()
    if (seconds(all) < looked + length) return undefined
    looked = seconds(all)
    said = good(part(all, -length))
    return said === true || undefined
  }, () => String(said), 2000)
}
/** The page's voice: its noise suppression takes tones away, so it is speech that has to be known again. */
const hearsVoice = (phone: Baresip): Promise<void> => listens('the phone hearing the page', phone, 6, ({ rate, samples }) => {
  const { heard, share } = must(heardSpeech(voice(VOICE), resample(samples, rate, 16_000)))
  return heard || share.toFixed(2)
})
/** Something as loud as speech, where nobody else is. */
const hearsSound = (phone: Baresip): Promise<void> => listens('the phone hearing something', phone, 2, ({ samples }) => {
  const rms = Math.sqrt(samples.reduce((n, x) => n + x * x, 0) / samples.length)
  return rms > 500 || rms.toFixed(0)
})
async function hearsTone(b: TestBrowser, hz = HZ): Promise<void> {
  await b.forget()
  let share = 0
  await until(PATIENCE, `the page hearing ${hz} Hz`, async () => {
    const all: Pcm = { rate: 16_000, samples: await b.heard(3) }
    if (seconds(all) < 2.5) return undefined
    share = toneShare(part(all, -2), hz)
    return share >= 0.8 || undefined
  }, () => share.toFixed(2), 500)
}
async function inBrowser(t: TestContext, c: StcClient, folder: string): Promise<TestBrowser> {
  const b = await startBrowser(t, { microphone: microphone(folder) })
  b.page.setDefaultTimeout(PATIENCE)
  await b.page.goto((await c.shows(/page: (http:\S+)/, PATIENCE))[1]!)
  await b.page.getByLabel('Room or number').waitFor()
  return b
}
async function dial(b: TestBrowser, number: string): Promise<void> {
  await b.page.getByLabel('Room or number').fill(number)
  await b.page.keyboard.press('Enter')
}
const account = (user: string) => ({ page: { port: 0, account: { user, password: `secret-${user}` } } })

/** A softphone straight at Asterisk, or behind a client, that says a tone for longer than the slowest call. */
function softphone(w: Pick<BehindPbx, 'phone' | 'folder'>, name: string, to: { readonly address: string; readonly port: number }): Promise<Baresip> {
  const file = path.join(w.folder, 'tone.wav')
  writeWav(file, tone(HZ, { rate: 16_000, seconds: 240 }))
  return w.phone(name, HZ, to, { microphone: file, codecs: ['pcmu'] })
}

test('the page calls and is called through a PBX, holds, presses keys, is in its conference; sealed through the same as a provider', { timeout: 600_000 }, async (t) => {
  if (!needs(t, 'chromium', 'baresip') || !needsAsterisk(t)) return
  const agi = await freePorts(2)
  const secretFile = path.join(tmpdir(), `stc-ami-${process.pid}-${agi}.secret`)
  writeFileSync(secretFile, 'only for tests\n', { mode: 0o600 })
  const blocks = asteriskBlocks({ ami: { user: 'stc', secret: 'only for tests', permit: ['127.0.0.1/32'] }, agi: { address: '127.0.0.1', port: agi }, conferences: ['_7XX'], phones: [] })
  const w = await behindPbx(t, {
    config: () => ({
      'manager.conf': blocks.manager, 'confbridge.conf': blocks.confbridge, 'codecs.conf': '[plc]\ngenericplc=false\n',
      'pjsip.conf': ['100', '101', '102', '103'].map((n) => endpoint(n, { codecs: n < '102' ? 'g722,ulaw' : 'ulaw', more: 'rtp_keepalive=0' })).join('\n'),
      'extensions.conf': `${blocks.extensions}\n[phones]\ninclude => stc-conferences\nexten => _1XX,1,Dial(PJSIP/\${EXTEN},120)\nexten => 300,1,Progress()\n same => n,Playtones(425/1000)\n same => n,Wait(300)\nexten => 301,1,Answer()\n same => n,Read(PRESSED,,3,,1,120)\n same => n,NoOp(pressed \${PRESSED})\n same => n,Hangup()\n`,
    }),
    serverConfig: ({ ami }) => ({ pbx: { ami: { port: ami, secretFile }, agi: { port: agi }, conferences: { 701: {} } } }),
  })
  const client = await w.client('anna', account('100'))
  await client.shows(/telephone 100: registered/, PATIENCE)
  const b = await inBrowser(t, client, w.folder)
  const { page } = b
  const bert = await softphone(w, '101', { address: w.asterisk.address, port: w.asterisk.sip })

  await t.test('it calls: both hear each other, and the page says who can', async () => {
    await dial(b, '101')
    await page.getByText('Connected with 101').waitFor()
    await page.getByRole('heading', { name: 'Our server can hear this' }).waitFor()
    await page.getByRole('heading', { name: 'Not verified' }).waitFor()
    await hearsTone(b)
    await hearsVoice(bert)
    await page.getByRole('button', { name: 'Hold', exact: true }).click()
    await page.getByText(/You hold the call with 101/).waitFor()
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByText('Connected with 101').waitFor()
    await hearsTone(b)
    await hearsSound(bert)
    await page.getByRole('button', { name: 'Hang up' }).click()
    await bert.events.next('closed', PATIENCE)
    await page.getByText('you called').waitFor()
  })

  await t.test('sound before the answer is heard, and keys arrive', async () => {
    await dial(b, '300')
    await page.getByText('Not answered yet: 300').waitFor()
    await hearsTone(b, 425)
    await page.getByRole('button', { name: 'Hang up' }).click()
    await page.getByLabel('Room or number').waitFor()
    await dial(b, '301')
    await page.getByText('Connected with 301').waitFor()
    await page.getByRole('button', { name: 'Keypad' }).click()
    for (const key of ['5', '5', '9']) await page.locator('.keypad').getByRole('button', { name: new RegExp(`^${key}`) }).click()
    await until(PATIENCE, 'the keys in the log', () => w.asterisk.log().includes('pressed 559') || undefined)
    await page.getByLabel('Room or number').waitFor()
  })

  await t.test('it is called: who calls is not verified, and both hear each other; another call is missed', async () => {
    bert.dial(w.asterisk.uri('100'))
    await page.getByRole('heading', { name: '101 calls you' }).waitFor()
    await page.getByText('Not verified: this is what the telephone network says.').waitFor()
    // Whoever clicks as it begins to ring has not answered: again until it has.
    await until(PATIENCE, 'the answer', async () => {
      const answer = page.getByRole('button', { name: 'Answer' })
      if (await answer.isVisible()) await answer.click({ timeout: 2000 }).catch(() => undefined)
      return (await page.getByText('Connected with 101').isVisible()) || undefined
    })
    await hearsTone(b)
    await hearsVoice(bert)
    bert.hangup()
    await page.getByText('they called').waitFor()
    await bert.events.next('closed', PATIENCE)
    bert.dial(w.asterisk.uri('100'))
    await page.getByRole('heading', { name: '101 calls you' }).waitFor()
    bert.hangup()
    await page.getByText('missed', { exact: true }).waitFor()
    await client.shows(/telephone 100: missed a call of 101/)
  })

  await t.test('in a conference of the PBX its roster is shown', async () => {
    await dial(b, '701')
    await page.locator('.members .name bdi').getByText('anna').waitFor()
    bert.dial(w.asterisk.uri('701'))
    await page.locator('[data-caller]').getByText('101 · 101').waitFor()
    await page.getByRole('heading', { name: 'Our server can hear this' }).waitFor()
    await hearsTone(b)
    await hearsSound(bert)
    await page.getByRole('button', { name: 'Hang up' }).click()
    await page.getByLabel('Room or number').waitFor()
    bert.hangup()
  })

  await t.test('with the same as a provider, to a phone behind another client: sealed, the words on both sides', async (s) => {
    const p = behindProvider(s, w.asterisk)
    const [mine, theirs] = [await p.client('carla', account('102')), await p.client('dora')]
    const dora = await softphone(p, '103', theirs.sip)
    await mine.shows(/telephone 102: registered/, PATIENCE)
    const c = await inBrowser(s, mine, p.folder)
    await dial(c, '103')
    await c.page.getByRole('heading', { name: 'Only you and the other side can hear this' }).waitFor()
    const words = (await c.page.locator('.words li').allInnerTexts()).join(' ')
    assert.match((await theirs.shows(/compare aloud: (.+)/, PATIENCE))[1]!, new RegExp(words))
    await c.page.locator('.members .name bdi').getByText('dora').waitFor()
    await hearsTone(c)
    await hearsVoice(dora)
    await c.page.getByRole('button', { name: 'Hang up' }).click()
    await dora.events.next('closed', PATIENCE)
    await c.page.getByText('you called').first().waitFor()
    await becomes('one row for one call', () => c.page.getByText('you called').count(), 1)
    assert.deepEqual(c.complaints, [])
  })
  assert.deepEqual(b.complaints, [])
})
