/** Whoever can describe a call anew, or take its frames away for a while: what was agreed on once is never replaced by less without a question. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallCodec } from '../../src/vault/api/calls.ts'
import { codecFactory } from '../../src/audio/codecs.ts'
import { loadOpus } from '../../src/audio/opus.ts'
import { must } from '../../src/base/result.ts'
import { encodeMessage } from '../../src/protocol/keyagreement/messages.ts'
import { crypto, forge, testCa } from '../kit/certificates.ts'
import { isNumbered, numbered, person, SealedCallWorld, type SideOptions, typeOf } from '../kit/sealed-call-world.ts'

const [ann, ben] = [person('Ann'), person('Ben')]
const message: SideOptions = { carriers: ['message'] }

async function sealedCall(seed: string, a: SideOptions = { identity: ann }, b: SideOptions = { identity: ben }): Promise<SealedCallWorld> {
  const w = new SealedCallWorld({ seed, a: { ...message, ...a }, b: { ...message, ...b } })
  await w.call(2000)
  await w.assertSealed()
  forget(w)
  return w
}
function forget(w: SealedCallWorld): void {
  for (const s of [w.a, w.b]) {
    s.sent.length = s.heard.length = s.states.length = 0
  }
}
function describe(w: SealedCallWorld, codec: CallCodec): void {
  for (const s of [w.a, w.b]) s.input({ kind: 'dialog', news: { kind: 'media', codec, payloadType: 0, telephoneEvent: 101, receives: true } })
}
const nothingPlain = (w: SealedCallWorld): void => {
  for (const s of [w.a, w.b]) {
    assert.equal(s.sent.filter(isNumbered).length, 0, `${s.name} said something unsealed, ${s.states.join()}`)
    assert.ok(!s.states.includes('open'), s.name)
  }
}

for (const policy of ['prefer', 'require'] as const) {
  test(`another codec in the middle of a sealed call, ${policy}: keys of their own before anything is said`, async () => {
    const w = await sealedCall(policy, { identity: ann, policy }, { identity: ben, policy })
    describe(w, 'pcma')
    await w.talk(3000)
    nothingPlain(w)
    for (const s of [w.a, w.b]) assert.deepEqual(s.states, ['agreeing', 'sealed'], s.name)
    await w.assertSealed()
  })

  test(`another codec, and the agreement swallowed, ${policy}: silence until a person decides`, async () => {
    const w = await sealedCall(policy, { identity: ann, policy }, { identity: ben, policy })
    w.probes = false
    w.messages = () => []
    describe(w, 'pcma')
    await w.talk(25_000)
    nothingPlain(w)
    for (const s of [w.a, w.b]) assert.equal(s.state, 'doubt', s.name)
  })
}

test('what is lost and described anew is not found again in frames that nobody sealed', async () => {
  const w = await sealedCall('lost')
  w.probes = false
  w.messages = () => []
  w.between = (p) => [{ ...p, payload: crypto.bytes(160) }]
  await w.talk(2600)
  assert.equal(w.a.state, 'lost')
  forget(w)
  w.between = (p) => [{ ...p, payload: numbered(7) }]
  describe(w, 'pcma')
  await w.talk(6000)
  nothingPlain(w)
  for (const s of [w.a, w.b]) assert.ok(!s.states.includes('sealed') && !s.heard.some(isNumbered), `${s.name} ${s.states.join()}`)
})

test('the words of an agreement that did not come to its end are not shown for the keys of before', async () => {
  const w = await sealedCall('words')
  const { words } = w.a
  // Frames of before are held back; the agreement is let begin, as one that somebody in the middle has with each side.
  const held: Uint8Array[] = []
  w.between = (p, from) => {
    if (from === w.b && held.length < 20) held.push(p.payload)
    return [{ ...p, payload: crypto.bytes(160) }]
  }
  w.messages = (m) => (['identity', 'finished'].includes(typeOf(m) ?? '') ? [] : [m])
  await w.talk(5000)
  assert.equal(w.a.state, 'lost')
  assert.ok(held.length === 20)
  for (const payload of held.slice(10)) {
    w.a.gets({ ssrc: 3 as never, generation: 0, sequence: 9000, timestamp: 0, marker: false, payloadType: 0, payload })
    await w.clock.advance(20)
  }
  assert.equal(w.a.state, 'sealed')
  assert.equal(w.a.words, words)
})

test('a search while the call is lost, spoilt by somebody: told, never more than silence, and the keys of before are taken again', async () => {
  for (const [type, code] of [['open', 'KEYAGREEMENT_COMMITMENT'], ['identity', 'KEYAGREEMENT_CONFIRMATION']] as const) {
    const w = await sealedCall(`spoilt ${type}`)
    const { words, session } = w.a
    w.between = (p) => [{ ...p, payload: crypto.bytes(160) }]
    w.messages = (m) => {
      const spoilt = m.slice()
      if (typeOf(m) === type) spoilt[60]! ^= 1
      return [spoilt]
    }
    await w.talk(30_000)
    nothingPlain(w)
    for (const s of [w.a, w.b]) assert.deepEqual([...new Set(s.states)], ['lost'], s.name)
    assert.ok([...w.a.notes, ...w.b.notes].includes(code), `${w.a.notes}`)
    // A search that runs is not spoilt any more, and could come to its end.
    w.messages = () => []
    w.between = (p) => [p]
    // One that runs is given up first (GIVE_UP_MS): while it does, nothing goes out under the keys of before.
    await w.talkUntil(() => w.a.state === 'sealed' && w.b.state === 'sealed', 30_000)
    await w.assertSealed()
    assert.deepEqual([w.a.words, w.a.session], [words, session])
  }
})

test('one frame of before, again and again in place of the call: the phone hears silence without a gap, and it is said that the call is lost', async () => {
  const w = new SealedCallWorld({ seed: 'copies', a: { ...message, identity: ann }, b: { ...message, identity: ben } })
  await w.call(2000)
  await w.assertSealed()
  let copy: Uint8Array | undefined
  let n = 0
  w.between = (p, from) => {
    if (from === w.a) return []
    copy ??= p.payload
    return n++ % 2 === 0 ? [{ ...p, payload: copy }] : []
  }
  await w.talk(500)
  w.a.heard.length = 0
  await w.talk(1000)
  assert.ok(w.a.heard.length >= 48 && !w.a.heard.slice(10).some(isNumbered), `${w.a.heard.length} of 50 frames`)
  await w.talk(1500)
  assert.equal(w.a.state, 'lost')
  w.between = (p) => [p]
  await w.talk(2000)
  await w.assertSealed()
  // Beside the call they are nothing.
  w.between = (p) => [p, p, p]
  await w.talk(4000)
  w.between = (p) => [p]
  assert.deepEqual([w.a.states, w.b.states].map((s) => s.filter((x) => x === 'lost').length), [1, 0])
  await w.assertSealed()
})

test('another payload type where nothing may be said does not leave', async () => {
  const plain = new SealedCallWorld({ seed: 'comfort noise', a: { ...message, identity: ann, policy: 'require' }, b: { plain: true } })
  await plain.call(9500)
  assert.equal(plain.a.state, 'asking')
  plain.a.sent.length = 0
  for (const type of [8, 13, 96]) plain.a.says(numbered(9), type)
  await plain.talk(500)
  assert.ok(!plain.a.sent.some(isNumbered), 'said in another payload type')
  plain.a.presses('*')
  await plain.clock.advance(1600)
  plain.a.says(numbered(9), 13)
  assert.ok(plain.a.sent.some(isNumbered), 'an open call has all of them')
})

/** A call from Ann to the number ben, answered by whoever is given: what it asks, and what is remembered after it. */
const called = (b: SideOptions, a: SideOptions = {}): SealedCallWorld => new SealedCallWorld({ seed: 'called', a: { ...message, identity: ann, number: 'ben', ...a }, b: { ...message, ...b } })
const mallory = person('Mallory')

test('a key that nobody accepted is not remembered when it is agreed with a second time', async () => {
  for (const [a, b] of [[{ expected: () => 'ab'.repeat(32) }, { identity: mallory }], [{}, { identity: person('Mallory', undefined, ['sip:mallory@example.org']) }]] as [SideOptions, SideOptions][]) {
    const w = called(b, a)
    await w.call(3000)
    assert.equal(w.a.state, 'doubt')
    describe(w, 'pcma')
    await w.talk(3000)
    assert.equal(w.a.state, 'doubt', w.a.states.join())
    assert.deepEqual([...w.a.remembered], [])
    w.a.presses('*')
    await w.talk(2000)
    assert.equal(w.a.state, 'sealed')
    assert.equal(w.a.remembered.size, 1, 'a person accepted it')
    describe(w, 'pcmu')
    await w.talk(3000)
    assert.equal(w.a.state, 'sealed', 'once')
  }
})

test('who calls with a certificate for another number is told of, and not remembered as this one', async () => {
  const w = new SealedCallWorld({ seed: 'caller', a: { ...message, identity: person('Ann', undefined, ['sip:dora@example.org']) }, b: { ...message, identity: ben, number: 'ann' } })
  await w.call(3000)
  describe(w, 'pcma')
  await w.talk(3000)
  assert.deepEqual([w.b.state, w.b.notes.includes('SEALED_CALL_OTHER_NUMBER'), w.b.remembered.size], ['sealed', true, 0])
})

test('who calls under another\'s number with a certificate of their own making does not become them: the real one is not doubted, and a call to the number is', async () => {
  const forged = [{}, { identity: person('Ben', testCa({ name: 'Of my own' }), ['sip:ben@example.org']) }, { identity: mallory }, { identity: person('Mallory', undefined, ['sip:4711@example.org']) }]
  for (const [i, a] of forged.entries()) {
    const spoofed = new SealedCallWorld({ seed: `spoofed ${i}`, a: { ...message, ...a }, b: { ...message, identity: ann, number: 'ben' } })
    await spoofed.call(3000)
    assert.deepEqual([spoofed.b.state, spoofed.b.remembered.size], ['sealed', 0])
  }
  const w = new SealedCallWorld({ seed: 'real', a: { ...message, identity: person('Ben', undefined, ['sip:ben@example.org']) }, b: { ...message, identity: ann, number: 'ben' } })
  await w.call(3000)
  assert.deepEqual([w.b.state, w.b.remembered.size], ['sealed', 1], 'a trusted certificate that names the number')
})

test('a key that somebody vouched for, and nobody does now: a person decides, in this call and in later ones', async () => {
  const w = called({ identity: ben })
  await w.call(3000)
  await w.assertSealed()
  const pinned = w.a.remembered.get('ben')
  assert.equal(w.a.names.get('ben'), 'Ben')
  const alone = { ...ben, chain: [forge(testCa({ name: 'Nobody known' }), { spki: ben.signer.spki })] }
  const later = called({ identity: alone }, { expected: () => pinned, nameOf: () => 'Ben' })
  await later.call(3000)
  assert.deepEqual([later.a.state, later.a.notes], ['doubt', ['SEALED_CALL_ANOTHER_KEY']])
  assert.equal(later.a.remembered.size, 0)
  const never = called({ identity: alone }, { expected: () => pinned, nameOf: () => '' })
  await never.call(3000)
  await never.assertSealed()
})

test('new keys with nobody\'s certificate in the middle of a call: asked, as the words are others; not with the same password', async () => {
  const w = await sealedCall('anonymous', {}, {})
  const { words } = w.a
  describe(w, 'pcma')
  await w.talk(3000)
  assert.deepEqual([w.a.state, w.b.state], ['doubt', 'doubt'])
  assert.notEqual(w.a.words, words)
  nothingPlain(w)
  for (const s of [w.a, w.b]) s.presses('*')
  await w.talk(2000)
  await w.assertSealed()
  const both = { password: () => 'four green bottles' }
  const same = await sealedCall('password', both, both)
  describe(same, 'pcma')
  await same.talk(3000)
  await same.assertSealed()
})

test('one try of a password for each call: not another one over another carrier, when ours was answered by a try', async () => {
  const password = (): string => 'four green bottles'
  const both: SideOptions = { carriers: ['message', 'in-band'], password }
  const w = new SealedCallWorld({ seed: 'tries', a: both, b: both })
  w.messages = (bytes) => (typeOf(bytes) === 'identity' ? [] : [bytes])
  await w.call(20_000)
  for (const s of [w.a, w.b]) assert.deepEqual([s.state, s.notes.includes('KEYAGREEMENT_TIMEOUT')], ['doubt', true], s.name)
})

test('after a wrong password a call described anew, and a beginning of the other side\'s, are no other try', async () => {
  const w = new SealedCallWorld({ seed: 'wrong', a: { ...message, password: () => 'four green bottles' }, b: { ...message, password: () => 'five green bottles' } })
  await w.call(3000)
  assert.deepEqual([w.a.state, w.b.state], ['doubt', 'doubt'])
  let said = 0
  w.messages = (bytes) => {
    said++
    return [bytes]
  }
  describe(w, 'pcma')
  await w.talk(3000)
  assert.deepEqual([w.a.state, said], ['doubt', 0])
  w.a.presses('*')
  w.a.input({ kind: 'dialog', news: { kind: 'message', bytes: encodeMessage({ type: 'commit', hash: crypto.bytes(32) }) } })
  await w.talk(2000)
  assert.deepEqual([w.a.state, said], ['open', 0])
})

/** Anew in a codec that has no room for what sealing needs. */
function unsealable(w: SealedCallWorld, name = 'g729', sides = [w.a, w.b]): void {
  for (const s of sides) s.input({ kind: 'dialog', news: { kind: 'no-codec', other: { name, takes: 18, sends: 18 }, receives: true, telephoneEvent: 101 } })
}
/** A call that is answered with Opus or G.729, or from which somebody took all the others. */
async function stripped(policy: 'require' | 'prefer', more: SideOptions = {}, name = 'g729'): Promise<SealedCallWorld> {
  const w = new SealedCallWorld({ seed: 'stripped', codecs: codecFactory(must(await loadOpus())), a: { ...message, identity: ann, policy, ...more }, b: { plain: true } })
  w.a.input({ kind: 'start' })
  unsealable(w, name, [w.a])
  await w.talk(500)
  w.a.input({ kind: 'dialog', news: { kind: 'answered' } })
  await w.talk(500)
  return w
}

for (const more of [{ policy: 'require' }, { policy: 'prefer', expected: () => 'ab'.repeat(32) }] as const) {
  test(`no codec that can be sealed, ${more.policy}${more.policy === 'prefer' ? ', sealed once' : ''}: nobody hears the phone until a key press says so`, async () => {
    const w = await stripped(more.policy, more)
    assert.deepEqual([w.a.state, w.a.notes], ['asking', ['SEALED_CALL_NO_CODEC', 'SEALED_CALL_ASKS']])
    w.a.input({ kind: 'dialog', news: { kind: 'reached' } })
    unsealable(w, 'g729', [w.a])
    await w.talk(30_000)
    assert.equal(w.a.state, 'asking', 'there is nothing to agree on')
    assert.deepEqual(w.a.notes.filter((c) => c === 'SEALED_CALL_NO_CODEC').length, 1, 'said once')
    assert.equal(w.a.sent.length, 0, 'nothing left')
    assert.ok(w.a.heard.some(isNumbered), 'announcements are heard')
    const key = { ssrc: 3 as never, generation: 0, sequence: 1, timestamp: 77, marker: false, payloadType: 101, payload: Uint8Array.of(10, 0x80, 3, 0x20) }
    for (let i = 0; i < 3; i++) w.a.saysPacket({ ...key, sequence: i })
    await w.clock.advance(1600)
    assert.deepEqual([w.a.state, w.a.sent.length], ['open', 0], 'all of the key is for us')
    await w.talk(500)
    assert.ok(w.a.sent.some(isNumbered), 'a person decided')
  })
}

test('no codec that can be sealed, prefer: open, and said so; mute is silence there too', async () => {
  const w = await stripped('prefer')
  assert.deepEqual([w.a.state, w.a.notes], ['open', ['SEALED_CALL_NO_CODEC']])
  w.a.sent.length = 0
  w.a.input({ kind: 'mute', muted: true })
  await w.talk(500)
  assert.equal(w.a.sent.length, 0)
  w.a.input({ kind: 'mute', muted: false })
  await w.talk(500)
  assert.ok(w.a.sent.some(isNumbered) && w.a.heard.some(isNumbered))
})

for (const policy of ['prefer', 'require'] as const) {
  test(`a sealed call anew in a codec that cannot be sealed, ${policy}: nothing is said until a person decides, and sealed again in another`, async () => {
    const w = await sealedCall(`bare ${policy}`, { identity: ann, policy }, { identity: ben, policy })
    unsealable(w)
    await w.talk(30_000)
    nothingPlain(w)
    for (const s of [w.a, w.b]) assert.deepEqual([s.states, s.words, s.sent.length], [['asking'], '', 0], s.name)
    describe(w, 'pcma')
    await w.talk(3000)
    nothingPlain(w)
    await w.assertSealed()
  })

  test(`in the middle of an agreement a codec that cannot be sealed, ${policy}: asked`, async () => {
    const w = new SealedCallWorld({ seed: `agreeing ${policy}`, a: { ...message, identity: ann, policy }, b: { ...message, identity: ben, policy } })
    w.messages = () => []
    await w.call(1000)
    assert.equal(w.a.state, 'agreeing')
    w.a.sent.length = 0
    unsealable(w, 'g729', [w.a])
    await w.talk(30_000)
    assert.equal(w.a.state, 'asking')
    assert.ok(!w.a.sent.some(isNumbered))
  })
}

test('while nothing may pass in Opus both streams go on, in its silence; without a word of what was said', async () => {
  const w = await sealedCall('opus')
  unsealable(w, 'opus')
  await w.talk(2000)
  for (const s of [w.a, w.b]) {
    assert.ok(s.sent.length > 80 && s.sent.every((f) => f.length === 3 && f[0] === 0xf8), `${s.sent.length} packets of silence`)
  }
})

for (const policy of ['require', 'prefer'] as const) {
  test(`in Opus the phone is told in the ear, ${policy}: words in place of what comes, which then goes on as it came`, async () => {
    const w = await stripped(policy, {}, 'opus')
    await w.talk(1000)
    w.a.heard.length = 0
    w.a.media!.play(new Int16Array(16_000).map((_, i) => Math.round(12_000 * Math.sin(i / 5))))
    await w.talk(1000)
    using read = w.codecs.create('opus')
    assert.ok(w.a.heard.length >= 49 && !w.a.heard.slice(1).some(isNumbered), `${w.a.heard.filter(isNumbered).length} of ${w.a.heard.length}`)
    assert.ok(w.a.heard.slice(2, 48).every((f) => Math.max(...(read.decode(f) ?? []).map(Math.abs)) > 5000), 'the words')
    await w.talk(1000)
    assert.ok(w.a.heard.filter(isNumbered).length >= 48, 'what comes')
    assert.ok(policy === 'prefer' || w.a.sent.every((f) => f.length === 3), 'silence')
  })
}
