/** The same through a provider that is not Asterisk, by each carrier, with phones of 20, 30, 40 and 60 ms: Kamailio, and rtpengine, which records what passes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { g722Codec, pcmaCodec } from '../../src/audio/codec.ts'
import { behindProvider } from '../kit/behind-provider.ts'
import { type Captured, capture } from '../kit/capture.ts'
import { ownPorts } from '../kit/free-ports.ts'
import { startKamailio } from '../kit/kamailio.ts'
import { assertNoise, callSealed, hangUp, type Pair, Screen } from '../kit/sealed-world.ts'
import { startServer } from '../kit/stc.ts'
import { part, type Pcm, seconds } from '../kit/wav.ts'
import { needs } from './setup.ts'

test('sealed through Kamailio and rtpengine by each carrier, baresip and linphonec, packet times mixed; what rtpengine recorded is noise', { timeout: 600_000 }, async (t) => {
  if (!needs(t, 'baresip', 'linphonec', 'kamailio', 'rtpengine', 'tshark')) return
  const kamailio = await startKamailio()
  t.after(() => kamailio.stop())
  const w = behindProvider(t, kamailio)
  const server = await startServer(w.folder, w.authority.server())
  t.after(() => server.stop())
  const tcp = { upstream: { providers: [{ host: kamailio.address, port: kamailio.sip, transport: 'tcp', listen: { address: '127.0.0.1' } }] } }
  const meets = { server: { host: '127.0.0.1', port: server.port } }
  // Who calls may use every carrier, who is called one: that one it is.
  const [a, inBand, message, meeting] = await Promise.all([
    w.client('A', meets), w.client('I', { sealedCalls: { carriers: ['in-band'] }, ...tcp }), w.client('M', { sealedCalls: { carriers: ['message'] } }), w.client('S', { sealedCalls: { carriers: ['server'] }, ...tcp, ...meets }),
  ])
  await Promise.all([a, meeting].map((c) => c.shows(/connected to/, 60_000)))
  // baresip sends what the other side asks for, which crosses the clients: 30 and 60 ms on its side; linphonec is told to keep to 20. Between the clients it is always 20.
  const phone = (name: string, hz: number, codec: 'pcma' | 'g722', c: typeof a, ptime = 20) => w.phone(name, hz, c.sip, { codecs: [codec], account: `;ptime=${ptime}` })
  const linphonec = (name: string, hz: number, codec: 'pcma' | 'g722', c: typeof a) => w.linphonec(name, hz, c.sip, { codecs: [codec], ptime: 20 })
  const [anna, carla, bert, lena, emil, hanna, jan, gerda] = await Promise.all([
    phone('anna', 700, 'pcma', a, 30), phone('carla', 900, 'g722', a, 60),
    phone('bert', 1100, 'pcma', inBand), linphonec('lena', 1300, 'g722', inBand), phone('emil', 1100, 'pcma', message), linphonec('hanna', 1300, 'g722', message),
    phone('jan', 1300, 'g722', meeting), linphonec('gerda', 1100, 'pcma', meeting),
  ])
  const A = new Screen(a)
  for (const { carrier, client, callees, withinMs } of [
    { carrier: 'in band', client: inBand, callees: [bert, lena], withinMs: 8000 },
    { carrier: 'SIP MESSAGE', client: message, callees: [emil, hanna], withinMs: 3000 },
    { carrier: 'server', client: meeting, callees: [gerda, jan], withinMs: 3000 },
  ] as const) {
    await t.test(carrier, async (s) => {
      const name = (p: { readonly uri: string }): string => /^sip:(\w+)@/.exec(p.uri)![1]!
      const dialled = (callee: (typeof callees)[number]): string => `sip:${name(callee)}@${a.sip.address}:${a.sip.port}`
      const pairs: readonly Pair[] = [{ caller: anna, callee: callees[0], number: dialled(callees[0]), hz: [1100, 700] }, { caller: carla, callee: callees[1], number: dialled(callees[1]), hz: [1300, 900] }]
      let before = new Set(kamailio.recorded().keys())
      const tap = await capture(`udp ${ownPorts}`)
      const calls = await callSealed(s, pairs, [A, new Screen(client)], withinMs, () => {
        // A call that was sealed late was hung up at once: most of its recording is from before.
        before = new Set(kamailio.recorded().keys())
      })
      const packets = packetTimes(await tap.stop())
      for (const p of callees) assert.equal(kamailio.log().split(`rings ${name(p)}`).length - 1, calls, 'the callee rings once for each call')
      await hangUp(pairs)
      assert.deepEqual(packets, [20, 30, 60])
      for (const [type, codec, voices] of [[PCMA, pcmaCodec, [700, 1100]], [G722, g722Codec, [900, 1300]]] as const) {
        const recorded = [...kamailio.recorded()].filter(([flow, { payloadType, payloads }]) => !before.has(flow) && payloadType === type && payloads.length > 50).map(([, { payloads }]) => heard(payloads, codec))
        assert.equal(recorded.length, 2, `both directions of the call of payload type ${type}`)
        for (const pcm of recorded) assertNoise(part(pcm, seconds(pcm) - 2), voices)
      }
    })
  }
})

const PCMA = 8
const G722 = 9
/** Milliseconds of sound in a packet. */
function packetTimes(packets: readonly Captured[]): number[] {
  const rtp = packets.filter(({ payload }) => payload.length > 12 && payload[0]! >> 6 === 2 && [PCMA, G722].includes(payload[1]! & 127))
  return [...new Set(rtp.map(({ payload }) => (payload.length - 12) / 8))].sort((x, y) => x - y)
}
function heard(payloads: readonly Uint8Array[], newCodec: typeof pcmaCodec): Pcm {
  using codec = newCodec()
  const pieces = payloads.map((p) => codec.decode(p) ?? new Int16Array(0))
  return { rate: 16_000, samples: Int16Array.from(pieces.flatMap((p) => [...p])) }
}
