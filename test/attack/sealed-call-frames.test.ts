/** Whoever carries the frames of a sealed call. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../src/base/brand.ts'
import { toHex } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { ChainedSession, chainedKeys } from '../../src/protocol/frameseal/chained.ts'
import { decodeHeader, unmask } from '../../src/protocol/frameseal/frame.ts'
import { FrameSession } from '../../src/protocol/frameseal/session.ts'
import { End, optionsOf, person, run } from '../kit/agreement.ts'
import { crypto } from '../kit/certificates.ts'
import { SeededNumbers } from '../kit/seeded-random.ts'

const at = instant
const quiet = new Uint8Array(160).fill(0x7e)

/** Two ends of a call that agreed on keys. */
function call(frames?: number) {
  const [a, b] = [new End(optionsOf({ identity: person('Ann') })), new End(optionsOf({ identity: person('Ben') }))]
  run(a, b)
  return [a, b].map(({ confirmed }) => {
    const session = new FrameSession(crypto, { codec: 'g722', ...(frames === undefined ? {} : { frames }) })
    must(session.addEpoch(0, { send: confirmed!.send, receive: confirmed!.receive }, at(0)))
    return { session, keys: { send: confirmed!.send, receive: confirmed!.receive }, schedule: confirmed!.schedule }
  }) as [{ session: FrameSession; keys: { send: { mask: Uint8Array } }; schedule: unknown }, { session: FrameSession; keys: unknown; schedule: unknown }]
}

test('10 % loss, reordering, duplicates and a gap of 5 s: exactly the missing frames are missing, nothing opens twice', () => {
  const n = new SeededNumbers('sealed frames')
  const [a, b] = call()
  const sent = Array.from({ length: 3000 }, (_, i) => ({ i, frame: must(a.session.sealVoice(Uint8Array.from(quiet, (o, k) => (k < 2 ? ((i >> (7 * k)) & 0x7f) << 1 : o)))) }))
  const arrived = sent.filter(({ i }) => !n.chance(0.1) && !(i >= 1000 && i < 1250))
  const line = arrived.flatMap((s) => (n.chance(0.05) ? [s, s] : [s])).map((s) => ({ s, order: s.i + n.int(8) })).toSorted((x, y) => x.order - y.order)
  const heard = new Map<number, number>()
  for (const { s } of line) {
    const r = b.session.open(s.frame, at(0))
    if (r.kind !== 'voice') continue
    const i = (r.frame[0]! >> 1) | ((r.frame[1]! >> 1) << 7)
    heard.set(i, (heard.get(i) ?? 0) + 1)
  }
  assert.deepEqual([...heard.keys()].toSorted((x, y) => x - y), arrived.map((s) => s.i))
  assert.ok([...heard.values()].every((count) => count === 1))
})

test('frames of an earlier call, of the other direction, and of another fork', () => {
  const [a, b] = call()
  const [c, d] = call()
  const old = must(a.session.sealVoice(quiet))
  for (const other of [a, c, d]) assert.equal(other.session.open(old, at(0)).kind, 'refused')
  assert.equal(b.session.open(old, at(0)).kind, 'voice')
})

test('no (key, header) repeats: over wrap of the counter, new keys, hold, and calls one after the other', () => {
  const seen = new Set<string>()
  for (let calls = 0; calls < 3; calls++) {
    const [a] = call(50)
    let count = 0
    for (let i = 0; i < 60; i++) {
      const sealed = a.session.sealVoice(quiet)
      if (!sealed.ok) {
        assert.equal(sealed.fault.code, 'FRAMESEAL_EXHAUSTED')
        continue
      }
      count++
      const header = unmask(crypto, a.keys.send.mask, sealed.value)
      assert.equal(decodeHeader(header).counter, i)
      const id = `${toHex(a.keys.send.mask)} ${header}`
      assert.ok(!seen.has(id))
      seen.add(id)
    }
    assert.equal(count, 50)
  }
})

test('chained, as labelled: flipped bits are heard, a repeated pair opens, and a password can be guessed from a recording', () => {
  const [i, r] = [crypto.bytes(32), crypto.bytes(32)]
  const password = new TextEncoder().encode('sunshine')
  const ends = (): [ChainedSession, ChainedSession] => [new ChainedSession(crypto, chainedKeys(crypto, password, i, r), 'initiator'), new ChainedSession(crypto, chainedKeys(crypto, password, i, r), 'responder')]
  const [a, b] = ends()
  const recorded = Array.from({ length: 10 }, () => a.seal(quiet))
  assert.equal(b.open(recorded[0]!.with(5, recorded[0]![5]! ^ 0x80))[5], quiet[5]! ^ 0x80)
  b.open(recorded[3]!)
  assert.deepEqual(b.open(recorded[4]!), quiet)
  b.open(recorded[3]!)
  assert.deepEqual(b.open(recorded[4]!), quiet, 'the pair opens a second time')
  const guesses = ['123456', 'letmein', 'sunshine', 'dragon']
  const found = guesses.filter((g) => {
    const guess = new ChainedSession(crypto, chainedKeys(crypto, new TextEncoder().encode(g), i, r), 'responder')
    return recorded.every((f) => toHex(guess.open(f)) === toHex(quiet))
  })
  assert.deepEqual(found, ['sunshine'])
})
