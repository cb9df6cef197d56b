/** Whole sealed calls in virtual time: every carrier, packet time and loss; what is passed at every moment. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallCarrier } from '../../../src/vault/api/calls.ts'
import { isNumbered, numberOf, person, SealedCallWorld } from '../../kit/sealed-call-world.ts'

const [ann, ben] = [person('Ann'), person('Ben')]

for (const carrier of ['server', 'message', 'in-band'] as const) {
  for (const certificates of [true, false]) {
    test(`over ${carrier}, ${certificates ? 'with' : 'without'} certificates: sealed, both hear each other, the same words`, async () => {
      const carriers: readonly CallCarrier[] = [carrier]
      const w = new SealedCallWorld({ seed: carrier, a: { carriers, ...(certificates ? { identity: ann } : {}) }, b: { carriers, ...(certificates ? { identity: ben } : {}) } })
      await w.call(carrier === 'in-band' ? 8000 : 3000)
      await w.assertSealed()
      assert.match(w.a.words, /^(\S+ ){3}\S+$/)
      assert.equal(w.a.words, w.b.words)
      assert.equal(w.a.roster.members[0]?.identity.subject, certificates ? 'Ben' : undefined)
      assert.deepEqual(w.a.notes, [])
    })
  }
}

test('who may use the server alone agrees over the server alone, also where the sound is faster and the other may use all', async () => {
  const w = new SealedCallWorld({ seed: 'late server', a: { identity: ann }, b: { identity: ben, carriers: ['server'] } })
  w.serverMs = 400
  const types: number[] = []
  w.messages = (m, _, carrier) => {
    if (carrier === 'server') types.push(m[0]!)
    return [m]
  }
  await w.call(10_000)
  await w.assertSealed()
  assert.deepEqual([...new Set(types)].sort(), [1, 2, 3, 4, 5, 6])
})

test('packets of 30, 40 and 60 ms on one side, 20 on the other: frames are cut anew', async () => {
  for (const [codec, packet] of [['pcmu', 240], ['g722', 320], ['pcma', 480]] as const) {
    const w = new SealedCallWorld({ codec, a: { packet, carriers: ['message'] }, b: { carriers: ['message'] } })
    await w.call(2000)
    assert.deepEqual([w.a.state, w.b.state], ['sealed', 'sealed'], codec)
    w.b.heard.length = w.a.sent.length = 0
    await w.talk(1200)
    assert.ok(w.a.sent.length >= 55 && w.a.sent.every((f) => f.length === 160), `${codec}: one frame of 160 octets a packet`)
    const begins = w.b.heard.filter((f) => f.length === 160 && f.subarray(4, 80).every((o) => o >> 1 === 0x2a))
    assert.ok(begins.length >= 18, `${codec}: ${begins.length} of 20 packets begin`)
  }
})

test('10 % loss, reordering, duplicates and a gap of 5 s: exactly the missing frames are missing, none is heard twice', async () => {
  const w = new SealedCallWorld({ seed: 'bad line', a: { identity: ann, carriers: ['message'] }, b: { identity: ben, carriers: ['message'] } })
  await w.call(2000)
  await w.assertSealed()
  const arrives: number[] = []
  let gap = false
  w.latencyMs = () => 40 + w.numbers.int(80)
  w.between = (p, from) => {
    if (from !== w.a) return [p]
    if (gap || w.numbers.chance(0.1)) return []
    arrives.push(w.a.lastSaid)
    return w.numbers.chance(0.1) ? [p, p] : [p]
  }
  await w.clock.advance(50)
  w.b.heard.length = 0
  await w.talk(5000)
  gap = true
  await w.talk(5000)
  gap = false
  await w.talk(5000)
  assert.deepEqual([w.a.state, w.b.state], ['sealed', 'sealed'])
  w.between = () => []
  await w.clock.advance(500)
  const heard = w.b.heard.filter(isNumbered).map(numberOf)
  assert.equal(new Set(heard).size, heard.length, 'a frame was heard twice')
  assert.ok(heard.every((n) => arrives.includes(n)))
  // What follows a long gap is blended in, and is heard all the same.
  const missing = arrives.filter((n) => !heard.includes(n))
  assert.ok(missing.length <= 3, `did not open: ${missing.join(' ')}`)
})

test('keys are changed before their numbers end, and nobody hears it', async () => {
  const w = new SealedCallWorld({ seed: 'rekey', a: { identity: ann, carriers: ['message'], frames: 800 }, b: { identity: ben, carriers: ['message'], frames: 800 } })
  await w.call(1000)
  await w.assertSealed()
  w.b.heard.length = w.a.heard.length = 0
  await w.talk(60_000)
  assert.deepEqual([w.a.state, w.b.state], ['sealed', 'sealed'], w.a.notes.join())
  for (const side of [w.a, w.b]) {
    const good = side.heard.filter(isNumbered).length
    // Control frames take the place of some frames of voice.
    assert.ok(good > 2600, `${side.name} heard ${good} of 3000`)
  }
})

test('every carrier is tried to its end: server and signalling lead nowhere, and the sound is away for a while', async () => {
  const w = new SealedCallWorld({ seed: 'to the end', a: { identity: ann }, b: { identity: ben } })
  w.messages = (m, _, carrier) => (carrier === 'in-band' ? [m] : [])
  await w.call(4000)
  assert.deepEqual([w.a.state, w.b.state], ['agreeing', 'agreeing'])
  w.between = () => []
  await w.talk(19_000)
  assert.deepEqual([w.a.state, w.b.state], ['agreeing', 'agreeing'], 'it is not given up')
  w.between = (p) => [p]
  await w.talk(6000)
  await w.assertSealed()
})

test('a change of keys that failed is begun again, and the call goes on sealed', async () => {
  const frames = 8000
  const w = new SealedCallWorld({ seed: 'failed change', a: { identity: ann, carriers: ['message'], frames }, b: { identity: ben, carriers: ['message'], frames } })
  await w.call(1000)
  await w.assertSealed()
  const begun = w.a.sent.length
  // Three quarters are used up: the first messages are on their way, and then nothing arrives for as long as an agreement has.
  await w.talkUntil(() => w.a.sent.length - begun > 5905, 130_000)
  w.between = () => []
  await w.talk(21_000)
  assert.ok([...w.a.notes, ...w.b.notes].includes('KEYAGREEMENT_TIMEOUT'), `it failed ${w.a.notes} ${w.b.notes}`)
  w.between = (p) => [p]
  await w.talk(40_000)
  await w.assertSealed()
})

test('a plain phone: its call goes on in the open, or waits for a key press where sealing is required', async () => {
  for (const policy of ['prefer', 'require'] as const) {
    const w = new SealedCallWorld({ a: { identity: ann, policy }, b: { plain: true } })
    await w.call(9500)
    assert.equal(w.a.state, policy === 'prefer' ? 'open' : 'asking')
    if (policy === 'require') {
      assert.ok(!w.a.sent.some((f) => numberOf(f) > 0 && isNumbered(f)), 'nothing was said')
      w.a.presses('*')
      await w.talk(1000)
      assert.equal(w.a.state, 'asking', 'another key may follow')
      await w.talk(1000)
      assert.equal(w.a.state, 'open')
    }
    w.b.heard.length = 0
    await w.talk(1000)
    assert.ok(w.b.heard.filter((f) => f.length === 160).length >= 48)
  }
})

test('the way between converts the sound: named, and not mistaken for a plain phone', async () => {
  const { pcmaCodec, pcmuCodec } = await import('../../../src/audio/codec.ts')
  const { voice } = await import('../../kit/voices.ts')
  const w = new SealedCallWorld({ a: { identity: ann, carriers: ['in-band'] }, b: { identity: ben, carriers: ['in-band'] } })
  w.speaking = false
  w.between = (p) => {
    const [u, a] = [pcmuCodec(), pcmaCodec()]
    const there = a.encode(u.decode(p.payload)!).slice()
    return [{ ...p, payload: u.encode(a.decode(there)!).slice() }]
  }
  await w.call(20)
  const pcm = voice('coast')
  const codec = pcmuCodec()
  for (let i = 0; i < 500; i++) {
    const at = (i * 320) % (pcm.length - 320)
    for (const side of [w.a, w.b]) side.says(codec.encode(pcm.subarray(at, at + 320)).slice())
    await w.clock.advance(20)
  }
  assert.ok(w.a.notes.includes('SEALED_CALL_CONVERTS') && w.b.notes.includes('SEALED_CALL_CONVERTS'))
  assert.deepEqual([w.a.state, w.b.state], ['open', 'open'])
})

test('a frame is never a burst of noise: what does not open is made up, then silence', async () => {
  const w = new SealedCallWorld({ a: { identity: ann, carriers: ['message'] }, b: { identity: ben, carriers: ['message'] } })
  await w.call(2000)
  await w.assertSealed()
  w.between = (p, from) => (from === w.a ? [{ ...p, payload: new Uint8Array(Buffer.from(p.payload).map(() => w.numbers.int(256))) }] : [p])
  await w.clock.advance(50)
  w.b.heard.length = 0
  await w.talk(3000)
  assert.equal(w.b.state, 'lost')
  // Noise has all values; what is made up of what was heard before, silence and the tone have few.
  assert.deepEqual(w.b.heard.filter((f) => new Set(f).size > 100).length, 0, 'noise was heard')
  assert.ok(!w.b.heard.some(isNumbered))
  w.b.heard.length = 0
  await w.talk(500)
  assert.ok(w.b.heard.length > 10 && w.b.heard.every((f) => f.every((o, i) => o === w.silence()[i])))
})
