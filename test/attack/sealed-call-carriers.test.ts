/** Whole calls with somebody on every carrier: keys replaced, carriers taken away, another person with another good certificate, a wrong password. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeMessage, encodeMessage, type Message } from '../../src/protocol/keyagreement/messages.ts'
import { toHex } from '../../src/base/bytes.ts'
import { commitment, shortString } from '../../src/protocol/keyagreement/keys.ts'
import { End, optionsOf, run } from '../kit/agreement.ts'
import { crypto } from '../kit/certificates.ts'
import { isNumbered, numbered, person, SealedCallWorld, type Side, typeOf } from '../kit/sealed-call-world.ts'

const [ann, ben, mallory] = [person('Ann'), person('Ben'), person('Mallory')]
const CARRIERS = ['server', 'message', 'in-band'] as const
const only = (carrier: (typeof CARRIERS)[number]) => ({ carriers: [carrier] })
const openly = (w: SealedCallWorld): Side[] => [w.a, w.b].filter((s) => s.state === 'sealed')

test('control: nobody on the way', async () => {
  const w = new SealedCallWorld({ a: { identity: ann }, b: { identity: ben } })
  await w.call(3000)
  await w.assertSealed()
})

for (const carrier of ['server', 'message'] as const) {
  test(`keys replaced over ${carrier}: nobody is sealed, nobody is heard`, async () => {
    const x25519 = crypto.dhKeyPair('x25519').publicKey
    const changes: readonly [Message['type'], (m: Message) => Message][] = [
      ['commit', (m) => ({ ...m, hash: crypto.bytes(32) }) as Message], ['respond', (m) => ({ ...m, x25519 }) as Message], ['open', (m) => ({ ...m, x25519 }) as Message],
      ['encapsulated', (m) => ({ ...m, ciphertext: crypto.bytes(1088) }) as Message], ['identity', (m) => ({ ...m, sealed: crypto.bytes(200) }) as Message], ['finished', (m) => ({ ...m, mac: crypto.bytes(32) }) as Message],
    ]
    for (const [type, how] of changes) {
      const w = new SealedCallWorld({ seed: type, a: { identity: ann, ...only(carrier) }, b: { identity: ben, ...only(carrier) } })
      w.messages = (bytes) => (typeOf(bytes) === type ? [encodeMessage(how(decodeMessage(bytes)!))] : [bytes])
      await w.call(25_000)
      assert.deepEqual(openly(w).map((s) => s.name), [], `${type}: ${w.a.state} ${w.b.state}`)
      w.a.heard.length = w.b.heard.length = 0
      await w.talk(1000)
      // Who has not failed waits for the other's word; neither hears anything after that.
      for (const s of [w.a, w.b]) if (s.state === 'doubt') assert.ok(!s.heard.some(isNumbered), `${type}: ${s.name}`)
      assert.ok([w.a, w.b].some((s) => s.state === 'doubt'), type)
      assert.ok([...w.a.notes, ...w.b.notes].some((c) => c.startsWith('KEYAGREEMENT_')), type)
    }
  })
}

for (const carrier of ['server', 'message'] as const) {
  test(`over ${carrier}: a second answer, the messages of an earlier call, one's own sent back, another codec or carrier in the offers`, async () => {
    const world = (seed: string): SealedCallWorld => new SealedCallWorld({ seed, a: { identity: ann, ...only(carrier) }, b: { identity: ben, ...only(carrier) } })
    const before = world('before')
    const earlier = new Map<string, Uint8Array>()
    before.messages = (bytes, from) => {
      earlier.set(`${from.name} ${typeOf(bytes)}`, bytes)
      return [bytes]
    }
    await before.call(3000)
    await before.assertSealed()

    const second = world('second')
    second.messages = (bytes) => (typeOf(bytes) === 'respond' ? [bytes, encodeMessage({ ...(decodeMessage(bytes) as Extract<Message, { type: 'respond' }>), x25519: crypto.dhKeyPair('x25519').publicKey })] : [bytes])
    await second.call(3000)
    await second.assertSealed()
    assert.ok([...second.a.notes, ...second.b.notes].includes('KEYAGREEMENT_SECOND_MESSAGE'), 'it is told')

    const replayed = world('replayed')
    replayed.messages = (bytes, from) => [earlier.get(`${from.name} ${typeOf(bytes)}`) ?? bytes]
    await replayed.call(25_000)
    assert.deepEqual(openly(replayed), [], 'replayed')

    const reflected = world('reflected')
    reflected.messages = (bytes, from) => {
      reflected.later(20, () => from.input(carrier === 'message' ? { kind: 'dialog', news: { kind: 'message', bytes } } : { kind: 'tick' }))
      return carrier === 'message' ? [] : [bytes]
    }
    await reflected.call(25_000)
    if (carrier === 'message') assert.deepEqual(openly(reflected), [], 'reflected')

    for (const offers of [{ codec: 'g722' as const }, { carrier: 'in-band' as const }, { versions: [9] }, { able: [] }]) {
      const lowered = world(JSON.stringify(offers))
      lowered.messages = (bytes) => {
        const m = decodeMessage(bytes)!
        return [m.type === 'respond' || m.type === 'open' ? encodeMessage({ ...m, offers: { ...m.offers, ...offers } }) : bytes]
      }
      await lowered.call(3000)
      assert.deepEqual(openly(lowered), [], JSON.stringify(offers))
    }
  })
}

/** Mallory sits on all of it, as the other side to both. */
async function between(o: { readonly expected?: string }): Promise<{ left: SealedCallWorld; right: SealedCallWorld }> {
  const left = new SealedCallWorld({ seed: 'left', a: { identity: ann, number: 'ben', ...only('message'), ...(o.expected === undefined ? {} : { expected: () => o.expected }) }, b: { identity: mallory, ...only('message') } })
  const right = new SealedCallWorld({ seed: 'right', a: { identity: mallory, ...only('message') }, b: { identity: ben, number: 'ann', ...only('message') } })
  await left.call(3000)
  await right.call(3000)
  return { left, right }
}

test('a rerouted call: another valid certificate than this number had mutes and asks', async () => {
  const before = new SealedCallWorld({ a: { identity: ann, number: 'ben' }, b: { identity: ben } })
  await before.call(3000)
  const { left } = await between({ expected: before.a.remembered.get('ben')! })
  assert.equal(left.a.state, 'doubt')
  assert.ok(left.a.notes.includes('SEALED_CALL_ANOTHER_KEY'))
  left.b.heard.length = left.a.heard.length = 0
  await left.talk(1000)
  assert.ok(!left.b.heard.some(isNumbered), 'Mallory hears nothing')
  assert.ok(!left.a.heard.some(isNumbered), 'nor does Ann')
  assert.equal(left.a.remembered.size, 0, 'and is not remembered')
})

test('a first call that is rerouted to somebody whose certificate is for another number mutes and asks; a caller of another number is told', async () => {
  const w = new SealedCallWorld({ a: { identity: ann, number: 'ben', ...only('message') }, b: { identity: person('Mallory', undefined, ['sip:mallory@example.org', 'sip:4711@example.org']), number: 'ann', ...only('message') } })
  await w.call(3000)
  assert.deepEqual([w.a.state, w.a.notes.includes('SEALED_CALL_OTHER_NUMBER')], ['doubt', true])
  assert.equal(w.a.remembered.size, 0)
  w.b.heard.length = 0
  await w.talk(500)
  assert.ok(!w.b.heard.some(isNumbered))
  const right = new SealedCallWorld({ a: { identity: person('Ann', undefined, ['sip:dora@example.org']), number: 'ben', ...only('message') }, b: { identity: person('Ben', undefined, ['sip:ben@example.org']), number: 'ann', ...only('message') } })
  await right.call(3000)
  await right.assertSealed()
  assert.deepEqual([right.a.notes, right.b.notes], [[], ['SEALED_CALL_OTHER_NUMBER']])
})

test('somebody in the middle of a first call: named on both screens, and the words differ', async () => {
  const { left, right } = await between({})
  assert.deepEqual([left.a.roster.members[0]?.identity.subject, right.b.roster.members[0]?.identity.subject], ['Mallory', 'Mallory'])
  assert.notEqual(left.a.words, right.b.words)
})

test('a carrier taken away: the next one, the same keys, and both are told', async () => {
  for (const what of ['questions', 'messages'] as const) {
    const w = new SealedCallWorld({ seed: what, a: { identity: ann, carriers: ['message', 'in-band'] }, b: { identity: ben, carriers: ['message', 'in-band'] } })
    if (what === 'questions') w.probes = false
    else w.messages = () => []
    await w.call(16_000)
    await w.assertSealed()
    for (const s of [w.a, w.b]) assert.ok(s.notes.includes('SEALED_CALL_CARRIER'), `${what}: ${s.name} ${s.notes.join()}`)
  }
})

test('a server that swallows what it was given: the call is sealed in the sound', async () => {
  const w = new SealedCallWorld({ seed: 'server', a: { identity: ann, carriers: ['server', 'in-band'] }, b: { identity: ben, carriers: ['server', 'in-band'] } })
  w.messages = (m, _, carrier) => (carrier === 'server' ? [] : [m])
  await w.call(16_000)
  await w.assertSealed()
})

test('everything taken away under `prefer`: it is an open call and says so; a number that was sealed once is never open by itself', async () => {
  const carriers = ['message'] as const
  const w = new SealedCallWorld({ a: { identity: ann, carriers, policy: 'prefer' }, b: { identity: ben, carriers, policy: 'prefer' } })
  w.probes = false
  await w.call(10_000)
  assert.deepEqual([w.a.state, w.b.state], ['open', 'open'])
  const again = new SealedCallWorld({ a: { identity: ann, carriers, policy: 'prefer', expected: () => 'ab'.repeat(32) }, b: { identity: ben, carriers } })
  again.probes = false
  await again.call(10_000)
  assert.equal(again.a.state, 'asking')
  assert.ok(!again.a.sent.some(isNumbered), 'nothing was said in the open')
})

test('ten thousand tampered frames: all refused, nothing of them is heard, and the call goes on', async () => {
  const w = new SealedCallWorld({ seed: 'tampered', a: { identity: ann, ...only('message') }, b: { identity: ben, ...only('message') } })
  await w.call(2000)
  await w.assertSealed()
  w.speaking = false
  await w.clock.advance(200)
  // Frames that were heard, changed by a bit or two, in whole or in part, moved or of nobody.
  const recorded: Uint8Array[] = []
  w.between = (p, from) => {
    if (from === w.a) recorded.push(p.payload)
    return []
  }
  for (let i = 0; i < 200; i++) {
    w.a.says(numbered(1_000_000 + i))
    await w.clock.advance(20)
  }
  await w.clock.advance(1000)
  const heard = w.b.heard.length
  const before = { ...w.b.frames }
  for (let i = 0; i < 10_000; i++) {
    const frame = recorded[w.numbers.int(recorded.length)]!.slice()
    for (let bits = 1 + w.numbers.int(3); bits > 0; bits--) frame[w.numbers.int(160)]! ^= 1 << w.numbers.int(8)
    w.b.gets({ ssrc: 3 as never, generation: 0, sequence: i & 0xffff, timestamp: 160 * i, marker: false, payloadType: 0, payload: frame })
    // Within a second: later it would look for another party beside, where without keys there is nothing to refuse.
    if (i % 20 === 19) await w.clock.advance(2)
  }
  await w.clock.advance(600)
  assert.deepEqual({ opened: w.b.frames.opened - before.opened, refused: w.b.frames.refused - before.refused }, { opened: 0, refused: 10_000 })
  assert.ok(w.b.heard.length > heard)
  assert.ok(!w.b.heard.slice(heard).some((f) => isNumbered(f)), 'a changed frame was heard')
  assert.ok(w.b.state === 'sealed' || w.b.state === 'lost', String(w.b.state))
  w.between = (p) => [p]
  w.speaking = true
  await w.talk(2500)
  await w.assertSealed()
})

test('both begin at once over different carriers: one agreement, the same keys', async () => {
  for (const seed of ['1', '2', '3']) {
    const w = new SealedCallWorld({ seed, a: { identity: ann }, b: { identity: ben } })
    w.probes = false
    await w.call(200)
    // The answer comes at the worst moment.
    w.later(900 + w.numbers.int(400), () => w.a.input({ kind: 'dialog', news: { kind: 'reached' } }))
    await w.talk(10_000)
    await w.assertSealed()
    assert.equal(w.a.words, w.b.words)
  }
})

test('passwords: the same one seals; another one, or none, does not, and looks the same on the way', async () => {
  const world = (p?: string, q?: string): SealedCallWorld => new SealedCallWorld({ seed: `${p} ${q}`, a: { ...only('message'), ...(p === undefined ? {} : { password: () => p }) }, b: { ...only('message'), ...(q === undefined ? {} : { password: () => q }) } })
  const seen = (w: SealedCallWorld): string[] => {
    const lines: string[] = []
    w.messages = (bytes, from) => {
      lines.push(`${from.name} ${typeOf(bytes)} ${bytes.length}`)
      return [bytes]
    }
    return lines
  }
  const right = world('four green bottles', 'four green bottles')
  const rightSeen = seen(right)
  await right.call(3000)
  await right.assertSealed()
  const wrong = world('four green bottles', 'five green bottles')
  const wrongSeen = seen(wrong)
  await wrong.call(3000)
  assert.deepEqual([wrong.a.state, wrong.b.state], ['doubt', 'doubt'])
  for (const s of [wrong.a, wrong.b]) assert.ok(s.notes.includes('KEYAGREEMENT_PASSWORD'))
  assert.deepEqual(wrongSeen, rightSeen, 'the messages tell it')
  // Nor do the frames: what leaves is not the silence that it was before.
  wrong.a.sent.length = 0
  await wrong.talk(500)
  assert.ok(wrong.a.sent.every((f) => toHex(f) !== toHex(wrong.silence())))
  for (const w of [world('four green bottles'), world(undefined, 'four green bottles')]) {
    await w.call(3000)
    assert.deepEqual(openly(w), [])
    assert.ok([...w.a.notes, ...w.b.notes].includes('KEYAGREEMENT_PASSWORD'))
  }
  // Stripped on the way: whoever has one accepts none without.
  const stripped = world('four green bottles', 'four green bottles')
  stripped.messages = (bytes) => {
    const m = decodeMessage(bytes)!
    return [m.type === 'respond' || m.type === 'open' ? encodeMessage({ ...m, pake: new Uint8Array(0) }) : bytes]
  }
  await stripped.call(3000)
  assert.deepEqual(openly(stripped), [])
  // After it a person may still talk in the open, and is heard.
  wrong.a.presses('*')
  wrong.b.presses('*')
  await wrong.talk(2000)
  assert.deepEqual([wrong.a.state, wrong.b.state], ['open', 'open'])
  wrong.b.heard.length = 0
  await wrong.talk(1000)
  assert.ok(wrong.b.heard.filter(isNumbered).length > 40)
})

test('control: without the commitment whoever moves last would find a string that begins like the one wanted', () => {
  const [a, b] = [new End(optionsOf()), new End(optionsOf())]
  run(a, b)
  const [respond, open] = [b.sent[0]!, decodeMessage(a.sent.find((m) => typeOf(m) === 'open')!) as Extract<Message, { type: 'open' }>]
  const wanted = a.words!.split(' ')[0]
  const tries = Array.from({ length: 4000 }, () => {
    const mine = encodeMessage({ ...open, nonce: crypto.bytes(32) })
    return shortString(crypto, [encodeMessage({ type: 'commit', hash: commitment(crypto, mine) }), respond, mine]).words[0]
  })
  assert.ok(tries.includes(wanted), 'one word of 256')
})

test('a search for a matching string: the words stand before the last mover moves, and one opening is all that the first one has', () => {
  const [a, b] = [new End(optionsOf()), new End(optionsOf())]
  let before: readonly (string | undefined)[] = []
  run(a, b, [a], {
    between: (m) => {
      if (typeOf(m) === 'encapsulated') before = [a.words, b.words]
      return [m]
    },
  })
  assert.ok(before[0] !== undefined && before[0] === before[1], 'both sides have them, whatever ciphertext comes')
  assert.deepEqual([a.words, b.words], before)

  // As the responder, with any ciphertext it likes: a thousand, and each is refused or the one.
  const [c, d] = [new End(optionsOf()), new End(optionsOf())]
  run(c, d, [c], { forMs: 3000, between: (m) => (typeOf(m) === 'encapsulated' ? [...Array.from({ length: 1000 }, () => encodeMessage({ type: 'encapsulated', ciphertext: crypto.bytes(1088) })), m] : [m]) })
  assert.equal(c.words, d.words)
  assert.equal(c.confirmed ?? d.confirmed, undefined)
  // As the initiator, after it has seen the answer: another opening than it is committed to.
  const [e, f] = [new End(optionsOf()), new End(optionsOf())]
  run(e, f, [e], { forMs: 3000, between: (m) => (typeOf(m) === 'open' ? Array.from({ length: 1000 }, () => encodeMessage({ ...(decodeMessage(m) as Extract<Message, { type: 'open' }>), nonce: crypto.bytes(32) })) : [m]) })
  assert.deepEqual([f.failure, f.words, f.confirmed], ['KEYAGREEMENT_COMMITMENT', undefined, undefined])
})

test('the profile `chained` is no way down: one side with it, the other without', async () => {
  const w = new SealedCallWorld({ a: { ...only('message'), chained: () => true }, b: { identity: ben, ...only('message') } })
  await w.call(5000)
  assert.deepEqual(openly(w), [])
  // A number that was sealed once gets the real thing whatever is configured.
  const known = new SealedCallWorld({ a: { identity: ann, ...only('message'), chained: () => true, expected: () => undefined }, b: { identity: ben, ...only('message'), chained: () => true, expected: () => 'ab'.repeat(32) } })
  await known.call(5000)
  assert.deepEqual(openly(known), [])
})
