/** Hold and mute in whole calls: told to the other side under the keys, and nothing of the stream's size or rate says so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { privacySentence } from '../../../src/model/privacy.ts'
import { isNumbered, numbered, person, SealedCallWorld } from '../../kit/sealed-call-world.ts'

const [ann, ben] = [person('Ann'), person('Ben')]
const carriers = ['message'] as const
/** A frame of it, as different from the last one as can be. */
const music = (w: SealedCallWorld): Uint8Array => Uint8Array.from({ length: 160 }, () => w.numbers.int(256))
async function sealed(): Promise<SealedCallWorld> {
  const w = new SealedCallWorld({ a: { identity: ann, carriers }, b: { identity: ben, carriers } })
  await w.call(2000)
  await w.assertSealed()
  return w
}

test('hold is told to the other side under the keys, and so is the end of it', async () => {
  const w = await sealed()
  w.a.input({ kind: 'dialog', news: { kind: 'hold', held: true } })
  await w.talk(1000)
  assert.equal(w.b.roster.sealedCall?.held, true)
  w.a.input({ kind: 'dialog', news: { kind: 'hold', held: false } })
  await w.talk(1000)
  assert.equal(w.b.roster.sealedCall?.held, undefined)
  await w.assertSealed()
})

test('mute is silence for the other side, which reads why; back again, it hears', async () => {
  const w = await sealed()
  w.a.input({ kind: 'mute', muted: true })
  await w.talk(300)
  w.b.heard.length = 0
  await w.talk(1000)
  assert.ok(!w.b.heard.some(isNumbered), 'nothing is heard')
  assert.ok(w.b.heard.filter((f) => f.every((o) => o >> 1 === w.silence()[0]! >> 1)).length >= 48, 'silence, all the time')
  assert.deepEqual([w.b.roster.sealedCall?.muted, w.b.roster.sealedCall?.held], [true, undefined])
  assert.match(privacySentence(w.b.roster), /The other side is muted\./)
  assert.equal(w.a.roster.sealedCall?.muted, undefined, 'it is the other side\'s word')
  assert.deepEqual([w.a.notes.filter((c) => c.startsWith('CLIENT')), w.b.notes], [['CLIENT_MUTED'], ['SEALED_CALL_STATE']])
  w.a.heard.length = 0
  await w.talk(500)
  assert.ok(w.a.heard.some(isNumbered), 'who is muted hears')
  w.a.input({ kind: 'mute', muted: false })
  await w.talk(500)
  assert.equal(w.b.roster.sealedCall?.muted, undefined)
  await w.assertSealed()
})

test('hold and mute, one with the other', async () => {
  const w = await sealed()
  const far = (): unknown[] => [w.b.roster.sealedCall?.held, w.b.roster.sealedCall?.muted]
  w.a.input({ kind: 'mute', muted: true })
  w.a.input({ kind: 'dialog', news: { kind: 'hold', held: true } })
  await w.talk(500)
  assert.deepEqual(far(), [true, true])
  w.a.input({ kind: 'mute', muted: false })
  await w.talk(500)
  assert.deepEqual(far(), [true, undefined])
  w.a.input({ kind: 'dialog', news: { kind: 'hold', held: false } })
  await w.talk(500)
  assert.deepEqual(far(), [undefined, undefined])
})

test('on the way nothing tells it: one frame every 20 ms, all of one size, none like another', async () => {
  const w = await sealed()
  const seen: { readonly at: number; readonly octets: number }[] = []
  w.between = (p, from) => {
    if (from === w.a) seen.push({ at: w.clock.now(), octets: p.payload.length })
    return [p]
  }
  w.a.sent.length = 0
  for (const muted of [true, false, true, false]) {
    w.a.input({ kind: 'mute', muted })
    await w.talk(500)
  }
  assert.equal(seen.length, 100)
  assert.deepEqual([...new Set(seen.map((s) => s.octets))], [160])
  assert.deepEqual([...new Set(seen.map((s, i) => (i === 0 ? 20 : s.at - seen[i - 1]!.at)))], [20])
  assert.equal(new Set(w.a.sent.map((f) => Buffer.from(f).toString('hex'))).size, 100)
})

test('told as soon as there are keys, and again under other keys', async () => {
  const w = new SealedCallWorld({ a: { identity: ann, carriers }, b: { identity: ben, carriers } })
  w.begin()
  w.a.input({ kind: 'mute', muted: true })
  await w.talk(2500)
  assert.equal(w.b.roster.sealedCall?.muted, true)
  assert.ok(!w.b.heard.some((f) => isNumbered(f)), 'nothing was heard before either')
  for (const side of [w.a, w.b]) side.input({ kind: 'dialog', news: { kind: 'media', codec: 'g722', payloadType: 0, telephoneEvent: 101, receives: true } })
  w.a.input({ kind: 'dialog', news: { kind: 'reached' } })
  await w.talk(3000)
  assert.deepEqual([w.a.state, w.b.state, w.b.roster.sealedCall?.muted], ['sealed', 'sealed', true])
  // Whoever comes under other keys says what is so; what was said under those from before is not kept.
  w.a.input({ kind: 'mute', muted: false })
  w.between = (p, from) => (from === w.a ? [] : [p])
  await w.talk(500)
  w.between = (p) => [p]
  for (const side of [w.a, w.b]) side.input({ kind: 'dialog', news: { kind: 'media', codec: 'pcmu', payloadType: 0, telephoneEvent: 101, receives: true } })
  w.a.input({ kind: 'dialog', news: { kind: 'reached' } })
  await w.talk(3000)
  assert.deepEqual([w.b.state, w.b.roster.sealedCall?.muted], ['sealed', undefined])
})

test('what changed while the call was lost is said once it is back', async () => {
  const w = await sealed()
  w.a.input({ kind: 'mute', muted: true })
  await w.talk(500)
  assert.equal(w.b.roster.sealedCall?.muted, true)
  // The provider plays its music to the one, and nothing to the other; another party is looked for, and there is none.
  w.between = (p, from) => (from === w.a ? [] : [{ ...p, payload: numbered(3) }])
  await w.talk(4000)
  assert.deepEqual([w.a.state, w.b.state], ['lost', 'sealed'])
  w.a.input({ kind: 'mute', muted: false })
  w.a.input({ kind: 'dialog', news: { kind: 'hold', held: true } })
  await w.talk(500)
  w.between = (p) => [p]
  await w.talk(2000)
  assert.deepEqual([w.a.state, w.b.state], ['sealed', 'sealed'])
  assert.deepEqual([w.b.roster.sealedCall?.muted, w.b.roster.sealedCall?.held], [undefined, true])
  w.a.input({ kind: 'dialog', news: { kind: 'hold', held: false } })
  await w.talk(500)
  await w.assertSealed()
})

for (const hears of ['nothing', 'what the other side says'] as const) {
  test(`half a minute of music on hold, and a minute of it, on every carrier; the holder hears ${hears}: sealed again under the keys of before`, async () => {
    for (const [seconds, ways] of [[7, ['message', 'in-band']], [30, ['server', 'message', 'in-band']], [60, ['message']]] as const) {
      const w = new SealedCallWorld({ seed: `music ${seconds}`, a: { identity: ann, carriers: ways }, b: { identity: ben, carriers: ways } })
      await w.call(8000)
      await w.assertSealed()
      const before = [w.a.session, w.b.session, w.a.words, w.a.notes.length, w.b.notes.length]
      const states = [w.a.states.length, w.b.states.length]
      w.b.input({ kind: 'dialog', news: { kind: 'hold', held: true } })
      await w.talk(300)
      w.a.heard.length = 0
      // The music of a PBX, and a phone that says nothing.
      w.between = (p, from) => (from === w.b ? [{ ...p, payload: music(w) }] : hears === 'nothing' ? [] : [p])
      await w.talk(seconds * 1000)
      assert.deepEqual([w.a.states.slice(states[0]), w.b.states.slice(states[1])], [['lost'], []], `${seconds} s of music`)
      assert.ok(w.a.heard.length > 0 && !w.a.heard.slice(20).some((f) => new Set(f).size > 100), 'the music is not heard')
      w.b.input({ kind: 'dialog', news: { kind: 'hold', held: false } })
      w.between = (p) => [p]
      await w.talk(2000)
      await w.assertSealed()
      assert.deepEqual([w.a.session, w.b.session, w.a.words], before.slice(0, 3), 'the same keys')
      // That it is held is all that there was to say.
      assert.deepEqual([w.a.notes.slice(before[3] as number), w.b.notes.slice(before[4] as number)], [['SEALED_CALL_STATE', 'SEALED_CALL_STATE'], []])
    }
  })
}

test('a key press while music plays makes it an open call; when the music is over it is sealed again by itself', async () => {
  const ways = ['message', 'in-band'] as const
  const w = new SealedCallWorld({ seed: 'pressed', a: { identity: ann, carriers: ways }, b: { identity: ben, carriers: ways } })
  await w.call(3000)
  await w.assertSealed()
  for (const at of [2500, 12_000]) {
    w.between = (p, from) => (from === w.b ? [{ ...p, payload: music(w) }] : [])
    await w.talk(at)
    assert.equal(w.a.state, 'lost')
    w.a.presses('*')
    await w.talk(2000)
    assert.equal(w.a.state, 'open')
    w.between = (p) => [p]
    await w.talk(15_000)
    await w.assertSealed()
  }
})

test('one key of a call that is not sealed arrives as one, also while the phone says nothing else', async () => {
  const w = new SealedCallWorld({ a: { identity: ann, policy: 'prefer', carriers: ['in-band'] }, b: { plain: true } })
  await w.call(9500)
  assert.equal(w.a.state, 'open')
  w.speaking = false
  await w.clock.advance(300)
  w.a.sent.length = w.a.heard.length = 0
  for (let i = 0; i < 10; i++) {
    w.a.says(Uint8Array.of(5, 0, 0, 160 * i), 101)
    w.b.says(Uint8Array.of(i), 13)
    await w.clock.advance(60)
  }
  assert.deepEqual(w.a.sent.map((f) => f.length), Array.from({ length: 10 }, () => 4), 'nothing between its packets')
  // What is on its way needs 40 ms.
  assert.deepEqual(w.a.heard.slice(w.a.heard.findIndex((f) => f.length === 1)).map((f) => f.length), Array.from({ length: 10 }, () => 1), 'nor between those of another codec')
  await w.clock.advance(300)
  assert.ok(w.a.sent.some((f) => f.length === 160), 'then it goes on')
})

test('muted in an open call: silence leaves, key presses still do', async () => {
  const w = new SealedCallWorld({ a: { identity: ann, policy: 'prefer', carriers }, b: { plain: true } })
  await w.call(9500)
  assert.equal(w.a.state, 'open')
  w.a.input({ kind: 'mute', muted: true })
  const digits: Uint8Array[] = []
  w.between = (p) => {
    if (p.payloadType === 101) digits.push(p.payload)
    return [p]
  }
  await w.clock.advance(100)
  w.b.heard.length = 0
  await w.talk(500)
  w.a.says(Uint8Array.of(5, 0x80, 3, 0x20), 101)
  w.a.says(numbered(1).subarray(0, 1), 13)
  await w.clock.advance(100)
  const sound = w.b.heard.filter((f) => f.length === 160)
  assert.ok(sound.length >= 25 && !sound.some(isNumbered))
  assert.equal(digits.length, 1)
  assert.ok(!w.b.heard.some((f) => f.length === 1), 'its comfort noise does not')
})

test('before the vault has begun nothing leaves where sealing is required, and nothing is heard as it came', async () => {
  for (const policy of ['require', 'prefer'] as const) {
    const w = new SealedCallWorld({ a: { identity: ann, carriers, policy }, b: { identity: ben, carriers, policy } })
    w.begin()
    for (const side of [w.a, w.b]) side.says(numbered(4))
    await w.clock.advance(60)
    for (const side of [w.a, w.b]) assert.deepEqual([side.sent.some(isNumbered), side.heard.some(isNumbered)], [false, false], policy)
  }
})
