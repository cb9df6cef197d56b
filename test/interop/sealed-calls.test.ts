/** Softphones behind clients at an Asterisk that knows nothing of it: sealed whatever it does with the call between, and its recording is noise. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { endpoint, startAsterisk } from '../kit/asterisk.ts'
import { behindProvider } from '../kit/behind-provider.ts'
import { until } from '../kit/processes.ts'
import { assertNoise, callSealed, hangUp, type Pair, Screen } from '../kit/sealed-world.ts'
import { type Pcm, part, readWav, seconds } from '../kit/wav.ts'
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
  const dialled = (bridge: Bridge, name: string): string => `sip:${bridge}${name}@${a.sip.address}:${a.sip.port}`
  const pairsOf = (bridge: Bridge): readonly Pair[] => [
    { caller: anna, callee: bert, number: dialled(bridge, 'bert'), hz: [1100, 700] },
    { caller: carla, callee: lena, number: dialled(bridge, 'lena'), hz: [1300, 900] },
  ]
  for (const bridge of Object.keys(BRIDGES).map(Number) as Bridge[]) {
    await t.test(`${BRIDGES[bridge].what}: baresip to baresip in PCMU, baresip to linphonec in G.722`, async (s) => {
      const pairs = pairsOf(bridge)
      await callSealed(s, pairs, screens, 8000)
      for (const name of ['bert', 'lena']) assert.equal(asterisk.log().split(`rings ${bridge}${name}`).length - 1, 1, 'the callee rings once')
      await hangUp(pairs)
      if (bridge !== RECORDS) return
      for (const [name, hz] of [['bert', [700, 1100]], ['lena', [900, 1300]]] as const) assertNoise(await lastOf(`${asterisk.folder}/${RECORDS}${name}.wav`), hz)
    })
  }
})

async function lastOf(file: string): Promise<Pcm> {
  await until(5000, 'the recording', () => (existsSync(file) && readFileSync(file).length > 50_000) || undefined)
  const recorded = readWav(file)
  return part(recorded, seconds(recorded) - 2)
}
