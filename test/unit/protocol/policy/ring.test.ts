import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { unixTime } from '../../../../src/base/brand.ts'
import { must } from '../../../../src/base/result.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { People } from '../../../kit/people.ts'
import { readRing, signNotice, signRing } from '../../../../src/protocol/policy/index.ts'

const crypto = createNodeCrypto()
const now = unixTime(1_800_000_000)
const { signer } = new People(now, crypto).person('Ann')
const ring = { id: 'ab'.repeat(16), realm: 'stc', room: 'call-1', to: 'ann@example.org' }
const good = must(signRing(ring, now, signer))

test('what is signed is read', () => {
  const hexOf = (n: number) => fc.uint8Array({ minLength: n, maxLength: n }).map((b) => Buffer.from(b).toString('hex'))
  const room = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/)
  const to = fc.oneof(hexOf(32), fc.stringMatching(/^[a-z0-9]{1,20}@[a-z0-9]{1,20}$/))
  fc.assert(fc.property(hexOf(16), fc.string({ maxLength: 20, unit: 'grapheme-ascii' }), room, to, (id, realm, r, whom) => {
    const { by: _, ...read } = must(readRing(crypto, must(signRing({ id, realm, room: r, to: whom }, now, signer)), realm, now))
    assert.deepEqual(read, { id, realm, room: r, to: whom })
  }), { numRuns: 60 })
})

test('no octet of it can be changed, left out or added', () => {
  const { by } = must(readRing(crypto, good, 'stc', now))
  for (let i = 0; i < good.length; i++) {
    const bad = good.slice()
    bad[i]! ^= 1
    const read = readRing(crypto, bad, 'stc', now)
    // DER of a key has spare bits: then it is another key's, which no certificate has.
    assert.ok(!read.ok || read.value.by !== by, `octet ${i}`)
  }
  for (let n = 0; n < good.length; n++) assert.equal(readRing(crypto, good.subarray(0, n), 'stc', now).ok, false)
  assert.equal(readRing(crypto, Uint8Array.from([...good, 0]), 'stc', now).ok, false)
})

test('of another realm, of another time, of another kind', () => {
  const code = (r: ReturnType<typeof readRing>): string => (r.ok ? 'ok' : r.fault.code)
  assert.equal(code(readRing(crypto, good, 'other', now)), 'RING_MALFORMED')
  assert.equal(code(readRing(crypto, good, 'stc', unixTime(now + 301))), 'RING_STALE')
  assert.equal(code(readRing(crypto, good, 'stc', unixTime(now - 301))), 'RING_STALE')
  assert.equal(code(readRing(crypto, good, 'stc', unixTime(now + 299))), 'ok')
  const notice = must(signNotice(crypto, { kind: 'block', realm: 'stc', target: 'ab'.repeat(32), issued: now, reason: '' }, signer))
  assert.equal(code(readRing(crypto, notice.bytes, 'stc', now)), 'RING_MALFORMED')
  for (const bad of [{ ...ring, to: 'nobody' }, { ...ring, room: 'A b' }, { ...ring, id: 'ab' }]) assert.equal(signRing(bad, now, signer).ok, false)
})
