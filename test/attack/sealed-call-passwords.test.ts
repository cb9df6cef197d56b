/**
 * Passwords against whoever has recorded an agreement under one and knows all else of it (the Diffie-Hellman and the post-quantum secret: in years, or of a
 * broken random source), and against whoever takes part with a guess: one guess a run, and nothing to try others on. With `chained` it is as its label says.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareBytes, concat, toHex, utf8 } from '../../src/base/bytes.ts'
import type { CryptoPort } from '../../src/crypto/port.ts'
import { chainedKeys, ChainedSession } from '../../src/protocol/frameseal/chained.ts'
import { cpaceShare, generator, lengthValue, multiplyVerified } from '../../src/protocol/keyagreement/cpace.ts'
import { Schedule, transcriptOf } from '../../src/protocol/keyagreement/keys.ts'
import { decodeMessage, encodeMessage, type Message, type Role } from '../../src/protocol/keyagreement/messages.ts'
import { End, optionsOf, run } from '../kit/agreement.ts'
import { crypto } from '../kit/certificates.ts'
import { person, SealedCallWorld, typeOf } from '../kit/sealed-call-world.ts'

const PASSWORD = 'sunshine'
const DICTIONARY = ['123456', 'letmein', 'dragon', 'qwerty', PASSWORD, 'monkey', 'football', 'trustno1']
const CHANNEL = utf8('stc sealed v1 passwordg722')
const NONE = new Uint8Array(0)
type Of<T extends Message['type']> = Extract<Message, { type: T }>

/** What an end computed and drew, copied before it is wiped. */
function spied(): { readonly port: CryptoPort; readonly shared: Uint8Array[]; readonly drawn: Uint8Array[] } {
  const [shared, drawn]: [Uint8Array[], Uint8Array[]] = [[], []]
  const port: CryptoPort = {
    ...crypto,
    bytes: (n) => {
      const bytes = crypto.bytes(n)
      drawn.push(bytes.slice())
      return bytes
    },
    dh: (...args) => {
      const secret = crypto.dh(...args)
      // The first of the two in the key material.
      if (secret !== undefined) shared.unshift(secret.slice())
      return secret
    },
    kemDecapsulate: (...args) => {
      const secret = crypto.kemDecapsulate(...args)
      if (secret !== undefined) shared.push(secret.slice())
      return secret
    },
    kemEncapsulate: (...args) => {
      const sealed = crypto.kemEncapsulate(...args)
      if (sealed !== undefined) shared.push(sealed.shared.slice())
      return sealed
    },
  }
  return { port, shared, drawn }
}

/** All that crossed, and how to see whether a guess at the third secret is the one of a run: by an identity that it opens. */
class Recording {
  readonly #sent: ReadonlyMap<string, Uint8Array>
  readonly shares: { readonly initiator: Uint8Array; readonly responder: Uint8Array }

  constructor(initiator: End, responder: End) {
    this.#sent = new Map([...initiator.sent.map((m) => ['initiator', m] as const), ...responder.sent.map((m) => ['responder', m] as const)].flatMap(([who, m]) => [[`${who} ${typeOf(m)}`, m]]))
    this.shares = { initiator: this.#message<'open'>('initiator open').pake, responder: this.#message<'respond'>('responder respond').pake }
  }
  #message<T extends Message['type']>(which: string): Of<T> {
    return decodeMessage(this.#sent.get(which)!) as Of<T>
  }
  opens(whose: Role, shared: readonly Uint8Array[], pake: Uint8Array): boolean {
    const transcript = transcriptOf(crypto, ['initiator commit', 'responder respond', 'initiator open', 'responder encapsulated'].map((k) => this.#sent.get(k)!))
    const { key, nonce } = new Schedule(crypto, transcript, [...shared, pake]).identityKey(whose)
    return crypto.aeadOpen('aes-256-gcm', key, nonce, transcript, this.#message<'identity'>(`${whose} identity`).sealed) !== undefined
  }
  /** The secret that CPace makes of a product, in the order of this run. */
  secretOf(product: Uint8Array): Uint8Array {
    return crypto.hash('sha512', lengthValue(utf8('CPaceRistretto255_ISK'), NONE, product), lengthValue(this.shares.initiator, NONE), lengthValue(this.shares.responder, NONE))
  }
}

/** What can be made of a guess with nothing but the recording. */
function* candidates(r: Recording, guess: string): Generator<Uint8Array> {
  const inputs = { password: utf8(guess), channel: CHANNEL }
  const own = cpaceShare(crypto, inputs)
  const products = [r.shares.initiator, r.shares.responder, own.share, generator(crypto, inputs).toBytes(), multiplyVerified(own.secret, r.shares.initiator)!, multiplyVerified(own.secret, r.shares.responder)!]
  for (const product of products) yield r.secretOf(product)
  yield* [NONE, utf8(guess), crypto.hash('sha512', utf8(guess)), crypto.hash('sha512', concat(CHANNEL, utf8(guess)))]
}
const found = (r: Recording, whose: Role, shared: readonly Uint8Array[], of: (guess: string) => Iterable<Uint8Array>): string[] => DICTIONARY.filter((guess) => [...of(guess)].some((c) => r.opens(whose, shared, c)))

/** The scalar behind an end's share, out of what it drew. */
function scalarOf(drawn: readonly Uint8Array[], password: string, share: Uint8Array): Uint8Array {
  const base = { password: utf8(password), channel: CHANNEL }
  return drawn.filter((d) => d.length === 32).map((d) => d.with(31, d[31]! & 0x0f)).find((s) => toHex(cpaceShare(crypto, base, s).share) === toHex(share))!
}

function recorded(a: string, b: string): { readonly r: Recording; readonly a: ReturnType<typeof spied>; readonly b: ReturnType<typeof spied>; readonly ends: readonly [End, End] } {
  const [spyA, spyB] = [spied(), spied()]
  const ends = [new End(optionsOf({ crypto: spyA.port, password: utf8(a) })), new End(optionsOf({ crypto: spyB.port, password: utf8(b) }))] as const
  run(...ends)
  return { r: new Recording(...ends), a: spyA, b: spyB, ends }
}

test('control: who has all three secrets of a run opens it; the password\'s alone, or the two others alone, open nothing', () => {
  const { r, a, ends } = recorded(PASSWORD, PASSWORD)
  assert.ok(ends[0].confirmed && ends[1].confirmed)
  assert.equal(a.shared.length, 2)
  const secret = r.secretOf(multiplyVerified(scalarOf(a.drawn, PASSWORD, r.shares.initiator), r.shares.responder)!)
  for (const whose of ['initiator', 'responder'] as const) {
    assert.ok(r.opens(whose, a.shared, secret))
    assert.ok(!r.opens(whose, a.shared, NONE))
    assert.ok(!r.opens(whose, [], secret))
  }
})

test('a dictionary against a recorded run, with its Diffie-Hellman and post-quantum secrets in hand: no word opens anything, the right one neither', () => {
  const { r, a } = recorded(PASSWORD, PASSWORD)
  const made = new Map(DICTIONARY.map((guess) => [guess, [...candidates(r, guess)]]))
  for (const whose of ['initiator', 'responder'] as const) assert.deepEqual(found(r, whose, a.shared, (guess) => made.get(guess)!), [])
})

for (const role of ['initiator', 'responder'] as const) {
  test(`who takes part as the ${role} tries one word a run: the right one opens, after a wrong one no other word does`, () => {
    const victim: Role = role === 'initiator' ? 'responder' : 'initiator'
    for (const guess of ['dragon', PASSWORD]) {
      const { r, a, b, ends } = role === 'initiator' ? recorded(guess, PASSWORD) : recorded(PASSWORD, guess)
      const own = role === 'initiator' ? a : b
      const scalar = scalarOf(own.drawn, guess, r.shares[role])
      // All that it drew and computed, and each word of the dictionary: products with the scalar of its own share, on any word's generator.
      const withScalar = function* (word: string): Generator<Uint8Array> {
        const product = multiplyVerified(scalar, r.shares[victim])!
        const base = generator(crypto, { password: utf8(word), channel: CHANNEL }).toBytes()
        for (const p of word === guess ? [product] : [multiplyVerified(scalar, base)!, multiplyVerified(scalar, multiplyVerified(scalar, base)!)!]) yield r.secretOf(p)
        yield* candidates(r, word)
      }
      assert.deepEqual(found(r, victim, own.shared, withScalar), guess === PASSWORD ? [PASSWORD] : [], `with ${guess}`)
      assert.equal(ends.every((e) => e.confirmed !== undefined), guess === PASSWORD)
      if (guess !== PASSWORD) assert.deepEqual(ends.map((e) => e.failure), ['KEYAGREEMENT_PASSWORD', 'KEYAGREEMENT_PASSWORD'])
    }
  })
}

test('another share in place of one\'s own after the other side is bound: refused, so that a run stays one guess', () => {
  const [a, b] = [new End(optionsOf({ password: utf8('dragon') })), new End(optionsOf({ password: utf8(PASSWORD) }))]
  const second = cpaceShare(crypto, { password: utf8(PASSWORD), channel: CHANNEL }).share
  run(a, b, [a], { between: (m) => (typeOf(m) === 'open' ? [encodeMessage({ ...(decodeMessage(m) as Of<'open'>), pake: second })] : [m]) })
  assert.equal(b.failure, 'KEYAGREEMENT_COMMITMENT')
  const [c, d] = [new End(optionsOf({ password: utf8(PASSWORD) })), new End(optionsOf({ password: utf8('dragon') }))]
  run(c, d, [c], { between: (m) => (typeOf(m) === 'respond' ? [m, encodeMessage({ ...(decodeMessage(m) as Of<'respond'>), pake: second })] : [m]) })
  assert.ok(c.refused.includes('KEYAGREEMENT_SECOND_MESSAGE'))
  for (const end of [a, b, c, d]) assert.equal(end.confirmed, undefined)
})

test('`chained`, as labelled: the password of a whole recorded call is found in a dictionary', async () => {
  const side = { identity: person('Ann'), carriers: ['message'] as const, chained: () => true, password: () => PASSWORD }
  const w = new SealedCallWorld({ a: side, b: side })
  const randoms: Uint8Array[] = []
  const frames: Uint8Array[] = []
  w.messages = (bytes) => {
    const m = decodeMessage(bytes)
    if (m?.type === 'legacy' && !randoms.some((r) => toHex(r) === toHex(m.random))) randoms.push(m.random)
    return [bytes]
  }
  w.speaking = false
  // The recorder knows what a silent phone says: one octet over and over.
  w.between = (p, from) => {
    if (from === w.a && randoms.length === 2) frames.push(p.payload)
    return [p]
  }
  await w.call(3000)
  const [i, r] = randoms.toSorted(compareBytes) as [Uint8Array, Uint8Array]
  const guesses = DICTIONARY.filter((guess) => (['initiator', 'responder'] as const).some((role) => {
    const session = new ChainedSession(crypto, chainedKeys(crypto, utf8(guess), i, r), role)
    return frames.slice(-20).map((f) => session.open(f)).slice(2).every((f) => f.every((o) => o === f[0]))
  }))
  assert.deepEqual(guesses, [PASSWORD])
})
