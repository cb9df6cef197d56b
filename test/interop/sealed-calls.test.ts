/** Two softphones behind two clients at an Asterisk that knows nothing of it: what it records is noise. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { endpoint, startAsterisk } from '../kit/asterisk.ts'
import { behindProvider } from '../kit/behind-provider.ts'
import type { Baresip } from '../kit/phones/baresip.ts'
import { until } from '../kit/processes.ts'
import { toneBelow, toneShare } from '../kit/tones.ts'
import { part, readWav, seconds } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

const names = ['anna', 'bert', 'carl']
/** What the server does with the call between. */
const BRIDGES = {
  'native bridge': `Dial(PJSIP/\${EXTEN},20)`,
  'simple bridge': `Dial(PJSIP/\${EXTEN},20,Tt)`,
  MixMonitor: `MixMonitor(\${RECORDING})\n same => n,Dial(PJSIP/\${EXTEN},20)`,
  'adaptive jitter buffer': `Set(JITTERBUFFER(adaptive)=default)\n same => n,Dial(PJSIP/\${EXTEN},20)`,
} as const
const config = (bridge: string, codecs: string) => (_: unknown, folder: string) => ({
  'pjsip.conf': names.map((n) => endpoint(n, { codecs, more: 'rtp_keepalive=0' })).join('\n'),
  'extensions.conf': `[globals]\nRECORDING=${folder}/call.wav\n[phones]\nexten => _[a-z].,1,NoOp(rings \${EXTEN})\n same => n,${bridge}\n`,
  'codecs.conf': '[plc]\ngenericplc=false\n',
})

async function hears(phone: Baresip, hz: number): Promise<void> {
  const from = seconds(phone.heard())
  await until(15_000, `2 s of sound at ${phone.uri}`, () => seconds(phone.heard()) >= from + 3.5 || undefined, phone.printed, 100)
  const share = toneShare(part(phone.heard(), from + 1.5), hz)
  assert.ok(share >= 0.9, `${phone.uri} hears ${hz} Hz in ${share} of the windows`)
}

for (const [bridge, codec, names] of [['MixMonitor', 'pcmu', 'ulaw'], ['native bridge', 'g722', 'g722'], ['simple bridge', 'pcma', 'alaw'], ['adaptive jitter buffer', 'pcmu', 'ulaw']] as const) {
  test(`sealed within 8 s of the answer through ${bridge}, ${codec}; both hear each other, the server hears noise`, { timeout: 120_000 }, async (t) => {
    if (!needs(t, 'baresip') || !needsAsterisk(t)) return
    const asterisk = await startAsterisk({ config: config(BRIDGES[bridge], names) })
    t.after(() => asterisk.stop())
    const w = behindProvider(t, asterisk)
    const [a, b] = [await w.client('anna'), await w.client('bert')]
    const [anna, bert] = [await w.phone('anna', 700, a.sip, { codecs: [codec] }), await w.phone('bert', 1100, b.sip, { codecs: [codec] })]
    anna.dial(`sip:bert@${a.sip.address}:${a.sip.port}`)
    await anna.events.next('established')
    const answered = Date.now()
    await Promise.all([a.shows(/Only you and the other side can hear this/, 12_000), b.shows(/Only you and the other side can hear this/, 12_000)])
    const sealedMs = Date.now() - answered
    t.diagnostic(`sealed ${sealedMs} ms after the answer`)
    assert.ok(sealedMs < 8000, `${sealedMs} ms`)
    const [words, others] = [await a.shows(/compare aloud: (.+)/), await b.shows(/compare aloud: (.+)/)]
    assert.equal(words[1], others[1])
    await Promise.all([hears(anna, 1100), hears(bert, 700)])
    assert.equal(asterisk.log().split('rings bert').length - 1, 1, 'the callee rings once')
    bert.hangup()
    await anna.events.next('closed')
    if (bridge !== 'MixMonitor') return
    const file = `${asterisk.folder}/call.wav`
    await until(5000, 'the recording', () => (existsSync(file) && readFileSync(file).length > 50_000) || undefined)
    const recorded = readWav(file)
    const sealedPart = part(recorded, seconds(recorded) - 2)
    // No more of either voice's tone than of what lies beside it.
    for (const hz of [700, 1100]) assert.ok(toneBelow(sealedPart, hz, [hz - 200, hz + 200]) > -10, `the server hears ${hz} Hz`)
  })
}
