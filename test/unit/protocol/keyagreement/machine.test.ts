import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '../../../../src/base/brand.ts'
import { toHex } from '../../../../src/base/bytes.ts'
import { decodeMessage, encodeMessage } from '../../../../src/protocol/keyagreement/messages.ts'
import { WORDS } from '../../../../src/protocol/keyagreement/words.ts'
import { End, optionsOf, person, run } from '../../../kit/agreement.ts'

const ann = person('Ann')
const ben = person('Ben')
const both = (change: Parameters<typeof optionsOf>[0] = {}): [End, End] => [new End(optionsOf({ identity: ann, ...change })), new End(optionsOf({ identity: ben, ...change }))]

function assertAgreed(a: End, b: End): void {
  assert.ok(a.confirmed && b.confirmed, `${a.machine.phase} ${a.failure} / ${b.machine.phase} ${b.failure}`)
  assert.notEqual(a.confirmed.role, b.confirmed.role)
  for (const k of ['key', 'salt', 'mask'] as const) {
    assert.equal(toHex(a.confirmed.send[k]), toHex(b.confirmed.receive[k]))
    assert.equal(toHex(a.confirmed.receive[k]), toHex(b.confirmed.send[k]))
    assert.notEqual(toHex(a.confirmed.send[k]), toHex(a.confirmed.receive[k]))
  }
  assert.equal(a.words, b.words)
}

test('two with certificates: the same keys, each knows the other', () => {
  const [a, b] = both()
  run(a, b)
  assertAgreed(a, b)
  assert.deepEqual([a.confirmed?.peer.identity?.subject, b.confirmed?.peer.identity?.subject], ['Ben', 'Ann'])
  assert.deepEqual([a.refused, b.refused], [[], []])
  assert.deepEqual(a.sent.map((m) => decodeMessage(m)!.type), ['commit', 'open', 'identity', 'finished'])
  assert.deepEqual(b.sent.map((m) => decodeMessage(m)!.type), ['respond', 'encapsulated', 'identity', 'finished'])
})

test('without certificates the short string is what there is', () => {
  const [a, b] = [new End(optionsOf()), new End(optionsOf())]
  run(a, b)
  assertAgreed(a, b)
  assert.deepEqual(a.confirmed?.peer, {})
  assert.match(a.words!, /^\S+ \S+ \S+ \S+$/)
  assert.equal(new Set(WORDS.map((w) => w.toLowerCase())).size, 256)
})

test('every agreement has other keys and words', () => {
  const seen = new Set<string>()
  for (let i = 0; i < 20; i++) {
    const [a, b] = both()
    run(a, b)
    seen.add(toHex(a.confirmed!.send.key)).add(a.words!)
  }
  assert.equal(seen.size, 40)
})

test('both start at once: the lower commitment initiates', () => {
  for (let i = 0; i < 10; i++) {
    const [a, b] = both()
    run(a, b, [a, b])
    assertAgreed(a, b)
  }
})

test('a carrier that loses a third, repeats and reorders', () => {
  fc.assert(fc.property(fc.string(), fc.boolean(), (seed, glare) => {
    const [a, b] = both()
    run(a, b, glare ? [a, b] : [a], { seed, loss: 0.33, duplicates: 0.3, jitterMs: 400 })
    if (a.confirmed && b.confirmed) assertAgreed(a, b)
    // Whoever did not finish says so, and nobody took anything twice.
    else for (const end of [a, b]) assert.ok(end.confirmed !== undefined || end.failure !== undefined || end.machine.phase === 'idle', end.machine.phase)
    for (const end of [a, b]) assert.deepEqual(end.refused.filter((c) => c !== 'KEYAGREEMENT_UNEXPECTED'), [])
  }), { numRuns: 150 })
})

test('at 10 % loss it gets there', () => {
  for (let i = 0; i < 40; i++) {
    const [a, b] = both()
    run(a, b, [a], { seed: `ten ${i}`, loss: 0.1, jitterMs: 50 })
    assertAgreed(a, b)
  }
})

test('nobody answers: told after 20 s, with a bounded number of messages', () => {
  const [a, b] = both()
  run(a, b, [a], { loss: 1 })
  assert.equal(a.failure, 'KEYAGREEMENT_TIMEOUT')
  assert.ok(a.sent.length < 12, `${a.sent.length}`)
})

test('a reliable carrier is not sent anything twice', () => {
  const [a, b] = both({ resend: false })
  run(a, b)
  assertAgreed(a, b)
  assert.equal(a.sent.length + b.sent.length, 8)
})

test('messages: only the one encoding decodes', () => {
  const [a, b] = both()
  run(a, b)
  for (const m of [...a.sent, ...b.sent]) assert.deepEqual(encodeMessage(decodeMessage(m)!), m)
  fc.assert(fc.property(fc.constantFrom(...a.sent, ...b.sent), fc.nat(), fc.nat(255), (m, at, value) => {
    const changed = m.with(at % m.length, value)
    const decoded = decodeMessage(changed)
    if (decoded !== undefined) assert.deepEqual(encodeMessage(decoded), changed)
    assert.equal(decodeMessage(m.subarray(0, at % m.length)), undefined)
  }))
})

test('random and damaged messages in every phase: refused or failed, never an exception', () => {
  fc.assert(fc.property(fc.nat(8), fc.oneof(fc.uint8Array({ maxLength: 1400 }), fc.record({ which: fc.nat(), at: fc.nat(), value: fc.integer({ min: 1, max: 255 }) })), (after, bad) => {
    const [a, b] = both()
    let count = 0
    run(a, b, [a], {
      between: (bytes) => {
        const damaged = bad instanceof Uint8Array ? bad : bytes.with(bad.at % bytes.length, bytes[bad.at % bytes.length]! ^ bad.value)
        return count++ === after ? [damaged, bytes] : [bytes]
      },
    })
    if (a.confirmed && b.confirmed) assertAgreed(a, b)
  }), { numRuns: 200 })
})

test('what is not confirmed gives no keys', () => {
  const [a, b] = both()
  run(a, b, [a], { between: (m) => (decodeMessage(m)!.type === 'finished' ? [] : [m]) })
  assert.equal(a.confirmed ?? b.confirmed, undefined)
  assert.equal(a.failure, 'KEYAGREEMENT_TIMEOUT')
  assert.deepEqual(a.machine.step({ kind: 'start' }, instant(99_000)).out, [])
})
