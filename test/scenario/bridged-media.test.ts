/** The media of bridged calls from phone to PBX and back, through client and server, over a network with faults. */
import assert from 'node:assert/strict'
import { codecFactory } from '../../src/audio/codecs.ts'
import { aLaw, decodeG711 } from '../../src/audio/g711.ts'
import { loadOpus } from '../../src/audio/opus.ts'
import { ssrc } from '../../src/base/brand.ts'
import { instant } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { bindRtpPair } from '../../src/media/plain/rtp-pair.ts'
import { createSrtpReceiver } from '../../src/protocol/srtp/receiver.ts'
import { createSrtpSender } from '../../src/protocol/srtp/sender.ts'
import { silence } from '../../src/media/plain/silence.ts'
import type { LegId, PlainPeer } from '../../src/media/plane/types.ts'
import { legSpec } from '../kit/media-client.ts'
import { AgreedHop } from '../kit/agreed-hop.ts'
import { MediaWorld, type Member, robot } from '../kit/media-world.ts'
import { PlainParty } from '../kit/plain-peer.ts'
import { seededTest } from '../kit/seeded-random.ts'

const UP = ssrc(5001)
const DOWN = ssrc(5002)

/** Says one packet each 20 ms: its number is in the payload. */
class Talker {
  readonly party: PlainParty
  readonly #w: MediaWorld
  readonly #cancel: () => void
  ssrc: number
  sequence: number
  n = 0
  talks = true
  constructor(w: MediaWorld, party: PlainParty, source: number) {
    this.party = party
    this.#w = w
    this.ssrc = source
    this.sequence = 65_500
    let cancel = (): void => {}
    const tick = (): void => {
      cancel = w.clock.at(instant(w.clock.now() + 20), tick)
      this.#say()
    }
    tick()
    this.#cancel = () => cancel()
  }
  #say(): void {
    const timestamp = (this.#w.clock.now() * 8) >>> 0
    if (!this.talks) return
    const payload = new Uint8Array(160)
    new DataView(payload.buffer).setUint32(0, this.n++)
    this.party.send({ ssrc: this.ssrc, sequence: this.sequence++ & 0xffff, timestamp, payload, payloadType: 8 })
  }
  stop(): void {
    this.#cancel()
  }
}

const said = (p: PlainParty): number[] => p.heard.filter((h) => h.payloadType === 8 && h.payload.length === 160 && h.payload[4] === 0).map((h) => new DataView(h.payload.buffer, h.payload.byteOffset).getUint32(0))

interface Bridged {
  readonly w: MediaWorld
  readonly member: Member
  readonly phone: PlainParty
  readonly pbx: PlainParty
  readonly leg: LegId
  readonly talkers: readonly [Talker, Talker]
}

async function party(w: MediaWorld, name: string, address: string): Promise<PlainParty> {
  return new PlainParty(must(await bindRtpPair(w.net.host(name, address), '0.0.0.0')))
}

async function bridged(seed: number, pbxMore: Partial<PlainPeer> = {}, codecs = codecFactory(), admit: (w: MediaWorld) => Promise<Member> = async (w) => w.join('client', robot(), { codecs })): Promise<Bridged> {
  const w = await MediaWorld.start(seed)
  const member = await admit(w)
  const phone = await party(w, 'phone', '10.0.0.2')
  const pbx = await party(w, 'pbx', '10.9.0.5')
  member.command({ op: 'call.open', call: 7, bind: member.host.address, streams: { hop: 1, send: UP, receive: DOWN } })
  const opened = must(await w.plane.openPlain({ bind: '192.0.2.1', peer: { ...pbx.peer, ...pbxMore } }))
  must(w.plane.bridge(opened.leg, { kind: 'hop', leg: member.leg, receive: UP, send: DOWN }))
  pbx.to = opened
  await w.clock.until(() => member.last('call.opened') !== undefined, 1000)
  phone.to = member.last('call.opened')!
  assert.equal(phone.to.rtp.port % 2, 0)
  member.command({ op: 'call.peer', call: 7, peer: phone.peer })
  await w.clock.advance(1000)
  return { w, member, phone, pbx, leg: opened.leg, talkers: [new Talker(w, phone, 70), new Talker(w, pbx, 80)] }
}

function stop(b: Bridged): void {
  for (const t of b.talkers) t.stop()
  b.w.stop()
}

/** One stream whose numbers and time only grow. */
function oneStream(p: Pick<PlainParty, 'heard'>, largestStep = 1): void {
  assert.equal(new Set(p.heard.map((h) => h.ssrc)).size, 1)
  const sorted = p.heard.map((h, i) => ({ ...h, i }))
  for (let i = 1; i < sorted.length; i++) {
    const step = (((sorted[i]!.sequence - sorted[i - 1]!.sequence) & 0xffff) << 16) >> 16
    const time = (sorted[i]!.timestamp - sorted[i - 1]!.timestamp) | 0
    assert.ok(step >= 1 && step <= largestStep, `step ${step} at ${i}`)
    assert.ok(time > 0 && time <= 160 * (largestStep + 1), `time ${time} at ${i}`)
  }
}

seededTest('every packet both ways, bit by bit, as one stream on each side', async (seed) => {
  const b = await bridged(seed)
  await b.w.clock.advance(10_000)
  for (const [p, t] of [[b.pbx, b.talkers[0]], [b.phone, b.talkers[1]]] as const) {
    assert.deepEqual(said(p).slice(0, 490), Array.from({ length: 490 }, (_, i) => i))
    assert.ok(t.n - said(p).length < 5)
    oneStream(p)
  }
  const stats = b.member.last('call.stats')!
  assert.ok(stats.received > 200 && stats.sent > 200 && stats.refused === 0)
  assert.equal(stats.streams[0]!.ssrc, 70)
  assert.equal(stats.streams[0]!.lost, 0)
  stop(b)
})

seededTest('one packet in ten lost on both links: what arrives is right and in its place', async (seed) => {
  const b = await bridged(seed)
  b.member.host.set({ loss: 0.1, jitterMs: 10 })
  await b.w.clock.advance(20_000)
  for (const p of [b.pbx, b.phone]) {
    const numbers = said(p)
    assert.ok(numbers.length > 700 && numbers.length < 1000)
    const first = p.heard[0]!
    // Number and timestamp tell which are missing.
    for (const [i, h] of p.heard.entries()) assert.equal(((h.sequence - first.sequence) & 0xffff), numbers[i]! - numbers[0]!)
    for (const [i, h] of p.heard.entries()) assert.equal((h.timestamp - first.timestamp) | 0, (numbers[i]! - numbers[0]!) * 160)
  }
  const [up] = b.w.plane.stats().find((s) => s.leg === b.member.leg)!.streams.filter((s) => s.ssrc === UP)
  assert.ok(up!.lost > 50, 'counted')
  stop(b)
})

seededTest('new keys five times in mid-call: not one packet is missing', async (seed) => {
  const b = await bridged(seed)
  for (let generation = 2; generation <= 6; generation++) {
    await b.w.clock.advance(3000)
    const spec = { ...legSpec(b.w.crypto, 0, generation), probe: ssrc(1) }
    must(b.w.plane.rekey(b.member.leg, spec))
    await b.w.clock.advance(100)
    b.w.openHop(b.member, spec)
  }
  await b.w.clock.advance(3000)
  for (const p of [b.pbx, b.phone]) {
    assert.deepEqual(said(p).slice(0, 880), Array.from({ length: 880 }, (_, i) => i))
    oneStream(p)
  }
  stop(b)
})

seededTest('new keys that the client asks for, four times in a call, and once more when those are worn: not one packet is missing', async (seed) => {
  const hop = new AgreedHop(3000)
  const b = await bridged(seed, {}, undefined, (w) => hop.admit(w))
  await b.w.clock.advance(9000)
  assert.ok(hop.generations.length >= 3, `${hop.generations.length} generations`)
  const before = hop.generations.length
  hop.connection.keysWorn(before)
  await b.w.clock.advance(200)
  assert.deepEqual(hop.generations, Array.from({ length: before + 1 }, (_, i) => i + 1))
  await b.w.clock.advance(6000)
  for (const p of [b.pbx, b.phone]) {
    const numbers = said(p)
    assert.ok(numbers.length > 700)
    assert.deepEqual(numbers, Array.from({ length: numbers.length }, (_, i) => i))
    oneStream(p)
  }
  assert.equal(b.w.plane.stats().find((s) => s.leg === b.member.leg)!.refused, 0)
  await hop.connection.stop()
  stop(b)
})

seededTest('new keys at a client whose vault is busy for five seconds just then: not one packet is missing', async (seed) => {
  const hop = new AgreedHop(8000, 5000)
  const b = await bridged(seed, {}, undefined, (w) => hop.admit(w))
  await b.w.clock.advance(18_000)
  assert.deepEqual(hop.generations, [1, 2])
  for (const p of [b.pbx, b.phone]) {
    const numbers = said(p)
    assert.ok(numbers.length > 850)
    assert.deepEqual(numbers, Array.from({ length: numbers.length }, (_, i) => i))
    oneStream(p)
  }
  await hop.connection.stop()
  stop(b)
})

seededTest('a phone that is muted for two minutes: the PBX hears silence all the time, and then the phone', async (seed) => {
  const b = await bridged(seed, { filling: silence('PCMA', 8)! })
  await b.w.clock.advance(2000)
  b.talkers[0].talks = false
  await b.w.clock.advance(1500)
  let longest = 0
  let lastAt = b.w.clock.now() as number
  for (let at = 0; at < 120_000; at += 20) {
    const before = b.pbx.heard.length
    await b.w.clock.advance(20)
    if (b.pbx.heard.length > before) lastAt = b.w.clock.now()
    longest = Math.max(longest, b.w.clock.now() - lastAt)
  }
  assert.ok(longest <= 60, `${longest} ms without a packet`)
  assert.ok(b.pbx.heard.slice(-1000).every((h) => h.payload.every((v) => v === 0xd5)))
  b.talkers[0].talks = true
  await b.w.clock.advance(1000)
  assert.ok(said(b.pbx).length >= 145)
  oneStream(b.pbx, 52)
  assert.equal(said(b.phone).at(-1)! > 6000, true, 'the other direction never stopped')
  stop(b)
})

seededTest('the client vanishes for five seconds and comes back on a new connection: each side hears one stream', async (seed) => {
  const b = await bridged(seed, { filling: silence('PCMA', 8)! })
  await b.w.clock.advance(2000)
  b.member.host.set({ down: true })
  await b.w.clock.advance(5000)
  // A new session: new leg, new keys, new streams, the same call.
  b.w.plane.close(b.member.leg)
  b.member.host.set({ down: false })
  const spec = legSpec(b.w.crypto, 99)
  const leg = must(b.w.plane.open(spec))
  b.member.command({ op: 'hop.open', hop: 2, generation: 1, remotes: [b.w.plane.local], receive: spec.send, send: spec.receive, probe: spec.probe })
  must(b.w.plane.bridge(b.leg, { kind: 'hop', leg, receive: ssrc(6001), send: ssrc(6002) }))
  b.member.command({ op: 'call.streams', call: 7, streams: { hop: 2, send: ssrc(6001), receive: ssrc(6002) } })
  const [before, heard] = [b.pbx.heard.length, b.phone.heard.length]
  await b.w.clock.advance(3000)
  assert.ok(said(b.pbx).length > 200 && b.pbx.heard.length - before > 130)
  assert.ok(b.phone.heard.length - heard > 130)
  oneStream(b.pbx, 52)
  assert.equal(new Set(b.phone.heard.map((h) => h.ssrc)).size, 1)
  stop(b)
})

seededTest('UDP fails in mid-call: the call goes on over TLS, and back', async (seed) => {
  const b = await bridged(seed)
  b.w.tls(b.member, b.w.net.host('tls way', '198.51.100.200'))
  await b.w.clock.advance(3000)
  b.w.net.partition(b.member.host, b.w.server)
  await b.w.clock.advance(8000)
  assert.equal(b.member.last('hop.path')!.path, 'tls')
  const [there, back] = [said(b.pbx).length, said(b.phone).length]
  await b.w.clock.advance(2000)
  assert.ok(said(b.pbx).length - there > 95 && said(b.phone).length - back > 95)
  b.w.net.partition(b.member.host, b.w.server, false)
  await b.w.clock.advance(10_000)
  assert.equal(b.member.last('hop.path')!.path, 'udp')
  const again = said(b.pbx).length
  await b.w.clock.advance(2000)
  assert.ok(said(b.pbx).length - again > 95)
  stop(b)
})

seededTest('a conference and a bridged call share one hop', async (seed) => {
  const b = await bridged(seed)
  const other = b.w.join('other', robot(440))
  b.w.converse()
  await b.w.clock.advance(3000)
  assert.ok(b.member.sender(other)!.played > 100)
  assert.ok(said(b.pbx).length > 140 && said(b.phone).length > 140)
  b.member.command({ op: 'call.close', call: 7 })
  b.member.command({ op: 'call.close', call: 7 })
  assert.equal(b.member.last('fault')!.code, 'MEDIA_CALL_UNKNOWN')
  const played = b.member.sender(other)!.played
  const heard = b.phone.heard.length
  await b.w.clock.advance(3000)
  assert.ok(b.member.sender(other)!.played > played + 100)
  assert.ok(b.phone.heard.length - heard <= 1, 'a closed call is silent')
  stop(b)
})

seededTest('commands in any order while ports are being opened leave nothing behind', async (seed) => {
  const w = await MediaWorld.start(seed)
  const m = w.join('client', robot())
  for (let i = 0; i < 3; i++) {
    m.command({ op: 'call.open', call: 1, bind: m.host.address })
    m.command({ op: 'call.peer', call: 1, peer: { rtp: { address: '10.0.0.2', port: 4000 } } })
    m.command({ op: 'call.close', call: 1 })
  }
  m.command({ op: 'call.open', call: 1, bind: m.host.address, peer: { rtp: { address: '0.0.0.0', port: 4000 } } })
  m.command({ op: 'call.open', call: 1, bind: m.host.address })
  await w.clock.advance(100)
  assert.deepEqual(m.events.filter((e) => e.op === 'fault').map((e) => e.code), ['MEDIA_LIMIT', 'MEDIA_REMOTE'])
  assert.equal(m.events.filter((e) => e.op === 'call.opened').length, 1)
  w.stop()
})

/** A second and a half of words, by their loudness. */
const words = new Int16Array(24_000).map((_, i) => Math.round(12_000 * Math.sin(i / 5)))
const sayTo = (b: Bridged, formats = [{ codec: 'pcma', takes: 8, sends: 8 }] as const): void => b.member.command({ op: 'call.say', call: 7, formats, telephoneEvents: [101], pcm: words })
const loudness = (payload: Uint8Array): number => {
  const pcm = new Int16Array(payload.length)
  decodeG711(aLaw, payload, pcm)
  return Math.max(...pcm.map(Math.abs))
}

seededTest('words at the beginning: the phone hears them before it is heard, its keys pass, and then every packet as it is', async (seed) => {
  const b = await bridged(seed)
  sayTo(b)
  const before = [b.pbx.heard.length, b.phone.heard.length] as const
  await b.w.clock.advance(400)
  b.phone.send({ ssrc: 70, sequence: (b.talkers[0].sequence++) & 0xffff, timestamp: (b.w.clock.now() * 8) >>> 0, payload: Uint8Array.of(7, 0x80, 0, 160), payloadType: 101 })
  await b.w.clock.advance(1000)
  // Nothing of the phone's sound, but a stream that goes on, and the key.
  const silent = b.pbx.heard.slice(before[0] + 2).filter((h) => h.payloadType === 8)
  assert.ok(silent.length > 55 && silent.every((h) => h.payload.length === 160 && loudness(h.payload) < 50), `${silent.length} packets, ${Math.max(...silent.map((h) => loudness(h.payload)))}`)
  assert.deepEqual(b.pbx.heard.filter((h) => h.payloadType === 101).map((h) => h.payload[0]), [7])
  const spoken = b.phone.heard.slice(before[1] + 3)
  assert.ok(spoken.length > 55 && spoken.every((h) => loudness(h.payload) > 10_000))
  await b.w.clock.advance(2000)
  const from = b.talkers[0].n
  const heard = b.phone.heard.length
  await b.w.clock.advance(1000)
  assert.ok(said(b.pbx).includes(from) && said(b.pbx).includes(from + 40))
  assert.equal(said(b.phone).filter((n) => n >= b.talkers[1].n - 45 && n < b.talkers[1].n - 5).length, 40)
  assert.ok(b.phone.heard.length - heard > 45)
  oneStream(b.phone)
  oneStream({ heard: b.pbx.heard.filter((h) => h.payloadType === 8) }, 2)
  stop(b)
})

seededTest('words reach a phone whose other side says nothing, and a call in a codec that nobody here speaks goes on all the same', async (seed) => {
  const quiet = await bridged(seed)
  quiet.talkers[1].talks = false
  await quiet.w.clock.advance(500)
  const before = quiet.phone.heard.length
  sayTo(quiet)
  await quiet.w.clock.advance(2500)
  const spoken = quiet.phone.heard.slice(before).filter((h) => loudness(h.payload) > 10_000)
  assert.ok(spoken.length >= 74 && spoken.length <= 76, `${spoken.length} packets of words`)
  const from = quiet.talkers[0].n
  await quiet.w.clock.advance(500)
  assert.ok(said(quiet.pbx).includes(from))
  stop(quiet)

  // Another codec is in use than those that were named: not passed while words are due, and never for longer than those take.
  const other = await bridged(seed)
  sayTo(other, [{ codec: 'g722', takes: 9, sends: 9 }] as never)
  const first = other.talkers[0].n
  await other.w.clock.advance(1000)
  assert.ok(!said(other.pbx).includes(first + 5))
  await other.w.clock.advance(2500)
  assert.ok(said(other.pbx).includes(other.talkers[0].n - 5))
  stop(other)
})

seededTest('words over packets of whatever length and content, in every codec: nothing that comes from outside ends the media thread', async (seed) => {
  const codecs = codecFactory(must(await loadOpus()))
  const b = await bridged(seed, {}, codecs)
  for (const t of b.talkers) t.talks = false
  await b.w.clock.advance(500)
  for (const codec of ['opus', 'g722', 'pcma'] as const) {
    sayTo(b, [{ codec, takes: 8, sends: 8 }] as never)
    const heard = b.phone.heard.length
    using made = codecs.create(codec)
    using read = codecs.create(codec)
    const packets = [480, 40, 320, 800, 1920, 160].map((samples) => made.encode(new Int16Array(samples)))
    for (const payload of [...packets, Uint8Array.of(1), Uint8Array.of(0xff, 0x3f, 0, 0), new Uint8Array(1199).fill(0xfc), new Uint8Array(0)]) {
      for (const [t, from] of [b.phone, b.pbx].entries()) from.send({ ssrc: b.talkers[t]!.ssrc, sequence: b.talkers[t]!.sequence++ & 0xffff, timestamp: (b.w.clock.now() * 8) >>> 0, payload, payloadType: 8 })
      await b.w.clock.advance(60)
    }
    const spoken = b.phone.heard.slice(heard).map((h) => read.decode(h.payload)).filter((pcm) => pcm !== undefined && Math.max(...pcm.map(Math.abs)) > 5000)
    assert.ok(spoken.length >= 6, `${codec}: ${spoken.length} packets of words`)
    assert.ok(codec !== 'opus' || spoken.some((pcm) => pcm!.length === 480), 'packets of 30 ms as well')
    await b.w.clock.advance(4000)
  }
  stop(b)
})

seededTest('a stream in a codec that is none of ours passes as it is, with no words in between', async (seed) => {
  const b = await bridged(seed)
  await b.w.clock.advance(500)
  const before = b.phone.heard.length
  sayTo(b, [{ codec: 'g722', takes: 9, sends: 9 }] as never)
  await b.w.clock.advance(1000)
  const heard = b.phone.heard.slice(before)
  assert.ok(heard.length > 45 && heard.every((h) => h.payloadType === 8), `${heard.filter((h) => h.payloadType !== 8).length} of ${heard.length} are words`)
  oneStream({ heard })
  stop(b)
})

/** The phone's end of SDES. */
function keyed(b: Bridged, generation: number): NonNullable<PlainPeer['srtp']> {
  const { receive, send } = legSpec(b.w.crypto, 9, generation, 'AES_CM_128_HMAC_SHA1_80')
  const [sender, receiver] = [must(createSrtpSender(b.w.crypto, receive)), must(createSrtpReceiver(b.w.crypto, send))]
  b.phone.open = (data, rtcp) => (rtcp ? receiver.unprotectRtcp(data, data.length) : receiver.unprotect(data, data.length))
  b.phone.seal = (packet) => {
    const buf = new Uint8Array(packet.length + 32)
    buf.set(packet)
    return buf.subarray(0, sender.protect(buf, packet.length))
  }
  return { receive, send }
}

seededTest('a phone with keys of its own: SRTP to it and from it, what is in clear there is not taken, and keys may come and go in the call', async (seed) => {
  const b = await bridged(seed)
  const wire: Uint8Array[] = []
  let sealing: typeof b.phone.seal = (p) => p
  const settle = async (peer: () => PlainPeer): Promise<void> => {
    for (const t of b.talkers) t.talks = false
    await b.w.clock.advance(100)
    b.member.command({ op: 'call.peer', call: 7, peer: peer() })
    for (const t of b.talkers) t.talks = true
  }
  for (const generation of [1, 2]) {
    const from = [b.phone.heard.length, b.pbx.heard.length] as const
    await settle(() => ({ ...b.phone.peer, srtp: keyed(b, generation) }))
    const { open } = b.phone
    b.phone.open = (data, rtcp) => {
      if (!rtcp) wire.push(data.slice())
      return open(data, rtcp)
    }
    sealing = b.phone.seal
    await b.w.clock.advance(2000)
    assert.ok(b.phone.heard.length - from[0] > 90 && b.pbx.heard.length - from[1] > 90, `${generation}: ${b.phone.heard.length - from[0]}, ${b.pbx.heard.length - from[1]}`)
  }
  assert.ok(wire.length > 180 && wire.every((p) => p.length === 12 + 160 + 10 && p.subarray(20, 60).some((o) => o !== 0)), 'no payload as the PBX sent it')
  // In clear nothing is taken any more.
  await b.w.clock.advance(100)
  b.phone.seal = (p) => p
  const before = b.pbx.heard.length
  await b.w.clock.advance(1000)
  assert.ok(b.pbx.heard.length - before <= 5, `${b.pbx.heard.length - before}`)
  b.phone.seal = sealing
  await b.w.clock.advance(500)
  assert.ok(b.pbx.heard.length - before > 15)
  // The phone gave its keys up, as it may where they are not required.
  await settle(() => {
    b.phone.seal = (p) => p
    b.phone.open = (data) => data.length
    return b.phone.peer
  })
  const clear = [b.phone.heard.length, b.pbx.heard.length] as const
  await b.w.clock.advance(1000)
  assert.ok(b.phone.heard.length - clear[0] > 40 && b.pbx.heard.length - clear[1] > 40)
  oneStream(b.pbx, 60)
  stop(b)
})
