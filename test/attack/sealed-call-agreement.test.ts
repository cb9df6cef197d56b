/** Whoever carries the messages of the key agreement of a sealed call: provider, PBX, network. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../src/base/brand.ts'
import { toHex } from '../../src/base/bytes.ts'
import { shortString } from '../../src/protocol/keyagreement/keys.ts'
import { decodeMessage, encodeMessage, type Message } from '../../src/protocol/keyagreement/messages.ts'
import { testCa } from '../kit/certificates.ts'
import { crypto } from '../kit/certificates.ts'
import { End, optionsOf, person, run } from '../kit/agreement.ts'

const [ann, ben, cas] = ['Ann', 'Ben', 'Cas'].map((n) => person(n)) as [ReturnType<typeof person>, ReturnType<typeof person>, ReturnType<typeof person>]
const pair = (a: Parameters<typeof optionsOf>[0] = { identity: ann }, b: Parameters<typeof optionsOf>[0] = { identity: ben }): [End, End] => [new End(optionsOf(a)), new End(optionsOf(b))]
const change = (bytes: Uint8Array, type: Message['type'], how: (m: Message) => Message): readonly Uint8Array[] => {
  const m = decodeMessage(bytes)!
  return [m.type === type ? encodeMessage(how(m)) : bytes]
}
const unsealed = (...ends: readonly End[]): void => {
  for (const e of ends) assert.equal(e.confirmed, undefined)
}

test('control: nobody in the way', () => {
  const [a, b] = pair()
  run(a, b)
  assert.ok(a.confirmed && b.confirmed)
})

test('keys replaced on the way: no side gets keys', () => {
  const x25519 = crypto.dhKeyPair('x25519').publicKey
  const kem = crypto.kemKeyPair('ml-kem-768').publicKey
  const ciphertext = crypto.kemEncapsulate('ml-kem-768', kem)!.ciphertext
  const changes: readonly [Message['type'], (m: Message) => Message][] = [
    ['respond', (m) => ({ ...m, x25519 }) as Message], ['respond', (m) => ({ ...m, nonce: crypto.bytes(32) }) as Message],
    ['open', (m) => ({ ...m, x25519 }) as Message], ['open', (m) => ({ ...m, kem }) as Message], ['open', (m) => ({ ...m, nonce: crypto.bytes(32) }) as Message],
    ['encapsulated', (m) => ({ ...m, ciphertext }) as Message], ['commit', (m) => ({ ...m, hash: crypto.bytes(32) }) as Message],
  ]
  for (const [type, how] of changes) {
    for (const o of [{ identity: ann }, {}]) {
      const [a, b] = pair(o, o)
      run(a, b, [a], { between: (m) => change(m, type, how) })
      unsealed(a, b)
      assert.ok(a.failure ?? b.failure, type)
    }
  }
})

test('two agreements with somebody in the middle: without certificates the words differ, with them it fails', () => {
  for (const certificates of [false, true]) {
    const [a, b] = pair(certificates ? { identity: ann } : {}, certificates ? { identity: ben } : {})
    const [toA, toB] = [new End(optionsOf(certificates ? { identity: cas } : {})), new End(optionsOf(certificates ? { identity: cas } : {}))]
    run(a, toA)
    run(toB, b)
    assert.ok(a.confirmed && b.confirmed)
    assert.notEqual(a.words, b.words)
    // Another valid certificate than the one that was called: it is named, and whoever dialled Ben compares.
    if (certificates) assert.deepEqual([a.confirmed.peer.identity?.subject, b.confirmed.peer.identity?.subject], ['Cas', 'Cas'])
  }
})

test('a signature moved from one agreement to another', () => {
  const [a1, b1] = pair()
  run(a1, b1)
  const stolen = b1.sent.find((m) => decodeMessage(m)!.type === 'identity')!
  const [a, b] = pair()
  run(a, b, [a], { between: (m, from) => (from === b && decodeMessage(m)!.type === 'identity' ? [stolen] : [m]) })
  unsealed(a)
  assert.equal(a.failure, 'KEYAGREEMENT_CONFIRMATION')
})

test('a certificate of another authority, and one whose key the other side does not have', () => {
  const stranger = person('Ben', testCa({ name: 'Call Authority' }))
  const [a, b] = pair({ identity: ann }, { identity: stranger })
  run(a, b)
  assert.equal(a.failure, 'KEYAGREEMENT_IDENTITY')
  unsealed(a, b)
  const [c, d] = pair({ identity: ann }, { identity: { chain: ben.chain, signer: cas.signer } })
  run(c, d)
  assert.equal(c.failure, 'KEYAGREEMENT_SIGNATURE')
  unsealed(c, d)
})

test('the last mover cannot look for a string: what comes after the opening does not change it', () => {
  const [a, b] = pair({}, {})
  run(a, b)
  const script = [a.sent[0]!, b.sent[0]!, a.sent[1]!]
  assert.equal(shortString(crypto, script).words.join(' '), a.words)
  const [c, d] = pair({}, {})
  let replaced = 0
  run(c, d, [c], { between: (m) => change(m, 'encapsulated', (x) => {
    replaced++
    return { ...x, ciphertext: crypto.bytes(1088) } as Message
  }) })
  assert.ok(replaced > 0 && c.words !== undefined && c.words === d.words, 'the words are the same, whatever the ciphertext')
  unsealed(c, d)
})

test('the first mover is bound: another opening than the one committed to', () => {
  const [a, b] = pair({}, {})
  const other = new End(optionsOf())
  other.step({ kind: 'start' }, instant(0))
  run(a, b, [a], { between: (m) => change(m, 'open', (x) => ({ ...x, nonce: crypto.bytes(32) }) as Message) })
  assert.equal(b.failure, 'KEYAGREEMENT_COMMITMENT')
  unsealed(a, b)
})

test('a second, different message of a kind: refused and named, the first one counts', () => {
  for (const type of ['respond', 'commit', 'identity'] as const) {
    const [a, b] = pair()
    run(a, b, [a], {
      between: (m) => {
        const decoded = decodeMessage(m)!
        if (decoded.type !== type) return [m]
        const second = decoded.type === 'respond' ? { ...decoded, nonce: crypto.bytes(32) } : decoded.type === 'commit' ? { ...decoded, hash: crypto.bytes(32) } : { ...decoded, sealed: crypto.bytes(decoded.sealed.length) }
        return [m, encodeMessage(second as Message)]
      },
    })
    assert.ok(a.confirmed && b.confirmed, type)
    assert.ok([...a.refused, ...b.refused].some((c) => c === 'KEYAGREEMENT_SECOND_MESSAGE'), type)
  }
})

test('one\'s own messages sent back', () => {
  const [a, b] = pair()
  run(a, b, [a], { between: (m, from) => (from === a ? [m] : []) })
  const mirror = new End(optionsOf({ identity: ann }))
  const silent = new End(optionsOf({ identity: ben }))
  run(mirror, silent, [mirror], { forMs: 5000, between: (m, from) => {
    if (from === mirror) mirror.step({ kind: 'message', bytes: m }, instant(0))
    return []
  } })
  unsealed(mirror)
  assert.ok(mirror.refused.includes('KEYAGREEMENT_REFLECTED'), mirror.refused.join())
  // The responder's values reflected into the opening, and the initiator's into the response.
  const [c, d] = pair()
  let own: Message | undefined
  run(c, d, [c], {
    forMs: 5000,
    between: (m, from) => {
      const x = decodeMessage(m)!
      if (x.type === 'respond') own = x
      return from === c && x.type === 'open' && own?.type === 'respond' ? [encodeMessage({ ...x, x25519: own.x25519 })] : [m]
    },
  })
  unsealed(c, d)
  const [e, f] = pair()
  run(e, f, [e], { between: (m, from) => (decodeMessage(m)!.type === 'identity' && from === f ? e.sent.filter((s) => decodeMessage(s)!.type === 'identity') : [m]), forMs: 3000 })
  unsealed(e)
  assert.ok(e.refused.includes('KEYAGREEMENT_REFLECTED'))
})

test('a whole agreement replayed', () => {
  const [a1, b1] = pair()
  run(a1, b1)
  const [a, b] = pair()
  b.step({ kind: 'start' }, instant(0))
  for (const m of a1.sent) b.step({ kind: 'message', bytes: m }, instant(100))
  unsealed(a, b)
  const fresh = new End(optionsOf({ identity: ben }))
  for (const m of a1.sent) fresh.step({ kind: 'message', bytes: m }, instant(100))
  unsealed(fresh)
  assert.equal(fresh.failure, 'KEYAGREEMENT_CONFIRMATION')
})

test('downgrades: versions, codec and carrier are what both were told', () => {
  const offers = (m: Message, o: object): Message => ({ ...m, offers: { ...(m as Extract<Message, { type: 'open' }>).offers, ...o } }) as Message
  for (const o of [{ versions: [9] }, { codec: 'pcmu' }, { carrier: 'in-band' }, { versions: [1, 2] }]) {
    for (const type of ['respond', 'open'] as const) {
      const [a, b] = pair()
      run(a, b, [a], { between: (m) => change(m, type, (x) => offers(x, o)) })
      unsealed(a, b)
      assert.ok(a.failure ?? b.failure)
    }
  }
})

test('keys of small order: refused', () => {
  const zero = new Uint8Array(32)
  const [a, b] = pair()
  run(a, b, [a], { between: (m) => change(m, 'respond', (x) => ({ ...x, x25519: zero }) as Message) })
  assert.equal(a.failure, 'KEYAGREEMENT_KEY')
  unsealed(a, b)
})

test('repeated messages do not make us talk without end; giving up afterwards changes nothing', () => {
  const [a, b] = pair()
  run(a, b)
  const keys = toHex(b.confirmed!.send.key)
  const before = b.sent.length
  for (let i = 0; i < 1000; i++) for (const m of a.sent) b.step({ kind: 'message', bytes: m }, instant(1000))
  assert.ok(b.sent.length - before < 80, `${b.sent.length - before}`)
  b.step({ kind: 'message', bytes: encodeMessage({ type: 'abort', code: 'BYE' }) }, instant(2000))
  assert.equal(b.machine.phase, 'confirmed')
  assert.equal(toHex(b.confirmed!.send.key), keys)
})
