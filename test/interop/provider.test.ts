/** A client as the outbound proxy of phones that have accounts at a SIP server: no server of ours anywhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoint, startAsterisk } from '../kit/asterisk.ts'
import { behindProvider } from '../kit/behind-provider.ts'
import type { Baresip } from '../kit/phones/baresip.ts'
import { until } from '../kit/processes.ts'
import { toneShare } from '../kit/tones.ts'
import { part, seconds } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

const names = ['anna', 'bert', 'carl']
const config = () => ({ 'pjsip.conf': names.map((n) => endpoint(n)).join('\n'), 'extensions.conf': `[phones]\nexten => _[a-z].,1,Dial(PJSIP/\${EXTEN},20)\n` })

async function hears(phone: Baresip, hz: number): Promise<void> {
  const from = seconds(phone.heard())
  await until(15_000, `2 s of sound at ${phone.uri}`, () => seconds(phone.heard()) >= from + 2.5 || undefined, phone.printed, 100)
  const share = toneShare(part(phone.heard(), from + 0.6), hz)
  assert.ok(share >= 0.9, `${phone.uri} hears ${hz} Hz in ${share} of the windows`)
}
const at = (extension: string, a: { address: string; port: number }): string => `sip:${extension}@${a.address}:${a.port}`

for (const transport of ['udp', 'tcp'] as const) test(`two clients and a plain phone call each other through a provider over ${transport}`, { timeout: 120_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const asterisk = await startAsterisk({ config })
  t.after(() => asterisk.stop())
  const w = behindProvider(t, asterisk, { transport })
  // Plain calls: two clients that seal would change the sound, and say so by a tone.
  const plain = { sealedCalls: { policy: 'off' } }
  const [a, b] = [await w.client('anna', plain), await w.client('bert', plain)]
  const [anna, bert] = [await w.phone('anna', 700, a.sip), await w.phone('bert', 1100, b.sip)]
  const carl = await w.phone('carl', 500, { address: asterisk.address, port: asterisk.sip })
  assert.match(await asterisk.cli('pjsip show contacts'), /anna\/sip:stc[0-9a-f]{24}@127\.0\.0\.1/)

  anna.dial(at('bert', a.sip))
  await anna.events.next('established')
  await bert.events.next('established')
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  bert.hangup()
  await anna.events.next('closed')

  carl.dial(asterisk.uri('anna'))
  await carl.events.next('established')
  await Promise.all([hears(carl, 700), hears(anna, 500)])
  carl.hangup()
  await anna.events.next('closed')
  await until(10_000, 'Asterisk without a leg', async () => /0 active channels/.test(await asterisk.cli('core show channels count')) || undefined, undefined, 200)
})
