/** The keys of one call when a change of them comes to nothing: what is not sealed under those that stand has no part in it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../src/base/brand.ts'
import { ok } from '../../../src/base/result.ts'
import { decodeMessage, encodeMessage } from '../../../src/protocol/keyagreement/messages.ts'
import { CallSession } from '../../../src/vault/inside/call-session.ts'
import type { CallProgress } from '../../../src/vault/api/calls.ts'
import { crypto } from '../../kit/certificates.ts'

class Side {
  /** What left in the frames, under the keys. */
  readonly said: Uint8Array[] = []
  /** What left beside them. */
  readonly sent: Uint8Array[] = []
  readonly epochs: number[] = []
  readonly session = new CallSession(1, {
    crypto, codec: 'pcmu', carriers: ['message'], chained: false, judge: () => ok(undefined),
    frames: (c) => void (c.op === 'call.say' && this.said.push(c.message)),
  })
  took(p: CallProgress): CallProgress {
    this.sent.push(...p.send)
    if (p.confirmed !== undefined) this.epochs.push(p.confirmed.epoch)
    return p
  }
}
const AT = instant(1000)

function agreed(): readonly [Side, Side] {
  const [a, b] = [new Side(), new Side()]
  a.took(a.session.start('message', AT))
  for (let i = 0; i < 10; i++) {
    for (const m of a.sent.splice(0)) b.took(b.session.message(m, false, 'message', AT))
    for (const m of b.sent.splice(0)) a.took(a.session.message(m, false, 'message', AT))
  }
  assert.deepEqual([a.epochs, b.epochs], [[0], [0]])
  return [a, b]
}
/** A change of keys goes under those that stand. */
function renewed(a: Side, b: Side): void {
  a.took(a.session.rekey(AT))
  for (let i = 0; i < 10; i++) {
    for (const m of a.said.splice(0)) b.took(b.session.message(m, true, 'in-band', AT))
    for (const m of b.said.splice(0)) a.took(a.session.message(m, true, 'in-band', AT))
  }
}

test('while keys change, and after a change has failed, what is not sealed is refused; a sealed beginning is taken', () => {
  const [a, b] = agreed()
  const beside = (bytes: Uint8Array): string => a.session.message(bytes, false, 'message', AT).refused.map((f) => f.message).join()
  a.took(a.session.rekey(AT))
  const commit = a.said.splice(0)[0]!
  assert.equal(decodeMessage(commit)?.type, 'commit')
  b.took(b.session.message(commit, true, 'in-band', AT))
  const respond = b.said.splice(0)[0]!
  assert.match(beside(respond), /outside the sealed frames/)
  const failed = a.took(a.session.message(encodeMessage({ type: 'abort', code: 'KEYAGREEMENT_COMMITMENT' }), true, 'in-band', AT)).failed
  assert.equal(failed?.code, 'KEYAGREEMENT_ABORTED')
  for (const bytes of [respond, encodeMessage({ type: 'encapsulated', ciphertext: crypto.bytes(1088) }), encodeMessage({ type: 'abort', code: 'X' })]) assert.match(beside(bytes), /outside the sealed frames/)
  assert.deepEqual([beside(commit), a.epochs], ['', [0]], 'somebody who looks for us beside the keys is no attack, and nothing becomes of it')
  assert.equal(a.said.length, 0)
  // The one that failed can be begun anew, by either side.
  assert.equal(b.session.message(encodeMessage({ type: 'abort', code: 'X' }), true, 'in-band', AT).failed?.code, 'KEYAGREEMENT_ABORTED')
  renewed(b, a)
  assert.deepEqual([a.epochs, b.epochs], [[0, 1], [0, 1]])
})

test('a peer that changes keys without end gets eight signatures for it, and the keys that stand go on', () => {
  const [a, b] = agreed()
  for (let i = 0; i < 12; i++) renewed(a, b)
  assert.deepEqual([a.epochs.at(-1), b.epochs.at(-1)], [8, 8])
  assert.deepEqual(a.session.rekey(AT).refused.map((f) => f.code), ['VAULT_BUSY'])
  const commit = encodeMessage({ type: 'commit', hash: crypto.bytes(32) })
  assert.deepEqual(b.session.message(commit, true, 'in-band', AT).refused.map((f) => f.code), ['VAULT_BUSY'])
  b.session.say(true, false)
  assert.deepEqual([...b.said.splice(0)[0]!], [16, 1])
  const later = instant(AT + 5000)
  a.took(a.session.rekey(later))
  for (let i = 0; i < 10; i++) {
    for (const m of a.said.splice(0)) b.took(b.session.message(m, true, 'in-band', later))
    for (const m of b.said.splice(0)) a.took(a.session.message(m, true, 'in-band', later))
  }
  assert.deepEqual([a.epochs.at(-1), b.epochs.at(-1)], [9, 9])
})
