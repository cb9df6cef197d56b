/** Whose statements about revocation are told from forged ones: of every authority through which somebody was verified. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex } from '../../../src/base/bytes.ts'
import { must } from '../../../src/base/result.ts'
import type { RevocationProof } from '../../../src/model/trust.ts'
import { createSubordinate, issueRevocationList } from '../../../src/pki/authority.ts'
import { authorityKeyId, signRevocationList } from '../../../src/pki/certificate.ts'
import { KnownMembers } from '../../../src/vault/inside/known-members.ts'
import { anchorsOf, crypto, DAY_S, issue, later, newSigner, NOW, testCa } from '../../kit/certificates.ts'

const ca = testCa()
const middle = createSubordinate(ca, { name: 'Middle', now: NOW })
const list = (madeAt: number, revoked: readonly string[] = [], signer = middle.signer): RevocationProof => ({
  kind: 'crl', der: signRevocationList(signer, { issuer: middle.subject, thisUpdate: later(madeAt), nextUpdate: later(DAY_S), revoked: revoked.map((serial) => ({ serial: fromHex(serial)!, when: NOW })), extensions: [authorityKeyId(middle.keyId)] }),
})
/** In the authority’s name, each newer than the true one: as many as there is room for. */
const forged = (): RevocationProof[] => [0, 1, 2, 3].map((i) => list(-10 + i, [], newSigner()))
const BAD = Array<string>(4).fill('IDENTITY_REVOCATION_BAD_SIGNATURE')

test('forged lists in the name of the server’s issuer do not push the true one out', () => {
  const known = new KnownMembers(crypto, { realm: 'test.example', anchors: anchorsOf(ca) }, [])
  const server = issue(middle, { kind: 'server', name: 'stc.test.example', hosts: ['stc.test.example'] })
  const { path } = must(known.verifyServer(server.chain, NOW))
  assert.deepEqual(known.learn(forged(), NOW).refused, BAD)
  assert.equal(known.learn([list(-60, [server.serial])], NOW).changed, true)
  known.learn(forged(), NOW)
  assert.equal(known.isRevoked(path, NOW), true)
})

test('nor those of somebody who was verified outside of a room, checked for revocation or not yet', () => {
  for (const rule of ['given', 'required'] as const) {
    // Of the authority between there is a list.
    const known = new KnownMembers(crypto, { realm: 'test.example', anchors: anchorsOf(ca), rule }, [{ kind: 'crl', der: issueRevocationList(ca, [], 1, NOW) }])
    const eve = issue(middle, { name: 'Eve' })
    const code = (): string => {
      const r = known.verifyOther(eve.chain, NOW)
      return r.ok ? 'accepted' : r.fault.code
    }
    assert.equal(code(), rule === 'given' ? 'accepted' : 'IDENTITY_REVOCATION_UNKNOWN')
    assert.deepEqual(known.learn(forged(), NOW).refused, BAD)
    known.learn([list(-60, [eve.serial])], NOW)
    known.learn(forged(), NOW)
    assert.equal(code(), 'IDENTITY_REVOKED')
  }
})
