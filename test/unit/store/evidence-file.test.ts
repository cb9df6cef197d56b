/** Revocation lists over restarts: the newest stays, and an older one does not come back. */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { sameBytes } from '../../../src/base/bytes.ts'
import { must } from '../../../src/base/result.ts'
import { issueRevocationList } from '../../../src/pki/authority.ts'
import { EvidenceFile } from '../../../src/store/evidence-file.ts'
import { AuthorityBook } from '../../../src/protocol/x509/authority-book.ts'
import { authorityKeyId, signRevocationList } from '../../../src/pki/certificate.ts'
import { parseCertificate } from '../../../src/protocol/x509/certificate.ts'
import { anchorsOf, crypto, issue, later, newSigner, testCa } from '../../kit/certificates.ts'
import { journalFolder } from '../../kit/journal.ts'
import { ocspResponse } from '../../kit/ocsp.ts'

const ca = testCa()
const book = new AuthorityBook(crypto, anchorsOf(ca).certificates)
const open = (file: string, vouchedOnly = true) => new EvidenceFile(file, () => book.at(later(600)), { vouchedOnly })
const list = (number: number) => ({ kind: 'crl' as const, der: issueRevocationList(ca, [], number, later(number * 60)) })

test('what was learnt is there after a restart, the newest first, and an older list does not push it out', (t) => {
  const file = path.join(journalFolder(t), 'evidence.stc')
  const [older, newer] = [list(1), list(2)]
  must(open(file).learn([newer]))
  const again = open(file)
  assert.deepEqual(again.proofs(), [newer])
  must(again.learn([older]))
  assert.deepEqual(open(file).proofs()[0], newer)
  assert.equal(open(file).proofs(0).length, 0, 'never more than there is room for')
})

test('a file that is damaged anywhere never throws, and gives only whole statements', (t) => {
  const file = path.join(journalFolder(t), 'evidence.stc')
  must(open(file).learn([list(1)]))
  const good = readFileSync(file)
  for (let n = 0; n < good.length; n += 3) {
    writeFileSync(file, good.subarray(0, n))
    assert.deepEqual(open(file).proofs(), [], `${n} octets`)
  }
  writeFileSync(file, Buffer.from('something else'))
  assert.deepEqual(open(file).proofs(), [])
})

test('forged ones are not kept, and what nobody vouches for only where that is wanted', (t) => {
  const file = path.join(journalFolder(t), 'evidence.stc')
  const forged = { kind: 'crl' as const, der: signRevocationList(newSigner(), { issuer: ca.subject, thisUpdate: later(300), nextUpdate: later(900), revoked: [], extensions: [authorityKeyId(ca.keyId)] }) }
  const strange = { kind: 'crl' as const, der: issueRevocationList(testCa({ name: 'Strange' }), [], 1, later(60)) }
  const genuine = list(1)
  must(open(file).learn([forged, strange, genuine]))
  assert.deepEqual(open(file).proofs(), [genuine])
  must(open(file, false).learn([forged, strange]))
  assert.deepEqual(open(file, false).proofs(), [genuine, strange], 'what is vouched for comes first')
  assert.deepEqual(open(file).proofs(), [genuine])
})

test('renewed answers are written together, after a while or at the end; a list, and an answer that revokes, at once', (t) => {
  const file = path.join(journalFolder(t), 'evidence.stc')
  const due: (() => void)[] = []
  const keeper = new EvidenceFile(file, () => book.at(later(600)), { later: (run) => due.push(run) })
  const [one, two, three] = [issue(ca), issue(ca), issue(ca)].map(({ chain }) => (at: number, status: 'good' | 'revoked' = 'good') => ({
    kind: 'ocsp' as const, der: ocspResponse(ca.signer, { subject: must(parseCertificate(chain[0]!)), issuer: must(parseCertificate(ca.certificate)), status, thisUpdate: later(at), nextUpdate: later(at + 3600) }),
  }))
  const kept = (): number => open(file).proofs().length
  must(keeper.learn([one!(60)]))
  must(keeper.learn([two!(60)]))
  assert.deepEqual([kept(), due.length, keeper.proofs().length], [0, 1, 2], 'one write for all')
  due.shift()!()
  assert.equal(kept(), 2)
  must(keeper.learn([three!(60)]))
  keeper.flush()
  assert.equal(kept(), 3)
  must(keeper.learn([list(1)]))
  assert.equal(kept(), 4)
  must(keeper.learn([one!(120)]))
  const revoking = two!(120, 'revoked')
  must(keeper.learn([revoking]))
  assert.ok(open(file).proofs().some((p) => sameBytes(p.der, revoking.der)))
  rmSync(path.dirname(file), { recursive: true })
  writeFileSync(path.dirname(file), 'no folder')
  const faults: string[] = []
  keeper.onFault = (f) => faults.push(f.code)
  must(keeper.learn([three!(120)]))
  due.pop()!()
  assert.deepEqual(faults, ['STORE_UNWRITABLE'])
  rmSync(path.dirname(file))
})
