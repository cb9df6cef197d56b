/** The same through a provider that is not Asterisk, with phones of 20, 30 and 40 ms: Kamailio, and rtpengine, which records what passes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pcmaCodec } from '../../src/audio/codec.ts'
import { behindProvider } from '../kit/behind-provider.ts'
import { startKamailio } from '../kit/kamailio.ts'
import { assertNoise, callSealed, hangUp, type Pair, Screen } from '../kit/sealed-world.ts'
import { part, type Pcm, seconds } from '../kit/wav.ts'
import { needs } from './setup.ts'

test('sealed within 8 s of the answer through Kamailio and rtpengine, packet times mixed; what rtpengine recorded is noise', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip', 'linphonec', 'kamailio', 'rtpengine')) return
  const kamailio = await startKamailio()
  t.after(() => kamailio.stop())
  const w = behindProvider(t, kamailio)
  const [a, b] = await Promise.all([w.client('anna'), w.client('bert', { upstream: { providers: [{ host: kamailio.address, port: kamailio.sip, transport: 'tcp', listen: { address: '127.0.0.1' } }] } })])
  const [anna, bert, carla, lena] = await Promise.all([
    w.phone('anna', 700, a.sip, { codecs: ['pcma'], account: ';ptime=30' }), w.phone('bert', 1100, b.sip, { codecs: ['pcma'] }),
    w.phone('carla', 900, a.sip, { codecs: ['g722'], account: ';ptime=40' }), w.linphonec('lena', 1300, b.sip, { codecs: ['g722'] }),
  ])
  const dialled = (name: string): string => `sip:${name}@${a.sip.address}:${a.sip.port}`
  const pairs: readonly Pair[] = [{ caller: anna, callee: bert, number: dialled('bert'), hz: [1100, 700] }, { caller: carla, callee: lena, number: dialled('lena'), hz: [1300, 900] }]
  await callSealed(t, pairs, [new Screen(a), new Screen(b)], 8000)
  for (const name of ['bert', 'lena']) assert.equal(kamailio.log().split(`rings ${name}`).length - 1, 1, 'the callee rings once')
  await hangUp(pairs)
  const recorded = [...kamailio.recorded()].filter(([, { payloadType, payloads }]) => payloadType === PCMA && payloads.length > 50).map(([, { payloads }]) => heard(payloads))
  assert.equal(recorded.length, 2, 'both directions of the call in PCMA')
  for (const pcm of recorded) assertNoise(part(pcm, seconds(pcm) - 2), [700, 1100])
})

const PCMA = 8
function heard(payloads: readonly Uint8Array[]): Pcm {
  using codec = pcmaCodec()
  const pieces = payloads.map((p) => codec.decode(p) ?? new Int16Array(0))
  return { rate: 16_000, samples: Int16Array.from(pieces.flatMap((p) => [...p])) }
}
