/** Softphones behind clients at an Asterisk that knows nothing of it: sealed whatever it does with the call between, and its recording is noise. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { type Asterisk, endpoint, startAsterisk } from '../kit/asterisk.ts'
import { behindProvider } from '../kit/behind-provider.ts'
import type { Phone } from '../kit/phones/phone.ts'
import { until } from '../kit/processes.ts'
import { hears, Screen, SEALED, SEALED_MS } from '../kit/sealed-world.ts'
import { toneBelow } from '../kit/tones.ts'
import { part, readWav, seconds } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

/** What the server does with the call between, by the number that is dialled. */
const BRIDGES = {
  21: { what: 'native bridge', dial: `Dial(PJSIP/\${EXTEN:2},20)` },
  22: { what: 'simple bridge', dial: `Dial(PJSIP/\${EXTEN:2},20,Tt)` },
  23: { what: 'MixMonitor', dial: `MixMonitor(\${RECORDINGS}/\${EXTEN}.wav)\n same => n,Dial(PJSIP/\${EXTEN:2},20)` },
  24: { what: 'adaptive jitter buffer', dial: `Set(JITTERBUFFER(adaptive)=default)\n same => n,Dial(PJSIP/\${EXTEN:2},20)` },
} as const
type Bridge = keyof typeof BRIDGES
const RECORDS = 23

const config = (_: unknown, folder: string) => ({
  'pjsip.conf': [['anna', 'ulaw'], ['bert', 'ulaw'], ['carla', 'g722'], ['lena', 'g722']].map(([n, codecs]) => endpoint(n!, { codecs: codecs!, more: 'rtp_keepalive=0' })).join('\n'),
  'extensions.conf': `[globals]\nRECORDINGS=${folder}\n[phones]\n${Object.entries(BRIDGES).map(([number, { dial }]) => `exten => _${number}.,1,NoOp(rings \${EXTEN})\n same => n,${dial}\n`).join('')}`,
  'codecs.conf': '[plc]\ngenericplc=false\n',
})

interface Pair {
  readonly caller: Phone
  readonly callee: Phone
  readonly name: string
  /** What each hears. */
  readonly hz: readonly [caller: number, callee: number]
}

test('sealed within 8 s of the answer through Asterisk, baresip and linphonec; both hear each other, the server hears noise', { timeout: 240_000 }, async (t) => {
  if (!needs(t, 'baresip', 'linphonec') || !needsAsterisk(t)) return
  const asterisk = await startAsterisk({ config })
  t.after(() => asterisk.stop())
  const w = behindProvider(t, asterisk)
  const [a, b] = await Promise.all([w.client('anna'), w.client('bert')])
  const [anna, bert, carla, lena] = await Promise.all([
    w.phone('anna', 700, a.sip, { codecs: ['pcmu'] }), w.phone('bert', 1100, b.sip, { codecs: ['pcmu'] }),
    w.phone('carla', 900, a.sip, { codecs: ['g722'] }), w.linphonec('lena', 1300, b.sip, { codecs: ['g722'] }),
  ])
  const screens = [new Screen(a), new Screen(b)] as const
  const pairs: readonly Pair[] = [{ caller: anna, callee: bert, name: 'bert', hz: [1100, 700] }, { caller: carla, callee: lena, name: 'lena', hz: [1300, 900] }]
  for (const bridge of Object.keys(BRIDGES).map(Number) as Bridge[]) {
    await t.test(`${BRIDGES[bridge].what}: baresip to baresip in PCMU, baresip to linphonec in G.722`, (s) => callBoth(s, asterisk, { bridge, pairs, screens, at: a.sip }))
  }
})

interface Stage {
  readonly bridge: Bridge
  readonly pairs: readonly Pair[]
  readonly screens: readonly Screen[]
  readonly at: { readonly address: string; readonly port: number }
}

async function callBoth(t: TestContext, asterisk: Asterisk, { bridge, pairs, screens, at }: Stage): Promise<void> {
  for (const s of screens) s.skip()
  const answered = await Promise.all(pairs.map(async ({ caller, name }) => {
    caller.dial(`sip:${bridge}${name}@${at.address}:${at.port}`)
    await caller.events.next('established')
    return performance.now()
  }))
  await Promise.all(screens.map((s) => s.says(SEALED, SEALED_MS, 2)))
  const sealedMs = Math.round(performance.now() - Math.max(...answered))
  t.diagnostic(`sealed ${sealedMs} ms after the answer`)
  assert.ok(sealedMs < 8000, `${sealedMs} ms`)
  const words = await Promise.all(screens.map(async (s) => (await s.says(/compare aloud: (.+)/, 1000, 2)).map((m) => m[1]).sort()))
  assert.deepEqual(words[0], words[1])
  await Promise.all(pairs.flatMap(({ caller, callee, hz }) => [hears(caller, hz[0]), hears(callee, hz[1])]))
  for (const { name } of pairs) assert.equal(asterisk.log().split(`rings ${bridge}${name}`).length - 1, 1, 'the callee rings once')
  await Promise.all(pairs.map(async ({ caller, callee }) => {
    callee.hangup()
    await Promise.all([caller.events.next('closed'), callee.events.next('closed')])
  }))
  if (bridge === RECORDS) await Promise.all(pairs.map(({ name, hz }) => isNoise(`${asterisk.folder}/${RECORDS}${name}.wav`, hz)))
}

/** No more of either voice's tone than of what lies beside it. */
async function isNoise(file: string, voices: readonly number[]): Promise<void> {
  await until(5000, 'the recording', () => (existsSync(file) && readFileSync(file).length > 50_000) || undefined)
  const recorded = readWav(file)
  const sealed = part(recorded, seconds(recorded) - 2)
  for (const hz of voices) assert.ok(toneBelow(sealed, hz, [hz - 200, hz + 200]) > -10, `the server hears ${hz} Hz`)
}
