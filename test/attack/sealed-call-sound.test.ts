/**
 * Somebody who sits on the sound itself, whole: with a hello and a lane of its own towards both ends, and with two complete machines of its own that
 * take both calls and hand on what is said. With certificates and with the words alone.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeMessage, encodeMessage, type Message } from '../../src/protocol/keyagreement/messages.ts'
import { callCa } from '../kit/agreement.ts'
import { crypto, testCa } from '../kit/certificates.ts'
import { InBandIntruder } from '../kit/in-band-intruder.ts'
import { isNumbered, numbered, numberOf, person, SealedCallWorld, type Side, type SideOptions, typeOf } from '../kit/sealed-call-world.ts'
import { VirtualClock } from '../kit/virtual-clock.ts'

const [ann, ben, mallory] = [person('Ann'), person('Ben'), person('Mallory')]
const carriers = ['in-band'] as const
/** `require`: what is heard before there are keys is then no sound of theirs. */
const PROFILES: Readonly<Record<string, readonly [SideOptions, SideOptions]>> = { certificates: [{ identity: ann }, { identity: ben }], 'words alone': [{}, {}] }
const settled = (...sides: readonly Side[]): boolean => sides.every((s) => s.state === 'sealed' || s.state === 'doubt')
const hears = (s: Side): boolean => s.heard.some(isNumbered)

function world(seed: string, a: SideOptions, b: SideOptions): { readonly w: SealedCallWorld; readonly intruder: InBandIntruder } {
  const w = new SealedCallWorld({ seed, a: { ...a, carriers }, b: { ...b, carriers } })
  return { w, intruder: new InBandIntruder(w) }
}

for (const [profile, [a, b]] of Object.entries(PROFILES)) {
  test(`control, ${profile}: an intruder who hands everything on reads the agreement, and none of the call`, async () => {
    const { w, intruder } = world(`control ${profile}`, a, b)
    await w.call(20)
    await w.talkUntil(() => settled(w.a, w.b), 16_000)
    assert.ok(intruder.speaksWith(w.a) && intruder.speaksWith(w.b), 'it has both lanes')
    for (const type of ['commit', 'respond', 'open', 'encapsulated', 'identity', 'finished']) assert.ok(intruder.read.some((m) => typeOf(m) === type), `it reads ${type}`)
    await w.assertSealed()
    assert.equal(w.a.words, w.b.words)
  })

  test(`keys replaced in the sound, ${profile}: nobody is sealed, nobody is heard, both or one are told`, async () => {
    const x25519 = crypto.dhKeyPair('x25519').publicKey
    const kem = crypto.kemKeyPair('ml-kem-768').publicKey
    const changes: readonly (readonly [string, Message['type'], (m: Message) => Message])[] = [
      ['commitment', 'commit', (m) => ({ ...m, hash: crypto.bytes(32) }) as Message], ['answer', 'respond', (m) => ({ ...m, x25519 }) as Message],
      ['opening', 'open', (m) => ({ ...m, x25519 }) as Message], ['post-quantum share', 'open', (m) => ({ ...m, kem }) as Message],
      ['ciphertext', 'encapsulated', (m) => ({ ...m, ciphertext: crypto.kemEncapsulate('ml-kem-768', kem)!.ciphertext }) as Message],
      ['identity', 'identity', (m) => ({ ...m, sealed: crypto.bytes((m as Extract<Message, { type: 'identity' }>).sealed.length) }) as Message],
      ['confirmation', 'finished', (m) => ({ ...m, mac: crypto.bytes(32) }) as Message],
      ['codec', 'open', (m) => ({ ...m, offers: { ...(m as Extract<Message, { type: 'open' }>).offers, codec: 'g722' } }) as Message],
      ['carrier', 'respond', (m) => ({ ...m, offers: { ...(m as Extract<Message, { type: 'respond' }>).offers, carrier: 'message' } }) as Message],
    ]
    for (const [what, type, how] of changes) {
      const { w, intruder } = world(`${profile} ${what}`, a, b)
      let changed = 0
      intruder.messages = (bytes) => {
        if (typeOf(bytes) !== type) return [bytes]
        changed++
        return [encodeMessage(how(decodeMessage(bytes)!))]
      }
      await w.call(20)
      // At once, or when nobody answers who would.
      await w.talkUntil(() => w.a.state === 'doubt' || w.b.state === 'doubt', 22_000)
      await w.talk(600)
      assert.ok(changed > 0, `${what}: it came to be changed`)
      w.a.heard.length = w.b.heard.length = 0
      await w.talk(500)
      assert.deepEqual([w.a, w.b].filter((s) => s.state === 'sealed').map((s) => s.name), [], `${what}: ${w.a.state} ${w.b.state}`)
      assert.deepEqual([hears(w.a), hears(w.b)], [false, false], what)
      assert.ok([w.a, w.b].some((s) => s.state === 'doubt') && [...w.a.notes, ...w.b.notes].some((c) => c.startsWith('KEYAGREEMENT_')), `${what}: told ${w.a.states} ${w.b.states} ${w.a.notes} ${w.b.notes}`)
    }
  })
}

test('the answer said twice, one\'s own messages, and the profile `chained` put into the lane: refused by name, or nothing comes of it', async () => {
  const second = world('second', { identity: ann }, { identity: ben })
  second.intruder.messages = (bytes) => (typeOf(bytes) === 'respond' ? [bytes, encodeMessage({ ...(decodeMessage(bytes) as Extract<Message, { type: 'respond' }>), nonce: crypto.bytes(32) })] : [bytes])
  await second.w.call(20)
  await second.w.talkUntil(() => settled(second.w.a, second.w.b), 16_000)
  await second.w.assertSealed()
  assert.ok([...second.w.a.notes, ...second.w.b.notes].includes('KEYAGREEMENT_SECOND_MESSAGE'))

  const legacy = world('legacy', { identity: ann }, { identity: ben })
  legacy.intruder.messages = () => [encodeMessage({ type: 'legacy', random: crypto.bytes(32), publicKey: crypto.dhKeyPair('p256').publicKey })]
  await legacy.w.call(8000)
  assert.deepEqual([legacy.w.a, legacy.w.b].filter((s) => s.state === 'sealed'), [])
})

test('a hello come back to who said it: nobody agrees with himself', async () => {
  const w = new SealedCallWorld({ seed: 'mirror', a: { identity: ann, carriers }, b: { identity: ben, carriers } })
  w.between = (p, from) => {
    w.later(40, () => from.gets(p))
    return []
  }
  await w.call(6000)
  assert.ok(![...w.a.states, ...w.b.states].includes('agreeing'), w.a.states.join())
})

test('hello and lanes stripped from the sound: an open call that says so, and for a number that was sealed once none without a key press', async () => {
  for (const policy of ['prefer', 'require'] as const) {
    for (const expected of [undefined, 'ab'.repeat(32)]) {
      const w = new SealedCallWorld({ seed: `strip ${policy}`, a: { identity: ann, carriers, policy, ...(expected === undefined ? {} : { expected: () => expected }) }, b: { identity: ben, carriers, policy } })
      w.between = (p) => [{ ...p, payload: p.payload.map((o) => (o & 0xfe) | w.numbers.int(2)) }]
      await w.call(10_000)
      assert.equal(w.a.state, policy === 'require' || expected !== undefined ? 'asking' : 'open', `${policy} ${expected}`)
      if (w.a.state === 'asking') assert.ok(w.a.notes.includes('SEALED_CALL_ASKS'))
    }
  }
})

/** Two whole calls at once: each end has Mallory's machine as its other side, and she hands on what she hears. */
async function inTheMiddle(a: SideOptions, b: SideOptions, own: SideOptions): Promise<{ readonly left: SealedCallWorld; readonly right: SealedCallWorld; readonly overheard: () => number }> {
  const clock = new VirtualClock()
  const left = new SealedCallWorld({ seed: 'left', clock, a: { number: 'ben', ...a, carriers }, b: { ...own, carriers } })
  const right = new SealedCallWorld({ seed: 'right', clock, a: { ...own, carriers }, b: { number: 'ann', ...b, carriers } })
  left.begin()
  right.begin()
  let overheard = 0
  const handOn = (from: Side, to: Side): void => {
    const frame = from.heard.splice(0).at(-1) ?? left.silence()
    if (isNumbered(frame)) overheard++
    to.says(frame)
  }
  let since = 0
  for (let n = 0; n < 600 && since < 60; n++) {
    if (settled(left.a, left.b, right.a, right.b)) since++
    left.a.says(numbered(n))
    right.b.says(numbered(10_000 + n))
    handOn(left.b, right.a)
    handOn(right.a, left.b)
    await clock.advance(20)
  }
  return { left, right, overheard: () => overheard }
}
/** What the person at this phone can see. */
const shown = (s: Side): string | undefined => s.roster.members.find((m) => !m.self)?.identity.subject

test('in the middle of a first call with a good certificate: both screens name her, and the words differ', async () => {
  const { left, right, overheard } = await inTheMiddle({ identity: ann }, { identity: ben }, { identity: mallory })
  assert.deepEqual([left.a.state, right.b.state], ['sealed', 'sealed'])
  assert.ok(overheard() > 40, 'the attack as such works')
  assert.ok(right.b.heard.filter(isNumbered).some((f) => numberOf(f) < 10_000), 'Ben hears Ann, through her')
  assert.deepEqual([shown(left.a), shown(right.b)], ['Mallory', 'Mallory'])
  assert.notEqual(left.a.words, right.b.words)
  assert.ok(left.a.words !== '' && right.b.words !== '')
})

test('in the middle without a certificate, or with one that nobody here vouches for: nobody is named, and the words differ', async () => {
  const stranger = person('Ben', testCa({ name: 'Call Authority of Ben' }))
  for (const own of [{}, { identity: stranger }]) {
    const { left, right } = await inTheMiddle({ identity: ann }, { identity: ben }, own)
    // A stranger's certificate is refused where the judge says so, and else names nobody.
    for (const s of [left.a, right.b]) {
      assert.ok(shown(s) !== 'Ben' && shown(s) !== 'Ann', `${s.name}: ${shown(s)}`)
      if (s.state !== 'sealed') assert.equal(s.state, 'doubt')
    }
    if (left.a.state === 'sealed') assert.notEqual(left.a.words, right.b.words)
  }
})

test('in the middle of a call of two without certificates: the words differ on the two screens', async () => {
  const { left, right } = await inTheMiddle({}, {}, {})
  assert.deepEqual([left.a.state, right.b.state], ['sealed', 'sealed'])
  assert.match(left.a.words, /^\S+ \S+ \S+ \S+$/)
  assert.notEqual(left.a.words, right.b.words)
})

test('in the middle with Ben\'s own certificate and another key: refused by its signature', async () => {
  const { left, overheard } = await inTheMiddle({ identity: ann, policy: 'require' }, { identity: ben, policy: 'require' }, { identity: { chain: ben.chain, signer: mallory.signer } })
  assert.equal(left.a.state, 'doubt')
  assert.ok(left.a.notes.includes('KEYAGREEMENT_SIGNATURE'), left.a.notes.join())
  assert.equal(overheard(), 0)
})

test('in the middle of a call to a number whose key is known, or whose certificate is for another number: mute, asked, nothing overheard', async () => {
  const before = new SealedCallWorld({ a: { identity: person('Ann', callCa, ['sip:ann@example.org']), number: 'ben' }, b: { identity: ben, number: 'ann' } })
  await before.call(3000)
  const known = (s: Side) => ({ expected: (n: string) => s.remembered.get(n), nameOf: (n: string) => s.names.get(n) })
  for (const own of [{ identity: mallory }, {}]) {
    const { left, right, overheard } = await inTheMiddle({ identity: ann, ...known(before.a) }, { identity: ben, ...known(before.b) }, own)
    assert.deepEqual([left.a.state, right.b.state], ['doubt', 'doubt'])
    assert.ok(left.a.notes.includes('SEALED_CALL_ANOTHER_KEY') && right.b.notes.includes('SEALED_CALL_ANOTHER_KEY'))
    assert.equal(overheard(), 0, 'neither Ann nor Ben is heard by her')
    assert.deepEqual([left.a.remembered.size, right.b.remembered.size], [0, 0])
  }
  const { left } = await inTheMiddle({ identity: ann }, { identity: ben }, { identity: person('Mallory', callCa, ['sip:mallory@example.org']) })
  assert.deepEqual([left.a.state, left.a.notes.includes('SEALED_CALL_OTHER_NUMBER')], ['doubt', true])
})

test('in the middle of a call under a password: not sealed, told, and she hears nothing', async () => {
  const password = (p: string) => ({ password: () => p, policy: 'require' as const })
  const { left, right, overheard } = await inTheMiddle(password('four green bottles'), password('four green bottles'), password('four green battles'))
  assert.deepEqual([left.a.state, right.b.state], ['doubt', 'doubt'])
  for (const s of [left.a, right.b]) assert.ok(s.notes.includes('KEYAGREEMENT_PASSWORD'))
  assert.equal(overheard(), 0)
})
