/** A real Asterisk with plain phones and nothing of ours in between: the control for everything that puts stc there. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { endpoint, startAsterisk } from '../kit/asterisk.ts'
import type { Asterisk } from '../kit/asterisk.ts'
import { hears } from '../kit/hears.ts'
import { startBaresip } from '../kit/phones/baresip.ts'
import type { Baresip } from '../kit/phones/baresip.ts'
import { tone, } from '../kit/tones.ts'
import { writeWav } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-asterisk-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const extensions = `[phones]
exten => _8XX,1,Answer()
 same => n,ConfBridge(\${EXTEN})
exten => _[a-z].,1,Dial(PJSIP/\${EXTEN},20)
`
const config = () => ({ 'pjsip.conf': ['anna', 'bert'].map((n) => endpoint(n)).join('\n'), 'extensions.conf': extensions })

async function phone(asterisk: Asterisk, name: string, hz: number): Promise<Baresip> {
  const microphone = path.join(folder, `${name}.wav`)
  writeWav(microphone, tone(hz, { rate: 16000, seconds: 240 }))
  const started = await startBaresip({ name, codecs: ['g722', 'pcmu'], microphone, autoAnswer: true, registrar: { address: asterisk.address, port: asterisk.sip, password: `secret-${name}` }, unbuffered: true })
  await started.events.next('registered')
  return started
}

test('two phones register at a real Asterisk, call each other and meet in a ConfBridge', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const asterisk = await startAsterisk({ config })
  t.after(() => asterisk.stop())
  assert.match(await asterisk.cli('core show version'), /^Asterisk 22\./)
  const anna = await phone(asterisk, 'anna', 700)
  t.after(() => anna.stop())
  const bert = await phone(asterisk, 'bert', 1100)
  t.after(() => bert.stop())

  anna.dial(asterisk.uri('bert'))
  await anna.events.next('established')
  await bert.events.next('established')
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  anna.hangup()
  await bert.events.next('closed')
  await anna.events.next('closed')

  anna.dial(asterisk.uri('800'))
  bert.dial(asterisk.uri('800'))
  await anna.events.next('established')
  await bert.events.next('established')
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  assert.match(await asterisk.cli('confbridge list 800'), /PJSIP\/anna-/)
})

test('two Asterisks run beside each other; one comes back with its phone still known', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const [one, two] = await Promise.all([startAsterisk({ name: 'one', config }), startAsterisk({ name: 'two', config })])
  t.after(() => Promise.all([one.stop(), two.stop()]))
  const anna = await phone(one, 'anna', 700)
  t.after(() => anna.stop())
  assert.match(await one.cli('pjsip show contacts'), /anna\//)
  assert.doesNotMatch(await two.cli('pjsip show contacts'), /anna\//)
  await one.restart()
  assert.match(await one.cli('pjsip show contacts'), /anna\//)
})
