/** Whole calls with the profile `chained`: labelled, loses the frame after each gap and goes on; what its label says is so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { privacyOf, privacySentence } from '../../../src/model/privacy.ts'
import { encodeMessage } from '../../../src/protocol/keyagreement/messages.ts'
import { isNumbered, numberOf, person, SealedCallWorld, type SideOptions } from '../../kit/sealed-call-world.ts'

const chained = (more: SideOptions = {}): SideOptions => ({ identity: person('Ann'), chained: () => true, ...more })

for (const carrier of ['server', 'message', 'in-band'] as const) {
  test(`over ${carrier}: both hear each other, and it is not called sealed`, async () => {
    const w = new SealedCallWorld({ seed: carrier, a: chained({ carriers: [carrier] }), b: chained({ carriers: [carrier] }) })
    await w.call(carrier === 'in-band' ? 6000 : 3000)
    await w.assertSealed()
    for (const side of [w.a, w.b]) {
      assert.equal(side.roster.sealedCall?.profile, 'chained')
      assert.equal(privacyOf(side.roster), 'open')
      assert.match(privacySentence(side.roster), /legacy profile, not authenticated/)
      assert.equal(side.words, '', 'there is nothing to compare')
      assert.equal(side.remembered.size, 0, 'nobody is remembered')
    }
  })
}

test('a secret that both have, in place of an exchange of keys; another one is noise, and nobody is told', async () => {
  const w = new SealedCallWorld({ a: chained({ carriers: ['message'], password: () => 'qbwmr-7hv3k-x2c9d-p5tzn' }), b: chained({ carriers: ['message'], password: () => 'qbwmr-7hv3k-x2c9d-p5tzn' }) })
  await w.call(2000)
  await w.assertSealed()
  const other = new SealedCallWorld({ a: chained({ carriers: ['message'], password: () => 'qbwmr-7hv3k-x2c9d-p5tzn' }), b: chained({ carriers: ['message'], password: () => 'another-secret-of-them' }) })
  await other.call(3000)
  other.b.heard.length = 0
  await other.talk(1000)
  assert.ok(!other.b.heard.some(isNumbered))
})

test('the frame after each gap is lost, no more, and none of it is heard as noise', async () => {
  const w = new SealedCallWorld({ seed: 'gaps', a: chained({ carriers: ['message'] }), b: chained({ carriers: ['message'] }) })
  await w.call(2000)
  await w.assertSealed()
  await w.clock.advance(60)
  let lost: number[] = []
  let arrived: number[] = []
  let n = 0
  w.between = (p, from) => {
    if (from !== w.a) return [p]
    n++
    // Single frames, pairs, and five seconds.
    const gone = n % 50 === 10 || n % 50 === 30 || n % 50 === 31 || (n > 500 && n <= 750)
    if (gone) lost.push(w.a.lastSaid)
    else arrived.push(w.a.lastSaid)
    return gone ? [] : [p]
  }
  w.b.heard.length = 0
  await w.talk(20_000)
  w.between = () => []
  await w.clock.advance(200)
  const gaps = new Set(lost)
  const after = arrived.filter((i) => gaps.has(i - 1))
  const heard = new Set(w.b.heard.filter(isNumbered).map(numberOf))
  // Noise has all values; what was said or made up here has few.
  assert.deepEqual(w.b.heard.filter((f) => new Set(f).size > 80).length, 0, 'noise was heard')
  // The one after what is made up is blended in: it is heard, but not octet for octet.
  const expected = arrived.filter((i) => !gaps.has(i - 1) && !gaps.has(i - 2))
  assert.deepEqual(expected.filter((i) => !heard.has(i)), [])
  assert.deepEqual(after.filter((i) => heard.has(i)), [], 'the frame after a gap')
  assert.deepEqual([...heard].filter((i) => !arrived.includes(i)), [])
  lost = arrived = []
})

test('both sides have to want it', async () => {
  const w = new SealedCallWorld({ a: chained({ carriers: ['in-band'] }), b: { identity: person('Ben'), carriers: ['in-band'] } })
  await w.call(8000)
  assert.ok(w.a.state !== 'sealed' && w.b.state !== 'sealed', `${w.a.state} ${w.b.state}`)
})

test('a beginning of another agreement, which nobody signed, ends no pairing that stands', async () => {
  const w = new SealedCallWorld({ a: chained({ carriers: ['message'] }), b: chained({ carriers: ['message'] }) })
  await w.call(2000)
  await w.assertSealed()
  w.a.input({ kind: 'dialog', news: { kind: 'message', bytes: encodeMessage({ type: 'commit', hash: new Uint8Array(32) }) } })
  await w.talk(500)
  assert.deepEqual([w.a.notes, w.b.notes], [['KEYAGREEMENT_UNEXPECTED'], []])
  await w.assertSealed()
})
