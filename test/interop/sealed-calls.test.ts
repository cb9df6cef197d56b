/** Softphones behind clients at an Asterisk that knows nothing of it: sealed whatever it does with the call between, by each carrier, and its recording is noise. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { endpoint, startAsterisk } from '../kit/asterisk.ts'
import { behindProvider } from '../kit/behind-provider.ts'
import { until } from '../kit/processes.ts'
import { assertNoise, callSealed, hangUp, type Pair, Screen } from '../kit/sealed-world.ts'
import { startServer, type StcClient } from '../kit/stc.ts'
import { type Pcm, part, readWav, seconds } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

/** What the server does with the call between, by the digits before the name that is dialled. */
const BRIDGES = {
  21: { what: 'native bridge', dial: `Dial(PJSIP/\${EXTEN:2},20)` },
  22: { what: 'simple bridge', dial: `Dial(PJSIP/\${EXTEN:2},20,Tt)` },
  23: { what: 'MixMonitor', dial: `MixMonitor(\${RECORDINGS}/\${EXTEN}.wav)\n same => n,Dial(PJSIP/\${EXTEN:2},20)` },
  24: { what: 'adaptive jitter buffer', dial: `Set(JITTERBUFFER(adaptive)=default)\n same => n,Dial(PJSIP/\${EXTEN:2},20)` },
} as const
type Bridge = keyof typeof BRIDGES
const RECORDS = 23
/** Octets of a recording in 16 bits and 8 kHz. */
const LAST_TWO_SECONDS = 2 * 16_000
const WAV_HEADER = 44

const PHONES = { anna: 'ulaw', bert: 'ulaw', carla: 'g722', lena: 'g722', emil: 'alaw', frieda: 'alaw', gerd: 'g722', hanna: 'g722', ida: 'ulaw', jan: 'ulaw', karl: 'g722', lotte: 'g722' } as const
type Name = keyof typeof PHONES
const config = (_: unknown, folder: string) => ({
  'pjsip.conf': Object.entries(PHONES).map(([n, codecs]) => endpoint(n, { codecs, more: 'rtp_keepalive=0' })).join('\n'),
  'extensions.conf': `[globals]\nRECORDINGS=${folder}\n[phones]\n${Object.entries(BRIDGES).map(([number, { dial }]) => `exten => _${number}.,1,NoOp(rings \${EXTEN})\n same => n,${dial}\n`).join('')}`,
  'codecs.conf': '[plc]\ngenericplc=false\n',
})
const codecOf = (name: Name) => ({ ulaw: 'pcmu', alaw: 'pcma', g722: 'g722' } as const)[PHONES[name]]

test('sealed through Asterisk by each carrier, baresip and linphonec: both hear each other, the server hears noise', { timeout: 600_000 }, async (t) => {
  if (!needs(t, 'baresip', 'linphonec') || !needsAsterisk(t)) return
  const asterisk = await startAsterisk({ config })
  t.after(() => asterisk.stop())
  const w = behindProvider(t, asterisk)
  const server = await startServer(w.folder, w.authority.server())
  t.after(() => server.stop())
  const client = (name: string, carrier: string) => w.client(name, { sealedCalls: { carriers: [carrier] }, ...(carrier === 'server' ? { server: { host: '127.0.0.1', port: server.port } } : {}) })
  const both = (carrier: string, ...names: readonly [string, string]) => Promise.all(names.map((n) => client(n, carrier))) as Promise<[StcClient, StcClient]>
  const [inBand, message, meeting] = [await both('in-band', 'one', 'two'), await both('message', 'three', 'four'), await both('server', 'five', 'six')]
  const hz: Record<string, number> = {}
  const phone = (name: Name, c: StcClient, tone: number, srtp = false) => {
    hz[name] = tone
    return w.phone(name, tone, c.sip, { codecs: [codecOf(name)], srtp })
  }
  const linphonec = (name: Name, c: StcClient, tone: number) => {
    hz[name] = tone
    return w.linphonec(name, tone, c.sip, { codecs: [codecOf(name)] })
  }
  const [anna, bert, carla, lena, emil, frieda, gerd, hanna, ida, jan, karl, lotte] = await Promise.all([
    phone('anna', inBand[0], 700), phone('bert', inBand[1], 1100), phone('carla', inBand[0], 900), linphonec('lena', inBand[1], 1300),
    phone('emil', message[0], 700), phone('frieda', message[1], 1100), phone('gerd', message[0], 900), linphonec('hanna', message[1], 1300),
    // Under keys of its own as far as its client.
    phone('ida', meeting[0], 700, true), phone('jan', meeting[1], 1100), phone('karl', meeting[0], 900), linphonec('lotte', meeting[1], 1300),
  ])
  const lines = [
    { carrier: 'in band', clients: inBand, withinMs: 8000, phones: [[anna, bert, 'anna', 'bert'], [carla, lena, 'carla', 'lena']] },
    { carrier: 'SIP MESSAGE', clients: message, withinMs: 3000, phones: [[emil, frieda, 'emil', 'frieda'], [gerd, hanna, 'gerd', 'hanna']] },
    // What it does with messages does not hang on the bridge.
    { carrier: 'server', clients: meeting, withinMs: 3000, phones: [[ida, jan, 'ida', 'jan'], [karl, lotte, 'karl', 'lotte']], bridges: [21, 23] },
  ] as const
  const made = new Map<string, number>()
  for (const bridge of Object.keys(BRIDGES).map(Number) as Bridge[]) {
    for (const { carrier, clients, withinMs, phones, ...line } of lines) {
      if ('bridges' in line && !line.bridges.some((b) => b === bridge)) continue
      await t.test(`${BRIDGES[bridge].what}, ${carrier}`, async (s) => {
        const pairs: readonly Pair[] = phones.map(([caller, callee, from, to]) => ({ caller, callee, number: `sip:${bridge}${to}@${clients[0].sip.address}:${clients[0].sip.port}`, hz: [hz[to]!, hz[from]!] }))
        const calls = await callSealed(s, pairs, clients.map((c) => new Screen(c)), withinMs)
        for (const [, , , name] of phones) assert.equal(asterisk.log().split(`rings ${bridge}${name}`).length - 1, calls, 'the callee rings once for each call')
        made.set(carrier, (made.get(carrier) ?? 0) + calls)
        await hangUp(pairs)
        if (bridge === RECORDS) for (const [, , from, to] of phones) assertNoise(await lastOf(`${asterisk.folder}/${RECORDS}${to}.wav`), [hz[from]!, hz[to]!])
      })
    }
  }
  // baresip that answers by itself does not tell that it rings.
  for (const [p, carrier] of [[lena, 'in band'], [hanna, 'SIP MESSAGE'], [lotte, 'server']] as const) assert.equal(p.events.all.filter((e) => e.kind === 'incoming').length, made.get(carrier), `${p.uri} rang once for each call`)
})

async function lastOf(file: string): Promise<Pcm> {
  // Asterisk writes in pieces of two seconds, and how long it is when it closes the file.
  await until(15_000, 'the recording, closed', () => {
    const octets = existsSync(file) ? readFileSync(file) : Buffer.alloc(0)
    return (octets.length > WAV_HEADER + LAST_TWO_SECONDS && octets.readUInt32LE(WAV_HEADER - 4) === octets.length - WAV_HEADER) || undefined
  }, undefined, 100)
  const recorded = readWav(file)
  return part(recorded, seconds(recorded) - 2)
}
