import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pcmaCodec, pcmuCodec } from '../../../../src/audio/codec.ts'
import { instant } from '../../../../src/base/brand.ts'
import { InBandCarrier } from '../../../../src/protocol/keyagreement/in-band/carrier.ts'
import { HelloReader, HelloWriter } from '../../../../src/protocol/keyagreement/in-band/hello.ts'
import { Lane } from '../../../../src/protocol/keyagreement/in-band/lane.ts'
import { readBits, UNIT, writeBits } from '../../../../src/protocol/keyagreement/in-band/low-bits.ts'
import { End, optionsOf, person } from '../../../kit/agreement.ts'
import { crypto } from '../../../kit/certificates.ts'
import { SeededNumbers, SeededRandom } from '../../../kit/seeded-random.ts'
import { voice } from '../../../kit/voices.ts'

/** PCMU of a voice, looped. */
function speech(name: Parameters<typeof voice>[0], codec = pcmuCodec()): () => Uint8Array {
  const pcm = voice(name)
  let at = 0
  return () => {
    const payload = codec.encode(pcm.subarray(at, at + 320)).slice()
    at = at + 640 > pcm.length ? 0 : at + 320
    return payload
  }
}
/** Through a provider that converts between laws. */
const converted = (payload: Uint8Array): Uint8Array => {
  const [u, a] = [pcmuCodec(), pcmaCodec()]
  const there = a.encode(u.decode(payload)!).slice()
  return u.encode(a.decode(there)!).slice()
}

test('twenty bits in a frame and back; nothing else changes', () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: UNIT, maxLength: UNIT }), fc.nat(31), fc.nat(511), fc.boolean(), (frame, index, data, answered) => {
    const written = frame.slice()
    writeBits(written, 0, { index, data, answered })
    assert.deepEqual(readBits(written, 0), { index, data, answered, fits: true })
    assert.ok(written.every((o, i) => (o ^ frame[i]!) <= (i % 8 === 7 ? 1 : 0)))
  }))
})

test('a hello arrives over 5 % loss within 4 s; nothing is found in an ordinary call', () => {
  for (let i = 0; i < 20; i++) {
    const n = new SeededNumbers(`hello ${i}`)
    const share = crypto.bytes(32)
    const [writer, reader, plain] = [new HelloWriter(share), new HelloReader(), new HelloReader()]
    const talk = speech('coast')
    let frames = 0
    while (reader.share === undefined && frames < 1000) {
      const payload = talk()
      plain.read(payload)
      writer.write(payload, false)
      frames++
      if (!n.chance(0.05)) reader.read(payload)
    }
    assert.ok(frames <= 200, `${frames}`)
    assert.deepEqual(reader.share, share)
    assert.deepEqual([reader.verdict, reader.answered, plain.verdict, plain.share], ['transparent', false, 'unknown', undefined])
  }
})

test('five minutes of ordinary calls: no share, no verdict', () => {
  const reader = new HelloReader()
  const talk = speech('river')
  const random = new SeededRandom(1)
  for (let i = 0; i < 15_000; i++) {
    reader.read(i % 3 === 0 ? random.bytes(160) : talk())
    if (i % 16 === 0) assert.equal(reader.verdict, 'unknown')
  }
  assert.equal(reader.share, undefined)
  assert.equal(reader.answered, false)
})

test('a provider that converts between laws is told from one that does not', () => {
  const [writer, reader] = [new HelloWriter(crypto.bytes(32)), new HelloReader()]
  const talk = speech('meadow')
  for (let i = 0; i < 300; i++) {
    const payload = talk()
    writer.write(payload, false)
    reader.read(converted(payload))
  }
  assert.equal(reader.verdict, 'converts')
})

test('the lane: messages of any length arrive whole, once and in order, over loss and reordering', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 1500 }), { maxLength: 8 }), fc.string(), (messages, seed) => {
    const n = new SeededNumbers(seed)
    const [a, b] = [new Lane(140), new Lane(140)]
    for (const m of messages) assert.ok(a.push(m))
    const got: Uint8Array[] = []
    let held: Uint8Array | undefined
    for (let t = 0; t < 60_000 && !(a.idle && got.length === messages.length); t += 20) {
      for (const [from, to] of [[a, b], [b, a]] as const) {
        const payload = from.next(instant(t))
        if (payload === undefined || n.chance(0.2)) continue
        const padded = new Uint8Array(140)
        padded.set(payload)
        if (to === b && held === undefined && n.chance(0.1)) {
          held = padded
          continue
        }
        // What was held back comes after the one behind it.
        const arrived = to === b && held !== undefined ? [padded, held] : [padded]
        if (to === b) held = undefined
        for (const p of arrived) {
          const whole = to.receive(p, false).map((m) => m.bytes)
          if (to === b) got.push(...whole)
        }
      }
    }
    assert.deepEqual(got, messages)
  }), { numRuns: 60 })
})

test('a lane takes no more than it can hold, and nothing from garbage', () => {
  const lane = new Lane(140)
  assert.equal(lane.push(new Uint8Array(40_000)), false)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 140 }), (bytes) => {
    lane.receive(bytes, true)
    lane.next(instant(0))
  }))
})

interface Call {
  readonly loss?: number
  readonly between?: (payload: Uint8Array) => Uint8Array
  readonly plain?: boolean
}

/** Two phones talk; the agreement runs inside what they say. Gives the seconds until both are confirmed. */
function call(seed: string, o: Call = {}) {
  const n = new SeededNumbers(seed)
  const ends = [new End(optionsOf({ identity: person('Ann'), offers: { carrier: 'in-band', able: ['in-band'], codec: 'pcmu' } })), new End(optionsOf({ identity: person('Ben'), offers: { carrier: 'in-band', able: ['in-band'], codec: 'pcmu' } }))] as const
  const carriers = [new InBandCarrier(crypto, 'pcmu'), new InBandCarrier(crypto, 'pcmu')] as const
  const talk = [speech('coast'), speech('river')] as const
  const heard: [Uint8Array[], Uint8Array[]] = [[], []]
  const said: [Uint8Array[], Uint8Array[]] = [[], []]
  let started = false
  let t = 0
  const give = (i: 0 | 1, messages: readonly Uint8Array[]): void => {
    for (const m of messages) carriers[i].send(m)
  }
  for (; t < 15_000 && !(ends[0].confirmed && ends[1].confirmed); t += 20) {
    if (!started && carriers[0].ready) {
      started = true
      give(0, ends[0].step({ kind: 'start' }, instant(t)))
    }
    for (const i of [0, 1] as const) {
      const to = (1 - i) as 0 | 1
      if (ends[i].wakeAt <= t) give(i, ends[i].step({ kind: 'tick' }, instant(t)))
      const payload = talk[i]()
      said[i].push(payload)
      const out = i === 1 && o.plain === true ? payload : carriers[i].outgoing(payload, instant(t))
      if (n.chance(o.loss ?? 0)) continue
      const arrived = o.between?.(out) ?? out
      const { voice: played, messages } = i === 0 && o.plain === true ? { voice: arrived, messages: [] } : carriers[to].incoming(arrived, instant(t))
      if (played !== undefined) heard[to].push(played)
      for (const { bytes } of messages) give(to, ends[to].step({ kind: 'message', bytes }, instant(t)))
    }
  }
  return { ms: t, ends, carriers, heard, said }
}

test('two clients agree on keys inside an ordinary call within 8 s, over 5 % loss', () => {
  const times: number[] = []
  for (let i = 0; i < 15; i++) {
    const r = call(`in band ${i}`, { loss: 0.05 })
    assert.ok(r.ends[0].confirmed && r.ends[1].confirmed, `${r.ends[0].machine.phase} ${r.ends[0].failure ?? ''}`)
    assert.equal(r.ends[0].words, r.ends[1].words)
    assert.ok(r.ms <= 8000, `${r.ms} ms`)
    times.push(r.ms)
    // Nothing but speech was ever played: every payload differs from what was said by low bits alone.
    for (const i of [0, 1] as const) for (const p of r.heard[i]) assert.ok(r.said[1 - i]!.some((s) => s.every((o, k) => (o ^ p[k]!) <= 1)))
  }
})

test('an ordinary phone at the far end hears its call, and never a control frame', () => {
  const r = call('plain', { plain: true })
  assert.equal(r.ends[0].confirmed, undefined)
  assert.equal(r.carriers[0].path, 'unknown')
  for (const [i, p] of r.heard[1].entries()) assert.ok(r.said[0][i]!.every((o, k) => (o ^ p[k]!) <= 1))
})

test('through a provider that converts: said so, and never a control frame', () => {
  const r = call('converted', { between: converted })
  assert.equal(r.ends[0].confirmed ?? r.ends[1].confirmed, undefined)
  assert.deepEqual(r.carriers.map((c) => c.path), ['converts', 'converts'])
  assert.deepEqual(r.carriers.map((c) => c.ready), [false, false])
})

test('our own sound sent back is no other side', () => {
  const carrier = new InBandCarrier(crypto, 'pcmu')
  const talk = speech('coast')
  for (let t = 0; t < 10_000; t += 20) carrier.incoming(carrier.outgoing(talk(), instant(t)), instant(t))
  assert.equal(carrier.ready, false)
})
