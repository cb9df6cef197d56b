/** Softphones at a real Asterisk through stc: nothing but the proxy address is changed in them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoint } from '../kit/asterisk.ts'
import { behindPbx } from '../kit/behind-pbx.ts'
import type { Baresip } from '../kit/phones/baresip.ts'
import { until } from '../kit/processes.ts'
import { toneShare } from '../kit/tones.ts'
import { part, seconds } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

const extensions = `[phones]
exten => 600,1,Answer()
 same => n,Echo()
exten => _8XX,1,Answer()
 same => n,ConfBridge(\${EXTEN})
exten => _[a-z].,1,Dial(PJSIP/\${EXTEN},20)
`
const names = ['anna', 'bert', 'carl']
const config = (more = '') => () => ({ 'pjsip.conf': names.map((n) => endpoint(n, { more })).join('\n'), 'extensions.conf': extensions })

async function hears(phone: Baresip, hz: number): Promise<void> {
  const from = seconds(phone.heard())
  await until(15_000, `2 s of sound at ${phone.uri}`, () => seconds(phone.heard()) >= from + 2.5 || undefined, phone.printed, 100)
  const share = toneShare(part(phone.heard(), from + 0.6), hz)
  assert.ok(share >= 0.9, `${phone.uri} hears ${hz} Hz in ${share} of the windows`)
}

test('a phone registers, calls the echo and hears itself', { timeout: 120_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const w = await behindPbx(t, { config: config() })
  const client = await w.client('anna')
  const anna = await w.phone('anna', 700, client.sip)
  assert.match(await w.asterisk.cli('pjsip show contacts'), /anna\/sip:stc[0-9a-f]{24}@127\.0\.0\.1/)
  anna.dial(`sip:600@${client.sip.address}:${client.sip.port}`)
  await anna.events.next('established')
  await hears(anna, 700)
  anna.hangup()
  await anna.events.next('closed')
})
